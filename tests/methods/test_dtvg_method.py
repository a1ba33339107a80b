"""DTVG: similarity, consistency and the group by hand; the two stages; what later tasks get."""

from typing import Any

import pytest
import torch
from making import EARLIER, context, loss_of, prepared, train
from torch import Tensor

from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import Context, State
from shlpt.methods.dtvg import Dtvg, best_group, consistency, similarities
from shlpt.methods.prompts import PromptPool, fresh_prompt

BETWEEN = [[9.0, 0.2, 0.6, -0.5], [0.2, 9.0, 0.7, 0.1], [0.6, 0.7, 9.0, 0.4], [-0.5, 0.1, 0.4, 9.0]]


def begun(backbone: Backbone, task: str = "sst2", state: State | None = None, **params: Any) -> Dtvg:
    ctx = context(backbone, "dtvg", task, **params)
    if state is not None:
        object.__setattr__(ctx, "state", state)
    return Dtvg(ctx)


def state_of(backbone: Backbone, vectors: list[Tensor]) -> State:
    """A state whose earlier tasks have the given vectors [L,d]."""
    pool = PromptPool()
    for task in EARLIER[: len(vectors)]:
        pool = pool.add(torch.zeros(4, backbone.width), task)
    return State(pool, {f"vector.{task}": v for task, v in zip(EARLIER, vectors, strict=False)})


def test_each_stage_has_an_epoch_at_least(backbone: Backbone) -> None:
    one = begun(backbone)
    for epochs, first in ((2, 1), (3, 1), (4, 1), (8, 2), (20, 5), (1, 0)):
        object.__setattr__(one.ctx, "training", one.ctx.training.model_copy(update={"epochs": epochs}))
        assert one.preparation().epochs == first
    assert begun(backbone, first_share=0.99).preparation().epochs == 2  # of three


# --- by hand --------------------------------------------------------------------------------
def test_similarity_and_consistency_by_hand() -> None:
    a = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])  # mean row (2, 3)
    b = torch.tensor([[[0.0, 2.0], [2.0, 0.0]], [[-2.0, 0.0], [-2.0, 0.0]]])  # mean rows (1, 1) and (-2, 0)
    assert similarities(a, b).tolist() == [[2.5, -2.0]]
    assert consistency(BETWEEN, [0, 1, 2]) == pytest.approx((0.2 + 0.6 + 0.7) / 3)
    assert consistency(BETWEEN, [3, 0]) == pytest.approx(-0.5)
    assert consistency(BETWEEN, [1]) == 0
    assert consistency(BETWEEN, []) == 0


def test_the_group_grows_by_similarity_and_stops_where_it_agrees_best() -> None:
    # Rank 1, 0, 2, 3. Sizes: 0; pair 1,0: 0.2; with 2: 0.5; with 3: (1.5 - 0.5 + 0.1 + 0.4) / 6 = 0.25.
    group, agreement = best_group([0.3, 0.9, 0.2, 0.1], BETWEEN)
    assert group == [1, 0, 2]
    assert agreement == pytest.approx(0.5)
    assert best_group([0.3, -0.01, 0.2, -1.0], BETWEEN) == ([0, 2], 0.6)
    assert best_group([0.0, -0.01, 0.0, -1.0], BETWEEN) == ([0, 2], 0.6)
    assert best_group([0.3, -1.0, -1.0, 0.5], BETWEEN) == ([3], 0.0)
    assert best_group([-0.1, -0.2, -0.3, -0.4], BETWEEN) == ([], 0.0)
    assert best_group([], []) == ([], 0.0)


# --- the stages -----------------------------------------------------------------------------
def test_all_tasks_of_a_run_start_at_one_initialisation_and_runs_at_different_ones(backbone: Backbone) -> None:
    sst2, rte, other = begun(backbone), begun(backbone, "rte"), begun(backbone, seed=7)
    assert torch.equal(sst2.init, rte.init)
    assert not torch.equal(sst2.init, other.init)


def test_stage_one_is_plain_prompt_tuning_from_the_common_initialisation(backbone: Backbone) -> None:
    one = begun(backbone, first_share=0.67)
    ask = next(one.preparation().asks)
    assert torch.equal(ask.embeds[0, :4], one.init)
    events, used = prepared(one)
    assert (used, len(events)) == (one.preparation().epochs, 2 * 3)  # of three epochs, twelve texts by four
    assert one.vector.abs().sum() > 0
    assert torch.equal(one.first, one.vector)
    assert torch.equal(one.scale, torch.ones_like(one.scale))
    assert torch.equal(one.scales, torch.ones_like(one.scales))


