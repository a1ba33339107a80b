"""A planned stage, opened: its data encoded, its learner built, its loop ready."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.methods.base import Context, Learner, State, learner_of
from shlpt.methods.views import Views
from shlpt.plans.stages import Stage, data_digest
from shlpt.tasks import prompts
from shlpt.tasks.find import draw, find_task, in_suite, is_given, probe_examples
from shlpt.training.checkpoint import Place
from shlpt.training.engine import Lane
from shlpt.training.given import take
from shlpt.training.lane import Examined, StageResult, learn
from shlpt.training.telling import Emit


@dataclass(frozen=True)
class Workshop:
    """A backbone, and the data encoded for it."""

    backbone: Backbone
    views: Views
    home: Path | None = None  # of the store, where imported tasks are

    @lru_cache(maxsize=256)  # noqa: B019  (lives as long as the workshop)
    def encoded(self, task: str, suite: str, split: str, per_group: int, seed: int, max_length: int) -> Encoded:
        found = draw(find_task(task, suite, self.home), split, per_group, seed)
        return Encoded(self.backbone, found, max_length)

    def given(self, name: str) -> Tensor:
        """An imported prompt [L,d]."""
        assert self.home is not None
        found = prompts.read(in_suite(name)[1].partition("@")[0], self.home)
        return torch.from_numpy(found.copy()).to(self.backbone.device)

    @lru_cache(maxsize=8)  # noqa: B019
    def probe(self, max_length: int) -> Encoded:
        return Encoded(self.backbone, probe_examples(), max_length)


@dataclass(frozen=True)
class Opened:
    """A stage before its first step: everything that its loop needs."""

    ctx: Context
    learner: Learner | None  # None: its prompt was trained elsewhere
    validation: Encoded
    tests: Examined
    probe: Encoded
    given: Tensor | None = None  # [L,d]

    def lane(self, emit: Emit, start: Place | None = None, at_once: bool = False) -> Lane[StageResult]:
        """The training loop, ready to be driven."""
        if self.learner is not None:
            return learn(self.ctx, self.learner, self.validation, self.tests, self.probe, emit, start, at_once)
        assert self.given is not None
        return take(self.ctx, self.given, self.validation, self.tests, self.probe)


def opened(shop: Workshop, stage: Stage, state: State) -> Opened:
    """A stage with the state that the earlier tasks left."""
    t = stage.training
    refuse_changed(shop, stage)

    def data(task: str, split: str, shots: int, seed: int) -> Encoded:
        return shop.encoded(task, stage.suite, split, shots, seed, t.max_length)

    train = data(stage.task, "train", t.shots, stage.seed)
    info = METHODS[stage.method]
    old = stage.earlier if info.earlier_data else ()
    earlier = tuple(data(name, "train", t.shots, stage.seed) for name in old)
    ctx = Context(shop.backbone, stage.task, train, stage.params, t, stage.seed, state, shop.views, earlier)
    names = [stage.task] if info.keeps_answers else [*stage.earlier, stage.task]
    tests = Examined([find_task(n, stage.suite, shop.home) for n in names], [data(n, *t.scored) for n in names])
    known = (validation_data(shop, stage), tests, shop.probe(t.max_length))
    if is_given(stage.task):
        return Opened(ctx, None, *known, given=shop.given(stage.task))
    return Opened(ctx, learner_of(stage.method)(ctx), *known)


def refuse_changed(shop: Workshop, stage: Stage) -> None:
    """A stage is trained on the texts that it was planned with, or not at all."""
    for name, planned in zip((*stage.earlier, stage.task), stage.data, strict=bool(stage.data)):
        if data_digest(name, stage.suite, stage.training, stage.seed, shop.home) != planned:
            raise UserError(
                f"the texts of task {name} have changed since the run was queued: start the run again, or import the "
                "texts that it was queued with"
            )


def validation_data(shop: Workshop, stage: Stage) -> Encoded:
    """The validation set: of the newest task, or of all tasks so far for a method that learns them together."""
    t = stage.training
    names = [*stage.earlier, stage.task] if METHODS[stage.method].validates_all else [stage.task]
    parts = [shop.encoded(n, stage.suite, "validation", t.validation_shots, stage.seed, t.max_length) for n in names]
    if len(parts) == 1:
        return parts[0]
    return Encoded(shop.backbone, [example for part in parts for example in part.examples], t.max_length)
