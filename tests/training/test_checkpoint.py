"""A stage between two epochs, taken apart and put together again."""

import math
from functools import partial

import pytest
import torch
from making import context
from resuming import assert_resumes, stage

from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import State
from shlpt.methods.per_task import PerTask
from shlpt.methods.prompts import PromptPool
from shlpt.training.checkpoint import Best, go_to, place_of, state_from, state_parts, under
from shlpt.training.engine import drive
from shlpt.training.lane import adamw, train_step

CPU = torch.device("cpu")


def trained(backbone: Backbone, steps: int) -> tuple[PerTask, torch.optim.Optimizer]:
    one = PerTask(context(backbone, "per_task"))
    optimiser = adamw(one.parameters(), one.ctx.training)
    for step in range(steps):
        drive([train_step(one, optimiser, one.ctx.train.batch([step, step + 1]), 1.0)], backbone)
    return one, optimiser


def test_a_learner_goes_on_where_it_stood(backbone: Backbone) -> None:
    one, optimiser = trained(backbone, 3)
    place = place_of(one, optimiser, Best(5), step=3, done=1)
    other, moments = trained(backbone, 0)
    best = go_to(place, other, moments, 5)
    assert (best.epoch, best.state, best.rank) == (-1, None, (-1.0, 0.0))
    for learner, optim in ((one, optimiser), (other, moments)):
        drive([train_step(learner, optim, learner.ctx.train.batch([4, 5]), 1.0)], backbone)
    assert torch.equal(one.prompt, other.prompt)
    assert place.numbers == {"step": 3, "done": 1, "best_epoch": -1, "best_pool": None}


def test_a_place_is_a_copy(backbone: Backbone) -> None:
    one, optimiser = trained(backbone, 1)
    place = place_of(one, optimiser, Best(5))
    before = {name: tensor.clone() for name, tensor in place.tensors.items()}
    drive([train_step(one, optimiser, one.ctx.train.batch([4, 5]), 1.0)], backbone)
    assert all(torch.equal(tensor, before[name]) for name, tensor in place.tensors.items())
    assert all(tensor.is_contiguous() for tensor in place.tensors.values())


@pytest.mark.parametrize("loss", [0.25, math.inf, math.nan])
def test_early_stopping_knows_what_it_knew(backbone: Backbone, loss: float) -> None:
    one, optimiser = trained(backbone, 0)
    best = Best(7)
    best.offer(2, 0.5, loss, one.keep())
    found = go_to(place_of(one, optimiser, best), one, optimiser, 7)
    assert (found.patience, found.epoch, found.rank[0]) == (7, 2, 0.5)
    assert found.rank[1] == pytest.approx(-loss, nan_ok=True)
    assert found.state.pool.of("sst2").digest == best.state.pool.of("sst2").digest


def test_a_state_comes_back_with_its_prompts_in_order() -> None:
    pool = PromptPool().add(torch.ones(2, 3), "rte").add(torch.zeros(1, 3), "cb")
    names, tensors = state_parts(State(pool, {"a.b": torch.arange(3)}))
    found = state_from(names, tensors, CPU)
    assert [prompt.task for prompt in found.pool] == names == ["rte", "cb"]
    assert [prompt.digest for prompt in found.pool] == [prompt.digest for prompt in pool]
    assert torch.equal(found.extra["a.b"], torch.arange(3))
    assert state_parts(State()) == ([], {})
    assert under({"x.1": torch.ones(1), "x1": torch.ones(1)}, "x.").keys() == {"1"}


# --- in a group ---------------------------------------------------------------------------
@pytest.mark.parametrize("after", [1, 2, 4])
def test_a_killed_group_of_different_lanes_goes_on_bit_by_bit(backbone: Backbone, after: int) -> None:
    """Other tasks, seeds and histories; one is over sooner than the others."""
    options = [
        {"task": "sst2", "seed": 1, "epochs": 3},
        {"task": "squad", "seed": 2, "epochs": 5},
        {"task": "mnli", "seed": 3, "earlier": ("yelp", "rte"), "epochs": 5},
    ]
    assert_resumes(backbone, lambda n, *rest: stage(backbone, "shlpt", n, *rest, **options[n]), 3, after)


def test_a_stage_killed_before_it_stops_early_stops_as_early(backbone: Backbone) -> None:
    make = partial(stage, backbone, "per_task", epochs=30, patience=1)
    assert_resumes(backbone, make, 1, after=2)
