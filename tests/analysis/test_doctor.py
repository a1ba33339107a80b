"""Each usual cause of a stage that learns nothing is named from its numbers; a healthy stage is left alone."""

from dataclasses import replace
from typing import Any

import pytest

from shlpt.analysis.doctor import Facts, above_chance, diagnose, majority, p_above


def facts(**changed: Any) -> Facts:
    """A stage at chance whose training loss stands still."""
    usual = Facts([1.0, 0.0] * 32, 0.5, [0.5] * 5, 16, 0.35, 0.35, moved=1.0, cut=0.0, outside=0.0, restricted=0.5)
    return replace(usual, **changed)


def test_chance_is_tested_exactly() -> None:
    assert p_above(0.8, 5, 0.5) == pytest.approx(6 / 32)  # 4 or 5 of 5
    assert p_above(1.0, 5, 0.5) == pytest.approx(1 / 32)
    assert p_above(0.0, 5, 0.5) == 1
    assert not above_chance(0.8, 5, 0.5)
    assert above_chance(1.0, 5, 0.5)
    assert not above_chance(0.6, 64, 0.5)
    assert above_chance(0.65, 64, 0.5)
    assert not above_chance(1.0, 9, 1.0)  # all targets are the same
    assert majority(["a", "b", "a", "a"]) == 0.75
    assert majority([]) == 0


def test_a_stage_above_chance_is_healthy() -> None:
    good = facts(scores=[1.0] * 48 + [0.0] * 16, train_loss=0.01)
    assert diagnose(good) is None
    assert diagnose(replace(good, moved=10.0, cut=1.0, outside=0.9, validation=[0.2])) is None


@pytest.mark.parametrize(
    ("changed", "cause"),
    [
        ({"moved": 0.001}, "rate too small"),  # the backbone knew it without a prompt
        ({"moved": 9.0, "train_loss": 0.9}, "rate too large"),  # an early state was good, and it was lost
        ({"validation": [0.9, 0.0]}, "validation labels"),
        ({"failure": "stopped at step 3: the loss is nan"}, "rate too large"),
    ],
)
def test_some_causes_show_although_the_score_is_above_chance(changed: dict[str, Any], cause: str) -> None:
    found = diagnose(facts(**{"scores": [1.0] * 60 + [0.0] * 4, "train_loss": 0.01} | changed))
    assert found is not None
    assert found.cause == cause
    assert "is above chance (50%), but " in found.sentence


@pytest.mark.parametrize(
    ("changed", "cause", "said"),
    [
        ({"failure": "stopped at step 3 of epoch 1: the loss is nan"}, "rate too large", "stopped at step 3"),
        ({"moved": 0.0004}, "rate too small", "nearly where it started"),
        ({"moved": 80.0}, "rate too large", "80 times a word embedding"),
        ({"train_loss": 2.0}, "rate too large", "5.7 times that of a constant answer"),
        ({"train_loss": 0.02, "validation": [0.4, 0.0]}, "validation labels", "validation ended at 0%"),
        ({"cut": 0.9}, "texts cut", "90% of the training texts are cut"),
        ({"restricted": 0.9, "outside": 0.8, "scores": [0.0] * 60 + [1.0] * 4}, "answers", "80% of the answers"),
        ({"train_loss": 0.02}, "labels", "nothing carries over"),
        ({}, "labels", "is still 100% of that of a constant answer"),
        ({"train_loss": None, "moved": None, "restricted": None}, "not known", "before more was measured"),
    ],
)
def test_a_cause_is_named_with_what_to_try(changed: dict[str, Any], cause: str, said: str) -> None:
    found = diagnose(facts(**changed))
    assert found is not None
    assert found.cause == cause
    assert "is not above chance (50%): " in found.sentence
    assert said in found.sentence
    assert found.advice
