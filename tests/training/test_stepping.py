"""Steps by hand are the steps of training: the same bits, whatever is looked at between them."""

from typing import Any

import pytest
import torch
from storing import spec_of

from shlpt.analysis.steps import FIRST, TRAINING, WARM_UP, Step
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS
from shlpt.methods.base import State
from shlpt.methods.views import Views
from shlpt.plans.stages import Stage, plans_of
from shlpt.training.engine import drive
from shlpt.training.lane import StageResult
from shlpt.training.stage import Workshop, opened
from shlpt.training.stepping import Stepper

SHARING = sorted(name for name, info in METHODS.items() if info.shares_backbone)
Told = list[tuple[str, dict[str, Any]]]


def second_stage(backbone: Backbone, method: str, **settings: Any) -> tuple[Workshop, Stage, State]:
    """A stage with one earlier task, and the state that this task left after a short training."""
    (plan,) = plans_of([spec_of(("rte", "sst2"), method, **{"batch_size": 4} | settings)], alone=False)
    shop = Workshop(backbone, Views(backbone))
    (first,) = drive([opened(shop, plan.stages[0], State()).lane(lambda *_: None)], backbone)
    assert isinstance(first, StageResult), first
    return shop, plan.stages[1], first.state if plan.stages[1].parent else State()


def trained(shop: Workshop, stage: Stage, state: State) -> tuple[StageResult, Told]:
    """As a worker trains it."""
    told: Told = []
    (result,) = drive([opened(shop, stage, state).lane(lambda *event: told.append(event))], shop.backbone)
    assert isinstance(result, StageResult), result
    return result, told


def all_of(stepper: Stepper) -> list[Step]:
    return list(iter(stepper.step, None))


@pytest.mark.parametrize("method", SHARING)
def test_looking_on_changes_no_bit_of_any_method(backbone: Backbone, method: str) -> None:
    """Every event of every step and epoch, and the last prompt, are those of an undisturbed training."""
    options = {"estimator_warmup": 1} if method == "shlpt" else {}
    shop, stage, state = second_stage(backbone, method, epochs=2, **options)
    result, told = trained(shop, stage, state)
    stepper = Stepper(shop, stage, state)
    steps = all_of(stepper)
    assert [step.told for step in steps] == [payload for kind, payload in told if kind in ("step", "prepare")]
    assert [step.epoch for step in steps if step.epoch] == [payload for kind, payload in told if kind == "epoch"]
    best = result.summary["best_epoch"]
    if best == max(payload["epoch"] for kind, payload in told if kind == "epoch"):
        assert torch.equal(stepper.prompt(), result.state.pool.of("sst2").tensor)
    assert [step.number for step in steps] == list(range(1, len(steps) + 1))
    assert steps[-1].over
    assert not any(step.over for step in steps[:-1])
    assert stepper.step() is None
    for step in steps:
        if step.kind != FIRST and method != "joint":  # its rows are those of the batch, with the loss of the step
            assert step.before is not None
            assert step.before.loss == pytest.approx(step.told["loss"], abs=1e-6)
    kinds = {step.kind for step in steps}
    expected = {"shlpt": {WARM_UP, TRAINING}, "dtvg": {FIRST, TRAINING}, "bmtpt": {FIRST, TRAINING}}
    assert kinds == expected.get(method, {TRAINING})


def test_the_start_is_the_same_again(backbone: Backbone) -> None:
    shop, stage, state = second_stage(backbone, "shlpt", threshold=1.5)
    one = Stepper(shop, stage, state)
    began, ahead = one.prompt(), one.ahead
    steps = [one.step() for _ in range(3)]
    again = Stepper(shop, stage, state)
    assert torch.equal(again.prompt(), began)
    assert again.ahead == ahead
    assert [again.step() for _ in range(3)] == steps
    assert torch.equal(again.prompt(), one.prompt())
    assert not torch.equal(began, one.prompt())


def test_distances_losses_and_answers_are_those_of_the_prompt(backbone: Backbone) -> None:
    """Measured here from the prompts; what is seen after a step is what is seen before it if the batch comes again."""
    shop, stage, state = second_stage(backbone, "per_task", batch_size=64, epochs=3)  # each step has all texts
    stepper = Stepper(shop, stage, state)
    began = stepper.prompt()
    first, before, second = stepper.step(), stepper.prompt(), stepper.step()
    assert first is not None
    assert second is not None
    size = backbone.word_size
    assert first.start == first.moved == pytest.approx(float((before - began).square().mean().sqrt()) / size)
    assert second.start == pytest.approx(float((stepper.prompt() - began).square().mean().sqrt()) / size)
    assert sorted(first.examples) == sorted(second.examples)
    order = [second.examples.index(example) for example in first.examples]
    assert first.after is not None
    assert second.before is not None
    assert first.after.loss == pytest.approx(second.before.loss, rel=1e-5)
    assert first.after.right == tuple(second.before.right[row] for row in order)
    assert [first.texts[row] for row in range(3)] == [stepper.ctx.train.examples[r].text for r in _rows(stepper, first)]


def _rows(stepper: Stepper, step: Step) -> list[int]:
    ids = [example.id for example in stepper.ctx.train.examples]
    return [ids.index(example) for example in step.examples[:3]]


def test_a_stage_that_diverges_says_so_and_ends(backbone: Backbone) -> None:
    shop, stage, state = second_stage(backbone, "per_task", batch_size=8, epochs=4)
    stepper = Stepper(shop, stage, state)
    assert stepper.step() is not None
    with torch.no_grad():
        stepper.learner.parameters()[0].fill_(float("nan"))  # what is asked next has been read before this
    steps = all_of(stepper)
    assert steps[-1].over.startswith("Training stopped at step 3 of epoch 3: ")
    assert steps[-1].number == 3
