"""The estimators of similarity (`catalog.estimators`) on the pairs of a matrix: what each reads, and its score. The
arithmetic is in analysis/estimators.py. Torch is loaded when an estimator needs the model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from shlpt.analysis import activations
from shlpt.analysis import estimators as pure
from shlpt.catalog.estimators import ESTIMATORS, OWN
from shlpt.errors import UserError
from shlpt.results import frames
from shlpt.results.backbones import backbone_of
from shlpt.store.store import Store
from shlpt.tasks.find import draw, find_task, is_stored
from shlpt.tasks.pocket import relation
from shlpt.tasks.task import Task

if TYPE_CHECKING:
    from shlpt.backbone.encode import Encoded
    from shlpt.backbone.t5 import Backbone
    from shlpt.methods.agreement import Seen

Key = tuple[str, str, int]  # source, target, seed
Share = Callable[[float, str], None]


@dataclass(frozen=True)
class Pair:
    """A finished pair of one seed: the stage that learned the source, and the one that learned the target alone."""

    source: str
    target: str
    seed: int
    first: str
    alone: str

    @property
    def key(self) -> Key:
        return self.source, self.target, self.seed


@dataclass(frozen=True)
class Column:
    """An estimator's scores."""

    values: dict[Key, float]
    ready: int  # pairs that could be scored then
    seconds: float  # for each pair, without reading and loading; training the target is divided among its sources
    earlier: dict[Key, float] = field(default_factory=dict)  # number of tasks before the target, where it matters


@dataclass
class Lab:
    """A matrix with what the estimators read of it."""

    store: Store
    spec: dict[str, Any]  # of one of its runs: all differ in tasks and seed only
    pairs: list[Pair]
    transfers: Mapping[tuple[str, str], Mapping[int, float]]  # by seed
    device: str = "cpu"
    kept: dict[Any, Any] = field(default_factory=dict)  # what was read or encoded once

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    @property
    def tasks(self) -> list[str]:
        return list(dict.fromkeys(name for pair in self.pairs for name in (pair.source, pair.target)))

    @property
    def seeds(self) -> list[int]:
        return sorted({pair.seed for pair in self.pairs})

    def task(self, name: str) -> Task:
        return self.once(("task", name), lambda: find_task(name, self.spec["suite"], self.store.home))

    def _plan(self, stage: str) -> dict[str, Any]:
        return self.once(("plan", stage), lambda: frames.stage(self.store, stage))

    def prompt(self, stage: str) -> pure.Floats:
        """[L,d] as the stage stored it."""

        def read() -> Any:
            if "fingerprint" not in self._plan(stage):
                raise UserError("the prompts of this matrix are not recorded, only its scores: train it yourself")
            return frames.stage_tensors(self.store, stage)["prompt.0"].astype(np.float64)

        return self.once(("prompt", stage), read)

    @property
    def backbone(self) -> Backbone:
        def load() -> Any:
            return backbone_of(self.spec["backbone"], self._plan(self.pairs[0].first)["fingerprint"], self.device)

        return self.once("backbone", load)

    def trained_alone(self, pair: Pair) -> float:
        """Seconds for which the target was trained alone, divided among its sources."""

        def share() -> float:
            seconds = self._plan(pair.alone)["seconds"] or 0.0
            return seconds / sum((p.target, p.seed) == (pair.target, pair.seed) for p in self.pairs)

        return self.once(("trained", pair.target, pair.seed), share)

    def step(self, stage: str) -> pure.Floats:
        """[L,d]: the prompt of a first stage minus the random words that it started from."""

        def make() -> Any:
            from shlpt.methods.prompts import fresh_prompt

            plan = self._plan(stage)
            length = plan["training"]["prompt_length"]
            start = fresh_prompt(self.backbone.vocabulary, length, plan["seed"], plan["task"])
            return self.prompt(stage) - start.double().cpu().numpy()

        return self.once(("step", stage), make)

    def data(self, pair: Pair) -> Encoded:
        """The target's training texts."""

        def make() -> Any:
            from shlpt.backbone.encode import Encoded

            t = self.spec["training"]
            examples = draw(self.task(pair.target), "train", t["shots"], pair.seed)
            return Encoded(self.backbone, examples, t["max_length"])

        return self.once(("data", pair.target, pair.seed), make)

    def seen(self, pair: Pair, stage: str, backward: bool = False) -> Seen:
        """The target's training texts under the prompt of a stage."""
        import torch

        from shlpt.methods.agreement import seen_under

        prompt = torch.from_numpy(self.prompt(stage)).float().to(self.backbone.device)
        return seen_under(self.backbone, prompt, self.data(pair), backward)

    def seen_alone(self, pair: Pair) -> Seen:
        """Under the prompt of the target trained alone."""
        return self.once(("alone", pair.target, pair.seed), lambda: self.seen(pair, pair.alone))

    def seen_bare(self, pair: Pair) -> Seen:
        """Without any prompt."""

        def look() -> Any:
            from shlpt.methods.agreement import seen_under

            return seen_under(self.backbone, self.backbone.vocabulary[:0].float(), self.data(pair))

        return self.once(("bare", pair.target, pair.seed), look)


