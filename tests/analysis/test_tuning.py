"""Which trial is selected, against numbers worked out by hand."""

from typing import Any

import pytest

from shlpt.analysis import tuning

SETTINGS: list[dict[str, Any]] = [{}, {"lr": 0.3}, {"lr": 1.0}]


def test_the_best_is_the_highest_mean_and_p_is_corrected_for_the_trials() -> None:
    """Trial 1 minus default: 9, 10, 11 points: t = 10/(1/√3) = 17.32 with two degrees of freedom, p = .00332. Trial 2:
    0, 1, −1: p = 1. Holm doubles the smaller."""
    values = {0: {7: 0.5, 17: 0.5, 27: 0.5}, 1: {7: 0.59, 17: 0.6, 27: 0.61}, 2: {7: 0.5, 17: 0.51, 27: 0.49}}
    found = tuning.selected(values, SETTINGS)
    assert (found["best"]["trial"], found["best"]["settings"]) == (1, {"lr": 0.3})
    assert found["best"]["score"]["mean"] == pytest.approx(0.6)
    assert found["best"]["difference"]["p_holm"] == pytest.approx(2 * 0.00332, abs=1e-5)
    assert found["verdict"] == "better than the default"
    assert [one["trial"] for one in found["trials"]] == [0, 1, 2]


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({0: {1: 0.5, 2: 0.6}, 1: {1: 0.7, 2: 0.5}}, "the default is within noise"),
        ({0: {1: 0.7, 2: 0.6}, 1: {1: 0.5, 2: 0.5}}, "the default is the best"),
        ({0: {1: 0.5}, 1: {1: 0.7}}, "the default may be as good: no interval"),
        ({0: {1: 0.5, 2: 0.6}, 1: {1: 0.9, 2: None}}, "the default is the best"),  # a trial that is not complete
        ({0: {1: None}, 1: {1: None}}, "not measured yet"),
        ({0: {1: 0.5, 2: 0.5}, 1: {1: 0.5, 2: 0.5}}, "the default is the best"),  # a tie goes to the default
    ],
)
def test_the_default_stays_unless_something_is_clearly_better(values: Any, verdict: str) -> None:
    found = tuning.selected(values, SETTINGS)
    assert found["verdict"] == verdict
    assert tuning.rows({"shlpt": found})[0]["verdict"] == verdict
    assert len(tuning.rows({"shlpt": found}, flat=True)) == 2


def test_a_seed_is_its_mean_over_the_sequences() -> None:
    rows = [
        {"method": "m", "trial": 0, "sequence": name, "seed": seed, "acc": acc}
        for name, seed, acc in (("a", 1, 0.4), ("b", 1, 0.6), ("a", 2, 0.5), ("b", 2, None))
    ]
    assert tuning.by_trial(rows) == {"m": {0: {1: pytest.approx(0.5), 2: None}}}
