"""Warnings about δ from the stored α of runs. No torch."""

import json
from collections.abc import Iterable

import pandas as pd

from shlpt.analysis.vacuity import of_sequence, warnings
from shlpt.catalog import METHODS
from shlpt.results import frames
from shlpt.store.store import Store


def of_runs(store: Store, ids: Iterable[str]) -> list[str]:
    """One sentence for each warning and setting, with the tasks that it concerns. Runs that differ only in their seed
    are read together. What is known before training is left out."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for id in ids:
        spec = frames.spec(store, id)
        if METHODS[spec["method"]].alpha == "estimated":
            same = json.dumps([spec["tasks"], spec["settings"], spec["suite"], spec["backbone"]])
            groups.setdefault(same, []).append((id, spec["seed"]))
    found: dict[tuple[str, float], list[str]] = {}
    for same, runs in groups.items():
        tasks, settings = json.loads(same)[:2]
        delta = settings["threshold"]
        known = {*of_sequence(delta, len(tasks))}
        for place, task in enumerate(tasks[2:], 2):
            early = {*warnings(delta, place)}
            for said in warnings(delta, place, _alphas(store, runs, task, tasks[:place])):
                if said not in early | known:
                    found.setdefault((said, delta), []).append(task)
    return [f"δ = {delta:g}, {', '.join(dict.fromkeys(tasks))}: {said}" for (said, delta), tasks in found.items()]


def _alphas(store: Store, runs: Iterable[tuple[str, int]], task: str, earlier: list[str]) -> pd.DataFrame:
    parts = []
    for id, seed in runs:
        alpha = frames.tensors(store, id, task).get("record.alpha")
        if alpha is not None and alpha.size:
            wide = pd.DataFrame(alpha, columns=earlier).rename_axis("example").reset_index()
            parts.append(wide.melt("example", var_name="earlier", value_name="alpha").assign(seed=seed))
    return (
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["example", "earlier", "alpha", "seed"])
    )
