"""Stored answers of two sides of a comparison to the same test examples. No torch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis.answers import Floats, Paired, paired, power_said, spread
from shlpt.analysis.compare import Side
from shlpt.catalog import METHODS
from shlpt.results import frames
from shlpt.store.store import Store

ALL = "all tasks"


def answers(one: Side, other: Side, where: Mapping[str, Store]) -> dict[str, tuple[Floats, Floats]]:
    """Task -> scores of both sides after the last task, [seeds, examples], for the seeds and examples that both have
    answers for. Tasks without any are left out."""
    theirs = {record["seed"]: record for record in other.records}
    both = [(record, theirs[record["seed"]]) for record in one.records if record["seed"] in theirs]
    found = {}
    for task in (task for task in one.tasks if task in other.tasks):
        columns = [[_scores(where[record["id"]], record, task) for record in pair] for pair in both]
        known = [pair for pair in columns if all(len(scores) for scores in pair)]
        if known:
            tables = [pd.concat([pair[side] for pair in known], axis=1, join="inner") for side in (0, 1)]
            shared = tables[0].index.intersection(tables[1].index)
            if len(shared):
                found[task] = tuple(np.ascontiguousarray(table.loc[shared].to_numpy(float).T) for table in tables)
    return found  # type: ignore[return-value]


def _scores(store: Store, record: Mapping[str, Any], task: str) -> pd.Series:
    if record["state"] != "done":
        return pd.Series(dtype=float)
    kept = METHODS[record["method"]].keeps_answers  # then they are stored once, when the task was learned
    rows = frames.answers(store, record["id"], task, after=task if kept else record["tasks"][-1])
    return pd.Series(rows["score"].to_numpy(float), index=rows["example"])


def compared(one: Side, other: Side, where: Mapping[str, Store]) -> tuple[dict[str, Paired], str]:
    """Task -> both tests; with several tasks all of them together. And how many seeds or examples three points need."""
    found = answers(one, other, where)
    if not found:
        return {}, ""
    rows = {task: paired(*sides) for task, sides in found.items()}
    whole = next(iter(found.values()))
    if len(found) > 1 and len({len(ours) for ours, _ in found.values()}) == 1:
        whole = tuple(np.concatenate([sides[k] for sides in found.values()], axis=1) for k in (0, 1))  # type: ignore[assignment]
        rows[ALL] = paired(*whole)
    elif len(found) > 1:
        return rows, ""
    return rows, power_said(spread(whole[0] - whole[1]))
