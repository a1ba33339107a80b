"""Two runs answer by answer: by hand, and against simulation."""

import numpy as np
import pytest

from shlpt.analysis.answers import (
    Floats,
    Spread,
    examples_needed,
    mcnemar,
    over_both,
    paired,
    power,
    power_said,
    seeds_needed,
    spread,
)


# --- McNemar ------------------------------------------------------------------------------
def test_mcnemar_by_hand() -> None:
    """Nine examples only ours has right, one only theirs: p = 2 · (1 + 10) / 2^10."""
    ours, theirs = [1.0] * 9 + [0.0] + [1.0] * 10, [0.0] * 9 + [1.0] + [1.0] * 10
    found = mcnemar(ours, theirs)
    assert (found["n"], found["difference"], found["p"]) == (20, 0.4, pytest.approx(22 / 1024))
    # Clopper and Pearson's for 9 of 10 is .5550 to .9975
    assert found["ci95"] == pytest.approx([0.5 * (2 * 0.5550 - 1), 0.5 * (2 * 0.9975 - 1)], abs=1e-4)
    assert mcnemar(theirs, ours)["difference"] == -0.4
    assert mcnemar([1.0], [1.0])["p"] == 1.0
    assert mcnemar([], [])["difference"] is None
    with pytest.raises(ValueError, match="right and wrong"):
        mcnemar([0.5], [1.0])


def test_mcnemar_is_the_exact_binomial_test() -> None:
    stats = pytest.importorskip("scipy.stats")
    for won, lost in ((0, 6), (3, 8), (5, 5), (20, 9)):
        found = mcnemar([1.0] * won + [0.0] * lost, [0.0] * won + [1.0] * lost)
        assert found["p"] == pytest.approx(stats.binomtest(won, won + lost).pvalue)
        low, high = stats.binomtest(won, won + lost).proportion_ci(method="exact")
        assert found["ci95"] == pytest.approx([2 * low - 1, 2 * high - 1])


# --- examples and seeds -------------------------------------------------------------------
def differing(rng: np.random.Generator, seeds: int, examples: int, mean: float = 0.0) -> Floats:
    """Differences with a part of the seed, of the example and of both."""
    of_seed, of_example = rng.normal(0, 0.05, (seeds, 1)), rng.normal(0, 0.25, (1, examples))
    found: Floats = mean + of_seed + of_example + rng.normal(0, 0.4, (seeds, examples))
    return found


def test_variances_are_found_again() -> None:
    found = spread(differing(np.random.default_rng(0), 300, 300))
    assert found is not None
    assert (found.of_seeds, found.of_examples, found.of_rest) == pytest.approx((0.0025, 0.0625, 0.16), rel=0.25)
    assert spread(np.ones((1, 5))) is None


def test_the_interval_covers_93_to_97_percent_of_1000_simulations() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(1000):
        apart = differing(rng, 10, 64, 0.03)
        low, high = over_both(apart, np.zeros_like(apart))["ci95"] or (1.0, -1.0)
        inside += low <= 0.03 <= high
    assert 930 <= inside <= 975


def test_one_seed_is_over_examples_and_equal_answers_have_no_interval() -> None:
    ours, theirs = np.array([[1.0, 1, 0, 1, 1]]), np.array([[0.0, 1, 0, 0, 1]])
    assert paired(ours, theirs)["test"] == "McNemar"
    graded = paired(ours / 2, theirs)
    assert graded["test"] == "over examples"
    assert (paired(ours, theirs)["first"], paired(ours, theirs)["second"]) == (2, 0)
    same = paired(np.ones((3, 4)), np.ones((3, 4)))
    assert (same["difference"], same["ci95"], same["p"]) == (0.0, None, None)
    assert over_both(np.zeros((0, 0)), np.zeros((0, 0)))["difference"] is None


# --- power --------------------------------------------------------------------------------
@pytest.mark.parametrize(("seeds", "examples"), [(5, 100), (10, 64), (20, 200)])
def test_the_predicted_power_is_within_10_percent_of_simulation(seeds: int, examples: int) -> None:
    """The difference is chosen so that about four in five would be seen."""
    rng = np.random.default_rng(2)
    error = Spread(seeds, examples, 0.0025, 0.0625, 0.16).error(seeds, examples)
    difference = 3.2 * error
    predicted = power(difference, error, min(seeds, examples) - 1)
    simulated = [
        (over_both(apart := differing(rng, seeds, examples, difference), np.zeros_like(apart))["p"] or 1) < 0.05
        for _ in range(1500)
    ]
    assert np.mean(simulated) == pytest.approx(predicted, rel=0.1)


def test_the_number_of_seeds_and_of_examples_that_three_points_need() -> None:
    noisy = Spread(seeds=5, examples=100, of_seeds=0.0025, of_examples=0.0, of_rest=0.16)
    seeds = seeds_needed(noisy)
    assert seeds is not None
    assert power(0.03, noisy.error(seeds, 100), seeds - 1) >= 0.8 > power(0.03, noisy.error(seeds - 1, 100), seeds - 2)
    assert examples_needed(noisy) is None  # the seeds alone differ too much
    quiet = Spread(seeds=10, examples=64, of_seeds=0.0001, of_examples=0.0, of_rest=0.16)
    assert examples_needed(quiet) is not None
    fixed = Spread(seeds=3, examples=20, of_seeds=0.0001, of_examples=0.1, of_rest=0.16)
    assert seeds_needed(fixed) is None  # the same examples for all seeds
    assert "no number of seeds is enough with these 20 examples" in power_said(fixed)
    assert "cannot be said from one seed" in power_said(None)
    assert f"{seeds} seeds" in power_said(noisy)
