"""The estimator beyond the published form: centred, with cosines, a rate of its own and a warm-up."""

import math
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from making import context, learner, prepared, train
from resuming import assert_resumes, stage

from shlpt.analysis.estimators import logme
from shlpt.backbone.encode import Batch
from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import Ask, State, rates_of
from shlpt.methods.per_task import PerTask
from shlpt.methods.prompts import Prompt, PromptPool
from shlpt.methods.shlpt import Shlpt
from shlpt.methods.similarity import COSINE_TEMPERATURE, Estimator, evidence, max_pool, with_prior
from shlpt.plans.paper_tables import ESTIMATOR
from shlpt.training.engine import drive
from shlpt.training.lane import adamw, take_step, train_step

FORM: dict[str, Any] = {"estimator_center": True, "estimator_score": "cosine", "estimator_lr": 0.01}
FORM |= {"estimator_warmup": 1}
X, X_MASK = torch.tensor([[[0.5, 3.0], [1.0, -4.0], [9.0, 9.0]]]), torch.tensor([[1, 1, 0]])  # pooled: (1, 3)
PROMPTS = torch.tensor([[[1.0, 0.0], [0.0, 2.0]], [[3.0, -1.0], [-2.0, 0.5]]])  # pooled: (1, 2) and (3, 0.5)


def begun(backbone: Backbone, **params: Any) -> Shlpt:
    return Shlpt(context(backbone, "shlpt", **params))


def hand_made(**form: Any) -> Estimator:
    """d = 2, r = 1: W_down = (1, 0)ᵀ, W_up = (2, -1)."""
    estimator = Estimator(2, 1, **form)
    with torch.no_grad():
        estimator.down.weight.copy_(torch.tensor([[1.0, 0.0]]))
        estimator.up.weight.copy_(torch.tensor([[2.0], [-1.0]]))
    return estimator


# --- by hand --------------------------------------------------------------------------------
def test_the_centre_is_taken_off_the_pooled_text() -> None:
    # (1, 3) - (2, 0) = (-1, 3); down: -1; SiLU(-1) = -0.2689; up: (-0.5379, 0.2689); LayerNorm: (-1, 1) but for ε.
    half = 1.5 * 0.2689414
    unit = half / math.sqrt(half**2 + 1e-5)
    scores = hand_made(center=torch.tensor([2.0, 0.0])).scores(X, X_MASK, PROMPTS)[0].tolist()
    assert scores == pytest.approx([unit, -2.5 * unit], abs=1e-5)
    zero = hand_made(center=torch.zeros(2)).scores(X, X_MASK, PROMPTS)
    assert torch.equal(zero, hand_made().scores(X, X_MASK, PROMPTS))


def test_cosines_are_with_the_prompts_without_their_common_part() -> None:
    # The prompts' mean is (2, 1.25), which leaves (-1, 0.75) and (1, -0.75), both of length 1.25. The text is along
    # (1, -1) of length √2: cosines ∓1.75 / (1.25 √2).
    cosine = 1.75 / (1.25 * math.sqrt(2))
    estimator = hand_made(score="cosine")
    assert estimator.scores(X, X_MASK, PROMPTS)[0].tolist() == pytest.approx([-cosine, cosine], abs=1e-6)
    odds = math.exp(2 * cosine / 0.3)
    assert estimator(X, X_MASK, PROMPTS, 0.3)[0].tolist() == pytest.approx([1 / (1 + odds), odds / (1 + odds)])
    louder = estimator.scores(X, X_MASK, 100 * PROMPTS + 7)  # scale and common part of the prompts do not matter
    assert louder[0].tolist() == pytest.approx([-cosine, cosine], abs=1e-5)
    single = estimator(X, X_MASK, PROMPTS[:1], 0.3)
    assert single.tolist() == [[1.0]]
    single.sum().backward()
    assert all(p.grad.isfinite().all() for p in estimator.parameters())


def test_without_the_centre_a_common_part_drowns_what_tells_texts_apart() -> None:
    torch.manual_seed(0)
    texts = 40 * torch.randn(16) + torch.randn(64, 1, 16)  # [B,1,d]: a large common part, small differences
    prompts, mask = torch.randn(3, 4, 16), torch.ones(64, 1)
    spread = {}
    for name, center in (("published", None), ("centred", texts.mean((0, 1)))):
        torch.manual_seed(1)
        spread[name] = Estimator(16, 8, "product", center)(texts, mask, prompts, 1.0).std(0).max().item()
    assert spread["published"] < 0.05 < 0.15 < spread["centred"]


