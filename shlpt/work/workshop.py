"""What a finished stage leaves, as rows and tensors, and what it was made with."""

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import transformers
from safetensors.torch import load
from torch import Tensor

from shlpt.backbone.t5 import Backbone
from shlpt.plans.stages import LaneGroup, Stage
from shlpt.queue.claims import Finished
from shlpt.store.artifacts import about_of, to_bytes
from shlpt.training.checkpoint import Place, state_parts, under
from shlpt.training.lane import StageResult
from shlpt.training.stage import Workshop
from shlpt.version import VERSION


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
