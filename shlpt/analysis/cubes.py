"""Measured transfer and scores of similarity as arrays over seeds, sources and targets, and intervals that know that
pairs with a common task are not independent. Pure.

`pairs` is [source, target, seed, transfer] (`transfer.gains`), `scores` is [source, target, seed, score] of one
estimator, higher for more similar. What is missing is NaN. A score without a seed holds for every seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shlpt.analysis.metrics import summary

Floats = NDArray[np.float64]
DRAWS = 200  # of the bootstrap
FEWEST = 4  # tasks that a bootstrap needs
NORMAL = 1.959964  # two-sided 95 %


class Number(TypedDict):
    """A value with its 95 % interval, or why there is none."""

    value: float | None
    ci95: list[float] | None
    why: str


def written(found: Number) -> str:
    """`0.63 [0.52, 0.74]`, or why there is no number."""
    if found["value"] is None:
        return found["why"]
    value, ends = f"{found['value']:.2f}", found["ci95"]
    return value if ends is None else f"{value} [{ends[0]:.2f}, {ends[1]:.2f}]"


@dataclass(frozen=True)
class Cube:
    """[seeds, sources, targets]; the diagonal and what was not measured is NaN in both."""

    tasks: tuple[str, ...]
    seeds: tuple[int, ...]
    transfer: Floats
    score: Floats
    notes: tuple[str, ...]  # what is missing, in sentences

    @property
    def known(self) -> NDArray[np.bool_]:
        return np.isfinite(self.transfer)


def cube(pairs: pd.DataFrame, scores: pd.DataFrame) -> Cube:
    """Both frames on the tasks and seeds of the pairs. A cell counts where both are finite."""
    names = tuple(dict.fromkeys([*pairs["source"], *pairs["target"]]))
    seeds = tuple(sorted(int(seed) for seed in pairs["seed"].unique()))
    transfer = _filled(pairs, "transfer", names, seeds)
    score = _filled(scores, "score", names, seeds)
    apart = ~np.eye(len(names), dtype=bool)
    both = np.isfinite(transfer) & np.isfinite(score) & apart
    return Cube(
        names,
        seeds,
        np.where(both, transfer, np.nan),
        np.where(both, score, np.nan),
        _missing(transfer[:, apart], score[:, apart], scores),
    )


def _filled(frame: pd.DataFrame, value: str, names: Sequence[str], seeds: Sequence[int]) -> Floats:
    found = np.full((len(seeds), len(names), len(names)), np.nan)
    mine = frame[frame["source"].isin(names) & frame["target"].isin(names)]
    s, t = (mine[side].map({name: k for k, name in enumerate(names)}).to_numpy(int) for side in ("source", "target"))
    at = mine["seed"].map({seed: k for k, seed in enumerate(seeds)}).to_numpy(float)
    number, always = mine[value].to_numpy(float), mine["seed"].isna().to_numpy()
    found[:, s[always], t[always]] = number[always]
    known = np.isfinite(at)
    found[at[known].astype(int), s[known], t[known]] = number[known]
    return found


def _missing(transfer: Floats, score: Floats, scores: pd.DataFrame) -> tuple[str, ...]:
    """What is not there, so that nothing is left out in silence."""
    infinite = int(np.isinf(scores["score"].to_numpy(float)).sum())
    of_all = f"of {transfer.size} pairs and seeds"
    found = [
        (infinite, "scores are infinite and left out"),
        (int((~np.isfinite(transfer)).sum()), f"{of_all} have no measured transfer"),
        (int((np.isfinite(transfer) & ~np.isfinite(score)).sum()), f"{of_all} have no similarity and are left out"),
    ]
    return tuple(f"{count} {said}." for count, said in found if count)


def why_not(found: Cube) -> str:
    """Why nothing can be judged, in a sentence; empty if something can."""
    if len(found.tasks) < 2:
        return "There is only one task, so there is no pair to judge."
    if not found.known.any():
        return "No pair has both a measured transfer and a score."
    score = found.score[found.known]
    if np.ptp(score) == 0:
        return "All scores are equal, so they order nothing."
    return ""


def means(pairs: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row per pair: [source, target, n, score, score_low, score_high, transfer, low, high], means over the seeds
    with their intervals. Those of scores from 0 to 1, such as α, stay inside 0 to 1."""
    found, lines = cube(pairs, scores), []
    share = bool(scores["score"].dropna().between(0, 1).all())
    for s, source in enumerate(found.tasks):
        for t, target in enumerate(found.tasks):
            known = found.known[:, s, t]
            if known.any():
                score = summary(list(found.score[known, s, t]), share=share)
                gain = summary(list(found.transfer[known, s, t]))
                ends: list[Any] = [part["ci95"] or (np.nan, np.nan) for part in (score, gain)]
                lines.append((source, target, gain["n"], score["mean"], *ends[0], gain["mean"], *ends[1]))
    columns = ["source", "target", "n", "score", "score_low", "score_high", "transfer", "low", "high"]
    return pd.DataFrame(lines, columns=columns)


