"""CODA-Prompt: γ and the penalty by hand, frozen components, answers by those that existed."""

from typing import Any

import pytest
import torch
from making import context, loss_and_down, train
from torch import Tensor

from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import State
from shlpt.methods.coda import Coda, answer, component_weights, orthogonality, weighted


def begun(backbone: Backbone, task: str = "sst2", state: State | None = None, **params: Any) -> Coda:
    ctx = context(backbone, "coda", task, earlier=(), **params)
    if state is not None:
        object.__setattr__(ctx, "state", state)
    return Coda(ctx)


def trained(one: Coda) -> State:
    train(one, 3)
    return one.keep()


# --- by hand --------------------------------------------------------------------------------
def test_weights_and_prompts_by_hand() -> None:
    query = torch.tensor([[3.0, 2.0], [1.0, 0.0]])
    attention = torch.tensor([[2.0, 4.0], [0.0, 1.0]])  # attended: (6, 8), (0, 2) and (2, 0), (0, 0)
    keys = torch.tensor([[5.0, 0.0], [0.0, -3.0]])
    assert component_weights(query, keys, attention).flatten().tolist() == pytest.approx([0.6, -1.0, 1.0, 0.0])
    prompts = torch.tensor([[[1.0, 0.0], [2.0, 0.0]], [[0.0, 10.0], [0.0, 20.0]]])  # m=2, L=2, d=2
    found = weighted(torch.tensor([[0.5, -1.0], [0.0, 0.1]]), prompts)
    assert found[0].tolist() == [[0.5, -10.0], [1.0, -20.0]]
    assert found[1].tolist() == [[0.0, pytest.approx(1.0)], [0.0, pytest.approx(2.0)]]
    assert weighted(torch.zeros(3, 0), torch.zeros(0, 2, 2)).tolist() == [[[0.0] * 2] * 2] * 3


def test_the_penalty_by_hand_and_where_it_leads() -> None:
    # New rows along (1,0) and (3,4)/5; earlier along (0,1). Cosines with others: 0.6, 0 and 0.6, 0.8.
    new, earlier = torch.tensor([[2.0, 0.0], [3.0, 4.0]]), torch.tensor([[0.0, 7.0]])
    assert orthogonality(new, earlier).item() == pytest.approx((0.36 + 0 + 0.36 + 0.64) / 6, abs=1e-6)
    assert orthogonality(new, earlier[:0]).item() == pytest.approx((0.36 + 0.36) / 4, abs=1e-6)
    assert orthogonality(torch.tensor([[5.0, 0.0, 0.0], [0.0, 0.1, 0.0]]), torch.tensor([[0.0, 0.0, 9.0]])).item() == 0
    new = torch.tensor([[1.0, 0.9], [0.9, 1.0]], requires_grad=True)
    for _ in range(200):
        (gradient,) = torch.autograd.grad(orthogonality(new, torch.zeros(0, 2)), new)
        with torch.no_grad():
            new -= gradient
    assert (new[0] @ new[1]).abs().item() < 1e-3


# --- in training ----------------------------------------------------------------------------
def test_the_loss_is_the_task_plus_the_weighted_penalty_of_all_three(backbone: Backbone) -> None:
    state = begun(backbone, "rte").keep()
    one = begun(backbone, state=state, lambda_ortho=3.0)
    loss, down = loss_and_down(backbone, one.ask(one.ctx.train.batch([0, 1, 2])))
    pairs = [(one.new[name].flatten(1), state.extra[name].flatten(1)) for name in ("prompts", "keys", "attention")]
    expected = sum(orthogonality(*pair).item() for pair in pairs)
    assert (loss - down).item() == pytest.approx(3.0 * expected, rel=1e-3)
    assert one.log()["orthogonality"] == pytest.approx(expected)


def test_each_text_gets_its_own_prompt(backbone: Backbone) -> None:
    one = begun(backbone, components=2)
    batch = one.ctx.train.batch([0, 7])
    ask, length = one.ask(batch), one.ctx.training.prompt_length
    for row, text in enumerate((0, 7)):
        expected = torch.zeros(length, backbone.width)
        for m in range(2):
            q = one.queries[text] * one.new["attention"][m]
            gamma = (q @ one.new["keys"][m]) / (q.norm() * one.new["keys"][m].norm())
            expected = expected + gamma * one.new["prompts"][m]
        torch.testing.assert_close(ask.embeds[row, :length], expected, atol=1e-5, rtol=1e-4)
    assert not torch.equal(ask.embeds[0, :length], ask.embeds[1, :length])


def test_a_task_adds_components_and_leaves_earlier_ones_as_they_are(backbone: Backbone) -> None:
    first = trained(begun(backbone, "sst2", components=3))
    one = begun(backbone, "rte", first, components=2)
    second = trained(one)
    for name in ("prompts", "keys", "attention"):
        assert torch.equal(second.extra[name][:3], first.extra[name])
        assert torch.equal(second.extra[name][3:], one.new[name])
    assert (int(second.extra["components.sst2"]), int(second.extra["components.rte"])) == (3, 5)
    assert one.record()["gamma"].shape == (len(one.ctx.train), 5)
    assert len(one.log()["gamma"]) == 5


def test_each_task_is_answered_by_the_components_that_existed_after_it(backbone: Backbone) -> None:
    begin = begun(backbone, "sst2")
    first = trained(begin)
    second_learner = begun(backbone, "rte", first)
    second = trained(second_learner)
    old, new = begin.ctx.train.batch([0, 3]), second_learner.ctx.train.batch([1, 2])
    assert torch.equal(embeds(backbone, first, "sst2", old), embeds(backbone, second, "sst2", old))
    torch.testing.assert_close(embeds(backbone, second, "rte", new), second_learner.ask(new).embeds)
    assert not torch.equal(embeds(backbone, second, "rte", old), embeds(backbone, second, "sst2", old))


def embeds(backbone: Backbone, state: State, task: str, batch: Any) -> Tensor:
    return answer(backbone, state, task, batch, "score").embeds


def test_the_entry_of_a_task_is_the_mean_prompt_of_its_training_texts(backbone: Backbone) -> None:
    first = trained(begun(backbone, "sst2"))
    one = begun(backbone, "rte", first)
    prompts = one.ask(one.ctx.train.batch(range(len(one.ctx.train)))).embeds[:, : one.ctx.training.prompt_length]
    torch.testing.assert_close(one.keep().pool.of("rte").tensor, prompts.mean(0), atol=1e-5, rtol=1e-4)
