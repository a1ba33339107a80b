"""A stage: early stopping, what it keeps, and what happens when it goes wrong."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from making import context

from shlpt.analysis.metrics import varied
from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone, Out
from shlpt.methods.base import Ask, Preparation, State, down_loss, learner_of
from shlpt.methods.per_task import PerTask
from shlpt.methods.prompts import prepend
from shlpt.tasks.find import probe_examples
from shlpt.tasks.pocket import TASKS
from shlpt.training.engine import drive
from shlpt.training.lane import Best, Examined, StageResult, learn, spread


def stage(backbone: Backbone, one: Any, events: list[tuple[str, dict[str, Any]]] | None = None) -> StageResult:
    ctx, log = one.ctx, [] if events is None else events
    task = TASKS[ctx.task]
    tests = Examined([task], [Encoded(backbone, task.draw("test", 5, 0), 256)])
    validation = Encoded(backbone, task.draw("validation", 3, 0), 256)
    probe = Encoded(backbone, probe_examples()[:6], 256)
    lane = learn(ctx, one, validation, tests, probe, lambda kind, payload: log.append((kind, payload)))
    (result,) = drive([lane], backbone)
    assert isinstance(result, StageResult), result
    return result


def test_best_prefers_more_right_answers_and_watched_rows_come_from_all_over() -> None:
    best, empty = Best(patience=2), State()
    best.offer(0, 0.5, 1.0, empty)
    best.offer(1, 0.5, 0.9, empty)
    assert best.epoch == 1
    best.offer(2, 0.4, 0.1, empty)
    assert best.epoch == 1
    assert not best.stale(2)
    assert best.stale(3)
    best.offer(3, 0.6, 5.0, empty)
    assert (best.epoch, best.stale(3)) == (3, False)
    assert spread(40, 4) == [0, 10, 20, 30]
    assert spread(3, 16) == [0, 1, 2]
    assert spread(5, 4) == [0, 1, 2, 3]
    assert spread(0, 16) == []


def test_a_stage_keeps_answers_similarities_and_states_of_the_probe(backbone: Backbone) -> None:
    one = learner_of("shlpt")(context(backbone, "shlpt", shots=4))
    events: list[tuple[str, dict[str, Any]]] = []
    result = stage(backbone, one, events)
    assert len(result.answers["sst2"]) == len(result.scores["sst2"]) == 10
    alpha = result.record["alpha"]  # [N,n]
    assert alpha.shape == (8, 3)
    assert result.summary["alpha"] == alpha.mean(0).tolist()
    assert result.summary["alpha_sd"] == pytest.approx(np.std(alpha.numpy(), 0), abs=1e-6)
    assert result.record["probe_hidden"].shape == (6, backbone.width)
    assert result.record["probe_states"].shape == (6, backbone.layers, backbone.inner)
    kinds = [kind for kind, _ in events]
    assert kinds.count("step") == result.summary["steps"] == 2 * kinds.count("epoch")
    step, epoch = (next(payload for kind, payload in events if kind == name) for name in ("step", "epoch"))
    assert {"step", "epoch", "loss", "down", "alpha", "dissimilar"} <= set(step)
    assert len(epoch["overlap"]) == 3
    assert all(-1 <= value <= 1.001 for value in epoch["overlap"])


@pytest.mark.parametrize(("method", "task"), [("shlpt", "sst2"), ("per_task", "yahoo")])
def test_the_answers_told_at_each_epoch_are_those_of_decoding(backbone: Backbone, method: str, task: str) -> None:
    """Word by word where they are right; up to the first token that is wrong otherwise."""
    one = learner_of(method)(context(backbone, method, task, shots=4, earlier=("yelp",) if method == "shlpt" else ()))
    events: list[tuple[str, dict[str, Any]]] = []
    result = stage(backbone, one, events)
    said = [payload for kind, payload in events if kind == "epoch"][result.summary["best_epoch"]]["answers"]
    data = Encoded(backbone, TASKS[task].draw("validation", 3, 0), 256)
    examples = {example.id: row for row, example in enumerate(data.examples)}
    assert [examples[id] for id, _, _ in said] == varied([e.target for e in data.examples], 5)
    for id, answer, right in said:
        ask = one.answer(backbone, result.state, task, data.batch([examples[id]]), "decode")
        (decoded,) = backbone.text(backbone.decode(ask.embeds, ask.mask, 6))
        assert right == (decoded == data.examples[examples[id]].target)
        assert decoded == answer if right else decoded.startswith(answer)


def test_a_step_tells_of_one_text_what_its_similarity_is_made_of(backbone: Backbone) -> None:
    """Eq. 4 by hand: the softmax of its scores over τ, and the prior, lies within the range of α over the batch."""
    one = learner_of("shlpt")(context(backbone, "shlpt", shots=4))
    events: list[tuple[str, dict[str, Any]]] = []
    stage(backbone, one, events)
    train = {example.id for example in one.ctx.train.examples}
    steps = [payload for kind, payload in events if kind == "step"]
    assert len(steps) > 2
    for step in steps:
        assert step["text"] in train
        scores = [*step["scores"], 0.0]  # the last is for none of them
        parts = [math.exp(s / step["temperature"] + p) for s, p in zip(scores, step["prior"], strict=True)]
        for part, low, high in zip(parts, step["alpha_low"], step["alpha_high"], strict=False):
            assert low - 1e-6 <= part / sum(parts) <= high + 1e-6
    uniform = learner_of("shlpt")(context(backbone, "shlpt", shots=4, estimator="uniform"))
    events.clear()
    stage(backbone, uniform, events)
    assert all("scores" not in payload for kind, payload in events if kind == "step")


@pytest.mark.parametrize("method", ["shlpt", "progressive", "l2p"])
def test_overlap_is_that_of_the_answering_rows_with_the_earlier_prompts(backbone: Backbone, method: str) -> None:
    one = learner_of(method)(context(backbone, method, shots=4))
    events: list[tuple[str, dict[str, Any]]] = []
    result = stage(backbone, one, events)
    measured = [payload for kind, payload in events if kind == "epoch"][result.summary["best_epoch"]]["overlap"]
    texts = Encoded(backbone, TASKS["sst2"].draw("validation", 3, 0), 256).batch(range(6))
    ask = one.answer(backbone, result.state, "sst2", texts, "look")
    now = backbone.look(ask.embeds, ask.mask).states[-1][:, 0]
    earlier = [prepend(prompt.tensor, backbone.embed(texts.ids), texts.mask) for prompt in one.ctx.state.pool]
    others = [backbone.look(*rows).states[-1][:, 0] for rows in earlier]
    assert measured == pytest.approx([torch.cosine_similarity(now, o, dim=-1).mean().item() for o in others], abs=1e-5)


def test_answers_are_those_of_the_kept_prompt_and_in_the_order_of_the_examples(backbone: Backbone) -> None:
    result = stage(backbone, PerTask(context(backbone, "per_task", "yahoo", shots=3, earlier=())))
    data = Encoded(backbone, TASKS["yahoo"].draw("test", 5, 0), 256)
    for row in (0, 7, 31):
        ask = PerTask.answer(backbone, result.state, "yahoo", data.batch([row]), "decode")
        assert backbone.text(backbone.decode(ask.embeds, ask.mask, 6)) == [result.answers["yahoo"][row]]


def test_training_stops_when_nothing_gets_better(backbone: Backbone) -> None:
    ctx = context(backbone, "per_task", "copa", shots=4, earlier=())
    object.__setattr__(ctx, "training", ctx.training.model_copy(update={"epochs": 40, "patience": 2, "lr": 1e-12}))
    result = stage(backbone, PerTask(ctx))
    assert result.summary["epochs"] == result.summary["best_epoch"] + 3 < 40


class Failing(PerTask):
    """Its loss is no number at the sixth step."""

    steps = 0
    bad = math.nan

    def ask(self, batch: Any) -> Ask:
        ask = super().ask(batch)
        self.steps += 1
        worse = self.bad if self.steps == 6 else 1.0

        def loss(out: Out) -> torch.Tensor:
            return out.loss.mean() * worse

        return Ask(ask.embeds, ask.mask, ask.labels, "train", loss)


class FailingAtOnce(Failing):
    steps = 5


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("kind", [Failing, FailingAtOnce])
def test_a_diverged_stage_says_where_and_keeps_the_last_good_prompt(
    backbone: Backbone, kind: type[Failing], bad: float
) -> None:
    one = kind(context(backbone, "per_task", shots=8, earlier=()))
    one.bad = bad
    events: list[tuple[str, dict[str, Any]]] = []
    result = stage(backbone, one, events)
    step, epoch = (6, 2) if kind is Failing else (1, 1)
    assert result.summary["failure"].startswith(f"stopped at step {step} of epoch {epoch}: the loss is")
    assert result.state.pool.of("sst2").tensor.isfinite().all()
    assert result.answers["sst2"]
    assert events[-1][0] == "diverged"
    assert events[-1][1]["step"] == step


def test_a_gradient_that_is_no_number_is_not_stepped_on(backbone: Backbone) -> None:
    class Explodes(PerTask):
        def ask(self, batch: Any) -> Ask:
            ask = super().ask(batch)
            return Ask(ask.embeds, ask.mask, ask.labels, "train", lambda out: out.loss.mean() + 0 * self.root())

        def root(self) -> torch.Tensor:
            return (self.prompt - self.prompt.detach()).sum().sqrt()  # 0, with an infinite gradient

    result = stage(backbone, Explodes(context(backbone, "per_task", earlier=())))
    assert "the gradient is" in result.summary["failure"]
    assert result.state.pool.of("sst2").tensor.isfinite().all()


class Prepared(PerTask):
    """Two steps on another tensor come first, their gradients turned into ones, and count as an epoch."""

    bad = 1.0

    def preparation(self) -> Preparation:
        self.other = torch.zeros_like(self.prompt).requires_grad_(True)

        def turn() -> None:
            self.other.grad = torch.ones_like(self.other)

        return Preparation([self.other], self._asks(), turn, epochs=1)

    def _asks(self) -> Iterator[Ask]:
        for _ in range(2):
            batch = self.ctx.train.batch([0, 1])
            embeds, mask = prepend(self.other, self.ctx.backbone.embed(batch.ids), batch.mask)
            yield Ask(embeds, mask, batch.labels, "train", lambda out: down_loss(out) * self.bad)
        self.after = self.other.detach().clone()


def test_a_preparation_steps_on_its_own_tensors_and_uses_up_its_epochs(backbone: Backbone) -> None:
    one = Prepared(context(backbone, "per_task", earlier=()))
    events: list[tuple[str, dict[str, Any]]] = []
    result = stage(backbone, one, events)
    kinds = [kind for kind, _ in events]
    assert kinds[:2] == ["prepare", "prepare"]
    assert kinds.count("prepare") == 2
    assert kinds.count("epoch") == 2  # of three
    assert [payload["epoch"] for kind, payload in events if kind == "epoch"] == [1, 2]
    assert result.summary["epochs"] == 3
    # AdamW goes lr a step against a gradient that stays the same; its weight decay takes lr % of the first step.
    lr = one.ctx.training.lr
    expected = -lr * (1 - 0.01 * lr) - lr
    torch.testing.assert_close(one.after, torch.full_like(one.after, expected))
    assert torch.equal(one.other, one.after)


def test_a_preparation_that_diverges_fails_the_stage_and_says_when(backbone: Backbone) -> None:
    one = Prepared(context(backbone, "per_task", earlier=()))
    one.bad = math.nan
    before = one.prompt.detach().clone()
    result = stage(backbone, one)
    assert result.summary["failure"] == "stopped before the first epoch: the loss is nan"
    assert (result.summary["steps"], result.summary["epochs"]) == (0, 0)
    assert torch.equal(result.state.pool.of("sst2").tensor, before)


def test_early_stopping_ignores_the_first_epochs_but_never_the_last(backbone: Backbone) -> None:
    """Without a limit the best epoch of this stage is the first of equals; ignored, it cannot be."""
    for ignored, first in ((0, 0), (2, 2), (1000, 3)):
        one = learner_of("per_task")(context(backbone, "per_task", shots=4))
        more = {"epochs": 4, "lr": 1e-9, "patience_from": ignored}  # every epoch is as good, but for a little loss
        object.__setattr__(one.ctx, "training", one.ctx.training.model_copy(update=more))
        events: list[tuple[str, dict[str, Any]]] = []
        result = stage(backbone, one, events)
        assert result.summary["best_epoch"] >= first
        assert [kind for kind, _ in events].count("epoch") == 4
        if ignored == 1000:
            assert result.summary["best_epoch"] == 3


def test_answers_are_matched_as_the_setting_says(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backbone, "text", lambda self, ids: ["The positive."] * len(ids))
    means = {}
    for matching in ("exact", "normalised"):
        one = learner_of("per_task")(context(backbone, "per_task", shots=2))
        more = {"epochs": 1, "matching": matching}
        object.__setattr__(one.ctx, "training", one.ctx.training.model_copy(update=more))
        scores = stage(backbone, one).scores["sst2"]
        means[matching] = sum(scores) / len(scores)
    assert means == {"exact": 0.0, "normalised": 0.5}
