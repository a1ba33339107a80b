"""Answers of a learned task when earlier prompts have other weights in its prompt. Nothing is trained.

SHLPT stores a task's own prompt plus the mixture of earlier ones, weighted by the mean α̃ of its training texts (eqs 6
and 7). Here these weights are multiplied by factors, all else stays, and the frozen model answers the stored test texts
again. Torch is loaded then; what was answered is kept for the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from shlpt.analysis import surgery
from shlpt.analysis.metrics import score
from shlpt.catalog import METHODS
from shlpt.errors import UserError, unknown
from shlpt.results import frames, lens
from shlpt.results.backbones import backbone_of, using
from shlpt.results.weights import require_current
from shlpt.spec import Training
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks.find import draw, find_task
from shlpt.tasks.task import Metric

if TYPE_CHECKING:
    from torch import Tensor

    from shlpt.backbone.encode import Encoded
    from shlpt.backbone.t5 import Backbone


@dataclass(frozen=True, eq=False)
class Mixture:
    """A learned task, ready to answer with other weights of the earlier prompts."""

    run: str
    task: str
    earlier: tuple[str, ...]
    weights: tuple[float, ...]  # of the earlier prompts in the stored one
    answers: pd.DataFrame  # as `frames.answers` has them
    training: Training
    metric: Metric
    backbone: Backbone
    tests: Encoded
    stored: Tensor  # [L,d]
    prompts: Tensor  # [n,L,d]


@dataclass(frozen=True)
class Outcome:
    """The answers with these factors, compared with the stored ones."""

    factors: dict[str, float]
    answers: tuple[str, ...]
    effect: surgery.Effect
    changed: pd.DataFrame  # the examples with another answer


def mixture(store: Store, run: str, task: str, device: str = "cpu") -> Mixture:
    """A learned task of a run; a readable reason where it cannot be done."""
    key = _stage(store, run, task)
    digest = store.value("SELECT sha256 FROM artifacts WHERE owner=? AND kind='tensors'", (key,))
    return _mixture(store.home, run, task, key, digest, device)


def operate(mixed: Mixture, scaled: dict[str, float]) -> Outcome:
    """The test texts answered with the weights multiplied by these factors."""
    answers, scores = _answered(mixed, tuple(scaled[name] for name in mixed.earlier))
    changed = surgery.changed(mixed.answers, answers, scores)
    return Outcome(scaled, answers, surgery.effect(mixed.answers, answers, scores), changed)


def in_turn(mixed: Mixture) -> pd.DataFrame:
    """Each earlier prompt taken out by itself, and all of them: [without, weight, before, after, difference, …]."""
    ways: list[tuple[str, float, Sequence[str]]] = [
        (name, weight, [name]) for name, weight in zip(mixed.earlier, mixed.weights, strict=True)
    ]
    ways.append((surgery.ALL, sum(mixed.weights), mixed.earlier))
    return pd.DataFrame(
        [
            {"without": name, "weight": weight}
            | surgery.flat(operate(mixed, surgery.factors(mixed.earlier, out)).effect)
            for name, weight, out in ways
        ]
    )


def reproduced(mixed: Mixture) -> str:
    """What must be known if the stored prompt does not give the stored answers here, as on another kind of device."""
    count = len(operate(mixed, surgery.factors(mixed.earlier)).changed)
    if not count:
        return ""
    made = f"{count} of {len(mixed.answers)}"
    return f"The stored prompt gives other answers here than on the device of the training for {made} test texts."


# --- loading ------------------------------------------------------------------------------
def _stage(store: Store, run: str, task: str) -> str:
    """The key of the stage that learned a task with earlier prompts."""
    spec = frames.spec(store, run)
    tasks, method = spec["tasks"], spec["method"]
    if METHODS[method].alpha is None:
        raise UserError(f"{METHODS[method].title} mixes in no earlier prompts. Choose a run of SHLPT")
    if task not in tasks:
        raise unknown("task of this run", task, tasks)
    if task == tasks[0]:
        raise UserError(f"{task} is the first task of this run: there is no earlier prompt in its prompt")
    stages = frames.stages(store, run)
    row = stages[(stages["task"] == task) & ~stages["alone"]].iloc[0]
    if row["state"] != "done":
        raise UserError(f"{task} is not trained yet in this run ({row['state']}): its prompt is stored at the end")
    require_current(store, {"id": run, "backbone": spec["backbone"]}, "its prompts belong to those weights")
    return str(row["key"])


@lru_cache(maxsize=8)
def _mixture(home: Path, run: str, task: str, key: str, digest: str | None, device: str) -> Mixture:
    """Once for each content of its tensors."""
    from shlpt.backbone.encode import Encoded
    from shlpt.training.checkpoint import state_of

    store = Store(home)
    spec, left = frames.spec(store, run), frames.stage(store, key)
    answers = frames.answers(store, run, task)
    if digest is None or answers.empty:
        raise UserError(f"the prompts and answers of run {run} are not recorded, only its scores: choose another run")
    backbone = backbone_of(spec["backbone"], left["fingerprint"], device)
    training, found = Training(**spec["training"]), find_task(task, home=home)
    tests = Encoded(backbone, draw(found, *training.scored), training.max_length)
    if [example.id for example in tests.examples] != list(answers["example"]):
        raise UserError(f"the test texts of {task} have changed since run {run}: train it again to do this")
    pool = state_of(artifact_bytes(store, key, "tensors"), backbone.device).pool
    earlier = tuple(spec["tasks"][: spec["tasks"].index(task)])
    prompts, weights = pool.stacked().float()[: len(earlier)], _weights(store, run, task, spec)
    stored = pool.of(task).tensor.float()
    return Mixture(run, task, earlier, weights, answers, training, found.metric, backbone, tests, stored, prompts)


def _weights(store: Store, run: str, task: str, spec: dict[str, Any]) -> tuple[float, ...]:
    """The mean α̃ over the training texts, by the kept estimator; where the partition is given, α does not change."""
    import torch

    from shlpt.methods.similarity import mix_weights

    params = spec["params"]
    if METHODS[spec["method"]].alpha == "estimated":
        texts = draw(find_task(task, home=store.home), "train", spec["training"]["shots"], spec["seed"])
        alpha = lens.all_alphas(store, run, task, [example.text for example in texts])
    else:
        alpha = torch.from_numpy(frames.tensors(store, run, task)["record.alpha"])
    if not params["similar_transfer"]:
        return (0.0,) * alpha.shape[1]
    return tuple(mix_weights(alpha, params.get("threshold", 0.0)).mean(0).tolist())


# --- answering ----------------------------------------------------------------------------
@lru_cache(maxsize=512)
def _answered(mixed: Mixture, factors: tuple[float, ...]) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """As `training.lane.test` does it: the same batches, so that unchanged weights give the same bits."""
    import torch

    from shlpt.methods.prompts import prepend
    from shlpt.methods.similarity import remixed
    from shlpt.training.lane import EVALUATION_ROWS

    backbone, tests, t = mixed.backbone, mixed.tests, mixed.training
    weights, scaled = (torch.tensor(v, device=backbone.device) for v in (mixed.weights, factors))
    prompt, found = remixed(mixed.stored, mixed.prompts, weights, scaled), [""] * len(tests)
    with using, torch.no_grad():
        for batch in tests.batches(EVALUATION_ROWS):
            embeds, mask = prepend(prompt, backbone.embed(batch.ids), batch.mask)
            ids = backbone.decode(embeds, mask, tests.limit, t.beams, t.repetition_penalty)
            for row, text in zip(batch.numbers, backbone.text(ids), strict=True):
                found[row] = text
    scores = score(mixed.metric, found, [example.target for example in tests.examples], t.matching)
    return tuple(found), tuple(scores)
