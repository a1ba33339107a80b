"""What a run came to: its accuracy matrix and metrics, read from its stages. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shlpt.analysis import metrics
from shlpt.catalog import METHODS
from shlpt.runs.plan import RunPlan
from shlpt.runs.store import Store, clean


def matrix(stages: Sequence[Mapping[str, Any] | None], tasks: Sequence[str], keeps_answers: bool) -> metrics.Matrix:
    """a[i][k] from the stages of a run; NaN above the diagonal and where a stage is missing."""
    a = np.full((len(tasks), len(tasks)), np.nan)
    for i, stage in enumerate(stages):
        if stage is None:
            break
        for k in range(i + 1):
            # What answers task k never changed after task k: its score is not measured again.
            source = stages[k] if keeps_answers else stage
            if source is not None:
                a[i, k] = float(np.mean(source["tests"][tasks[k]]["scores"]))
    return a


def run_record(store: Store, plan: RunPlan, failed: Mapping[str, str]) -> dict[str, Any]:
    """A run as JSON: its spec, its state, its matrix and metrics."""
    spec = plan.spec
    stages = [store.stage(s.key) if s.key not in failed and store.has_stage(s.key) else None for s in plan.stages]
    a = matrix(stages, spec.tasks, METHODS[spec.method].keeps_answers)
    alone = [store.stage(s.key) for s in plan.alone if s.key not in failed and store.has_stage(s.key)]
    complete = all(stage is not None for stage in stages)
    error = next((failed[s.key] for s in plan.stages if s.key in failed), None)
    alone_scores = [np.nan] + [float(np.mean(s["tests"][s["task"]]["scores"])) for s in alone]
    has_alone = complete and len(alone_scores) == len(spec.tasks)
    record = {
        "id": spec.id, "method": spec.method, "tasks": list(spec.tasks), "seed": spec.seed,
        "state": "failed" if error else ("done" if complete else "stopped"), "error": error,
        "matrix": a.tolist(), "alone": alone_scores if has_alone else None,
        "acc": metrics.average_accuracy(a) if complete else None,
        "bwt": metrics.backward_transfer(a) if complete else None,
        "fwt": metrics.forward_transfer(a, alone_scores) if has_alone else None,
        "settings": spec.settings, "suite": spec.suite, "backbone": spec.backbone, "spec": spec.to_json(),
        "stages": [s.key for s in plan.stages], "alone_stages": [s.key for s in plan.alone],
    }  # fmt: skip
    found: dict[str, Any] = clean(record)
    return found


def summarise(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean, standard deviation and 95 % interval over the seeds of a run set."""
    values = {name: [r[name] for r in records if r[name] is not None] for name in ("acc", "bwt", "fwt")}
    return {name: metrics.summary(found) for name, found in values.items()}
