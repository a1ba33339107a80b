"""Paired tests and corrections, against numbers worked out by hand."""

import math
from itertools import combinations, product
from random import Random

import numpy as np
import pytest
from scipy import stats as scipy_stats

from shlpt.analysis import stats

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
NOTHING = {"n": 0, "difference": None, "ci95": None, "p": None}


def zeros(values: list[float]) -> list[float]:
    return [0.0] * len(values)


# --- pairs --------------------------------------------------------------------------------
def test_only_pairs_with_both_sides_count() -> None:
    assert stats.differences([1.0, None, 3.0, NAN, 5.0], [0.5, 1.0, None, 1.0, 1.0]) == [0.5, 4.0]


def test_sides_of_different_length_are_an_error() -> None:
    for test in (stats.paired_t, stats.sign_flip):
        with pytest.raises(ValueError, match=r"longer|shorter"):
            test([1.0, 0.0], [1.0])


@pytest.mark.parametrize("test", [stats.paired_t, stats.sign_flip])
def test_no_pairs_have_nothing(test: object) -> None:
    assert test([], []) == NOTHING  # type: ignore[operator]
    assert test([None, 1.0], [1.0, NAN]) == NOTHING  # type: ignore[operator]


# --- Student's t --------------------------------------------------------------------------
def test_paired_t_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, sd 1, error 1/√3, t = 2√3 with 2 degrees of freedom.
    # For 2 degrees, P(|T| > t) = 1 − t/√(2 + t²) = 1 − 2√3/√14, and the 97.5 % point is 4.302653.
    found = stats.paired_t([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert found["n"] == 3
    assert found["difference"] == pytest.approx(2.0)
    assert found["p"] == pytest.approx(1 - 2 * math.sqrt(3) / math.sqrt(14))
    half = 4.302653 / math.sqrt(3)
    assert found["ci95"] == pytest.approx([2 - half, 2 + half], abs=1e-5)
    there, back = stats.paired_t([1.0, 2.0, 4.0], [0.0] * 3), stats.paired_t([0.0] * 3, [1.0, 2.0, 4.0])
    assert there["p"] == pytest.approx(back["p"])
    assert there["ci95"] == pytest.approx([-x for x in reversed(back["ci95"] or [])])
    assert there["difference"] == pytest.approx(-(back["difference"] or 0))
    # 2 degrees of freedom: the 99.5 % point is 9.924843.
    found = stats.paired_t([1.0, 2.0, 3.0], [0.0] * 3, confidence=0.99)
    assert found["ci95"] == pytest.approx([2 - 9.924843 / math.sqrt(3), 2 + 9.924843 / math.sqrt(3)], abs=1e-5)


def test_one_pair_and_no_spread_have_a_difference_only() -> None:
    assert stats.paired_t([0.75], [0.5]) == {"n": 1, "difference": 0.25, "ci95": None, "p": None}
    ours, theirs = [0.3, 0.6, 1.1], [0.2, 0.5, 1.0]  # differences of 0.1, but for the last bits
    assert len({a - b for a, b in zip(ours, theirs, strict=True)}) > 1
    found = stats.paired_t(ours, theirs)
    assert (found["ci95"], found["p"]) == (None, None)
    assert found["difference"] == pytest.approx(0.1)
    assert stats.sign_flip([0.75], [0.5]) == {"n": 1, "difference": 0.25, "ci95": None, "p": 1.0}


@pytest.mark.parametrize("value", [0.0, 0.25])
def test_without_a_spread_there_is_no_t(value: float) -> None:
    assert stats.paired_t([value] * 4, [0.0] * 4) == {"n": 4, "difference": value, "ci95": None, "p": None}


# --- flipped signs ------------------------------------------------------------------------
def test_sign_flips_by_hand() -> None:
    # 1, 2, 3: sums of the eight signings are ±6, ±4, ±2, 0, 0; two of eight are as large as 6.
    assert stats.sign_flip([1.0, 2.0, 3.0], [0.0] * 3)["p"] == 2 / 8
    # 1, 2, −1: the sum is 2; ±4 (1+2+1), ±2 (1+2−1), ±2 (−1+2+1), 0 (1−2+1): six of eight.
    assert stats.sign_flip([1.0, 2.0, -1.0], [0.0] * 3)["p"] == 6 / 8
    # The sum is 0.3. With both 0.3 of one sign all eight signings reach it; else 0.1 and 0.2 must agree: four of eight.
    for values in ([0.1, 0.2, 0.3, -0.3], [-0.3, 0.3, 0.2, 0.1], [0.3, 0.1, -0.3, 0.2]):
        assert stats.sign_flip(values, [0.0] * 4)["p"] == 12 / 16
    found = stats.sign_flip([0.5] * 6, [0.5] * 6)
    assert (found["difference"], found["p"], found["ci95"]) == (0.0, 1.0, [0.0, 0.0])
    found = stats.sign_flip([0.25] * 6, [0.0] * 6)
    assert (found["p"], found["ci95"]) == (2 / 64, [0.25, 0.25])


def test_the_interval_ends_at_subset_means() -> None:
    # 64 · 0.025 = 1.6: the first subset mean from each end, and the extreme subsets are single differences.
    values = [0.5, -1.0, 2.0, 0.25, 4.0, 3.0]
    assert stats.sign_flip(values, zeros(values))["ci95"] == [-1.0, 4.0]
    found = stats.sign_flip([1.0, 2.0, 3.0, 4.0, 5.0], [0.0] * 5)
    assert (found["p"], found["ci95"]) == (2 / 32, None)
    # 128 · 0.025 = 3.2
    values = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    means = sorted(sum(part) / size for size in range(1, 8) for part in combinations(values, size))
    assert means[:3] == [1.0, 1.5, 2.0]
    assert stats.sign_flip(values, zeros(values))["ci95"] == pytest.approx([means[2], means[-3]])


def test_a_shift_is_inside_the_interval_where_the_test_does_not_reject_it() -> None:
    values = [0.3, 1.1, -0.2, 0.9, 2.4, 0.7, 1.6, 0.05]
    low, high = stats.sign_flip(values, zeros(values))["ci95"] or []
    for shift, inside in ((low - 0.01, False), (low + 0.01, True), (high - 0.01, True), (high + 0.01, False)):
        p = stats.sign_flip(values, [shift] * 8)["p"]
        assert p is not None
        assert (p > 0.05) == inside


def test_twelve_pairs_are_still_exact_and_agree_with_scipy() -> None:
    random = Random(1)
    values = [random.gauss(0.3, 1) for _ in range(12)]
    exact = scipy_stats.permutation_test(
        (values,), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples", n_resamples=np.inf
    )
    assert stats.sign_flip(values, zeros(values))["p"] == pytest.approx(exact.pvalue)
    assert stats.sign_flip(values, zeros(values), seed=1) == stats.sign_flip(values, zeros(values), seed=2)


def test_more_pairs_are_drawn_from_the_seed_near_the_exact_p() -> None:
    random = Random(2)
    values = [random.gauss(0.4, 1) for _ in range(14)]
    found = stats.sign_flip(values, zeros(values), seed=3)
    assert found == stats.sign_flip(values, zeros(values), seed=3)
    assert found != stats.sign_flip(values, zeros(values), seed=4)
    sums = [abs(sum(s * v for s, v in zip(signs, values, strict=True))) for signs in product((1, -1), repeat=14)]
    exact = sum(s >= abs(sum(values)) - 1e-12 for s in sums) / len(sums)
    assert found["p"] == pytest.approx(exact, abs=0.015)
    t = stats.paired_t(values, zeros(values))["ci95"]
    assert found["ci95"] == pytest.approx(t, abs=0.15)
    found = stats.sign_flip([1.0] * 40, [0.0] * 40, rounds=99)
    assert found["p"] == 1 / 100


# --- many tests ---------------------------------------------------------------------------
def test_holm_and_benjamini_hochberg_by_hand() -> None:
    # Sorted .01 .02 .03 .04: times 4, 3, 2, 1 is .04 .06 .06 .04, and never below an earlier one.
    assert stats.holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert stats.holm([0.6, 0.7]) == [1.0, 1.0]
    # Sorted .01 .02 .03 .5: times 4/1, 4/2, 4/3, 1 is .04 .04 .04 .5, and never above a later one.
    assert stats.benjamini_hochberg([0.5, 0.01, 0.03, 0.02]) == pytest.approx([0.5, 0.04, 0.04, 0.04])
    # .01 .04 .045: .03, .06, .045 -> the middle one comes down to .045
    assert stats.benjamini_hochberg([0.01, 0.04, 0.045]) == pytest.approx([0.03, 0.045, 0.045])
    assert stats.holm([0.01, 0.01, 0.01]) == pytest.approx([0.03] * 3)
    assert stats.benjamini_hochberg([0.01, 0.01, 0.01]) == pytest.approx([0.01] * 3)


@pytest.mark.parametrize("correct", [stats.holm, stats.benjamini_hochberg])
def test_what_was_not_tested_is_not_counted(correct: object) -> None:
    assert correct([None, 0.02, NAN, 0.5]) == [None, 0.04, None, 0.5]  # type: ignore[operator]
    assert correct([]) == []  # type: ignore[operator]
    assert correct([None]) == [None]  # type: ignore[operator]
    assert correct([0.3]) == [0.3]  # type: ignore[operator]


def test_benjamini_hochberg_is_that_of_scipy_and_holm_is_never_below_it() -> None:
    random = Random(0)
    for size in (1, 2, 7, 30):
        ps = [random.random() ** 2 for _ in range(size)]
        found = stats.benjamini_hochberg(ps)
        assert found == pytest.approx(scipy_stats.false_discovery_control(ps).tolist())
        assert all(h >= b - 1e-15 for h, b in zip(stats.holm(ps), found, strict=True))  # type: ignore[operator]


@pytest.mark.parametrize("wrong", [-0.1, 1.1])
def test_a_p_value_outside_its_range_is_an_error(wrong: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        stats.holm([0.5, wrong])
