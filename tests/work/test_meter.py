"""Who of a lane group is charged for which second."""

import pytest

from shlpt.work.meter import Meter


def test_lanes_share_the_time_that_they_train_together() -> None:
    now = [100.0]
    meter = Meter({"a": 0.0, "b": 0.0, "c": 6.0}, lambda: now[0])  # c was resumed
    now[0] += 3
    assert meter.end("a") == 1.0
    now[0] += 4
    assert meter.end("c") == pytest.approx(6 + 1 + 2)
    now[0] += 5
    assert meter.end("b") == pytest.approx(1 + 2 + 5)
    assert sum(meter.spent.values()) == pytest.approx(6 + 12)  # what the group took


def test_what_is_skipped_is_nobodys() -> None:
    now = [0.0]
    meter = Meter({"a": 0.0}, lambda: now[0])
    now[0] = 2.0
    meter.share()
    now[0] = 50.0
    meter.skip()
    now[0] = 53.0
    assert meter.end("a") == 5.0
