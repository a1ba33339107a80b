"""Two runs on the same test examples, answer by answer: McNemar's test, an interval over examples and seeds, and how
many of each a difference needs to be seen. Pure. Scores are [seeds, examples]: row and column mean the same seed and
example on both sides."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, betaincinv, nctdtr, stdtr, stdtrit  # importing scipy.stats takes half a second

from shlpt.analysis.stats import ROUNDING, Comparison

Floats = NDArray[np.float64]
POINTS = 3.0  # a difference worth seeing
POWER = 0.8
MOST = 10_000  # seeds or examples: more is no advice


class Paired(TypedDict):
    """One task, or all: how often each side alone scored higher, and the difference as a share."""

    examples: int
    seeds: int
    first: int  # cells in which only the first side was right, or scored higher
    second: int
    difference: float | None
    ci95: list[float] | None
    p: float | None
    test: str


def mcnemar(ours: Sequence[float], theirs: Sequence[float], confidence: float = 0.95) -> Comparison:
    """Right or wrong on the same examples: McNemar's exact test of those that only one side has right. The interval is
    Clopper and Pearson's for the share of these that is ours, as a difference of accuracies; it takes their number as
    given. Where both sides agree everywhere, p is 1 and there is no interval."""
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if a.shape != b.shape or not np.isin(np.concatenate([a, b]), (0.0, 1.0)).all():
        raise ValueError("McNemar's test counts right and wrong answers to the same examples: scores must be 0 or 1")
    won, lost = int((a > b).sum()), int((a < b).sum())
    split, n = won + lost, len(a)
    if not n:
        return Comparison(n=0, difference=None, ci95=None, p=None)
    if not split:
        return Comparison(n=n, difference=0.0, ci95=None, p=1.0)
    tail = (1 - confidence) / 2
    low = 0.0 if not won else float(betaincinv(won, lost + 1, tail))
    high = 1.0 if not lost else float(betaincinv(won + 1, lost, 1 - tail))
    interval = [split / n * (2 * share - 1) for share in (low, high)]
    p = min(1.0, 2 * float(bdtr(min(won, lost), split, 0.5)))
    return Comparison(n=n, difference=(won - lost) / n, ci95=interval, p=p)


@dataclass(frozen=True)
class Spread:
    """Variances of a difference: between seeds, between examples (for all seeds alike), and of the rest."""

    seeds: int
    examples: int
    of_seeds: float
    of_examples: float
    of_rest: float

    def error(self, seeds: int, examples: int) -> float:
        """Standard error of the mean with so many seeds and examples."""
        found = self.of_seeds / seeds + self.of_examples / examples + self.of_rest / (seeds * examples)
        return math.sqrt(found)


def spread(apart: Floats) -> Spread | None:
    """From differences [seeds, examples], by analysis of variance; None with fewer than two of either."""
    k, n = apart.shape
    if k < 2 or n < 2:
        return None
    by_seed, by_example = apart.mean(1), apart.mean(0)
    rest = apart - by_seed[:, None] - by_example + apart.mean()
    noise = float((rest**2).sum() / ((k - 1) * (n - 1)))
    of_seeds, of_examples = (
        max(0.0, float(means.var(ddof=1)) - noise / count) for means, count in ((by_seed, n), (by_example, k))
    )
    return Spread(k, n, of_seeds, of_examples, noise)


def over_both(ours: Floats, theirs: Floats, confidence: float = 0.95) -> Comparison:
    """Mean difference with an interval for other seeds and other examples. Of a mean, the bootstrap variances over
    seeds, over examples and over both are known in closed form; what both hold is counted once. With one seed the
    interval is over the examples only."""
    apart = np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float)
    if not apart.size:
        return Comparison(n=0, difference=None, ci95=None, p=None)
    (k, n), mean, found = apart.shape, float(apart.mean()), spread(apart)
    if found:
        error, free = found.error(k, n), min(k, n) - 1
    else:
        error, free = float(apart.std(ddof=1) / math.sqrt(n)) if n > 1 else 0.0, n - 1
    if error <= ROUNDING:
        return Comparison(n=k, difference=mean, ci95=None, p=None)
    half = float(stdtrit(free, 0.5 + confidence / 2)) * error
    p = float(2 * stdtr(free, -abs(mean) / error))
    return Comparison(n=k, difference=mean, ci95=[mean - half, mean + half], p=p)


def paired(ours: Floats, theirs: Floats) -> Paired:
    """Both tests: McNemar's for one seed of right and wrong answers, else over examples and seeds."""
    apart = ours - theirs
    found, test = over_both(ours, theirs), "over examples and seeds" if len(ours) > 1 else "over examples"
    if len(ours) == 1 and np.isin(np.concatenate([ours, theirs]), (0.0, 1.0)).all():
        found, test = mcnemar(ours[0], theirs[0]), "McNemar"
    return Paired(
        examples=ours.shape[1],
        seeds=len(ours),
        first=int((apart > ROUNDING).sum()),
        second=int((apart < -ROUNDING).sum()),
        difference=found["difference"],
        ci95=found["ci95"],
        p=found["p"],
        test=test,
    )


# --- power --------------------------------------------------------------------------------
def power(difference: float, error: float, free: int, level: float = 0.05) -> float:
    """How often a true difference of this size is called different from zero by a two-sided t test."""
    if free < 1:
        return 0.0
    if error <= ROUNDING:
        return 1.0
    edge, away = float(stdtrit(free, 1 - level / 2)), abs(difference) / error
    other_side = float(np.nan_to_num(nctdtr(free, away, -edge)))  # too small for scipy where `away` is large
    return 1.0 - float(nctdtr(free, away, edge)) + other_side


def seeds_needed(found: Spread, points: float = POINTS, wanted: float = POWER) -> int | None:
    """The fewest seeds, with as many examples as now; None if no number of seeds is enough."""
    return _fewest(lambda k: power(points / 100, found.error(k, found.examples), min(k, found.examples) - 1) >= wanted)


def examples_needed(found: Spread, points: float = POINTS, wanted: float = POWER) -> int | None:
    """The fewest test examples, with as many seeds as now; None if no number of examples is enough."""
    return _fewest(lambda n: power(points / 100, found.error(found.seeds, n), min(found.seeds, n) - 1) >= wanted)


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """The smallest number from 2 that is enough; more is always better."""
    if not enough(MOST):
        return None
    low, high = 1, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def power_said(found: Spread | None, points: float = POINTS) -> str:
    """How many seeds and examples a difference of so many points needs, in a sentence."""
    if found is None:
        return f"How many seeds {points:g} points need cannot be said from one seed or one example."
    chance = power(points / 100, found.error(found.seeds, found.examples), min(found.seeds, found.examples) - 1)
    seeds, examples = seeds_needed(found, points), examples_needed(found, points)
    more = [
        f"no number of seeds is enough with these {found.examples} examples" if seeds is None else f"{seeds} seeds",
        f"no number of examples with these {found.seeds} seeds" if examples is None else f"{examples} test examples",
    ]
    return (
        f"A true difference of {points:g} points would be seen in {chance:.0%} of such comparisons. For {POWER:.0%} it "
        f"takes {more[0]}, or {more[1]}."
    )
