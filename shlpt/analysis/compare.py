"""Runs side by side: common settings, differing settings, and differences in results. Pure. A side is a choice of
tasks, method and settings, with one run per seed. Records are those of `runs show --json`."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shlpt.analysis.benchmark import METRICS, value
from shlpt.analysis.metrics import summary
from shlpt.analysis.stats import Comparison, paired_t
from shlpt.catalog import METHODS

Record = Mapping[str, Any]
METRIC_COLUMNS = ["method", "metric", "mean", "low", "high", "n"]
TASK_COLUMNS = ["method", "task", "mean", "low", "high", "n"]
WHERE = ("method", "suite", "backbone", "weights", "dtype", "device")


@dataclass(frozen=True)
class Side:
    """Runs that differ only in their seed."""

    name: str
    records: tuple[Record, ...]  # one per seed, in order

    @property
    def seeds(self) -> list[int]:
        return [record["seed"] for record in self.records]

    @property
    def tasks(self) -> list[str]:
        return list(self.records[0]["tasks"])

    @property
    def done(self) -> int:
        return sum(record["state"] == "done" for record in self.records)


# --- which runs belong together -----------------------------------------------------------
def sides(records: Sequence[Record], labels: Sequence[str] | None = None) -> list[Side]:
    """Runs grouped by everything but their seed, in order. `labels` are an experiment's names for the groups; runs with
    the same label and different settings stay separate. Of duplicate seeds, finished runs win, then later ones."""
    groups: dict[tuple[str, str], dict[int, Record]] = {}
    for place, record in enumerate(records):
        content = json.dumps([record["tasks"], everything(record)], sort_keys=True)  # what seeds share
        key = (labels[place] if labels else "", content)
        mine = groups.setdefault(key, {})
        known = mine.get(record["seed"])
        if known is None or known["state"] != "done" or record["state"] == "done":
            mine[record["seed"]] = record
    firsts = [next(iter(mine.values())) for mine in groups.values()]
    names = _names(firsts, [label for label, _ in groups])
    return [
        Side(name, tuple(mine[seed] for seed in sorted(mine)))
        for name, mine in zip(names, groups.values(), strict=True)
    ]


def everything(record: Record) -> dict[str, Any]:
    """All settings of a run, and where it was trained."""
    spec = {"device": "cpu", **record.get("spec", {}), **record}
    return {key: spec[key] for key in WHERE if key in spec} | dict(record["settings"])


def _names(firsts: Sequence[Record], labels: Sequence[str]) -> list[str]:
    """The label or the method, plus differing settings until the names are unique."""
    names = [label or str(record["method"]) for label, record in zip(labels, firsts, strict=True)]
    for differing in (_settings_named, _tasks_named):
        twice = {name for name, count in Counter(names).items() if count > 1}
        for name in twice:
            places = [place for place, known in enumerate(names) if known == name]
            for place, more in zip(places, differing([firsts[p] for p in places]), strict=True):
                names[place] = f"{name} {more}".rstrip()
    return [
        name if names.count(name) == 1 else f"{name} ({names[:place].count(name) + 1})"
        for place, name in enumerate(names)
    ]


def _settings_named(records: Sequence[Record]) -> list[str]:
    found = [everything(record) for record in records]
    keys = [key for key in found[0] if len({json.dumps(each.get(key)) for each in found}) > 1]
    return [" ".join(f"{key}={each.get(key)}" for key in keys) for each in found]


def _tasks_named(records: Sequence[Record]) -> list[str]:
    return [f"on {' → '.join(record['tasks'])}" for record in records]


def same_tasks(found: Sequence[Side]) -> bool:
    """Whether all sides learn the same sequence; otherwise averages are not comparable."""
    return len({tuple(side.tasks) for side in found}) <= 1


def ranked(found: Sequence[Side]) -> list[Side]:
    """By mean ACC, the highest first; sides without one last."""
    means = {side.name: _summary(side, "acc")["mean"] for side in found}
    return sorted(found, key=lambda side: -math.inf if (mean := means[side.name]) is None else -float(str(mean)))


# --- what came of them --------------------------------------------------------------------
def table(found: Sequence[Side]) -> list[dict[str, Any]]:
    """One row per side: metrics with spread and interval over the seeds, and costs."""
    return [
        {
            "name": side.name,
            "method": side.records[0]["method"],
            "tasks": side.tasks,
            "seeds": side.seeds,
            "runs": [record["id"] for record in side.records],
            "n": side.done,
        }
        | {metric: _summary(side, metric) for metric in METRICS}
        | {"by_task": {task: summary(_on(side, k), share=True) for k, task in enumerate(side.tasks)}}
        | {
            "trainable": _largest(side, "trainable"),
            "stored_bytes": _largest(side, "stored_bytes"),
            "seconds": summary([r["seconds"] for r in side.records if r["state"] == "done"])["mean"],
        }
        for side in found
    ]


def for_people(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of `table` for reading: ACC and its interval in percent, BWT and FWT in points."""
    lines = []
    for row in rows:
        ends = row["acc"]["ci95"] or (None, None)
        lines.append(
            {
                "side": row["name"],
                "seeds done": f"{row['n']} of {len(row['seeds'])}",
                "ACC": _hundred(row["acc"]["mean"]),
                "ACC from": _hundred(ends[0]),
                "ACC to": _hundred(ends[1]),
                "BWT": _hundred(row["bwt"]["mean"]),
                "FWT": _hundred(row["fwt"]["mean"]),
                "trained parameters": row["trainable"],
                "KB stored": _kilobytes(row["stored_bytes"]),
                "seconds a run": row["seconds"],
                "needs": ", ".join(METHODS[row["method"]].needs),
                "tasks": " → ".join(row["tasks"]),
            }
        )
    return pd.DataFrame(lines)


