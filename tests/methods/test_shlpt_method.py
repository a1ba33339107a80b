"""SHLPT against a slow, plain computation of the same equations."""

import math
from typing import Any

import pytest
import torch
from making import EARLIER, context, loss_and_down, loss_of
from torch import Tensor
from torch.nn.functional import cosine_similarity

from shlpt.backbone.encode import Batch
from shlpt.backbone.t5 import Backbone
from shlpt.methods.shlpt import Shlpt
from shlpt.methods.similarity import mix_weights


def begun(backbone: Backbone, **params: Any) -> Shlpt:
    return Shlpt(context(backbone, "shlpt", **params))


# With a δ of 1.5 nothing is mixed in.
@pytest.mark.parametrize("more", [{}, {"own_start": "words"}, {"threshold": 1.5}, {"similar_transfer": False}], ids=str)
def test_where_prompts_are_lent_their_mixture_is_the_start(backbone: Backbone, more: dict[str, Any]) -> None:
    one, zero = begun(backbone, **{"threshold": 0.0} | more), not more
    assert bool((one.prompt == 0).all()) == zero
    start = one.ask(batch_of(one)).embeds[:, : one.prompt.shape[0]]
    mixture = mix_weights(one.alpha[:5], one.params.threshold) @ one.earlier.flatten(1)
    if zero:
        assert torch.allclose(start.flatten(1), mixture, atol=1e-5)


def batch_of(learner: Shlpt) -> Batch:
    return learner.ctx.train.batch([0, 1, 2, 3, 4])


def alone(prompt: Tensor | None, text: Tensor, backbone: Backbone) -> tuple[Tensor, Tensor]:
    """Last hidden state and last activation values at the first decoder position, one row by itself."""
    rows = text if prompt is None else torch.cat([prompt, text])
    seen = backbone.look(rows[None], torch.ones(1, len(rows), dtype=torch.long))
    return seen.hidden[0, 0], seen.states[-1][0, 0]


def slow_loss(backbone: Backbone, learner: Shlpt, batch: Batch, away: list[list[bool]]) -> float:
    """Eq. 12 row by row, with loops and math instead of tensors. `away[i][j]`: j is dissimilar for row i."""
    p, pool = learner.params, learner.ctx.state.pool
    down, hsc, asc = [], [], []
    for i in range(len(batch)):
        text = backbone.embed(batch.ids[i][batch.mask[i] == 1])
        alpha = learner.similarity(batch.rows[i : i + 1])[0].tolist()
        similar = [a if a > p.threshold else 0.0 for a in alpha]
        total = sum(similar)
        prompt = learner.prompt.detach().clone()
        for weight, earlier in zip(similar, pool, strict=True):
            if total:
                prompt = prompt + weight / total * earlier.tensor
        rows = torch.cat([prompt, text])[None]
        labels = batch.labels[i : i + 1]
        down.append(backbone.forward(rows, torch.ones(rows.shape[:2], dtype=torch.long), labels).loss.item())
        hidden, states = alone(prompt, text, backbone)
        _, bare = alone(None, text, backbone)
        free = (bare <= 0).float()
        h, s = math.exp(1 / p.tau_hsc), math.exp(1 / p.tau_asc)
        h_rest = s_rest = 0.0
        for j, earlier in enumerate(pool):
            if away[i][j]:
                other_hidden, other_states = alone(earlier.tensor, text, backbone)
                h_rest += math.exp(cosine_similarity(hidden, other_hidden, dim=0).item() / p.tau_hsc)
                s_rest += math.exp(cosine_similarity(states * free, other_states * free, dim=0).item() / p.tau_asc)
        hsc.append(-math.log(h / (h + h_rest)))
        asc.append(-math.log(s / (s + s_rest)))
    n = len(batch)
    return sum(down) / n + p.lambda_hsc * sum(hsc) / n + p.lambda_asc * sum(asc) / n


