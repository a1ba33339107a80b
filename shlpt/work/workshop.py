"""Turns a planned stage into a lane, and its result into rows and tensors."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import load
from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.methods.base import Context, State, learner_of
from shlpt.methods.views import Views
from shlpt.plans.stages import LaneGroup, Stage, data_digest
from shlpt.queue.claims import Finished
from shlpt.store.artifacts import about_of, to_bytes
from shlpt.tasks import prompts
from shlpt.tasks.find import draw, find_task, in_suite, is_given, probe_examples
from shlpt.training.checkpoint import Place, state_parts, under
from shlpt.training.engine import Lane
from shlpt.training.given import take
from shlpt.training.lane import Emit, Examined, StageResult, learn
from shlpt.version import VERSION


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


def lane_of(shop: Workshop, stage: Stage, state: State, emit: Emit, start: Place | None = None) -> Lane[StageResult]:
    """The training loop of a stage, ready to be driven."""
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
    validation = validation_data(shop, stage)
    probe = shop.probe(t.max_length)
    if is_given(stage.task):
        return take(ctx, shop.given(stage.task), validation, tests, probe)
    return learn(ctx, learner_of(stage.method)(ctx), validation, tests, probe, emit, start)


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


# --- to the store and back ----------------------------------------------------------------
def pack(
    shop: Workshop, stage: Stage, result: StageResult, group: LaneGroup, seconds: float, made: Mapping[str, Any]
) -> tuple[Finished, bytes]:
    """A stage as rows and tensors: state, answers example by example, what it was made with."""
    t = stage.training
    tests: dict[str, dict[str, Any]] = {}
    for name, answers in result.answers.items():
        examples = shop.encoded(name, stage.suite, *t.scored, t.max_length).examples
        tests[name] = {"examples": [e.id for e in examples], "targets": [e.target for e in examples]}
        tests[name] |= {"answers": answers, "scores": result.scores[name]}
    train = shop.encoded(stage.task, stage.suite, "train", t.shots, stage.seed, t.max_length)
    pool, tensors = state_parts(result.state)
    tensors |= {f"record.{name}": tensor for name, tensor in result.record.items()}
    record: dict[str, Any] = {"pool": pool, "train_examples": [e.id for e in train.examples]}
    record |= {"group": [s.key for s in group.stages], "fingerprint": dict(made)}
    arrays = {name: _array(tensor) for name, tensor in tensors.items()}
    done = Finished(stage.key, record, result.summary, tests, seconds, result.summary["failure"] or None)
    return done, to_bytes(arrays, {"pool": pool})


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    tensor = tensor.detach().cpu()
    array: np.ndarray[Any, Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array


def places_of(data: bytes) -> tuple[dict[str, Place], dict[str, int], dict[str, float]]:
    """A checkpoint: the place of each lane, its number of events, and its seconds so far."""
    lanes, tensors = about_of(data)["lanes"], load(data)
    places = {key: Place(lane["numbers"], under(tensors, f"{key}/")) for key, lane in lanes.items()}
    said = {key: lane["events"] for key, lane in lanes.items()}
    return places, said, {key: lane.get("seconds", 0.0) for key, lane in lanes.items()}


def fingerprint(backbone: Backbone) -> dict[str, Any]:
    """What must be equal for bit-identical results."""
    return {
        "shlpt": VERSION,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "device": str(backbone.device),
        "dtype": str(backbone.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(),
        "backbone": backbone.digest,
    }