def test_the_prior_is_added_to_the_scores_and_its_last_place_is_for_none_of_them() -> None:
    logits = torch.tensor([[math.log(2.0), 0.0], [0.0, 0.0]])
    prior = torch.tensor([0.0, math.log(3.0), math.log(5.0)])
    odds = torch.softmax(with_prior(logits, prior), 1)
    torch.testing.assert_close(odds, torch.tensor([[0.2, 0.3, 0.5], [1 / 9, 3 / 9, 5 / 9]]))
    torch.testing.assert_close(
        torch.softmax(with_prior(logits, prior[:2]), 1), torch.tensor([[0.4, 0.6], [0.25, 0.75]])
    )
    assert with_prior(logits, None) is logits
    estimator = hand_made(score="cosine")
    alone = estimator(X, X_MASK, PROMPTS[:1], 0.3, torch.tensor([0.0, math.log(4.0)]))
    torch.testing.assert_close(alone, torch.tensor([[0.2]]))  # one prompt has nothing in common to take off: score 0


def test_the_evidence_is_that_of_all_texts_and_missing_without_classes() -> None:
    labels = ["a", "b"] * 8
    telling = torch.tensor([[1.0, 0.1], [-1.0, 0.1]]).repeat(8, 1)
    silent = torch.tensor([[0.3, 0.1]]).repeat(16, 1)
    found = evidence([silent, telling], labels)
    assert found is not None
    assert found.tolist() == pytest.approx([-math.log(50), 0])  # beyond all doubt, but at most 50 to 1
    close = telling * torch.tensor([1.0] * 14 + [-1.0] * 2)[:, None]
    by_hand = [16 * logme(one.double().numpy(), labels) for one in (close, silent)]
    found = evidence([close, silent], labels)
    assert found is not None
    assert found.tolist() == pytest.approx([value - max(by_hand) for value in by_hand])
    assert min(found.tolist()) > -math.log(50)
    assert evidence([telling, silent], [""] * 16) is None


# --- in a learner ---------------------------------------------------------------------------
def test_a_prompt_that_explains_the_labels_is_found_before_the_first_step(backbone: Backbone) -> None:
    """The third prompt was trained on the very texts; the others are random."""
    known = PerTask(context(backbone, "per_task", "rte"))
    train(known, 30)
    random = context(backbone, "shlpt").state.pool.prompts[:2]
    state = State(PromptPool((*random, Prompt(known.prompt.detach().clone(), "right"))))

    def first(prior: str) -> torch.Tensor:
        return Shlpt(replace(context(backbone, "shlpt", "rte", estimator_prior=prior), state=state)).similarity()

    assert first("equal").mean(0)[2] < 0.85 < first("evidence").mean(0)[2]
    torch.testing.assert_close(first("evidence").sum(1), torch.ones(12))
    with_none = first("evidence_or_none")
    assert with_none.mean(0)[2] > 0.85
    assert with_none.sum(1).max() < 1
    unknown = Shlpt(replace(context(backbone, "shlpt", "rte"), state=State(PromptPool(random))))
    assert unknown.similarity().sum(1).max() < 0.9  # random prompts are no better than where the task starts
    kept = unknown.keep().extra["prior"]
    assert kept.shape == (3,)
    assert kept.max() == 0


def test_the_centre_is_the_mean_of_the_training_texts_and_is_kept(backbone: Backbone) -> None:
    one = begun(backbone, estimator_center=True)
    data = one.ctx.train
    mean = max_pool(backbone.embed(data.ids), data.mask).mean(0)
    kept = one.keep().extra["center"]
    torch.testing.assert_close(kept, mean)
    whole = one.estimator(backbone.embed(data.ids), data.mask, one.earlier, one.temperature, one.prior)
    torch.testing.assert_close(one.similarity(), whole)
    assert not torch.allclose(whole, begun(backbone, estimator_center=False).similarity())
    extra = one.keep().extra | {"center": kept + 1}  # of the task before: the next task has its own
    torch.testing.assert_close(begun(backbone, **FORM, estimator="carried", extra=extra).estimator.center, mean)
    assert "center" not in begun(backbone, **ESTIMATOR).keep().extra


def test_auto_is_a_fixed_temperature_for_cosines(backbone: Backbone) -> None:
    assert begun(backbone, estimator_score="cosine").temperature == COSINE_TEMPERATURE == 0.3
    assert begun(backbone, estimator_score="cosine", temperature=2.0).temperature == 2.0


