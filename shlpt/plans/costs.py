"""What a run will need: memory, effort, and how a duration is said. Rough, and said to be. No torch."""

from __future__ import annotations

import json
from collections.abc import Sequence

from shlpt.backbone import files
from shlpt.catalog import METHODS, VIEW_CACHE
from shlpt.spec import RunSpec

LIBRARIES = 400 * 2**20  # torch, transformers and Python
LAPTOP_SECONDS_PER_STEP = 0.035  # a run's step at `quick` in lanes of four, with its share of validation and tests
FLOAT = 4
# Time of a step, with its share of all else, beside plain prompt tuning's, and what each earlier task adds to it
# (docs/LOG.md, "How long a benchmark takes").
EFFORT: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("shlpt", "oracle_partition", "random_partition", "l2p", "coda", "dtvg"), (1.4, 0.0)),
    "progressive": (1.0, 0.5),
    "joint": (1.0, 1.5),
    "bmtpt": (6.5, 0.2),
    "finetune": (1.8, 0.0),
    "ewc": (2.2, 0.0),
    "replay": (2.5, 0.1),
}


def effort(method: str, earlier: int) -> float:
    """Of a step of a method with so many earlier tasks; plain prompt tuning's is 1."""
    first, further = EFFORT.get(method, (1.0, 0.0))
    return first + further * earlier


def memory(specs: Sequence[RunSpec], width: int) -> int:
    """Bytes of the process that trains, for a backbone that is here; an upper guess."""
    spec = specs[0]
    folder = files.find(spec.backbone)
    if folder is None:
        return LIBRARIES
    config = json.loads((folder / "config.json").read_text())
    weights = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    lanes = min(width, len(specs)) if METHODS[spec.method].shares_backbone else 1
    copies = 1 if METHODS[spec.method].shares_backbone else 6  # own weights, gradients, two moments, the best so far
    layers = config["num_layers"] + config.get("num_decoder_layers", config["num_layers"])
    tokens = min(spec.training.max_length, 128) + spec.training.prompt_length
    per_token = layers * (8 * config["d_model"] + 2 * config["d_ff"] + 2 * config["num_heads"] * tokens) * FLOAT
    step = lanes * spec.training.batch_size * tokens * per_token
    views = VIEW_CACHE if spec.method in ("shlpt", "oracle_partition", "random_partition") else 0
    return int(LIBRARIES + weights * copies + step + min(views, 16 * step))


def duration(seconds: float) -> str:
    """`45 s`, `3 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