def test_the_mixture_adds_the_group_with_a_scale_for_every_row(backbone: Backbone) -> None:
    one = begun(backbone)
    with torch.no_grad():
        one.vector.fill_(2.0)
        one.scale.copy_(torch.tensor([[1.0], [0.5], [0.0], [-1.0]]))
        one.scales[1].copy_(torch.tensor([[0.0], [1.0], [2.0], [3.0]]))
    found = one.mixed([2, 1])
    for row, (own, other) in enumerate([(1.0, 0.0), (0.5, 1.0), (0.0, 2.0), (-1.0, 3.0)]):
        expected = one.init[row] + own * 2.0 + other * one.sources[1][row] + one.sources[2][row]
        torch.testing.assert_close(found[row], expected)


def test_each_step_chooses_by_the_target_vector_as_it_is_and_says_so(backbone: Backbone) -> None:
    ones = torch.ones(4, backbone.width)
    one = begun(backbone, state=state_of(backbone, [ones, 2 * ones, -ones]))
    with torch.no_grad():
        one.vector.copy_(ones)
    assert torch.equal(asked(one), one.init + 1 + 2 + 1)
    assert one.log() == {"group": ["rte", "yelp"], "similarity": [1.0, 2.0, -1.0], "consistency": 2.0}
    with torch.no_grad():
        one.vector.copy_(-ones)
    assert torch.equal(asked(one), one.init - 1 - 1)
    assert one.log() == {"group": ["agnews"], "similarity": [-1.0, -2.0, 1.0], "consistency": 0.0}
    assert one.record()["grouped"].tolist() == [0.5, 0.5, 0.5]


def test_the_group_is_chosen_by_scaled_vectors(backbone: Backbone) -> None:
    """Vectors of ones, twos and minus ones; the target is one. Unscaled the group is rte and yelp, as above."""
    ones = torch.ones(4, backbone.width)
    one = begun(backbone, state=state_of(backbone, [ones, 2 * ones, -ones]))
    with torch.no_grad():
        one.vector.copy_(ones)
        one.scale.copy_(torch.tensor([[1.0], [1.0], [0.0], [0.0]]))  # mean of the rows: .5
        one.scales[0].fill_(3.0)
        one.scales[1].copy_(torch.tensor([[-1.0], [0.0], [0.0], [0.0]]))  # mean of the rows: -.25 · 2
        one.scales[2].fill_(-1.0)
    group, agreement, target = one.group()
    assert target == [1.5, -0.25, 0.5]  # .5 times 3, -.5 and 1
    assert (group, agreement) == ([0, 2], 3.0)  # of yelp and agnews: 3 · 1


def asked(one: Dtvg) -> Tensor:
    return one.ask(one.ctx.train.batch([0])).embeds[0, :4].detach()


def test_with_no_source_in_the_group_the_prompt_is_its_own(backbone: Backbone) -> None:
    ones = torch.ones(4, backbone.width)
    for state in (state_of(backbone, [-ones]), State()):
        one = begun(backbone, state=state)
        with torch.no_grad():
            one.vector.copy_(ones)
            one.scale.fill_(0.5)
        torch.testing.assert_close(asked(one), one.init + 0.5)
        torch.testing.assert_close(one.keep().pool.of("sst2").tensor, one.init + 0.5)
        train(one, 1, (0, 1))


def test_sources_stay_and_own_vector_and_scales_learn(backbone: Backbone) -> None:
    ones = torch.ones(4, backbone.width)
    state = state_of(backbone, [ones, -ones])
    one = begun(backbone, state=state)
    with torch.no_grad():
        one.vector.copy_(ones)
    loss_of(backbone, one.ask(one.ctx.train.batch([0, 1]))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in one.parameters())
    assert not one.scales.grad[1].any()  # not in the group
    assert not one.sources.requires_grad
    train(one, 1, (2, 3))
    assert torch.equal(one.sources, torch.stack([ones, -ones]))


def test_what_is_stored_is_the_mixture_and_later_tasks_get_the_vector_of_stage_one(backbone: Backbone) -> None:
    one = begun(backbone)
    prepared(one)
    first = one.vector.detach().clone()
    train(one, 1)
    state = one.keep()
    assert torch.equal(state.pool.of("sst2").tensor, one.mixed(one.group()[0]).detach())
    later = begun(backbone, "rte", state)
    assert torch.equal(later.sources[3], first)
    assert not torch.equal(later.sources[3], one.vector)
    assert torch.equal(later.sources[0], context_vector(one.ctx, one.init))


def context_vector(ctx: Context, init: Tensor) -> Tensor:
    """Of a prompt that another method learned: how far it is from the common initialisation."""
    assert torch.equal(ctx.state.pool[0].tensor, fresh_prompt(ctx.backbone.vocabulary, 4, 1000, EARLIER[0]))
    return ctx.state.pool[0].tensor - init
