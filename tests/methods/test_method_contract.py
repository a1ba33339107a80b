"""What every method of the catalogue must do."""

from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from making import EARLIER, learner, train
from resuming import assert_resumes, stage
from storing import spec_of
from torch import Tensor

from shlpt.backbone.t5 import Backbone, load
from shlpt.catalog import METHODS
from shlpt.methods.base import Ask, Kind, Learner, State, learner_of
from shlpt.methods.views import Views
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.training.checkpoint import state_of
from shlpt.training.engine import drive
from shlpt.training.stage import Workshop
from shlpt.work.worker import run

METHOD_NAMES = sorted(METHODS)
SHARING = [name for name in METHOD_NAMES if METHODS[name].shares_backbone]


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_the_loss_falls(backbone: Backbone, method: str) -> None:
    losses = train(learner(backbone, method, task="mnli", shots=4), 24)
    assert sum(losses[-6:]) < 0.7 * sum(losses[:6])


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_what_is_frozen_and_what_was_kept_stay_to_the_last_bit(backbone: Backbone, method: str) -> None:
    one = learner(backbone, method)
    train(one, 2)
    pool, kept, batch = one.ctx.state.pool, one.keep(), one.ctx.train.batch([0, 1, 2])
    prompts, extra = [prompt.tensor.clone() for prompt in (*pool, *kept.pool)], dict(kept.extra)
    weights = {f"extra {name}": t for name, t in extra.items()} | backbone.model.state_dict()
    before = {name: t.clone() for name, t in weights.items()}

    def losses(state: State) -> Tensor:
        (out,) = drive([asked(one.answer(backbone, state, "sst2", batch, "score"))], backbone)
        return out.loss

    answered = losses(kept)
    train(one, 3)
    assert all(torch.equal(a, b.tensor) for a, b in zip(prompts, (*pool, *kept.pool), strict=True))
    assert [name for name, t in weights.items() if not torch.equal(before[name], t)] == []
    assert torch.equal(losses(kept), answered)
    assert not torch.equal(losses(one.keep()), answered)
    assert not any(prompt.tensor.requires_grad for prompt in kept.pool)
    if METHODS[method].keeps_prompts:
        assert [prompt.task for prompt in kept.pool] == [*EARLIER, "sst2"]
    else:  # all of the model instead of a prompt; tied weights are stored once
        names = {f"weights.{name}" for name, _ in backbone.model.named_parameters()}
        assert names == {name for name in extra if name.startswith("weights.")}


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_the_catalogue_says_what_the_learner_does(backbone: Backbone, method: str) -> None:
    info = METHODS[method]
    far = {"threshold": 1.5} if "threshold" in info.params.model_fields else {}  # some earlier task is dissimilar
    one = learner(backbone, method, **far)
    train(one, 1)
    assert info.name == method
    assert ("alpha" in one.record()) == (info.alpha is not None)
    assert any(name.startswith("estimator.") for name in one.keep().extra) == (info.alpha == "estimated")
    seen = {prompt for _, prompt, _, _ in one.ctx.views._kept}
    assert bool(seen & {prompt.digest for prompt in one.ctx.state.pool}) == info.looks_at_views


def test_no_two_methods_have_one_learner() -> None:
    assert len({learner_of(method) for method in METHODS}) == len(METHODS)


def asked(ask: Ask) -> Generator[Ask, Any, Any]:
    """A lane of one ask."""
    return (yield ask)


@pytest.mark.parametrize("method", SHARING)
def test_lanes_are_solo_runs(backbone: Backbone, method: str) -> None:
    """Losses and gradients of the first step, of lanes with other tasks, lengths and seeds beside them."""
    options = [("sst2", 1, EARLIER), ("squad", 2, EARLIER), ("rte", 3, EARLIER[:1])]
    solo, together = ([learner(backbone, method, task=t, seed=s, earlier=e) for t, s, e in options] for _ in range(2))
    batches = [one.ctx.train.batch([0, 1, 2, 3]) for one in together]

    alone = [drive([asked(one.ask(batch))], backbone)[0] for one, batch in zip(solo, batches, strict=True)]
    shared = drive([asked(one.ask(batch)) for one, batch in zip(together, batches, strict=True)], backbone)
    assert shared == pytest.approx(alone, abs=1e-6, rel=3e-6)
    for a, b in zip(solo, together, strict=True):
        for one, other in zip(gradients(a), gradients(b), strict=True):
            # single precision: the estimator's gradient sums over a whole prompt, so its rounding is larger
            torch.testing.assert_close(other, one, atol=3e-6, rtol=1e-4)


def gradients(one: Learner) -> list[Tensor]:
    return [torch.zeros_like(p) if p.grad is None else p.grad for p in one.parameters()]


@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_killed_stage_resumes(backbone: Backbone, method: str) -> None:
    """State, record, summary and what it says are those of a stage that nobody disturbed."""
    assert_resumes(backbone, partial(stage, backbone, method), lanes=1, after=2)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHOD_NAMES)
def test_a_run_ends_with_a_whole_matrix_and_the_same_numbers_again(method: str, tmp_path: Path) -> None:
    spec = spec_of(("rte", "sst2", "mnli"), method)
    first, second = (
        run([spec], tmp_path / name, device="cpu", alone=method == "finetune")[0] for name in ("one", "two")
    )
    for record in (first, second):
        del record["created"], record["seconds"]
    assert first == second
    assert first["state"] == "done"
    for i, row in enumerate(first["matrix"]):
        assert all(0 <= value <= 1 for value in row[: i + 1])
        assert row[i + 1 :] == [None] * (2 - i)
    if METHODS[method].keeps_answers:
        assert first["bwt"] == 0
        if METHODS[method].uses_history:  # else each task has a state of its own, which no later one touches
            assert_nothing_is_forgotten(Store(tmp_path / "one"), first["stages"], method)


def assert_nothing_is_forgotten(store: Store, stages: list[str], method: str) -> None:
    """A score that is not measured again must be the same if it were: the last state answers as the first one did."""
    backbone = load("pocket", "cpu")
    shop = Workshop(backbone, Views(backbone))
    first, last = (state_of(artifact_bytes(store, stages[k], "tensors"), backbone.device) for k in (0, -1))
    batch = shop.encoded("rte", "pocket", "test", 6, 0, 256).batch(range(12))

    def answers(state: State, kind: Kind) -> Any:
        return drive([asked(learner_of(method).answer(backbone, state, "rte", batch, kind))], backbone)[0]

    assert torch.equal(answers(first, "decode"), answers(last, "decode"))
    assert torch.equal(answers(first, "score").loss, answers(last, "score").loss)
    assert all(torch.equal(p.tensor, last.pool.of(p.task).tensor) for p in first.pool)