@pytest.mark.parametrize("model", ["backbone", "gated"])
@pytest.mark.parametrize("threshold", [0.0, 0.33, 1.5])
def test_the_loss_is_eq_12(request: pytest.FixtureRequest, model: str, threshold: float) -> None:
    backbone: Backbone = request.getfixturevalue(model)
    learner = begun(backbone, threshold=threshold, tau_hsc=0.7, tau_asc=0.4)
    batch = batch_of(learner)
    far = (learner.similarity(batch.rows).mean(0) <= threshold).tolist()
    assert any(far) or threshold == 0.0
    with torch.no_grad():
        found, slow = loss_of(backbone, learner.ask(batch)), slow_loss(backbone, learner, batch, [far] * len(batch))
        assert found.item() == pytest.approx(slow, abs=2e-5)


def test_partition_by_instance_pushes_each_row_from_its_own_dissimilar_tasks(backbone: Backbone) -> None:
    alpha = begun(backbone).similarity(torch.arange(5)).detach()
    widest = alpha[:, int((alpha.amax(0) - alpha.amin(0)).argmax())]
    threshold = widest.sort().values[1:3].mean().item()  # between two rows: some are above it, some are not
    learner = begun(backbone, threshold=threshold, partition="instance")
    batch = batch_of(learner)
    away = (learner.similarity(batch.rows) <= threshold).tolist()
    assert len({tuple(row) for row in away}) > 1, "the rows must differ for this test to say anything"
    with torch.no_grad():
        found, slow = loss_of(backbone, learner.ask(batch)), slow_loss(backbone, learner, batch, away)
        assert found.item() == pytest.approx(slow, abs=2e-5)


def test_hsc_over_all_positions_is_the_mean_cosine(backbone: Backbone) -> None:
    learner = begun(backbone, threshold=1.5, lambda_asc=0.0, lambda_hsc=1.0, hsc_positions="all")
    batch = batch_of(learner)
    ask = learner.ask(batch)
    with torch.no_grad():
        out = backbone.forward(ask.embeds, ask.mask, ask.labels)
        expected = 0.0
        for i in range(len(batch)):
            text, labels = backbone.embed(batch.ids[i][batch.mask[i] == 1]), batch.labels[i][batch.labels[i] != -100]
            rest = 0.0
            for earlier in learner.ctx.state.pool:
                rows = torch.cat([earlier.tensor, text])[None]
                other = backbone.forward(rows, torch.ones(rows.shape[:2], dtype=torch.long), labels[None])
                cosines = cosine_similarity(out.hidden[i, : len(labels)], other.hidden[0], dim=-1)
                rest += math.exp(cosines.mean().item())
            expected += -math.log(math.e / (math.e + rest)) / len(batch)
        assert ask.loss(out).item() - out.loss.mean().item() == pytest.approx(expected, abs=2e-5)


def test_the_stored_prompt_averages_the_texts_weights(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    """δ = .25. α̃ of the texts: (2/3, 1/3, 0), (0, 0, 1), (1/2, 1/2, 0). The mean α (.367, .267, .367) is above δ
    everywhere and would give .367, .267 and .367."""
    learner = begun(backbone, threshold=0.25)
    alpha = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])
    monkeypatch.setattr(learner, "similarity", lambda rows=None: alpha)
    weights = [(2 / 3 + 1 / 2) / 3, (1 / 3 + 1 / 2) / 3, 1 / 3]
    expected = learner.prompt.detach().clone()
    for weight, earlier in zip(weights, learner.ctx.state.pool, strict=True):
        expected += weight * earlier.tensor
    torch.testing.assert_close(learner.keep().pool.of("sst2").tensor, expected)


def test_the_stored_prompt_of_one_earlier_task_and_of_none_similar(backbone: Backbone) -> None:
    learner = begun(backbone, earlier=("yelp",))
    expected = learner.ctx.state.pool[0].tensor + learner.prompt.detach()
    torch.testing.assert_close(learner.keep().pool.of("sst2").tensor, expected)
    learner = begun(backbone, threshold=1.5)
    assert torch.equal(learner.keep().pool.of("sst2").tensor, learner.prompt.detach())


def test_temperature_and_similarity_come_from_the_whole_text(backbone: Backbone) -> None:
    learner = begun(backbone, estimator_score="product")
    x, train = backbone.embed(learner.ctx.train.ids), learner.ctx.train
    scores = learner.estimator.scores(x, train.mask, learner.earlier)
    assert learner.temperature == pytest.approx(scores.abs().mean().item(), rel=1e-5)
    assert begun(backbone, estimator_score="product", temperature=20_000.0).temperature == 20_000.0
    learner = begun(backbone)
    train = learner.ctx.train
    whole = learner.estimator(
        backbone.embed(train.ids), train.mask, learner.earlier, learner.temperature, learner.prior
    )
    torch.testing.assert_close(learner.similarity(), whole)


