"""Which threshold δ the measured transfer supports. Pure.

What mixing several sources brings is estimated and not trained: the mean of the measured transfer from each similar
source alone, with the weights of eq. 7 (α of the similar sources, scaled to add up to 1). Scores that are no α get
equal weights. Without a similar source the benefit is 0: the target is learned alone ("nobody similar")."""

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from shlpt.analysis.cubes import (
    DRAWS,
    FEWEST,
    Cube,
    Floats,
    Number,
    cube,
    in_levels,
    mean_over_targets,
    number,
    times,
    why_not,
)
from shlpt.analysis.points import between, signed

STEPS = 100  # of the grid of δ
SAME = 1e-9  # benefits this close are equal
ESTIMATE = (
    "The benefit of mixing several sources is an estimate, the weighted mean of their measured transfers one by one. "
    "Nothing was trained with this δ."
)


@dataclass(frozen=True)
class Weighed:
    """Every δ of a grid on every target: the benefit in points [draws, δ, seeds, targets], 0 where nobody is similar,
    NaN where the target has no source. The first draw is the data. The grid goes from "everybody similar" to "nobody".
    """

    found: Cube
    grid: Floats
    often: Floats  # [draws, tasks]
    seeds: Floats  # [draws, seeds]
    benefit: Floats


class Recommended(TypedDict):
    """δ with its interval, and what it brings on targets that did not choose it; `why` says what is missing."""

    delta: float | None
    ci95: list[float] | None
    over_nobody: Number
    over_everybody: Number
    evidence: bool
    why: str


@dataclass(frozen=True)
class Calibrated:
    """Everything about the threshold of one estimator."""

    estimator: str
    rows: pd.DataFrame  # as `curve`; empty if nothing can be judged
    recommended: Recommended
    notes: tuple[str, ...]


def calibrated(pairs: pd.DataFrame, scores: pd.DataFrame, estimator: str) -> Calibrated:
    """From `pairs` and `scores` as in `cubes`, with the scores of this estimator."""
    found = cube(pairs, scores)
    if why := why_not(found):
        return Calibrated(estimator, pd.DataFrame(columns=CURVE), _nothing(why), found.notes)
    w = weighed(found, is_alpha(estimator))
    return Calibrated(estimator, curve(w), recommended(w), found.notes)


def is_alpha(estimator: str) -> bool:
    """Whether a score is an α, which adds up to 1 over the earlier tasks."""
    return estimator.startswith("alpha")


def deltas(found: Cube, alpha: bool) -> Floats:
    """From "everybody similar" to "nobody similar"; an α lies between 0 and 1, or is a multiple of 1/n."""
    score = found.score[found.known]
    low, high = (float(score.min()), float(score.max())) if len(score) else (0.0, 0.0)
    if alpha:
        return np.linspace(0.0, max(1.0, high), STEPS + 1)
    return np.linspace(low - (high - low) / STEPS, high, STEPS + 1)


def weighed(found: Cube, alpha: bool, draws: int = DRAWS, seed: int = 0) -> Weighed:
    """The benefit of each δ, for the data and for bootstrap draws of tasks and seeds."""
    n, rng = len(found.tasks), np.random.default_rng(seed + 1)
    often = np.vstack([np.ones(n), times(n, draws, seed)])
    k = len(found.seeds)
    seeds = np.vstack([np.ones(k), rng.multinomial(k, np.full(k, 1 / k), draws)])
    grid = deltas(found, alpha)
    score = found.score.transpose(1, 0, 2)  # [sources, seeds, targets]
    similar = (score[:, None] > grid[:, None, None]) & np.isfinite(score)[:, None]  # [sources, δ, seeds, targets]
    weight = (similar * np.where(np.isfinite(score), score, 0.0)[:, None] if alpha else similar).reshape(n, -1)
    gain = np.nan_to_num(found.transfer.transpose(1, 0, 2))[:, None]
    total = often.astype(np.float32) @ weight.astype(np.float32)
    got = often.astype(np.float32) @ (weight.reshape(similar.shape) * gain).reshape(n, -1).astype(np.float32)
    benefit = np.divide(got, total, out=np.zeros_like(got), where=total > 0)
    benefit = benefit.reshape(len(often), *similar.shape[1:])
    there = often @ found.known.transpose(1, 0, 2).reshape(n, -1)  # a target without a source has no benefit
    benefit[np.broadcast_to(there.reshape(len(often), 1, k, n) == 0, benefit.shape)] = np.nan
    return Weighed(found, grid, often, seeds, benefit)


