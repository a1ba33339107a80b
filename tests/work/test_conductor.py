"""Control of a group in training, with a recorder that only remembers."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch

from shlpt.store.artifacts import about_of
from shlpt.training.checkpoint import Place
from shlpt.training.engine import Cut, Stopped
from shlpt.work import conductor
from shlpt.work.conductor import GroupConductor, packed
from shlpt.work.meter import Meter
from shlpt.work.workshop import places_of


class Remembering:
    """People's wishes, one for each look; the last one stays."""

    def __init__(self, *wishes: str) -> None:
        self.wishes, self.said = list(wishes), []  # type: ignore[var-annotated]

    def wish(self) -> str:
        return self.wishes.pop(0) if len(self.wishes) > 1 else self.wishes[0]

    def hold(self, state: str, wish: str | None = None) -> None:
        self.said.append(state)
        if wish is not None and not self.wishes[1:]:
            self.wishes = [wish]

    def checkpoint(self, data: bytes, about: Mapping[str, Any], patient: bool = True) -> None:
        self.said.append(f"checkpoint of {about['epochs']}")


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conductor, "WAIT", 0.0)


def of(recorder: Any, every: float = 1000.0, meter: Meter | None = None) -> GroupConductor:
    return GroupConductor(recorder, ["a", "b"], {"a": 5, "b": 6}, meter or Meter({"a": 0.0, "b": 0.0}), every)


def cuts(done: int = 1) -> dict[int, Cut]:
    return {n: Cut(lambda: Place({"done": done}, {"x": torch.ones(2)})) for n in range(2)}


def test_it_goes_on_without_a_wish_and_can_be_stopped_while_it_holds() -> None:
    recorder = Remembering("")
    of(recorder).round(True)
    assert recorder.said == []
    with pytest.raises(Stopped):
        of(Remembering("pause", "pause", "stop")).round(True)


def test_time_that_a_group_is_held_is_not_counted() -> None:
    now = iter(range(1000))
    meter = Meter({"a": 0.0, "b": 0.0}, lambda: float(next(now)))  # every look at the clock is a second later
    of(Remembering("pause", "pause", ""), meter=meter).round(True)
    assert meter.spent == {"a": 0.5, "b": 0.5}  # up to the pause
    assert meter.share() == {"a": 1.0, "b": 1.0}


@pytest.mark.parametrize("wish", ["stop", "leave"])
def test_it_stops(wish: str) -> None:
    with pytest.raises(Stopped):
        of(Remembering(wish)).round(True)


def test_it_holds_with_its_place_written_until_it_is_resumed() -> None:
    recorder = Remembering("pause", "pause", "pause", "")
    one = of(recorder)
    one.cut(cuts())
    one.round(True)
    assert recorder.said == ["checkpoint of [1, 1]", "paused", "running"]
    one.save()
    assert recorder.said.count("checkpoint of [1, 1]") == 1  # it is written already


@pytest.mark.parametrize(
    ("unit", "script", "held"),
    [("batch", "tttt", 1), ("batch", "eettt", 3), ("epoch", "tte|ttt", 4), ("task", "tt|tte|tte", 10)],
)
def test_a_step_advances_by_its_unit_and_holds_again(unit: str, script: str, held: int) -> None:
    recorder = Remembering(f"step {unit}")
    one = of(recorder)
    one.round(script[0] == "t")  # takes the step
    assert recorder.wishes == ["pause"]

    class Held(Exception): ...

    def hold(state: str, wish: str | None = None) -> None:
        if state == "paused":
            raise Held

    recorder.hold = hold  # type: ignore[method-assign]
    passed = 1
    for what in script[1:]:
        try:
            one.cut(cuts()) if what == "|" else one.round(what == "t")
        except Held:
            break
        passed += 1
    assert passed == held


def test_a_pause_after_a_step_that_was_resumed_holds() -> None:
    recorder = Remembering("step task")
    one = of(recorder)
    one.round(True)
    recorder.wishes = [""]
    one.round(True)
    recorder.wishes = ["pause", "pause", ""]
    one.round(True)
    assert recorder.said[-2:] == ["paused", "running"]


def test_checkpoints_come_as_often_as_they_are_cheap() -> None:
    recorder = Remembering("")
    one = of(recorder, every=0.0)
    for done in (1, 2):
        one.cost = 0.0
        one.cut(cuts(done))
    assert recorder.said == ["checkpoint of [1, 1]", "checkpoint of [2, 2]"]
    one.cost = 1e6
    one.cut(cuts(3))
    assert "checkpoint of [3, 3]" not in recorder.said
    one.save()  # and the newest place is there all the same
    assert recorder.said[-1] == "checkpoint of [3, 3]"


def test_places_come_back_from_a_checkpoint() -> None:
    places = {"a": Place({"done": 1, "step": 3}, {"x": torch.arange(3.0)}), "b": Place({"done": 2}, {})}
    data, about = packed(places, {"a": 7, "b": 8}, {"a": 1.5, "b": 2.5, "done before": 1.0})
    found, events, seconds = places_of(data)
    assert about == {"epochs": [1, 2]}
    assert (events, seconds) == ({"a": 7, "b": 8}, {"a": 1.5, "b": 2.5})
    assert (found["a"].numbers, found["b"]) == (places["a"].numbers, places["b"])
    assert torch.equal(found["a"].tensors["x"], torch.arange(3.0))
    assert set(about_of(data)) == {"lanes"}
