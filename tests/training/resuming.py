"""Stages that are stopped in the middle and go on from their place, as a kill leaves them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from making import context

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import learner_of
from shlpt.tasks.find import probe_examples
from shlpt.tasks.pocket import TASKS
from shlpt.training.checkpoint import Place, state_parts
from shlpt.training.engine import Cut, Lane, Onward, Stopped, drive
from shlpt.training.lane import Examined, StageResult, learn
from shlpt.work.conductor import packed
from shlpt.work.workshop import places_of

Said = dict[int, list[str]]  # lane -> what it said, as JSON
Make = Callable[[int, Said, Place | None], Lane[StageResult]]


def stage(
    backbone: Backbone,
    method: str,
    number: int,
    said: Said,
    start: Place | None,
    *,
    task: str = "sst2",
    epochs: int = 4,
    patience: int = 5,
    **options: Any,
) -> Lane[StageResult]:
    """A lane with everything freshly built, as another process would."""
    ctx = context(backbone, method, task, shots=3, **options)
    ctx = replace(ctx, training=ctx.training.model_copy(update={"epochs": epochs, "patience": patience}))
    tests = Examined([TASKS[task]], [Encoded(backbone, TASKS[task].draw("test", 2, 0), 256)])
    validation = Encoded(backbone, TASKS[task].draw("validation", 2, 0), 256)
    probe = Encoded(backbone, probe_examples()[:4], 256)

    def emit(kind: str, payload: dict[str, Any]) -> None:
        said.setdefault(number, []).append(json.dumps([kind, payload]))

    return learn(ctx, learner_of(method)(ctx), validation, tests, probe, emit, start)


@dataclass
class Stopping(Onward):
    """Keeps the places of the newest cut, and stops a few rounds after one of them."""

    said: Said
    after: int  # cuts
    rounds: int = 2
    cuts: int = 0
    kept: bytes = field(default=b"", repr=False)

    def cut(self, cuts: dict[int, Cut]) -> None:
        self.cuts += 1
        places = {str(index): cut.place() for index, cut in cuts.items()}
        self.kept = packed(
            places, {key: len(self.said.get(int(key), [])) for key in places}, dict.fromkeys(places, 0.0)
        )[0]

    def round(self, training: bool, tell: Callable[[], None]) -> None:
        self.rounds -= self.cuts >= self.after
        if self.rounds < 0:
            raise Stopped


def assert_resumes(backbone: Backbone, make: Make, lanes: int, after: int) -> None:
    """Stopped after some cuts and gone on with, everything is what it would have been, to the last bit."""
    whole: Said = {}
    expected = drive([make(n, whole, None) for n in range(lanes)], backbone)
    said: Said = {}
    conductor = Stopping(said, after)
    try:
        drive([make(n, said, None) for n in range(lanes)], backbone, conductor)
        raise AssertionError("it was over before it could be stopped")
    except Stopped:
        pass
    places, counts, _ = places_of(conductor.kept)
    assert places
    rest = sorted(map(int, places))
    for number in rest:
        said[number] = said.get(number, [])[: counts[str(number)]]
    results = drive([make(n, said, places[str(n)]) for n in rest], backbone)
    for number, result in zip(rest, results, strict=True):
        assert_equal(result, expected[number])
    assert said == whole


def assert_equal(a: Any, b: Any) -> None:
    assert isinstance(a, StageResult), a
    (pool, tensors), (other_pool, others) = state_parts(a.state), state_parts(b.state)
    assert pool == other_pool
    for found, wanted in ((tensors, others), (a.record, b.record)):
        assert found.keys() == wanted.keys()
        assert [name for name in found if not torch.equal(found[name], wanted[name])] == []
    assert (a.summary, a.answers, a.scores) == (b.summary, b.answers, b.scores)
