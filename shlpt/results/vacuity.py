"""Warnings about δ from the stored α of runs. No torch."""

import json
from collections.abc import Iterable

from shlpt.analysis.vacuity import of_sequence, warnings
from shlpt.catalog import METHODS
from shlpt.results import frames
from shlpt.results.seeds import text_alphas
from shlpt.store.store import Store


def of_runs(store: Store, ids: Iterable[str]) -> list[str]:
    """One sentence for each warning and setting, with the tasks that it concerns. Runs that differ only in their seed
    are read together. What is known before training is left out."""
    groups: dict[str, list[str]] = {}
    for id in ids:
        spec = frames.spec(store, id)
        if METHODS[spec["method"]].alpha == "estimated":
            same = json.dumps([spec["tasks"], spec["settings"], spec["suite"], spec["backbone"]])
            groups.setdefault(same, []).append(id)
    found: dict[tuple[str, float], list[str]] = {}
    for same, runs in groups.items():
        tasks, settings = json.loads(same)[:2]
        delta = settings["threshold"]
        for place, task in enumerate(tasks[2:], 2):
            early = {*warnings(delta, place), *of_sequence(delta, len(tasks))}  # with or without an alternative
            for said in warnings(delta, place, text_alphas(store, runs, task)):
                if said not in early:
                    found.setdefault((said, delta), []).append(task)
    return [f"δ = {delta:g}, {', '.join(dict.fromkeys(tasks))}: {said}" for (said, delta), tasks in found.items()]