@dataclass(frozen=True)
class Looked:
    """The target's texts under the source's prompt and under its own; None where no estimator asked for it."""

    source: Seen | None
    own: Seen | None


def computed(lab: Lab, names: Sequence[str], watch: Share) -> dict[str, Column]:
    """Pair by pair. A pass that several estimators need is made once, and its time counts for each of them."""
    values: dict[str, dict[Key, float]] = {name: {} for name in names}
    seconds = dict.fromkeys(names, 0.0)
    looking = [name for name in names if ESTIMATORS[name].passes == "forward"]
    comparing = [name for name in looking if OWN in ESTIMATORS[name].needs]
    for number, pair in enumerate(lab.pairs):
        _read(lab, pair, names)
        begin = time.perf_counter()
        source = lab.seen(pair, pair.first) if looking else None
        middle = time.perf_counter()
        own = lab.seen_alone(pair) if comparing else None
        end = time.perf_counter()
        trained = lab.trained_alone(pair)
        for name in names:
            start = time.perf_counter()
            values[name][pair.key] = SCORES[name](lab, pair, Looked(source, own))
            seconds[name] += time.perf_counter() - start + trained * (OWN in ESTIMATORS[name].needs)
            seconds[name] += (middle - begin) * (name in looking) + (end - middle) * (name in comparing)
        watch((number + 1) / len(lab.pairs), f"pair {number + 1} of {len(lab.pairs)}")
    return {name: Column(values[name], len(lab.pairs), seconds[name] / len(lab.pairs)) for name in names}


def _read(lab: Lab, pair: Pair, names: Iterable[str]) -> None:
    """Stored prompts and encoded texts, whose time counts for no estimator."""
    infos = [ESTIMATORS[name] for name in names]
    if any("source's prompt" in info.needs for info in infos):
        lab.prompt(pair.first)
        lab.step(pair.first)
    if any(OWN in info.needs for info in infos):
        lab.prompt(pair.alone)
        lab.step(pair.alone)
    if any(info.passes != "none" for info in infos):
        lab.data(pair)


# --- the estimators -----------------------------------------------------------------------
def _array(tensor: Any) -> pure.Floats:
    return tensor.double().cpu().numpy()


def _of_prompts(measure: Callable[[pure.Floats, pure.Floats], float]) -> Any:
    return lambda lab, pair, _: measure(lab.prompt(pair.first), lab.prompt(pair.alone))


def _of_states(measure: Callable[[pure.Floats, pure.Floats], float], what: str) -> Any:
    """Under the source's prompt and under the target's own; of the activation states the last layer, as in Fig. 4."""

    def score(lab: Lab, pair: Pair, looked: Looked) -> float:
        sides = [_array(getattr(side, what)) for side in (looked.source, looked.own)]
        return measure(*(side[:, -1] if what == "states" else side for side in sides))

    return score


def _of_features(measure: Callable[[pure.Floats, Sequence[str]], float]) -> Any:
    def score(lab: Lab, pair: Pair, looked: Looked) -> float:
        assert looked.source is not None
        return measure(_array(looked.source.hidden), [example.group for example in lab.data(pair).examples])

    return score


def _task_vector(lab: Lab, pair: Pair, _: Looked) -> float:
    return pure.task_vector(lab.step(pair.first), lab.step(pair.alone))


def _loss(lab: Lab, pair: Pair, looked: Looked) -> float:
    assert looked.source is not None
    return -looked.source.loss


def _gradient(lab: Lab, pair: Pair, _: Looked) -> float:
    gradient = lab.seen(pair, pair.first, backward=True).gradient
    return pure.cosine(-_array(gradient), lab.step(pair.first))


def _label_words(lab: Lab, pair: Pair, _: Looked) -> float:
    source, target = (lab.task(name) for name in (pair.source, pair.target))
    return pure.label_words(source.labels or source.groups, target.labels or target.groups)


def _declared(lab: Lab, pair: Pair, _: Looked) -> float:
    """Of imported tasks nobody has declared how they are related."""
    if is_stored(pair.source) or is_stored(pair.target):
        return math.nan
    return relation(lab.task(pair.source), lab.task(pair.target))[1]


def _random(lab: Lab, pair: Pair, _: Looked) -> float:
    return pure.chance(*pair.key)


def _oracle(lab: Lab, pair: Pair, _: Looked) -> float:
    return pure.others(lab.transfers[pair.source, pair.target], pair.seed)


SCORES: dict[str, Callable[[Lab, Pair, Looked], float]] = {
    "prompt_mean": _of_prompts(pure.prompt_mean),
    "prompt_token": _of_prompts(pure.prompt_token),
    "task_vector": _task_vector,
    "activation_overlap": _of_states(activations.jaccard, "states"),
    "activation_cosine": _of_states(activations.cosine, "states"),
    "hidden_cosine": _of_states(activations.cosine, "hidden"),
    "logme": _of_features(pure.logme),
    "h_score": _of_features(pure.h_score),
    "loss": _loss,
    "gradient": _gradient,
    "label_words": _label_words,
    "declared": _declared,
    "random": _random,
    "oracle": _oracle,
}
