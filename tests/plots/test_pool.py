"""The ribbons of one step: widths, sides and push by hand, for every kind of method; what they say in words."""

from typing import Any

import pytest

from shlpt.catalog import METHODS
from shlpt.plots.pool import (
    ALPHA,
    DISSIMILAR,
    REUSE,
    SIMILAR,
    TEXTS,
    USED,
    Ribbon,
    alt,
    folded,
    legend,
    pushed,
    ribbons,
    story,
    uses,
)

STEP: dict[str, Any] = {"step": 7, "epoch": 1, "loss": 2.0, "down": 1.0, "hsc": 3.0, "asc": 1.4}
STEP |= {"alpha": [0.7, 0.05, 0.25], "dissimilar": [0.0, 1.0, 0.25]}
STEP |= {"alpha_low": [0.5, 0.0, 0.1], "alpha_high": [0.9, 0.1, 0.4]}
LAMBDAS = {"hsc": 0.1, "asc": 0.5}
THREE = ("yelp", "rte", "sst2")


def widths(found: list[Ribbon]) -> dict[str, float]:
    return {one.name: one.width for one in found}


def test_alpha_is_the_width_the_threshold_the_side_and_the_losses_the_push() -> None:
    """The push is (.1 · 3 + .5 · 1.4) / 2 = one half."""
    found = ribbons("shlpt", THREE, STEP, LAMBDAS)
    assert widths(found) == {"yelp": 0.7, "rte": 0.05, "sst2": 0.25}
    assert [one.side for one in found] == [SIMILAR, DISSIMILAR, SIMILAR]
    assert [one.push for one in found] == pytest.approx([0, 0.5, 0])
    assert [(one.low, one.high, one.share) for one in found][1] == (0.0, 0.1, 1.0)
    assert pushed(STEP, {"hsc": 0.0, "asc": 0.0}) == 0
    assert pushed({"step": 1, "loss": 1.0}, LAMBDAS) == 0  # no task is dissimilar
    assert pushed({"loss": 0.0, "hsc": 1.0}, LAMBDAS) == 0
    half = ribbons("shlpt", ("yelp",), STEP | {"dissimilar": [0.5]}, LAMBDAS)
    assert half[0].side == DISSIMILAR


def test_other_methods_have_what_they_reuse() -> None:
    assert widths(ribbons("progressive", THREE, {"step": 1})) == dict.fromkeys(THREE, 1 / 3)
    assert widths(ribbons("continual", THREE, {"step": 1})) == {"sst2": 1.0}
    assert widths(ribbons("dtvg", THREE, {"step": 1, "group": ["sst2", "yelp"]})) == {
        "yelp": 0.5,
        "rte": 0,
        "sst2": 0.5,
    }
    assert widths(ribbons("l2p", (), {"step": 1, "chosen": [1.0, 0.0, 1.0, 0.0]})) == {
        "prompt 1": 0.5,
        "prompt 2": 0,
        "prompt 3": 0.5,
        "prompt 4": 0,
    }
    gamma = {"step": 1, "gamma": [0.5, -0.5, 0.25, 0.25, 0.25, 0.25]}  # of two earlier tasks and the new one
    assert widths(ribbons("coda", ("yelp", "rte"), gamma)) == {"yelp": 0.5, "rte": 0.25, "its own components": 0.25}
    assert {one.side for one in ribbons("coda", ("yelp", "rte"), gamma)} == {USED}
    assert ribbons("shlpt", (), {"step": 1, "loss": 1.0}) == ribbons("finetune", THREE, {"step": 1, "loss": 1.0}) == []


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_picture_for_its_first_and_a_later_task(method: str) -> None:
    first, later = uses(method, 0), uses(method, 2)
    assert first == (REUSE if method in ("l2p", "coda") else TEXTS)
    wanted = {"shlpt": ALPHA, "oracle_partition": ALPHA, "random_partition": ALPHA}
    wanted |= dict.fromkeys(("progressive", "continual", "dtvg", "l2p", "coda"), REUSE)
    assert later == wanted.get(method, TEXTS)
    for place in (0, 2):
        said = story(method, THREE[place], THREE, [], "agnews", False)
        assert f"task {place + 1} of 3" in said
        assert len(said) > 40
        assert "_" not in legend(method, place, {}, 0.1, {})


def test_many_tasks_are_folded_and_nothing_is_lost() -> None:
    many = [Ribbon(f"t{place}", place / 100, SIMILAR if place > 9 else DISSIMILAR, 0.2) for place in range(14)]
    found = folded(many, 4)
    assert [one.name for one in found] == ["t11", "t12", "t13", "11 others"]
    assert found[-1].width == pytest.approx(sum(range(11)) / 100)
    assert (found[-1].side, found[-1].push, found[-1].count) == (DISSIMILAR, 0.2, 11)
    assert folded(many[:3], 4) == many[:3]


def test_words_say_what_is_drawn() -> None:
    found = ribbons("shlpt", THREE, STEP, LAMBDAS)
    assert alt("agnews", found, STEP) == (
        "What flows into the prompt of pocket/agnews at step 7: pocket/yelp 0.70 similar, pocket/rte 0.05 dissimilar "
        "(pushed away, 50% of the loss), pocket/sst2 0.25 similar."
    )
    said = story("shlpt", "agnews", (*THREE, "agnews"), found, None, False)
    assert said == (
        "pocket/agnews, task 4 of 4. It takes from pocket/yelp and pocket/sst2, moves away from pocket/rte. Most "
        "similar now: pocket/yelp, α = 0.70."
    )
    assert "there is no earlier task" in story("shlpt", "yelp", THREE, [], "rte", False)
    assert "compared with it" in story("shlpt", "yelp", THREE, [], "rte", False)
    assert "compared with it" not in story("finetune", "yelp", THREE, [], "rte", False)
    assert legend("shlpt", 2, STEP, 0.06, LAMBDAS) == (
        "Width: α. Green is mixed in, purple is pushed away. δ = 0.06. The push is 50% of the loss."
    )
    assert "nothing of earlier prompts" in alt("yelp", [], {})
