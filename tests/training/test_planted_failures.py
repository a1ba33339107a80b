"""The doctor names planted failures by the numbers that real training leaves, and is silent on what learns."""

import pytest
from planting import CAUSES, FAILING, recorded, trained

from shlpt.analysis.doctor import diagnose
from shlpt.backbone.t5 import Backbone


@pytest.mark.slow
def test_planted_failures_are_named_and_a_healthy_stage_is_left_alone(backbone: Backbone) -> None:
    causes = {kind: cause for kind, cause in CAUSES.items() if kind != "wild"}  # chaos: at times it ends well
    found = [
        diagnose(facts) for facts in trained(backbone, [*((kind, "sst2") for kind in causes), ("healthy", "sst2")])
    ]
    assert [one.cause if one else None for one in found] == [*causes.values(), None]


def test_nine_of_ten_planted_failures_are_named_and_ten_healthy_stages_are_left_alone() -> None:
    """Of recorded stages, which took two minutes to train. Healthy is what learned: far above chance on its test texts,
    whatever the doctor says. Two of the twelve tasks do not learn from 8 examples a class."""
    found = recorded()
    planted = [(CAUSES[kind], diagnose(facts)) for kind, _, facts in found if kind != "healthy"]
    assert len(planted) == len(CAUSES) * len(FAILING) == 10
    assert sum(one is not None and one.cause == cause for cause, one in planted) >= 9
    learned = [facts for kind, _, facts in found if kind == "healthy" and facts.score > facts.chance + 0.25]
    assert len(learned) == 10
    assert [diagnose(facts) for facts in learned] == [None] * 10
