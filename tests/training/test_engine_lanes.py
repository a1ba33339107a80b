"""Many lanes, one forward: nobody must notice the others."""

import math
from collections.abc import Callable, Generator
from typing import Any

import pytest
import torch
from making import context
from torch import Tensor

from shlpt.backbone.t5 import Backbone, Out
from shlpt.methods.base import Ask, down_loss
from shlpt.methods.per_task import PerTask
from shlpt.training.engine import Cut, Diverged, Onward, Stopped, drive


def one_loss(learner: PerTask, rows: list[int], scale: float = 1.0) -> Generator[Ask, Any, float]:
    ask = learner.ask(learner.ctx.train.batch(rows))
    loss = yield Ask(ask.embeds, ask.mask, ask.labels, "train", lambda out: down_loss(out) * scale)
    return float(loss)


def lanes(backbone: Backbone) -> list[PerTask]:
    return [PerTask(context(backbone, "per_task", task, seed=s)) for s, task in enumerate(("sst2", "squad", "yahoo"))]


def test_each_lane_gets_the_loss_and_gradient_of_its_own_rows(backbone: Backbone) -> None:
    alone = [drive([one_loss(one, [0, 1, 2])], backbone)[0] for one in lanes(backbone)]
    together = drive([one_loss(one, [0, 1, 2]) for one in lanes(backbone)], backbone)
    assert together == pytest.approx(alone, abs=1e-6, rel=3e-6)
    alone, together = lanes(backbone), lanes(backbone)
    for one in alone:
        drive([one_loss(one, [0, 1, 2, 3])], backbone)
    drive([one_loss(one, [0, 1, 2, 3]) for one in together], backbone)
    for a, b in zip(alone, together, strict=True):
        torch.testing.assert_close(b.prompt.grad, a.prompt.grad, atol=3e-6, rtol=1e-4)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_diverged_lane_stops_and_leaves_the_others_alone(backbone: Backbone, bad: float) -> None:
    healthy, sick = lanes(backbone)[:2]
    reference = lanes(backbone)[0]
    expected = drive([one_loss(reference, [0, 1])], backbone)[0]
    results = drive([one_loss(healthy, [0, 1]), one_loss(sick, [0, 1], bad)], backbone)
    assert results[0] == pytest.approx(expected, abs=1e-6, rel=3e-6)
    assert isinstance(results[1], Diverged)
    assert sick.prompt.grad is None or not sick.prompt.grad.any()
    torch.testing.assert_close(healthy.prompt.grad, reference.prompt.grad, atol=3e-6, rtol=1e-4)


def test_not_a_number_in_a_prompt_does_not_reach_another_lane(backbone: Backbone) -> None:
    healthy, sick = lanes(backbone)[:2]
    with torch.no_grad():
        sick.prompt.fill_(math.nan)
    results = drive([one_loss(healthy, [0, 1]), one_loss(sick, [0, 1])], backbone)
    assert isinstance(results[0], float)
    assert isinstance(results[1], Diverged)
    assert healthy.prompt.grad.isfinite().all()


def test_lanes_may_ask_for_different_things_and_end_at_different_times(backbone: Backbone) -> None:
    learner = lanes(backbone)[0]
    batch = learner.ctx.train.batch([0, 1])
    state = learner.keep()

    def short() -> Generator[Ask, Any, Tensor]:
        ask = PerTask.answer(backbone, state, "sst2", batch, "decode")
        ids = yield Ask(ask.embeds, ask.mask, None, "decode", None, 4)
        return ids

    def long() -> Generator[Ask, Any, list[float]]:
        found = []
        for _ in range(3):
            out: Out = yield PerTask.answer(backbone, state, "sst2", batch, "score")
            found.append(out.loss.sum().item())
        looked = yield PerTask.answer(backbone, state, "sst2", batch, "look")
        assert looked.hidden.shape == (2, 1, backbone.width)
        return found

    ids, losses = drive([short(), long()], backbone)
    assert ids.shape[0] == 2
    assert ids.shape[1] <= 4
    assert len(set(losses)) == 1


def test_scoring_and_looking_leave_no_gradients(backbone: Backbone) -> None:
    learner = lanes(backbone)[0]

    def lane() -> Generator[Ask, Any, bool]:
        out = yield PerTask.answer(backbone, learner.keep(), "sst2", learner.ctx.train.batch([0]), "score")
        return bool(out.loss.requires_grad)

    assert drive([lane()], backbone) == [False]


def test_stop_ends_all_lanes_before_the_next_forward(backbone: Backbone) -> None:
    closed: list[int] = []

    def endless(number: int) -> Generator[Ask, Any, None]:
        learner = lanes(backbone)[0]
        try:
            while True:
                yield learner.ask(learner.ctx.train.batch([0]))
        finally:
            closed.append(number)

    class Impatient(Onward):
        rounds = 0

        def round(self, training: bool, tell: Callable[[], None]) -> None:
            assert training
            self.rounds += 1
            if self.rounds == 3:
                raise Stopped

    conductor = Impatient()
    with pytest.raises(Stopped):
        drive([endless(0), endless(1)], backbone, conductor)
    assert conductor.rounds == 3
    assert sorted(closed) == [0, 1]


def test_lanes_wait_for_each_other_between_epochs(backbone: Backbone) -> None:
    """A cut holds every lane that still runs, whatever each of them did since the cut before."""
    said: list[str] = []

    def lane(name: str, lengths: list[int]) -> Generator[Ask | Cut, Any, None]:
        learner = lanes(backbone)[0]
        for epoch, length in enumerate(lengths):
            yield Cut(lambda place=f"{name}{epoch}": place)
            for _ in range(length):
                said.append(name)
                yield PerTask.answer(backbone, learner.keep(), "sst2", learner.ctx.train.batch([0]), "score")

    class Noting(Onward):
        def cut(self, cuts: dict[int, Cut]) -> None:
            said.append(" ".join(f"{index}:{cut.place()}" for index, cut in sorted(cuts.items())))

    drive([lane("a", [2, 1]), lane("b", [1, 2, 1])], backbone, Noting())
    assert said == ["0:a0 1:b0", "a", "b", "a", "0:a1 1:b1", "a", "b", "b", "1:b2", "b"]


def test_a_mistake_in_a_lane_is_not_swallowed(backbone: Backbone) -> None:
    def broken() -> Generator[Ask, Any, None]:
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        drive([broken()], backbone)


def test_a_repetition_penalty_is_that_of_the_library_and_of_its_own_lane_only(gated: Backbone) -> None:
    backbone, learner = gated, lanes(gated)[1]
    ask = learner.answer(backbone, learner.keep(), "squad", learner.ctx.train.batch([0, 1, 2]), "decode")

    def decode(penalty: float) -> Generator[Ask, Any, Tensor]:
        return (yield Ask(ask.embeds, ask.mask, None, "decode", None, 6, beams=4, repetition_penalty=penalty))

    def library(penalty: float) -> Tensor:
        how: dict[str, Any] = {"num_beams": 4, "max_new_tokens": 6, "do_sample": False, "repetition_penalty": penalty}
        return backbone.model.generate(inputs_embeds=ask.embeds, attention_mask=ask.mask, **how)[:, 1:]

    penalties = (1.0, 5.0, 1.0)
    found = drive([decode(penalty) for penalty in penalties], backbone)
    expected = [library(penalty) for penalty in penalties]
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert not (expected[0].shape == expected[1].shape and torch.equal(expected[0], expected[1]))