# --- each δ -------------------------------------------------------------------------------
CURVE = ["delta", "similar", "benefit", "low", "high", "over_everybody", "right_similar", "right_dissimilar"]
CURVE += ["false_similar", "false_dissimilar"]


def curve(w: Weighed) -> pd.DataFrame:
    """One row per δ: the share of similar pairs; the benefit in points over "nobody similar", with interval; how often
    "similar" and "dissimilar" were right (NaN where nothing is called so); the shares of all pairs in which they were
    wrong."""
    known, helps = w.found.known, w.found.transfer > 0
    similar = (w.found.score > w.grid[:, None, None, None]) & known  # [δ, seeds, sources, targets]
    pairs = known.sum()
    count = similar.sum((1, 2, 3))
    right = (similar & helps).sum((1, 2, 3))
    missed = (known & helps).sum() - right
    with np.errstate(invalid="ignore"):
        precise, spared = right / count, 1 - missed / (pairs - count)
    numbers = [_benefit(w, at) for at in range(len(w.grid))]
    ends = [found["ci95"] or (np.nan, np.nan) for found in numbers]
    value = np.array([found["value"] for found in numbers], float)
    return pd.DataFrame(
        {
            "delta": w.grid,
            "similar": count / pairs,
            "benefit": value,
            "low": [low for low, _ in ends],
            "high": [high for _, high in ends],
            "over_everybody": value - value[0],
            "right_similar": precise,
            "right_dissimilar": spared,
            "false_similar": (count - right) / pairs,
            "false_dissimilar": missed / pairs,
        }
    )[CURVE]


def cost(rows: pd.DataFrame, weight: float) -> pd.Series:
    """Of each δ: wrong "similar" count with `weight`, wrong "dissimilar" with 1 − `weight`; shares of all pairs."""
    return weight * rows["false_similar"] + (1 - weight) * rows["false_dissimilar"]


def _benefit(w: Weighed, at: int) -> Number:
    return _number(w, w.benefit[:, at])


def _number(w: Weighed, values: Floats) -> Number:
    """Mean over the targets: [draws, seeds, targets]."""
    by_seed, tasks = mean_over_targets(values, w.often), len(w.found.tasks)
    student = float(stdtrit(max(1, tasks - 1), 0.975))  # a mean over few targets
    return number(by_seed[0], by_seed[1:], tasks, reach=student)


# --- the recommendation -------------------------------------------------------------------
def recommended(w: Weighed) -> Recommended:
    """For each target, δ is chosen on the other targets and judged on this one. There is evidence for a δ if its
    benefit on such targets is surely above both "nobody" and "everybody similar"."""
    if why := _too_little(w.found):
        return _nothing(why)
    count = np.einsum("bkt,bk->bt", np.isfinite(w.benefit[:, 0]), w.seeds)
    summed = np.einsum("bdkt,bk->bdt", np.nan_to_num(w.benefit), w.seeds)
    total = summed / np.maximum(count, 1)[:, None] * w.often[:, None]  # [draws, δ, targets], means over the seeds
    whole = total.sum(2)
    chosen = w.grid[_best(whole)]  # [draws]
    others = _best((whole[..., None] - total).transpose(0, 2, 1))  # [draws, targets]: places of δ
    held = np.take_along_axis(w.benefit, others[:, None, None, :], 1)[:, 0]  # [draws, seeds, targets]
    nobody, everybody = _number(w, held), _number(w, held - w.benefit[:, 0])
    ends = [nobody["ci95"], everybody["ci95"]]
    evidence = all(end is not None and end[0] > 0 for end in ends)
    low, high = np.quantile(chosen[1:], [0.025, 0.975])
    return Recommended(
        delta=float(chosen[0]),
        ci95=[float(low), float(high)],
        over_nobody=nobody,
        over_everybody=everybody,
        evidence=evidence,
        why="" if evidence else _no_evidence(nobody, everybody),
    )


