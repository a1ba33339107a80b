"""Answers without being told the task: a router chooses whose prompt answers each test text. Scores with and without,
the gap between them, and which tasks are mistaken for which. Pure. Scores are shares, from 0 to 1."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shlpt.analysis.compare import Side
from shlpt.analysis.metrics import summary
from shlpt.catalog.routers import ROUTERS, routers_of

COLUMNS = ["task", "chosen", "told", "untold"]  # of a test text: whose it is, whose prompt answers, scores
IN_TABLES = ("untold", "gap")
MEASURES = ("told", "untold", "gap", "right")
NOT_NEEDED = "not needed"  # the method is never told the task
Found = Mapping[str, Mapping[str, pd.DataFrame]]  # run -> router -> its test texts


def measures(frame: pd.DataFrame) -> dict[str, float]:
    """Mean over the tasks, as in ACC: score if told the task, if not, the gap, and the share of texts sent rightly."""
    rows = frame.assign(right=frame["task"] == frame["chosen"])
    means = rows.groupby("task", sort=False)[["told", "untold", "right"]].mean().mean()
    found = {name: float(means[name]) for name in ("told", "untold", "right")}
    return found | {"gap": found["told"] - found["untold"]}


def confusion(frame: pd.DataFrame, tasks: Sequence[str]) -> NDArray[np.float64]:
    """[n,n]: share of the texts of each task (row) that the prompt of each task (column) answers."""
    counts = pd.crosstab(frame["task"], frame["chosen"]).reindex(index=tasks, columns=tasks, fill_value=0)
    found = counts.to_numpy(dtype=float)
    return found / np.maximum(found.sum(1, keepdims=True), 1)


# --- over seeds -------------------------------------------------------------------------
def rows(sides: Sequence[Side], found: Found) -> list[dict[str, Any]]:
    """One row per side and router: each measure with spread and interval over the seeds that were measured."""
    lines = []
    for side in sides:
        method = side.records[0]["method"]
        for router in routers_of(method) or (NOT_NEEDED,):
            values = [_values(record, router, found) for record in side.records]
            there = [value for value in values if value is not None]
            if there:
                parts = {name: summary([value[name] for value in there if name in value]) for name in MEASURES}
                lines.append({"side": side.name, "method": method, "router": router, "seeds": len(there)} | parts)
    return lines


def _values(record: Mapping[str, Any], router: str, found: Found) -> Mapping[str, float] | None:
    if router == NOT_NEEDED:
        return None if record["acc"] is None else unneeded(record["acc"])
    frame = found.get(record["id"], {}).get(router)
    return None if frame is None else measures(frame)


def unneeded(acc: float) -> dict[str, float]:
    """The measures of a method that is never told the task: there is nothing to choose."""
    return {"told": acc, "untold": acc, "gap": 0.0}


def with_routing(records: Sequence[Mapping[str, Any]], found: Found) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Records with `untold_ROUTER` and `gap_ROUTER` for each router that any of them was measured with, and these
    names. A record without a measurement lacks them."""
    routers = [name for name in ROUTERS if any(name in frames for frames in found.values())]
    lines: list[Mapping[str, Any]] = []
    for record in records:
        needed = bool(routers_of(record["method"]))
        more = {router: _values(record, router if needed else NOT_NEEDED, found) or {} for router in routers}
        lines.append({**record, **{f"{n}_{router}": v.get(n) for router, v in more.items() for n in IN_TABLES}})
    return lines, [f"{name}_{router}" for router in routers for name in IN_TABLES]


def matrix(side: Side, router: str, found: Found) -> NDArray[np.float64] | None:
    """The mean confusion over the measured seeds of a side; None without any."""
    frames = [found[r["id"]][router] for r in side.records if router in found.get(r["id"], {})]
    return np.mean([confusion(frame, side.tasks) for frame in frames], axis=0) if frames else None
