"""Scores of answers and metrics of lifelong learning, against numbers worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest

from shlpt.analysis import metrics

NAN = math.nan
# Rows: after which task; columns: on which task.
A = np.array([[0.9, 0.2, 0.4], [0.8, 0.6, 0.1], [0.7, 0.5, 0.8]])


# --- answers ------------------------------------------------------------------------------
def test_exact_match_ignores_case_and_spacing_only() -> None:
    right = [("positive", "positive"), (" Positive\n", "positive"), ("not   entailment", "not entailment")]
    assert [metrics.exact_match(*pair) for pair in right] == [1.0] * 3
    assert [metrics.exact_match(answer, "positive") for answer in ("positive.", "posit", "")] == [0.0] * 3


def test_f1_counts_shared_words_as_squad_does() -> None:
    expected = {
        ("The  Oslo!", "oslo"): 1.0,  # case, punctuation and articles do not count
        ("a red boat", "the red boat"): 1.0,
        ("red boat", "boat"): 2 * 1 / (2 + 1),  # precision 1/2, recall 1/1
        ("new york city", "york city hall plaza"): 2 * 2 / (3 + 4),  # precision 2/3, recall 2/4
        ("no no no", "no"): 2 * 1 / (3 + 1),  # a word counts as often as both have it
    }
    expected |= {("paris", "oslo"): 0.0, ("", "oslo"): 0.0, ("oslo", ""): 0.0, ("the", ""): 1.0, ("", ""): 1.0}
    expected["anthem", "them"] = 0.0  # articles are words, not letters
    assert {pair: metrics.normalised_f1(*pair) for pair in expected} == pytest.approx(expected)


def test_answers_can_be_matched_without_punctuation_and_articles() -> None:
    answers, targets = ["The  Oslo!", "not entailment", "yes it"], ["oslo", "Not entailment.", "yes"]
    assert metrics.score("accuracy", answers, targets, "normalised") == [1.0, 1.0, 0.0]
    assert metrics.score("accuracy", answers, targets) == [0.0, 0.0, 0.0]
    assert metrics.score("f1", answers, targets, "exact") == pytest.approx([1.0, 1.0, 2 / 3])


def test_squad_has_exact_match_and_multirc_f1_beside_their_scores() -> None:
    found = metrics.further("squad", (), ["the red boat", "in oslo", "Oslo."], ["red boat", "oslo", "oslo"])
    assert found == {"exact_match": pytest.approx(2 / 3)}
    # Said yes three times, twice rightly; of three that are yes one was missed: precision 2/3, recall 2/3.
    answers, targets = ["true", "True", "true", "false", "maybe"], ["true", "true", "false", "true", "false"]
    assert metrics.further("multirc", ("false", "true"), answers, targets) == {"f1": pytest.approx(2 / 3)}
    assert metrics.label_f1("true", ["false", "false"], ["true", "false"]) == 0.0
    assert metrics.label_f1("true", ["true", "true"], ["true", "false"]) == pytest.approx(2 / 3)  # 1/2 and 1
    assert metrics.further("rte", ("no", "yes"), ["no"], ["no"]) == {}


def test_answers_are_scored_one_by_one_with_the_metric_of_the_task() -> None:
    answers, targets = ["red boat", "Oslo"], ["boat", "oslo"]
    assert metrics.score("accuracy", answers, targets) == [0.0, 1.0]
    assert metrics.score("f1", answers, targets) == pytest.approx([2 / 3, 1.0])
    assert metrics.score("accuracy", [], []) == []
    with pytest.raises(ValueError, match="longer"):
        metrics.score("accuracy", ["positive"], ["positive", "negative"])


# --- a sequence ---------------------------------------------------------------------------
def test_acc_bwt_and_fwt_by_hand() -> None:
    assert metrics.average_accuracy(A) == pytest.approx((0.7 + 0.5 + 0.8) / 3)
    assert metrics.backward_transfer(A) == pytest.approx(((0.7 - 0.9) + (0.5 - 0.6)) / 2)
    alone = [NAN, 0.5, 0.9]  # the first task has no earlier ones: its value is not looked at
    assert metrics.forward_transfer(A, alone) == pytest.approx(((0.6 - 0.5) + (0.8 - 0.9)) / 2)
    assert metrics.error_reduction(0.73, 0.79) == pytest.approx((1 - 0.79) - (1 - 0.73))  # -0.06: negative transfer
    assert metrics.error_reduction(0.8, 0.5) == pytest.approx(0.3)


def test_one_task_has_an_accuracy_and_no_transfer_and_a_missing_score_is_not_zero() -> None:
    one = np.array([[0.75]])
    assert metrics.average_accuracy(one) == 0.75
    assert math.isnan(metrics.backward_transfer(one))
    assert math.isnan(metrics.forward_transfer(one, [NAN]))
    lower = np.array([[0.9, NAN], [0.8, 0.6]])
    assert metrics.backward_transfer(lower) == pytest.approx(0.8 - 0.9)
    assert metrics.forward_transfer(lower, [NAN, 0.5]) == pytest.approx(0.6 - 0.5)
    holed = np.array([[0.9, NAN], [NAN, 0.6]])
    assert math.isnan(metrics.average_accuracy(holed))
    assert math.isnan(metrics.backward_transfer(holed))
    assert math.isnan(metrics.forward_transfer(holed, [NAN, NAN]))


# --- several seeds ------------------------------------------------------------------------
def test_values_have_mean_deviation_and_t_interval() -> None:
    found = metrics.summary([0.1, 0.2, 0.6])
    # mean 0.9 / 3; deviations -0.2, -0.1, 0.3: variance (0.04 + 0.01 + 0.09) / 2 = 0.07
    half = 4.302653 * math.sqrt(0.07) / math.sqrt(3)  # t of 2 degrees of freedom at 0.975
    assert (found["n"], found["mean"]) == (3, pytest.approx(0.3))
    assert found["sd"] == pytest.approx(math.sqrt(0.07))
    assert found["ci95"] == pytest.approx([0.3 - half, 0.3 + half], abs=1e-6)
    found = metrics.summary([0.0, 2.0])
    half = 12.706205 * math.sqrt(2) / math.sqrt(2)  # deviation √2 over √n = √2
    assert found["ci95"] == pytest.approx([1 - half, 1 + half], abs=1e-5)
    # Without spread nothing is known of what another seed would give: no interval of width zero.
    assert metrics.summary([0.5, 0.5, 0.5]) == {"n": 3, "mean": 0.5, "sd": 0.0, "ci95": None}
    assert metrics.summary([1.0, 1.0], share=True)["ci95"] is None
    assert metrics.summary([0.4]) == {"n": 1, "mean": 0.4, "sd": None, "ci95": None}
    assert metrics.summary([NAN, 0.4]) == metrics.summary([0.4])
    assert metrics.summary([0.1, NAN, 0.2, 0.6]) == metrics.summary([0.1, 0.2, 0.6])


def test_the_interval_of_a_share_is_inside_0_and_1_and_covers_the_truth() -> None:
    found: Any = metrics.summary([0.85, 0.99, 0.95, 0.97, 1.0], share=True)
    low, high = found["ci95"]
    assert 0 < low < found["mean"] < high < 1 < metrics.summary([0.85, 0.99, 0.95, 0.97, 1.0])["ci95"][1]  # type: ignore[index]
    # An end is where the mean is t standard errors away, of which each is worth as much as its share's.
    t, error = 2.776445, found["sd"] / math.sqrt(5)
    for end in (low, high):
        scale = math.sqrt(end * (1 - end) / (found["mean"] * (1 - found["mean"])))
        assert abs(found["mean"] - end) == pytest.approx(t * error * scale, abs=1e-6)
    rng = np.random.default_rng(0)  # scores of seeds near the top: mean 0.95
    drawn: list[Any] = [metrics.summary(rng.beta(38, 2, 5).tolist(), share=True)["ci95"] for _ in range(2000)]
    assert 0.93 < np.mean([low <= 0.95 <= high for low, high in drawn]) < 0.97


@pytest.mark.parametrize("values", [[], [NAN], [NAN, NAN]])
def test_nothing_has_no_mean(values: list[float]) -> None:
    assert metrics.summary(values) == {"n": 0, "mean": None, "sd": None, "ci95": None}


def test_a_few_rows_have_as_many_targets_as_there_are() -> None:
    assert metrics.varied(list("aaabca"), 3) == [0, 3, 4]
    assert metrics.varied(list("aaabca"), 4) == [0, 1, 3, 4]
    assert metrics.varied(["x"], 5) == [0]
    assert metrics.varied([], 5) == []