# --- ablations of Table 4 -----------------------------------------------------------------
def test_without_both_losses_only_the_task_counts(backbone: Backbone) -> None:
    learner = begun(backbone, threshold=1.5, lambda_hsc=0.0, lambda_asc=0.0, estimator_prior="equal")
    batch = batch_of(learner)
    loss, down = loss_and_down(backbone, learner.ask(batch))
    assert loss.item() == down.item()
    assert learner.ctx.views.forwards == 0


@pytest.mark.parametrize(("off", "gone"), [("lambda_hsc", "hsc"), ("lambda_asc", "asc")])
def test_each_loss_can_be_left_out(backbone: Backbone, off: str, gone: str) -> None:
    full, part = begun(backbone, threshold=1.5), begun(backbone, threshold=1.5, **{off: 0.0})
    difference = loss_of(backbone, full.ask(batch_of(full))) - loss_of(backbone, part.ask(batch_of(part)))
    assert difference.item() == pytest.approx(getattr(full.params, off) * float(full.log()[gone]), abs=1e-5)
    assert part.log()[gone] == 0.0


def test_without_the_estimator_all_similarities_are_equal_and_nothing_of_it_trains(backbone: Backbone) -> None:
    learner = begun(backbone, estimator="uniform")
    assert learner.similarity().unique().tolist() == pytest.approx([1 / 3])
    assert learner.parameters() == [learner.prompt]


def test_without_similar_transfer_nothing_is_mixed_but_the_partition_stays(backbone: Backbone) -> None:
    learner = begun(backbone, threshold=0.33, similar_transfer=False)
    batch = batch_of(learner)
    ask = learner.ask(batch)
    assert all(torch.equal(row, learner.prompt.detach()) for row in ask.embeds[:, :4].detach())
    assert torch.equal(learner.keep().pool.of("sst2").tensor, learner.prompt.detach())
    loss_of(backbone, learner.ask(batch))
    assert learner.log()["dissimilar"].tolist() == (learner.similarity(batch.rows).mean(0) <= 0.33).float().tolist()


# --- the estimator from task to task --------------------------------------------------------
def test_a_carried_estimator_goes_on_where_it_was_and_a_fresh_one_begins_anew(backbone: Backbone) -> None:
    first = begun(backbone)
    with torch.no_grad():
        first.estimator.up.weight.add_(1.0)
    extra = first.keep().extra
    carried, fresh = (begun(backbone, extra=extra, estimator=kind) for kind in ("carried", "fresh"))
    assert torch.equal(carried.estimator.up.weight, first.estimator.up.weight)
    assert not torch.equal(fresh.estimator.up.weight, first.estimator.up.weight)


def test_only_the_new_prompt_and_the_estimator_get_gradients(backbone: Backbone) -> None:
    learner = begun(backbone, threshold=0.0)
    loss_of(backbone, learner.ask(batch_of(learner))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in learner.parameters())
    assert not learner.earlier.requires_grad


def test_each_instance_keeps_the_similarity_it_was_last_given(backbone: Backbone) -> None:
    learner = begun(backbone)
    before = learner.record()["alpha"]
    assert before.shape == (len(learner.ctx.train), len(EARLIER))
    with torch.no_grad():
        learner.estimator.up.weight.mul_(-1.0)
    learner.ask(learner.ctx.train.batch([2]))
    after = learner.record()["alpha"]
    assert not torch.equal(after[2], before[2])
    assert torch.equal(after[[0, 1, 3]], before[[0, 1, 3]])


def test_sign_states_change_the_activation_loss(backbone: Backbone) -> None:
    value, sign = (begun(backbone, threshold=1.5, asc_states=kind) for kind in ("value", "sign_ste"))
    losses = [loss_of(backbone, learner.ask(batch_of(learner))).item() for learner in (value, sign)]
    assert losses[0] != losses[1]
    loss_of(backbone, sign.ask(batch_of(sign))).backward()
    assert sign.prompt.grad.isfinite().all()