def test_the_estimator_learns_at_its_own_rate(backbone: Backbone) -> None:
    """The first step of AdamW moves each number by the rate, in the direction of the gradient."""
    for rate, moved in ((0.01, 0.01), ("auto", 0.1)):
        one = begun(backbone, estimator_lr=rate, threshold=0.0, own_start="words")
        object.__setattr__(one.ctx, "training", one.ctx.training.model_copy(update={"weight_decay": 0.0}))
        before = [p.detach().clone() for p in one.parameters()]
        train(one, 1)
        steps = [(p.detach() - b).abs().max().item() for p, b in zip(one.parameters(), before, strict=True)]
        assert steps == pytest.approx([0.1] + [moved] * 4, rel=0.02)
    assert [len(group["params"]) for group in rates_of(begun(backbone, estimator_lr=0.01))] == [1, 4]
    assert len(rates_of(begun(backbone, estimator_lr=0.01, estimator="uniform"))) == 1


def test_the_gradient_of_each_group_is_clipped_by_itself() -> None:
    one, other = (torch.zeros(2, requires_grad=True) for _ in range(2))
    for groups, expected in (
        ([{"params": [one]}, {"params": [other]}], [-0.6, -0.8, -0.3, -0.4]),  # norms 5 and 0.5
        ([{"params": [one, other]}], [-3 / 5.025, -4 / 5.025, -0.3 / 5.025, -0.4 / 5.025]),  # one norm: √25.25
    ):
        with torch.no_grad():
            one.zero_(), other.zero_()
        one.grad, other.grad = torch.tensor([3.0, 4.0]), torch.tensor([0.3, 0.4])
        take_step(torch.optim.SGD(groups, lr=1.0), 1.0)
        assert [*one.tolist(), *other.tolist()] == pytest.approx(expected, rel=1e-4)


def test_in_the_warm_up_only_the_estimator_learns(backbone: Backbone) -> None:
    one = begun(backbone, estimator_warmup=2, threshold=0.0, own_start="words", estimator_lr=0.01)
    before = [p.detach().clone() for p in one.parameters()]
    events, used = prepared(one)
    assert (used, len(events)) == (2, 2 * 3)  # twelve texts by four
    same = [torch.equal(p, b) for p, b in zip(one.parameters(), before, strict=True)]
    assert same == [True, False, False, False, False]
    assert one.prompt.grad is None  # nothing is left over for the first step
    drive([train_step(one, adamw(rates_of(one), one.ctx.training), one.ctx.train.batch([0, 1]), 1.0)], backbone)
    assert not torch.equal(one.prompt, before[0])
    for nothing in ({"estimator": "uniform"}, {"similar_transfer": False}):
        assert prepared(begun(backbone, estimator_warmup=2, **nothing)) == ([], 0)


# --- as every method must -------------------------------------------------------------------
def test_lanes_of_this_form_are_solo_runs(backbone: Backbone) -> None:
    """Losses and gradients of a step of the warm-up and of the first step, beside lanes with other tasks and forms."""
    options = [("sst2", FORM), ("squad", FORM | {"estimator_lr": 0.003}), ("rte", ESTIMATOR | {"estimator_warmup": 1})]

    def found(together: bool) -> list[torch.Tensor | float]:
        ones: list[Any] = [learner(backbone, "shlpt", task=task, threshold=0.3, **form) for task, form in options]
        values: list[torch.Tensor | float] = []
        for asks in ([next(one.preparation().asks) for one in ones], [one.ask(rows(one)) for one in ones]):
            for group in [asks] if together else [[ask] for ask in asks]:
                values += drive([asked(ask) for ask in group], backbone)
            values += [p.grad.clone() for one in ones for p in one.parameters() if p.grad is not None]
        return values

    def rows(one: Any) -> Batch:
        return one.ctx.train.batch([0, 1, 2, 3])

    for mine, alone in zip(found(True), found(False), strict=True):
        torch.testing.assert_close(mine, alone, atol=3e-6, rtol=1e-4)


def asked(ask: Ask) -> Generator[Ask, Any, Any]:
    return (yield ask)


@pytest.mark.parametrize("lanes", [1, 2])
def test_a_killed_stage_of_this_form_resumes(backbone: Backbone, lanes: int) -> None:
    assert_resumes(backbone, partial(stage, backbone, "shlpt", **FORM), lanes=lanes, after=2)
