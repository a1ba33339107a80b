"""L2P: who picks what, what that costs, and snapshots that keep answering."""

from typing import Any

import pytest
import torch
from making import context, loss_and_down, train
from torch.nn.functional import cosine_similarity

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.errors import UserError
from shlpt.methods.l2p import L2P, answer, joined, nearest
from shlpt.spec import RunSpec


def begun(backbone: Backbone, **params: Any) -> L2P:
    return L2P(context(backbone, "l2p", **params))


# --- selection ------------------------------------------------------------------------------
def test_each_row_picks_the_nearest_keys_and_gets_its_prompts_best_first() -> None:
    keys = torch.tensor([[100.0, 0.0], [0.0, 1.0], [3.0, 4.0], [-1.0, 0.0]])
    queries = torch.tensor([[0.0, 2.0], [-5.0, 0.0]])
    rows, cosines = nearest(queries, keys, 2)
    assert rows.tolist() == [[1, 2], [3, 1]]  # row 0: cosines 0, 1, 0.8, 0; row 1: -1, 0, -0.6, 1
    assert cosines.flatten().tolist() == pytest.approx([1.0, 0.8, 1.0, 0.0], abs=1e-6)
    prompts = torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]], [[5.0], [6.0]]])  # M=3, L=2, d=1
    found = joined(prompts, torch.tensor([[2, 0], [1, 2]]))
    assert found.shape == (2, 4, 1)
    assert found[..., 0].tolist() == [[5.0, 6.0, 1.0, 2.0], [3.0, 4.0, 5.0, 6.0]]


def test_the_picked_prompts_stand_before_the_text(backbone: Backbone) -> None:
    one = begun(backbone, top_n=3)
    with torch.no_grad():  # texts of one task are much alike: make two of them disagree for sure
        one.keys[4], one.keys[7] = one.queries[0], one.queries[5]
    batch = one.ctx.train.batch([0, 5])
    ask, length = one.ask(batch), one.ctx.training.prompt_length
    chosen, _ = nearest(one.queries[batch.rows], one.keys, 3)
    assert (chosen[0, 0].item(), chosen[1, 0].item()) == (4, 7)
    for row in range(2):
        for place, number in enumerate(chosen[row].tolist()):
            assert torch.equal(ask.embeds[row, place * length : (place + 1) * length], one.prompts[number])
    assert torch.equal(ask.embeds[:, 3 * length :], backbone.embed(batch.ids))


# --- the query ------------------------------------------------------------------------------
def test_the_query_is_the_mean_encoder_state_of_the_bare_text_without_padding(backbone: Backbone) -> None:
    data = context(backbone, "l2p", "rte").train
    found = backbone.query(data.ids, data.mask)
    for row in (0, 3):
        text = data.ids[row][data.mask[row] == 1][None]
        states = backbone.model.encoder(input_ids=text).last_hidden_state[0]
        torch.testing.assert_close(found[row], states.mean(0), atol=1e-5, rtol=1e-4)


def test_queries_of_a_data_set_are_computed_once_and_never_in_a_step(backbone: Backbone) -> None:
    ctx = context(backbone, "l2p")
    one = L2P(ctx)
    assert ctx.views.forwards == 1  # twelve texts fit in one pass
    torch.testing.assert_close(one.queries, backbone.query(ctx.train.ids, ctx.train.mask), atol=1e-5, rtol=1e-4)
    train(one, 2)
    L2P(ctx)
    assert ctx.views.forwards == 1


# --- the loss -------------------------------------------------------------------------------
def test_the_loss_adds_how_far_the_picked_keys_are(backbone: Backbone) -> None:
    one = begun(backbone, lambda_pull=0.25, top_n=3)
    batch = one.ctx.train.batch([0, 1, 2, 3])
    loss, down = loss_and_down(backbone, one.ask(batch))
    best = [sorted(cosine_similarity(q[None], one.keys).tolist())[-3:] for q in one.queries[:4]]
    pull = 1 - sum(sum(row) for row in best) / 12
    assert (loss - down).item() == pytest.approx(0.25 * pull, abs=1e-5)
    assert one.log()["pull"] == pytest.approx(pull, abs=1e-5)


