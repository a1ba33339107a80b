"""How many numbers a method trains and what it keeps of a task, from its settings alone. No torch.

So that a list of methods can say it before anything was trained; what a run really used is measured
(methods/costs.py), and a test holds the two against each other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shlpt.backbone import files
from shlpt.spec import RunSpec

NUMBER = 4  # bytes


@dataclass(frozen=True)
class Size:
    """What sizes follow from, for a task with `earlier` tasks before it."""

    prompt: int  # L
    width: int  # d
    weights: int  # of the backbone
    earlier: int
    params: Any

    @property
    def plain(self) -> int:
        return self.prompt * self.width


def _shlpt(s: Size) -> int:
    estimator = 0 if s.params.estimator == "uniform" else 2 * s.width * (s.params.estimator_width + 1)
    return s.plain + estimator


def _l2p(s: Size) -> int:
    return int(s.params.pool_size * (s.plain + s.width))


def _coda(s: Size) -> int:
    return int(s.params.components * (s.plain + 2 * s.width))


def _plain(s: Size) -> int:
    return s.plain


def _weights(s: Size) -> int:
    return s.weights


def _nothing(s: Size) -> int:
    return 0


@dataclass(frozen=True)
class Rule:
    trains: Callable[[Size], int]
    keeps: Callable[[Size], int]  # numbers that each further task adds
    words: str = "its prompt"


ONE_COPY = "beside one copy of the backbone"
RULES: dict[str, Rule] = {
    "shlpt": Rule(_shlpt, _plain),
    "per_task": Rule(_plain, _plain),
    "continual": Rule(_plain, _plain),
    "progressive": Rule(_plain, lambda s: s.plain * (1 + s.earlier), "its prompt joined to all earlier ones"),
    "l2p": Rule(_l2p, lambda s: _l2p(s) + s.params.top_n * s.plain, "at most a copy of the pool and its usual prompt"),
    "coda": Rule(_coda, lambda s: _coda(s) + s.plain, "its components and its mean prompt"),
    "dtvg": Rule(lambda s: s.plain + (1 + s.earlier) * s.prompt, lambda s: 2 * s.plain, "its prompt and task vector"),
    "bmtpt": Rule(lambda s: s.plain + s.prompt + s.width, _plain, "its prompt; its examples too, as source data"),
    "finetune": Rule(_weights, _nothing, f"nothing {ONE_COPY}"),
    "ewc": Rule(_weights, _nothing, f"nothing {ONE_COPY} and its Fisher"),
    "replay": Rule(_weights, _nothing, f"some of its examples {ONE_COPY}"),
    "joint": Rule(_plain, _nothing, "all of its examples beside one prompt"),
    "oracle_partition": Rule(_plain, _plain),
    "random_partition": Rule(_plain, _plain),
}


def size_of(spec: RunSpec) -> Size:
    """For the last task of a run."""
    folder = files.find(spec.backbone)
    config = json.loads((folder / "config.json").read_text()) if folder else {"d_model": 0}
    weights = sum(map(files.weights_in, folder.glob("*.safetensors"))) if folder else 0
    return Size(spec.training.prompt_length, config["d_model"], weights, len(spec.tasks) - 1, spec.params)


def sizes(spec: RunSpec) -> dict[str, Any]:
    """Of the last task of a run: how many numbers it trains, how many bytes it keeps, and of what."""
    size, rule = size_of(spec), RULES[spec.method]
    return {"trainable": rule.trains(size), "kept_bytes": rule.keeps(size) * NUMBER, "keeps": rule.words}