def in_levels(scores: pd.DataFrame) -> pd.DataFrame:
    """Scores of an α as multiples of the uniform level 1/n, so that those of different numbers of earlier tasks can be
    compared; other scores as they are."""
    return scores.assign(score=scores["score"] * scores["earlier"].fillna(1)) if "earlier" in scores else scores


def similar_pairs(table: pd.DataFrame, delta: float) -> str:
    """The pairs of `means` above δ, as `similar_pairs` of the oracle partition."""
    return ",".join(f"{row.source}>{row.target}" for row in table.itertuples() if row.score > delta) or "none"


# --- intervals ----------------------------------------------------------------------------
def times(tasks: int, draws: int = DRAWS, seed: int = 0) -> Floats:
    """How often each task is drawn: [draws, tasks]. A pair is drawn as often as its tasks multiplied."""
    found: Floats = np.random.default_rng(seed).multinomial(tasks, np.full(tasks, 1 / tasks), draws).astype(float)
    return found


def number(
    by_seed: Floats,
    drawn: Floats,
    tasks: int,
    low: float = -np.inf,
    high: float = np.inf,
    why: str = "",
    reach: float = NORMAL,
) -> Number:
    """The mean over the seeds. Its variance is the sum of two: over bootstrap draws of the tasks, and over the seeds
    (of a mean, the bootstrap has it in closed form). `by_seed` [seeds] is the statistic of each seed, `drawn`
    [draws, seeds] of each draw; NaN where it is not defined. `reach`: standard errors on each side."""
    defined = by_seed[np.isfinite(by_seed)]
    if not len(defined):
        return Number(value=None, ci95=None, why=why)
    value = float(defined.mean())
    if len(defined) < 2:
        return Number(value=value, ci95=None, why="One seed: no interval.")
    if tasks < FEWEST:
        return Number(value=value, ci95=None, why=f"Fewer than {FEWEST} tasks: no interval.")
    with np.errstate(invalid="ignore"):
        filled = np.isfinite(drawn)
        over = np.where(filled, drawn, 0.0).sum(1) / np.where(filled.any(1), filled.sum(1), np.nan)
    over = over[np.isfinite(over)]
    if 2 * len(over) < len(drawn):
        return Number(value=value, ci95=None, why="Not defined in most bootstrap draws: no interval.")
    half = reach * float(np.sqrt(over.var() + defined.var(ddof=1) / len(defined)))
    said = (
        "" if len(defined) == len(by_seed) else f"Not defined in {len(by_seed) - len(defined)} of {len(by_seed)} seeds."
    )
    return Number(value=value, ci95=[max(low, value - half), min(high, value + half)], why=said)


def mean_over_targets(values: Floats, often: Floats) -> Floats:
    """[draws, seeds, targets] → [draws, seeds], each target as often as it is drawn; without undefined ones."""
    defined = np.isfinite(values)
    total = np.einsum("bkt,bt->bk", defined, often)
    found: Floats = np.einsum("bkt,bt->bk", np.where(defined, values, 0.0), often) / np.where(total > 0, total, np.nan)
    return found
