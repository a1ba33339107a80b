"""The league of similarity estimators: how well the score of each finds the sources that help. Pure.

Seed by seed: the scores of a seed are judged by the transfer measured with that seed, and the numbers are means over
the seeds. So an estimator that uses transfer itself (the oracle) has to take it from other seeds, and no cell is judged
by a number that it went into. A source helps if the target scores higher after it than alone."""

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shlpt.analysis.cubes import DRAWS, Cube, Floats, Number, cube, in_levels, mean_over_targets, number, times, why_not


class Judged(TypedDict):
    """An estimator. Areas and NDCG are from 0 to 1; `regret` is in points."""

    estimator: str
    roc: Number
    pr: Number
    helping: float | None  # share of cells that help: the PR area of a random order
    spearman: Number
    ndcg: Number
    regret: Number
    seconds: float | None
    notes: list[str]


MEASURES = {
    "roc": ("ROC area", "chance that a pair that helps has a higher score than one that does not; .5 is random"),
    "pr": ("PR area", "average precision for pairs that help; a random order has the share of such pairs"),
    "spearman": ("Spearman", "rank correlation of score and measured transfer"),
    "ndcg": ("NDCG", "how far the order of the sources is the one by gain, from 0 to 1, mean over the targets"),
    "regret": (
        "regret at 1",
        "points lost by the source with the highest score against the one that other seeds find best",
    ),
}

ENDS = {"roc": (0.0, 1.0), "pr": (0.0, 1.0), "spearman": (-1.0, 1.0), "ndcg": (0.0, 1.0), "regret": (-np.inf, np.inf)}


def league(
    pairs: pd.DataFrame, scores: pd.DataFrame, seconds: Mapping[str, float] | None = None, draws: int = DRAWS
) -> list[Judged]:
    """All estimators in `scores` [estimator, source, target, seed, score], the highest ROC area first."""
    names = list(dict.fromkeys(scores["estimator"]))
    found = [
        judged(name, cube(pairs, in_levels(scores[scores["estimator"] == name])), (seconds or {}).get(name), draws)
        for name in names
    ]
    return sorted(found, key=lambda row: -1.0 if row["roc"]["value"] is None else row["roc"]["value"], reverse=True)


def judged(name: str, found: Cube, seconds: float | None = None, draws: int = DRAWS) -> Judged:
    why, n = why_not(found), len(found.tasks)
    numbers = dict.fromkeys(MEASURES, Number(value=None, ci95=None, why=why))
    if not why:
        often = np.vstack([np.ones(n), times(n, draws)])
        for measure, values in (over_pairs(found, often) | over_targets(found, often)).items():
            numbers[measure] = number(values[0], values[1:], n, *ENDS[measure], _undefined(found, measure))
    return Judged(
        estimator=name,
        roc=numbers["roc"],
        pr=numbers["pr"],
        helping=float((found.transfer[found.known] > 0).mean()) if found.known.any() else None,
        spearman=numbers["spearman"],
        ndcg=numbers["ndcg"],
        regret=numbers["regret"],
        seconds=seconds,
        notes=list(found.notes),
    )


def _undefined(found: Cube, measure: str) -> str:
    """Why a measure is not defined in any seed."""
    gain = found.transfer[found.known]
    if measure in ("roc", "pr"):
        return "No source helps." if (gain <= 0).all() else "Every source helps."
    if measure == "regret" and len(found.seeds) < 2:
        return "One seed: the best source has to be known from other seeds."
    return "All pairs have the same transfer." if np.ptp(gain) == 0 else "Not defined for these pairs."


# --- over all pairs -----------------------------------------------------------------------
def over_pairs(found: Cube, often: Floats) -> dict[str, Floats]:
    """ROC area, PR area and Spearman's ρ, each [draws, seeds]. Ranks with weights are matrix products: the rank of a
    cell is the weight of the cells below it."""
    n = len(found.tasks)
    s, t = np.nonzero(~np.eye(n, dtype=bool))
    weight = (often[:, s] * often[:, t]).astype(np.float32)  # [draws, cells]
    roc, pr, rho = [], [], []
    for score, gain in zip(found.score[:, s, t], found.transfer[:, s, t], strict=True):  # one seed: [cells]
        known = np.isfinite(gain)
        w, below, below_gain = weight[:, known], _below(score[known]), _below(gain[known])
        helps = (gain[known] > 0).astype(np.float32)
        yes, no = w * helps, w * (1 - helps)
        with np.errstate(divide="ignore", invalid="ignore"):
            roc.append((yes * (no @ below.T)).sum(1) / (yes.sum(1) * no.sum(1)))
            above = (score[known][:, None] <= score[known]).astype(np.float32)
            precise = (yes @ above.T) / np.maximum(w @ above.T, 1)
            pr.append(np.where(no.sum(1) > 0, (yes * precise).sum(1) / yes.sum(1), np.nan))
            rho.append(_correlation(w @ below.T, w @ below_gain.T, w))
    return {"roc": np.stack(roc, 1), "pr": np.stack(pr, 1), "spearman": np.stack(rho, 1)}