def _kilobytes(size: int | None) -> float:
    return math.nan if size is None else size / 1024


def _hundred(share: float | None) -> float:
    return math.nan if share is None else 100 * share


def _summary(side: Side, metric: str) -> dict[str, object]:
    values = [value(record, metric) for record in side.records]
    return summary([v for v in values if v is not None], share=metric == "acc")


def _on(side: Side, place: int) -> list[float]:
    """Final score on a task, of every finished run."""
    scores = [record["matrix"][-1][place] for record in side.records if record["state"] == "done"]
    return [score for score in scores if score is not None]


def _largest(side: Side, name: str) -> Any:
    return max((r[name] for r in side.records if r["state"] == "done" and r.get(name) is not None), default=None)


def metric_rows(found: Sequence[Side]) -> pd.DataFrame:
    """Rows for the figure, one per side and metric; metrics without values are left out."""
    lines = [(side.name, metric, *_ends(_summary(side, metric))) for metric in METRICS for side in found]
    return _frame(lines, METRIC_COLUMNS)


def task_rows(found: Sequence[Side]) -> pd.DataFrame:
    """Final score on each task, one row per side and task."""
    lines = [
        (side.name, task, *_ends(summary(_on(side, k), share=True)))
        for side in found
        for k, task in enumerate(side.tasks)
    ]
    return _frame(lines, TASK_COLUMNS)


def _ends(part: Mapping[str, Any]) -> tuple[float, float, float, int]:
    low, high = part["ci95"] or (math.nan, math.nan)
    return (math.nan if part["mean"] is None else part["mean"], low, high, part["n"])


def _frame(lines: list[tuple[Any, ...]], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=columns).astype({"mean": float, "low": float, "high": float, "n": int})
    return frame.dropna(subset=["mean"]).reset_index(drop=True)


def matrices(side: Side) -> NDArray[np.float64]:
    """[seeds, n, n]: score on task k after task i; NaN where not measured."""
    return np.asarray([record["matrix"] for record in side.records], dtype=float)


def named(frame: pd.DataFrame, found: Sequence[Side]) -> pd.DataFrame:
    """Rows of runs with the name of their side as `method`."""
    names = {record["id"]: side.name for side in found for record in side.records}
    return frame.assign(method=[names[id] for id in frame["run"]])


# --- two of them --------------------------------------------------------------------------
def settings_apart(one: Side, other: Side) -> list[dict[str, Any]]:
    """Every setting in which two sides differ; None if a side does not have it."""
    ours, theirs = everything(one.records[0]), everything(other.records[0])
    ours, theirs = {"tasks": " → ".join(one.tasks), **ours}, {"tasks": " → ".join(other.tasks), **theirs}
    return [
        {"setting": key, "one": ours.get(key), "other": theirs.get(key)}
        for key in dict.fromkeys([*ours, *theirs])
        if ours.get(key) != theirs.get(key)
    ]


def seed_rows(one: Side, other: Side, metric: str = "acc") -> list[dict[str, Any]]:
    """The seeds finished on both sides: both values and their difference, first minus second."""
    theirs = {record["seed"]: value(record, metric) for record in other.records}
    lines = []
    for record in one.records:
        ours, against = value(record, metric), theirs.get(record["seed"])
        if ours is not None and against is not None:
            lines.append({"seed": record["seed"], "one": ours, "other": against, "difference": ours - against})
    return lines


def difference(one: Side, other: Side, metric: str = "acc") -> Comparison:
    """First minus second over the common finished seeds, with 95 % interval and two-sided p."""
    rows = seed_rows(one, other, metric)
    return paired_t([row["one"] for row in rows], [row["other"] for row in rows])


def differences(one: Side, other: Side) -> dict[str, Any]:
    """All comparisons of two sides."""
    return {
        "one": one.name,
        "other": other.name,
        "settings": settings_apart(one, other),
        "same_tasks": same_tasks([one, other]),
        **{metric: {**difference(one, other, metric), "seeds": seed_rows(one, other, metric)} for metric in METRICS},
    }
