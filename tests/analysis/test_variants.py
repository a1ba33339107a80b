"""Variants seed by seed against a baseline, with numbers worked out by hand."""

import math

import pytest

from shlpt.analysis.variants import average, compared

VALUES = {
    "whole": {1: 0.8, 2: 0.9, 3: None},
    "without": {1: 0.7, 2: 0.6, 3: 0.5},  # −.1 −.3
    "same": {1: 0.8, 2: 0.9, 3: 0.9},
}


def test_a_variant_is_compared_over_the_seeds_that_both_have() -> None:
    whole, without, same = compared(VALUES, {"without": "whole", "same": "whole"})
    assert (whole["n"], whole["mean"], whole["difference"]) == (2, pytest.approx(0.85), None)
    assert (without["n"], without["mean"]) == (3, pytest.approx(0.6))
    apart = without["difference"]
    assert (apart["baseline"], apart["n"], apart["difference"]) == ("whole", 2, pytest.approx(-0.2))
    # sd .2/√2, error .1, t = 2, one degree of freedom: Cauchy
    assert apart["p"] == pytest.approx(2 * (0.5 - math.atan(2) / math.pi))
    assert apart["p_holm"] == apart["p"]  # the same scores are no test, and are not counted
    assert (same["difference"]["difference"], same["difference"]["p"]) == (0.0, None)


def test_a_baseline_that_is_not_there_leaves_no_difference() -> None:
    (row,) = compared({"without": {1: 0.5}}, {"without": "whole"})
    assert (row["difference"]["n"], row["difference"]["difference"]) == (0, None)


def test_an_average_is_of_whole_seeds() -> None:
    assert average(VALUES, ["without", "same"]) == pytest.approx({1: 0.75, 2: 0.75, 3: 0.7})
    assert average(VALUES, ["whole", "without"]) == {1: pytest.approx(0.75), 2: pytest.approx(0.75), 3: None}
    assert average(VALUES, ["whole", "missing"]) == {1: None, 2: None, 3: None}
