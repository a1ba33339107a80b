"""Paired tests over matched units, and corrections for multiple tests. Pure. Both values of a pair come from the same
seed, sequence and examples. An undefined number (no pair, one pair, no spread) is None, never NaN."""

import math
from collections.abc import Sequence
from itertools import product
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit  # importing scipy.stats takes half a second

EXACT = 12  # pairs up to which all 2^n signs are tried
ROUNDING = 1e-12  # smaller differences are rounding errors

Value = float | None
Floats = NDArray[np.float64]


class Comparison(TypedDict):
    """First side minus second: mean difference, 95 % interval, two-sided p; `n` pairs."""

    n: int
    difference: float | None
    ci95: list[float] | None
    p: float | None


def differences(ours: Sequence[Value], theirs: Sequence[Value]) -> list[float]:
    """Ours minus theirs for each pair in which both were measured."""
    pairs = [(measured(a), measured(b)) for a, b in zip(ours, theirs, strict=True)]
    return [a - b for a, b in pairs if a is not None and b is not None]


def measured(value: Value) -> Value:
    """None for NaN, which means missing in arrays."""
    return None if value is None or math.isnan(value) else float(value)


# --- paired tests -------------------------------------------------------------------------
def paired_t(ours: Sequence[Value], theirs: Sequence[Value], confidence: float = 0.95) -> Comparison:
    """Student's t of the differences. Without spread, or with one pair, no interval and no p."""
    found = np.asarray(differences(ours, theirs), dtype=float)
    n = len(found)
    if not n:
        return Comparison(n=0, difference=None, ci95=None, p=None)
    mean = float(found.mean())
    sd = float(found.std(ddof=1)) if n > 1 else 0.0
    if sd <= ROUNDING * max(1.0, float(np.abs(found).max())):
        return Comparison(n=n, difference=mean, ci95=None, p=None)
    error = sd / math.sqrt(n)
    half = float(stdtrit(n - 1, 0.5 + confidence / 2)) * error
    p = float(2 * stdtr(n - 1, -abs(mean) / error))
    return Comparison(n=n, difference=mean, ci95=[mean - half, mean + half], p=p)


def sign_flip(
    ours: Sequence[Value], theirs: Sequence[Value], confidence: float = 0.95, *, rounds: int = 10_000, seed: int = 0
) -> Comparison:
    """Paired permutation test: how often random signs give a mean difference as large. All signs for up to `EXACT`
    pairs, else `rounds` draws from the seed. The smallest p of n pairs is 2/2^n, so fewer than six pairs never reach
    0.05 and have no 95 % interval. The interval lies between two means of subsets of the differences (Hartigan 1969),
    exact with at least the requested confidence."""
    found = np.asarray(differences(ours, theirs), dtype=float)
    n = len(found)
    if not n:
        return Comparison(n=0, difference=None, ci95=None, p=None)
    exact = n <= EXACT
    signs = np.asarray(list(product((1.0, -1.0), repeat=n))) if exact else _drawn_signs(n, rounds, seed)
    enough = abs(found.sum()) - ROUNDING * max(1.0, float(np.abs(found).sum()))
    as_large = int(np.count_nonzero(np.abs(signs @ found) >= enough))
    p = as_large / len(signs) if exact else (as_large + 1) / (len(signs) + 1)
    return Comparison(n=n, difference=float(found.mean()), ci95=_between_subsets(found, signs, confidence), p=p)


def _drawn_signs(n: int, rounds: int, seed: int) -> Floats:
    drawn: Floats = np.random.default_rng(seed).choice([1.0, -1.0], size=(rounds, n))
    return drawn


def _between_subsets(found: Floats, signs: Floats, confidence: float) -> list[float] | None:
    """The true centre falls between any two neighbouring subset means with equal probability."""
    chosen = (signs > 0).astype(float)
    chosen = chosen[chosen.any(axis=1)]
    means = np.sort(chosen @ found / chosen.sum(axis=1))
    cut = math.floor((1 - confidence) / 2 * (len(means) + 1) + 1e-9)
    return [float(means[cut - 1]), float(means[-cut])] if cut else None


# --- many tests at once -------------------------------------------------------------------
def holm(ps: Sequence[Value]) -> list[Value]:
    """p values corrected for the family-wise error rate. None stays None and is not counted."""
    order = _ranked(ps)
    corrected: list[Value] = [None] * len(ps)
    highest = 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - rank)))
        corrected[place] = highest
    return corrected


def benjamini_hochberg(ps: Sequence[Value]) -> list[Value]:
    """p values corrected for the false discovery rate. None stays None and is not counted."""
    order = _ranked(ps)
    corrected: list[Value] = [None] * len(ps)
    lowest = 1.0
    for rank, (p, place) in reversed(list(enumerate(order, start=1))):
        lowest = min(lowest, p * len(order) / rank)
        corrected[place] = lowest
    return corrected


def _ranked(ps: Sequence[Value]) -> list[tuple[float, int]]:
    """The known p values with their positions, smallest first."""
    found = [(p, place) for place, value in enumerate(ps) if (p := measured(value)) is not None]
    if any(not 0 <= p <= 1 for p, _ in found):
        raise ValueError(f"p values lie between 0 and 1: {[p for p, _ in found]}")
    return sorted(found)