def _below(values: Floats) -> NDArray[np.float32]:
    """[i, j]: 1 where j is below i, ½ where they are equal."""
    i, j = values[:, None], values[None]
    found: NDArray[np.float32] = ((j < i) + 0.5 * (j == i)).astype(np.float32)
    return found


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32], w: NDArray[np.float32]) -> Floats:
    """Of each row, with weights; NaN if one side is constant."""
    total = w.sum(1, keepdims=True)
    da, db = (x - (w * x).sum(1, keepdims=True) / total for x in (a, b))
    spread = (w * da * da).sum(1) * (w * db * db).sum(1)
    found: Floats = np.where(spread > 1e-3, (w * da * db).sum(1) / np.sqrt(np.maximum(spread, 1e-3)), np.nan)
    return found


# --- target by target ---------------------------------------------------------------------
def over_targets(found: Cube, often: Floats) -> dict[str, Floats]:
    """NDCG and regret at 1, means over the targets, each [draws, seeds]. A draw has its own sources and targets."""
    score, gain = (array.transpose(0, 2, 1) for array in (found.score, found.transfer))  # [seeds, targets, sources]
    regret = _gain_of_highest(_of_other_seeds(gain), gain, often) - _gain_of_highest(score, gain, often)
    return {"ndcg": mean_over_targets(_ndcg(score, gain, often), often), "regret": mean_over_targets(regret, often)}


def _ndcg(score: Floats, gain: Floats, often: Floats) -> Floats:
    """[draws, seeds, targets]. A source's gain counts from the target's worst source (0) to its best (1)."""
    low, high = np.fmin.reduce(gain, axis=2)[..., None], np.fmax.reduce(gain, axis=2)[..., None]
    value = np.nan_to_num((gain - low) / np.where(high > low, high - low, np.nan))
    best = _discounted(np.where(np.isfinite(gain), value, np.nan), value, often)
    found: Floats = _discounted(score, value, often) / np.where(best > 0, best, np.nan)
    return found


def _discounted(order: Floats, value: Floats, often: Floats) -> Floats:
    """Sum of value / log2(1 + place) over the sources; equal scores share their places."""
    size = order.shape[-1]
    by_place = np.cumsum([0.0, *1 / np.log2(np.arange(2, size + 2))])
    higher, same = order[..., None] < order[..., None, :], order[..., None] == order[..., None, :]
    above, equal = (_drawn(often, which).astype(int) for which in (higher, same))
    share = (by_place[above + equal] - by_place[above]) / np.maximum(equal, 1)
    found: Floats = np.einsum("bkts,kts,bs->bkt", share, value, often)
    return found


def _drawn(often: Floats, which: NDArray[np.bool_]) -> Floats:
    """How many of these sources [..., sources] are in each draw: [draws, ...]."""
    found = often @ which.reshape(-1, which.shape[-1]).T.astype(float)
    return found.reshape(len(often), *which.shape[:-1])


def _of_other_seeds(gain: Floats) -> Floats:
    """Mean over all other seeds, of what is known."""
    known = np.isfinite(gain)
    filled = np.where(known, gain, 0.0)
    others = known.sum(0) - known
    found: Floats = np.where(known & (others > 0), (filled.sum(0) - filled) / np.maximum(others, 1), np.nan)
    return found


def _gain_of_highest(order: Floats, gain: Floats, often: Floats) -> Floats:
    """[draws, seeds, targets]: transfer of the source that comes first among those drawn, equal ones averaged."""
    weight = often.T[:, :, None, None]  # [sources, draws, 1, 1]
    there = np.where(weight > 0, np.where(np.isfinite(order), order, -np.inf).transpose(2, 0, 1)[:, None], -np.inf)
    top = there.max(0)
    weight = weight * ((there == top) & np.isfinite(top))
    total = weight.sum(0)
    gained = np.einsum("sbkt,skt->bkt", weight, np.nan_to_num(gain).transpose(2, 0, 1))
    found: Floats = gained / np.where(total > 0, total, np.nan)
    return found
