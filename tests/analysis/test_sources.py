"""Whether α ranks the related source first, against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis.sources import ranking, roc_area

DEGREES = {("a", "c"): 0.7, ("b", "c"): -0.3, ("a", "b"): -0.3, ("a", "d"): -0.3, ("b", "d"): -0.3, ("c", "d"): 0.2}


def frame(*stages: tuple[int, str, dict[str, float]]) -> pd.DataFrame:
    """(seed, task, earlier -> α): one run for each seed."""
    rows = [
        (f"run{seed}", seed, task, earlier, value, 0.1 * seed)
        for seed, task, alphas in stages
        for earlier, value in alphas.items()
    ]
    return pd.DataFrame(rows, columns=["run", "seed", "task", "earlier", "alpha", "spread"])


def test_the_area_is_the_chance_that_a_right_one_scores_higher() -> None:
    """Right .9 and .2 against wrong .5 and .2: 1, 1, 0 and ½ of four pairs."""
    assert roc_area(np.array([0.9, 0.5, 0.2, 0.2]), np.array([True, False, True, False])) == pytest.approx(2.5 / 4)
    assert roc_area(np.array([0.9, 0.5]), np.array([True, True])) is None


def test_a_seed_is_the_mean_of_its_stages_and_the_first_one_counts_if_it_is_alone() -> None:
    """Seed 1: `c` finds `a`, `d` gives `c` the lowest of three: (1 + 0)/2, areas alike. Seed 2: `c` has two equal α:
    one half; `d` finds `c`. The stage `b`, with one earlier task, says nothing."""
    found = ranking(
        frame(
            (1, "b", {"a": 1.0}),
            (1, "c", {"a": 0.8, "b": 0.2}),
            (1, "d", {"a": 0.5, "b": 0.4, "c": 0.1}),
            (2, "c", {"a": 0.5, "b": 0.5}),
            (2, "d", {"a": 0.1, "b": 0.1, "c": 0.8}),
        ),
        DEGREES,
    )
    assert found["stages"] == 4
    assert (found["first"]["mean"], found["first"]["n"]) == (pytest.approx((0.5 + 0.75) / 2), 2)
    assert found["auc"]["mean"] == pytest.approx((0.5 + 0.75) / 2)
    assert found["spread"]["mean"] == pytest.approx(0.15)


def test_stages_in_which_all_or_none_are_related_cannot_be_ranked() -> None:
    found = ranking(frame((1, "d", {"a": 0.5, "b": 0.5}), (1, "c", {"a": 1.0})), DEGREES)
    assert (found["stages"], found["first"]["n"], found["auc"]["n"]) == (0, 0, 0)
    assert found["spread"]["n"] == 1
    assert ranking(frame(), DEGREES)["first"]["mean"] is None