def test_only_picked_prompts_and_keys_get_gradients_and_keys_only_from_the_pull(backbone: Backbone) -> None:
    one = begun(backbone)
    ask = one.ask(one.ctx.train.batch([0, 1, 2, 3]))
    loss_and_down(backbone, ask)[0].backward()
    picked = sorted(set(one.chosen[:4].flatten().tolist()))
    assert one.prompts.grad.flatten(1).abs().sum(1).nonzero()[:, 0].tolist() == picked
    assert one.keys.grad.abs().sum(1).nonzero()[:, 0].tolist() == picked
    free = begun(backbone, lambda_pull=0.0)
    loss_and_down(backbone, free.ask(free.ctx.train.batch([0, 1])))[0].backward()
    assert free.keys.grad is None or not free.keys.grad.any()


# --- snapshots ------------------------------------------------------------------------------
def test_the_next_task_goes_on_with_the_pool_and_the_snapshot_stays(backbone: Backbone) -> None:
    first = begun(backbone, task="sst2", earlier=())
    train(first, 3)
    after_first = first.keep()
    second = L2P(context(backbone, "l2p", "rte", earlier=(), extra=after_first.extra))
    assert torch.equal(second.prompts, first.prompts)
    assert torch.equal(second.keys, first.keys)
    object.__setattr__(second.ctx, "state", after_first)
    train(second, 3)
    after_second = second.keep()
    assert not torch.equal(after_second.extra["prompts"], after_first.extra["prompts"])
    batch = first.ctx.train.batch([0, 1, 2])
    before, now = (answer(backbone, state, "sst2", batch, "score") for state in (after_first, after_second))
    assert torch.equal(before.embeds, now.embeds)


def test_a_snapshot_holds_the_prompts_that_training_texts_pick_and_gives_them_back(backbone: Backbone) -> None:
    one = begun(backbone, pool_size=8, top_n=2)
    state = one.keep()
    rows, _ = nearest(one.queries, one.keys, 2)
    picked = sorted(set(rows.flatten().tolist()))
    assert len(picked) < 8
    assert torch.equal(state.extra["prompts.sst2"], one.prompts[picked])
    assert torch.equal(state.extra["keys.sst2"], one.keys[picked])
    assert state.pool.of("sst2").tensor.shape == (2 * one.ctx.training.prompt_length, backbone.width)
    batch = one.ctx.train.batch([1, 4])
    torch.testing.assert_close(answer(backbone, state, "sst2", batch, "score").embeds, one.ask(batch).embeds)


def test_the_entry_of_a_task_is_what_its_texts_pick_most_often(backbone: Backbone) -> None:
    one = begun(backbone, pool_size=3, top_n=1)
    with torch.no_grad():
        one.queries.copy_(torch.eye(backbone.width)[0].expand_as(one.queries))
        one.queries[0] = torch.eye(backbone.width)[1]
        one.keys.copy_(torch.eye(backbone.width)[[1, 0, 2]])
    assert torch.equal(one.keep().pool.of("sst2").tensor, one.prompts[1])
    assert len(one.keep().extra["keys.sst2"]) == 2


def test_answers_do_not_depend_on_the_other_texts_of_the_batch(backbone: Backbone) -> None:
    one = begun(backbone, task="rte")
    state, data = one.keep(), one.ctx.train
    short = min(range(len(data)), key=lambda row: data.lengths[row])
    long = max(range(len(data)), key=lambda row: data.lengths[row])
    batches = [Encoded.batch(data, rows) for rows in ([short], [short, long])]
    alone, beside = (answer(backbone, state, "rte", batch, "score").embeds[0] for batch in batches)
    torch.testing.assert_close(beside[: len(alone)], alone)


def test_more_prompts_than_the_pool_has_are_refused_readably() -> None:
    with pytest.raises(UserError, match=r"^top_n = 5 is larger than pool_size = 4: lower it"):
        RunSpec.make(("sst2",), "l2p", settings={"pool_size": 4, "top_n": 5})