def _nothing(why: str) -> Recommended:
    none = Number(value=None, ci95=None, why=why)
    return Recommended(delta=None, ci95=None, over_nobody=none, over_everybody=none, evidence=False, why=why)


def _best(values: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The place of the highest value along the last axis; of several in a row the middle one."""
    high = values >= values.max(-1, keepdims=True) - SAME
    first = high.argmax(-1)
    after = np.cumsum(~high & (np.arange(values.shape[-1]) > first[..., None]), axis=-1) == 0
    last = (high & after).sum(-1) + first - 1
    found: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = (first + last) // 2
    return found


def _too_little(found: Cube) -> str:
    if why := why_not(found):
        return why
    if len(found.seeds) < 2:
        return "One seed: a recommendation needs two at least."
    if len(found.tasks) < FEWEST:
        return f"Fewer than {FEWEST} tasks: a recommendation needs more."
    return ""


def _no_evidence(nobody: Number, everybody: Number) -> str:
    """In a sentence, with the numbers."""
    said = [f"{_points(nobody)} over nobody similar", f"{_points(everybody)} over everybody similar"]
    return f"No evidence for any δ: on targets that did not choose it, it brings {' and '.join(said)}."


def _points(found: Number) -> str:
    if found["value"] is None or found["ci95"] is None:
        return "an unknown number of points"
    return f"{signed(found['value'])} points {between(found['ci95'])}"


def said(found: Recommended) -> str:
    """The recommendation in a sentence."""
    if not found["evidence"] or found["delta"] is None or found["ci95"] is None:
        return found["why"]
    delta, low, high = (signed(value, ".3g") for value in (found["delta"], *found["ci95"]))
    return (
        f"Recommended δ = {delta} (95 %: {low} to {high}). On targets that did not choose it, it "
        f"brings {_points(found['over_nobody'])} over nobody similar and {_points(found['over_everybody'])} over "
        "everybody similar."
    )


# --- by number of earlier tasks -----------------------------------------------------------
BINS = ((1, 1), (2, 3), (4, 6), (7, 10), (11, 99))
LEVELS = ["earlier", "delta", "low", "high", "of_uniform", "evidence", "said"]


def by_earlier(pairs: pd.DataFrame, scores: pd.DataFrame, estimator: str) -> pd.DataFrame:
    """The recommended δ of an α by the number n of earlier tasks, and for all of them as a multiple of 1/n."""
    lines: list[tuple[object, ...]] = []
    if "earlier" not in scores or not is_alpha(estimator):
        return pd.DataFrame(columns=LEVELS)
    for first, last in BINS:
        mine = scores[scores["earlier"].between(first, last)]
        if len(mine):
            low, high = int(mine["earlier"].min()), int(mine["earlier"].max())
            got, n = calibrated(pairs, mine, estimator).recommended, mine["earlier"].mean()
            named = str(low) if low == high else f"{low} to {high}"
            lines.append((named, *_three(got), np.nan if got["delta"] is None else got["delta"] * n, *_told(got)))
    found = cube(pairs, in_levels(scores))
    got = _nothing(why_not(found)) if why_not(found) else recommended(weighed(found, True))
    lines.append(("all, as a multiple of 1/n", np.nan, np.nan, np.nan, _three(got)[0], *_told(got)))
    return pd.DataFrame(lines, columns=LEVELS)


def _three(found: Recommended) -> tuple[float, float, float]:
    low, high = found["ci95"] or (np.nan, np.nan)
    return (np.nan if found["delta"] is None else found["delta"]), low, high


def _told(found: Recommended) -> tuple[bool, str]:
    return found["evidence"], said(found)
