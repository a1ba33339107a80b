"""The doctor names planted failures by the numbers that real training leaves, and is silent on what learns."""

import pytest
from planting import CAUSES, trained

from shlpt.analysis.doctor import diagnose
from shlpt.backbone.t5 import Backbone


@pytest.mark.slow
def test_planted_failures_are_named_and_a_healthy_stage_is_left_alone(backbone: Backbone) -> None:
    causes = {kind: cause for kind, cause in CAUSES.items() if kind != "wild"}  # chaos: at times it ends well
    found = [
        diagnose(facts) for facts in trained(backbone, [*((kind, "sst2") for kind in causes), ("healthy", "sst2")])
    ]
    assert [one.cause if one else None for one in found] == [*causes.values(), None]
