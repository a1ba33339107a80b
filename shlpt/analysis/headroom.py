"""Headroom: can a sequence distinguish methods at all? Oracle against random partition, and the number of seeds needed.
Pure. Scores are shares from 0 to 1. A seed's value is its mean over the sequences."""

import math
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

import numpy as np
from scipy.special import stdtrit

from shlpt.analysis.metrics import summary
from shlpt.analysis.points import difference, points
from shlpt.analysis.stats import ROUNDING, Value, differences, measured, paired_t
from shlpt.tasks.sequences import STREAMS

Values = Mapping[str, Mapping[int, Value]]  # condition -> seed -> ACC
CONDITIONS = {
    "few": "few examples alone",
    "random": "random partition",
    "declared": "oracle partition (declared)",
    "measured": "oracle partition (measured on other seeds)",
    "plenty": "plenty of examples alone",
}
SCORES = {
    "acc": "Scores: mean over all tasks after the last one (ACC).",
    "last": "Scores: of the last task alone. A stream after CTrL asks what its history does to that task.",
}
ORACLES = ("declared", "measured")
WISH = 0.05  # a difference worth detecting
POWER = 0.8
MOST = 1000  # seeds


def by_condition(rows: Iterable[Mapping[str, Any]], sequence: str | None = None) -> dict[str, dict[int, Value]]:
    """Rows [condition, sequence, seed, acc, last] -> mean of each seed; None if a sequence is missing."""
    found: dict[str, dict[int, list[Value]]] = {}
    for row in rows:
        if sequence in (None, row["sequence"]):
            found.setdefault(row["condition"], {}).setdefault(row["seed"], []).append(
                measured(row[judged_by(row["sequence"])])
            )
    return {c: {seed: _mean(values) for seed, values in seeds.items()} for c, seeds in found.items()}


def judged_by(sequence: str) -> str:
    """The score that counts: of a stream that of its last task, else the mean over all."""
    return "last" if sequence in STREAMS else "acc"


def scores_said(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """What the scores of these rows are, in words."""
    return [SCORES[kind] for kind in sorted({judged_by(row["sequence"]) for row in rows})]


def _mean(values: list[Value]) -> Value:
    return None if None in values else fmean(v for v in values if v is not None)


def seeds_needed(sd: float, apart: float, power: float = POWER) -> int | None:
    """The fewest seeds for a paired t test at 5 % with this power. The smallest m with (t(.975) + t(power)) · sd / √m ≤
    difference, t with m − 1 degrees of freedom. None: more than `MOST`, or no difference."""
    for m in range(2, MOST + 1):
        if float(stdtrit(m - 1, 0.975) + stdtrit(m - 1, power)) * sd / math.sqrt(m) <= abs(apart) > ROUNDING:
            return m
    return None


def against(values: Values, ours: str, theirs: str, wish: float = WISH) -> dict[str, Any]:
    """One condition minus another, paired by seed, and the number of seeds needed."""
    mine, other = values.get(ours, {}), values.get(theirs, {})
    pairs = [mine[seed] for seed in mine], [other.get(seed) for seed in mine]
    found, each = paired_t(*pairs), differences(*pairs)
    sd = float(np.std(each, ddof=1)) if len(each) > 1 else None
    apart = found["difference"]
    return {
        **found,
        "sd": sd,
        "clear": found["ci95"] is not None and not found["ci95"][0] <= 0 <= found["ci95"][1],
        "needed": None if sd is None or apart is None else seeds_needed(sd, apart),
        "wish": wish,
        "needed_for_wish": None if sd is None else seeds_needed(sd, wish),
    }


def gauge(values: Values, wish: float = WISH) -> dict[str, Any]:
    """Every condition with its interval, and the gains of the oracles and of plenty of examples."""
    oracles = {name: against(values, name, "random", wish) for name in ORACLES if name in values}
    return {
        "conditions": _conditions(values),
        "oracle_minus_random": oracles,
        "plenty_minus_few": against(values, "plenty", "few", wish),
        "tells_apart": any(found["clear"] for found in oracles.values()),
        "notes": [_said(name, found) for name, found in oracles.items()] or ["No oracle was measured."],
    }


def _conditions(values: Values) -> dict[str, Any]:
    return {name: summary([v for v in mine.values() if v is not None], share=True) for name, mine in values.items()}


def _said(name: str, found: Mapping[str, Any]) -> str:
    """The gain of an oracle over the random partition, in words."""
    n, what = found["n"], f"{CONDITIONS[name].capitalize()} minus random partition"
    seeds = "1 seed" if n == 1 else f"{n} seeds"
    if not n:
        return f"{what}: not measured yet."
    if n == 1:
        return f"{what}: {difference(found)} points with 1 seed. Without a second seed there is no interval."
    if found["ci95"] is None:
        return f"{what}: {difference(found)} points in each of {seeds}. Nothing varies, so there is no interval."
    if found["clear"]:
        return f"{what}: {difference(found)} points with {seeds}. Methods can be distinguished here."
    return (
        f"{what}: {difference(found)} points. Methods cannot be distinguished here with {seeds}; "
        f"{_needed(found['needed'])} would be needed for the measured difference, {_needed(found['needed_for_wish'])} "
        f"for {points(found['wish'])} points (with a power of {POWER:.0%} at the 5 % level, if the standard deviation "
        f"between seeds stays at {points(found['sd'])} points)."
    )


def _needed(seeds: int | None) -> str:
    return f"more than {MOST}" if seeds is None else f"about {seeds}"


def rows(found: Mapping[str, Any], flat: bool = False) -> list[dict[str, Any]]:
    """For people: one row per condition; flat: one column per number."""
    lines = [{"what": CONDITIONS[name], "difference": False, **part} for name, part in found["conditions"].items()]
    apart = {f"{CONDITIONS[name]} minus random": part for name, part in found["oracle_minus_random"].items()}
    if "plenty" in found["conditions"] or not found["conditions"]:
        apart["plenty minus few examples"] = found["plenty_minus_few"]
    lines += [{"what": name, "difference": True, **part, "mean": part["difference"]} for name, part in apart.items()]
    if flat:
        ends = [line["ci95"] or (None, None) for line in lines]
        return [
            {"what": line["what"], "mean": line["mean"], "low": low, "high": high, "sd": line["sd"], "n": line["n"]}
            for line, (low, high) in zip(lines, ends, strict=True)
        ]
    return [
        {
            "what": line["what"],
            "points": points(line["mean"], "+" if line["difference"] else ""),
            "95 %": "–" if line["ci95"] is None else " to ".join(points(end) for end in line["ci95"]),
            "seeds": line["n"],
        }
        for line in lines
    ]
