"""Which threshold δ the measured transfer supports. Pure.

What mixing several sources brings is estimated and not trained: the mean of the measured transfer from each similar
source alone, with the weights of eq. 7 (α of the similar sources, scaled to add up to 1). Scores that are no α get
equal weights. Without a similar source the benefit is 0: the target is learned alone ("nobody similar")."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from shlpt.analysis.cubes import DRAWS, FEWEST, Cube, Floats, Number, cube, number, times, why_not

STEPS = 100  # of the grid of δ
SAME = 1e-9  # benefits this close are equal
ESTIMATE = (
    "The benefit of mixing several sources is an estimate, the weighted mean of their measured transfers one by one. "
    "Nothing was trained with this δ."
)


@dataclass(frozen=True)
class Weighed:
    """Every δ of a grid on every target: the benefit in points [draws, δ, seeds, targets], 0 where nobody is similar.
    The first draw is the data. At `grid[0]` everybody is similar, at the last nobody."""

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
    """From "everybody similar" to "nobody similar"; an α lies between 0 and 1."""
    if alpha:
        return np.linspace(0.0, 1.0, STEPS + 1)
    score = found.score[found.known]
    low, high = (float(score.min()), float(score.max())) if len(score) else (0.0, 0.0)
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
    return Weighed(found, grid, often, seeds, benefit.reshape(len(often), *similar.shape[1:]))


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
    by_seed, tasks = np.einsum("bkt,bt->bk", values, w.often) / w.often.sum(1, keepdims=True), len(w.found.tasks)
    student = float(stdtrit(max(1, tasks - 1), 0.975))  # a mean over few targets
    return number(by_seed[0], by_seed[1:], tasks, reach=student)


# --- the recommendation -------------------------------------------------------------------
def recommended(w: Weighed) -> Recommended:
    """For each target, δ is chosen on the other targets and judged on this one. There is evidence for a δ if its
    benefit on such targets is surely above both "nobody" and "everybody similar"."""
    if why := _too_little(w.found):
        return _nothing(why)
    by_target = np.einsum("bdkt,bk->bdt", w.benefit, w.seeds / w.seeds.sum(1, keepdims=True))  # mean over the seeds
    total = by_target * w.often[:, None]
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
    low, high = found["ci95"]
    return f"{found['value']:+.1f} points [{low:+.1f}, {high:+.1f}]".replace("-", "−")


def said(found: Recommended) -> str:
    """The recommendation in a sentence."""
    if not found["evidence"] or found["delta"] is None or found["ci95"] is None:
        return found["why"]
    low, high = found["ci95"]
    return (
        f"Recommended δ = {found['delta']:.3g} (95 %: {low:.3g} to {high:.3g}). On targets that did not choose it, it "
        f"brings {_points(found['over_nobody'])} over nobody similar and {_points(found['over_everybody'])} over "
        "everybody similar."
    )


# --- by number of earlier tasks -----------------------------------------------------------
def by_earlier(found: Cube, counts: Sequence[int], subsets: int = 8, seed: int = 0) -> pd.DataFrame:
    """The recommended δ of an α with fewer earlier tasks: [earlier, delta, low, high, of_uniform, evidence, said].
    A softmax over fewer tasks is the same α scaled to add up to 1 over them, so nothing has to be trained. Each target
    gets random subsets of its sources. `of_uniform`: δ as a multiple of 1/n."""
    rng, n, lines = np.random.default_rng(seed), len(found.tasks), []
    for count in counts:
        parts = []
        for _ in range(subsets):
            order = np.where(np.eye(n, dtype=bool), np.inf, rng.random((n, n))).argsort(0).argsort(0)
            parts.append(_scaled(found, order < count))
        one = Cube(
            found.tasks,
            found.seeds,
            np.concatenate([part.transfer for part in parts]),
            np.concatenate([part.score for part in parts]),
            (),
        )
        w = weighed(one, True, draws=60, seed=seed)
        shape = (*w.benefit.shape[:2], subsets, len(found.seeds), n)
        benefit = w.benefit.reshape(shape).mean(2)
        seeds = weighed(found, True, draws=60, seed=seed).seeds
        got = recommended(Weighed(found, w.grid, w.often, seeds, benefit))
        low, high = got["ci95"] or (np.nan, np.nan)
        delta = np.nan if got["delta"] is None else got["delta"]
        lines.append((count, delta, low, high, delta * count, got["evidence"], said(got)))
    return pd.DataFrame(lines, columns=["earlier", "delta", "low", "high", "of_uniform", "evidence", "said"])


def _scaled(found: Cube, kept: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Cube:
    score = np.where(kept, found.score, np.nan)
    total = np.nansum(score, axis=1, keepdims=True)
    score = np.divide(score, total, out=np.full_like(score, np.nan), where=total > 0)
    return Cube(found.tasks, found.seeds, np.where(np.isfinite(score), found.transfer, np.nan), score, ())
