"""What can be done to runs, by the states they are in."""

from __future__ import annotations

import pytest

from shlpt.ui.control import possible


@pytest.mark.parametrize(
    ("states", "served", "wishes"),
    [
        (["done"], True, set()),
        (["done"], False, set()),
        (["running"], True, {"pause", "stop"}),
        (["queued"], True, {"pause", "stop"}),
        (["queued"], False, {"pause", "stop", "resume"}),  # nobody is there to train it
        (["paused"], True, {"step", "stop", "resume"}),
        (["paused", "running"], True, {"pause", "step", "stop", "resume"}),
        (["stopped", "done"], True, {"resume"}),
        (["failed"], False, {"resume"}),
        (["lost"], True, {"resume"}),
    ],
)
def test_only_what_makes_sense_can_be_pressed(states: list[str], served: bool, wishes: set[str]) -> None:
    assert possible(states, served) == wishes
