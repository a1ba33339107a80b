"""The curves that lessons ask for, from recorded results. No torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from shlpt.analysis.metrics import summary
from shlpt.errors import unknown
from shlpt.lessons.claims import locate, store
from shlpt.lessons.reading import Lesson, Series, of_kind, placed
from shlpt.results import experiments, frames
from shlpt.results.record import run_record
from shlpt.tasks.task import without_shots


@dataclass(frozen=True)
class Curve:
    """Rows [x, mean, low, high]: over the seeds with the 95 % interval, or of one seed with the range over texts."""

    rows: pd.DataFrame
    x: str
    y: str
    seeds: int
    share: bool  # written in percent
    ticks: tuple[str, ...] = ()  # names of the places on the horizontal axis, from 0


def found(lesson: Lesson, name: str) -> Curve:
    one = lesson.front.series[name]
    with placed(lesson, "series", name):
        read = of_kind(KINDS, one.kind, "curve")
        id = locate(lesson.front.results[one.of])["id"]
        runs = [run for run, cell in experiments.runs_with_cells(store(), id) if cell.get("method") == one.method]
        return read(one, runs)


def _scores(one: Series, runs: list[str]) -> Curve:
    """Test score on one task after each task of the sequence, from where it was learned."""
    records = [run_record(store(), run) for run in runs]
    lines: list[Any] = []
    tasks = records[0]["tasks"]
    for place in range(one.task, len(tasks)):
        values = [line[one.task] for record in records for line in record["matrix"][place : place + 1]]
        lines.append(_line(place - one.task, [value for value in values if value is not None]))
    ticks = tuple(f"after {without_shots(task)}" for task in tasks[one.task :])
    shown = f"Test score on {without_shots(tasks[one.task])}"
    return Curve(_rows(lines), "Tasks learned so far", shown, len(records), True, ticks)


def _line(x: float, values: list[float]) -> tuple[float, float, float, float]:
    found: Any = summary(values, share=True)
    low, high = found["ci95"] or (found["mean"], found["mean"])
    return x, found["mean"], low, high


def _alpha(one: Series, runs: list[str]) -> Curve:
    """α of an earlier task while the last one is learned, by epoch, with the range over the texts. Of the first seed,
    because seeds can prefer different tasks."""
    frame = frames.similarity(store(), runs)
    mine = frame[(frame["earlier"] == one.earlier) & (frame["position"] == frame["position"].max())]
    if mine.empty:
        raise unknown("earlier task with recorded steps", one.earlier, frame["earlier"].unique())
    first = mine[mine["seed"] == mine["seed"].min()]
    rows = first.groupby("epoch", as_index=False).agg(mean=("mean", "mean"), low=("low", "min"), high=("high", "max"))
    rows = rows.rename(columns={"epoch": "x"})
    return Curve(rows, "Epoch", "Similarity α", 1, False)


def _rows(lines: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(lines, columns=["x", "mean", "low", "high"])


KINDS: dict[str, Callable[[Series, list[str]], Curve]] = {"scores": _scores, "alpha": _alpha}
