"""Transfer between pairs of tasks: what the target wins or loses by coming after the source. Pure."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from shlpt.analysis.metrics import error_reduction, summary

CELL = ["source", "target", "value", "low", "high", "n"]


def cells(pairs: pd.DataFrame) -> pd.DataFrame:
    """pairs [source, target, seed, score, alone] -> test error reduction of each pair in points, over the seeds.

    `low` and `high` are the 95 % interval; both are NaN with one seed, which says nothing about spread.
    """
    lines = []
    for (source, target), rows in pairs.dropna(subset=["score", "alone"]).groupby(["source", "target"], sort=False):
        found = summary([100 * error_reduction(s, a) for s, a in zip(rows["score"], rows["alone"], strict=True)])
        interval: Any = found["ci95"] or (None, None)
        lines.append((source, target, found["mean"], *interval, found["n"]))
    return pd.DataFrame(lines, columns=CELL).astype({"value": float, "low": float, "high": float, "n": int})


def wide(table: pd.DataFrame, tasks: list[str]) -> list[dict[str, object]]:
    """A line a source, a column a target; None on the diagonal and where nothing is measured yet."""
    found = {(c.source, c.target): c.value for c in table.itertuples()}
    return [{"source": s} | {t: found.get((s, t)) for t in tasks} for s in tasks]


UNSURE = "not distinguishable from zero"


def verdict(low: float, high: float, value: float) -> str:
    """What can be said of a cell: its interval decides, and without one nothing is claimed."""
    if math.isnan(value):
        return "not trained yet"
    if math.isnan(low):
        return "one seed: no interval, so nothing is claimed"
    if low <= 0 <= high:
        return UNSURE
    return "helps" if value > 0 else "harms"


def described(table: pd.DataFrame) -> pd.DataFrame:
    """Cells with what can be said of each, for a table beside the figure."""
    said = [verdict(c.low, c.high, c.value) for c in table.itertuples()]
    return table.assign(verdict=pd.Series(said, index=table.index, dtype=object))


def cell(table: pd.DataFrame, source: str, target: str) -> dict[str, Any]:
    """One of them; NaN and no seed where nothing is measured yet."""
    found = table[(table["source"] == source) & (table["target"] == target)]
    if len(found):
        line = {str(key): value for key, value in found.iloc[0].items()}
        line |= {"n": int(line["n"])}
    else:
        line = {"source": source, "target": target, "value": math.nan, "low": math.nan, "high": math.nan, "n": 0}
    return line | {"verdict": verdict(line["low"], line["high"], line["value"])}


def strongest(table: pd.DataFrame) -> tuple[str, str] | None:
    """The pair with the largest harm that is more than chance, or else the largest effect: where to look first."""
    if table.empty:
        return None
    sure = table[table["high"] < 0]
    place = sure["value"].idxmin() if len(sure) else table["value"].abs().idxmax()
    return str(table["source"][place]), str(table["target"][place])


def helping(table: pd.DataFrame) -> str:
    """The pairs whose mean is above zero, as the oracle partition takes them (`similar_pairs`)."""
    return ",".join(f"{c.source}>{c.target}" for c in table.itertuples() if c.value > 0) or "none"


FLIP = ["example", "target", "alone", "with transfer", "text"]


def flips(after: pd.DataFrame, alone: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers [example, text, target, answer, score] with and without transfer -> examples gained and lost by it."""
    both = after.merge(alone[["example", "answer", "score"]], on="example", suffixes=("", " alone"))
    both = both.rename(columns={"answer": "with transfer", "answer alone": "alone"})
    gained, lost = both["score"] > both["score alone"], both["score"] < both["score alone"]
    return both[gained][FLIP].reset_index(drop=True), both[lost][FLIP].reset_index(drop=True)
