"""Train the stages of a plan: claim a group, drive its lanes, keep what they leave."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
import transformers
from torch import Tensor

from shlpt import __version__
from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone, load
from shlpt.catalog import EARLIER_DATA, METHODS
from shlpt.errors import UserError
from shlpt.methods.base import Context, State
from shlpt.methods.prompts import PromptPool
from shlpt.methods.registry import LEARNERS
from shlpt.methods.views import Views
from shlpt.runs.plan import LaneGroup, RunPlan, Stage, lane_groups, plan_runs
from shlpt.runs.results import run_record
from shlpt.runs.store import Store
from shlpt.spec import RunSpec
from shlpt.tasks.find import draw, find_task, probe_examples
from shlpt.training.engine import Lane, drive
from shlpt.training.lane import Examined, StageResult, learn


class Watch(Protocol):
    """Who wants to know how it goes."""

    def planned(self, stages: Sequence[Stage]) -> None: ...

    def event(self, stage: Stage, kind: str, payload: dict[str, Any]) -> None: ...

    def finished(self, stage: Stage, reused: bool) -> None: ...


class Silent:
    """Nobody watches."""

    def planned(self, stages: Sequence[Stage]) -> None: ...

    def event(self, stage: Stage, kind: str, payload: dict[str, Any]) -> None: ...

    def finished(self, stage: Stage, reused: bool) -> None: ...


@dataclass(frozen=True)
class Workshop:
    """What training needs besides the plan."""

    backbone: Backbone
    store: Store
    views: Views
    watch: Watch

    @lru_cache(maxsize=256)  # noqa: B019  (lives as long as the workshop)
    def encoded(self, task: str, suite: str, split: str, per_group: int, seed: int, max_length: int) -> Encoded:
        return Encoded(self.backbone, draw(find_task(task, suite), split, per_group, seed), max_length)

    @lru_cache(maxsize=8)  # noqa: B019
    def probe(self, suite: str, max_length: int) -> Encoded:
        return Encoded(self.backbone, probe_examples(suite), max_length)


def train_plans(
    shop: Workshop, plans: Sequence[RunPlan], width: int, fresh: bool = False, stop: Callable[[], bool] = lambda: False
) -> dict[str, str]:
    """Train what is not in the store yet, group by group. Failed stages by key, with the reason."""
    failed: dict[str, str] = {}
    done: set[str] = set()
    for group in lane_groups(plans, width):
        todo = []
        for stage in group.stages:
            if stage.parent in failed:
                failed[stage.key] = "an earlier task of this run failed"
            elif stage.key not in done and (fresh or not shop.store.has_stage(stage.key)):
                todo.append(stage)
            else:
                shop.watch.finished(stage, reused=True)
        done |= {stage.key for stage in group.stages}
        if todo:
            failed |= train_group(shop, LaneGroup(group.key, tuple(todo)), stop)
    return failed


def train_group(shop: Workshop, group: LaneGroup, stop: Callable[[], bool] = lambda: False) -> dict[str, str]:
    """Train stages together and save each. Stages that diverged, with the reason."""
    begin = time.perf_counter()
    events: dict[str, list[dict[str, Any]]] = {stage.key: [] for stage in group.stages}
    failed: dict[str, str] = {}

    def saving(stage: Stage) -> Lane[None]:
        def emit(kind: str, payload: dict[str, Any]) -> None:
            row = {"seq": len(events[stage.key]), "kind": kind, "seconds": round(time.perf_counter() - begin, 3)}
            events[stage.key].append(row | payload)
            shop.watch.event(stage, kind, payload)

        result = yield from lane_of(shop, stage, emit)
        if result.summary["failure"]:
            failed[stage.key] = result.summary["failure"]
        seconds = round(time.perf_counter() - begin, 3)
        content, tensors = pack(shop, stage, result, group, seconds)
        key = f"{stage.key}-failed" if stage.key in failed else stage.key  # never taken for a finished one
        shop.store.save_stage(key, content, tensors, events[stage.key])
        shop.watch.finished(stage, reused=False)

    for stage, outcome in zip(group.stages, drive([saving(s) for s in group.stages], shop.backbone, stop), strict=True):
        if isinstance(outcome, Exception):
            failed[stage.key] = str(outcome)
    return failed


def lane_of(shop: Workshop, stage: Stage, emit: Callable[[str, dict[str, Any]], None]) -> Lane[StageResult]:
    """The training loop of a stage, ready to be driven."""
    t = stage.training

    def data(task: str, split: str, shots: int, seed: int) -> Encoded:
        return shop.encoded(task, stage.suite, split, shots, seed, t.max_length)

    state = load_state(shop.store, stage.parent, shop.backbone.device) if stage.parent else State()
    train = data(stage.task, "train", t.shots, stage.seed)
    info = METHODS[stage.method]
    old = stage.earlier if EARLIER_DATA & set(info.needs) else ()
    earlier = tuple(data(name, "train", t.shots, stage.seed) for name in old)
    ctx = Context(shop.backbone, stage.task, train, stage.params, t, stage.seed, state, shop.views, earlier)
    learner = LEARNERS[stage.method](ctx)
    names = [stage.task] if info.keeps_answers else [*stage.earlier, stage.task]
    tests = Examined([find_task(n, stage.suite) for n in names], [data(n, "test", t.test_shots, 0) for n in names])
    validation = validation_data(shop, stage)
    return learn(ctx, learner, validation, tests, shop.probe(stage.suite, t.max_length), emit)


def validation_data(shop: Workshop, stage: Stage) -> Encoded:
    """What early stopping looks at: the newest task, or all tasks so far for a method that learns them together."""
    t = stage.training
    names = [*stage.earlier, stage.task] if METHODS[stage.method].validates_all else [stage.task]
    parts = [shop.encoded(n, stage.suite, "validation", t.validation_shots, stage.seed, t.max_length) for n in names]
    if len(parts) == 1:
        return parts[0]
    return Encoded(shop.backbone, [example for part in parts for example in part.examples], t.max_length)


# --- to the store and back ----------------------------------------------------------------
def pack(
    shop: Workshop, stage: Stage, result: StageResult, group: LaneGroup, seconds: float
) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """A stage as JSON and arrays: state, answers example by example, what it was made with."""
    tests = {
        name: shop.encoded(name, stage.suite, "test", stage.training.test_shots, 0, stage.training.max_length)
        for name in result.answers
    }
    train = shop.encoded(stage.task, stage.suite, "train", stage.training.shots, stage.seed, stage.training.max_length)
    content = {
        "key": stage.key, "parent": stage.parent, "task": stage.task, "earlier": stage.earlier, "suite": stage.suite,
        "method": stage.method, "params": stage.params.model_dump(mode="json"), "seed": stage.seed,
        "training": stage.training.model_dump(mode="json"), "seconds": seconds, "summary": result.summary,
        "tests": {
            name: {
                "examples": [e.id for e in data.examples], "targets": [e.target for e in data.examples],
                "answers": result.answers[name], "scores": result.scores[name],
            } for name, data in tests.items()
        },
        "train_examples": [e.id for e in train.examples],
        "pool": [prompt.task for prompt in result.state.pool], "group": [s.key for s in group.stages],
        "fingerprint": fingerprint(shop.backbone),
    }  # fmt: skip
    tensors = {f"prompt.{number}": prompt.tensor for number, prompt in enumerate(result.state.pool)}
    tensors |= {f"extra.{name}": tensor for name, tensor in result.state.extra.items()}
    tensors |= {f"record.{name}": tensor for name, tensor in result.record.items()}
    return content, {name: _array(tensor) for name, tensor in tensors.items()}


def _array(tensor: Tensor) -> np.ndarray[Any, Any]:
    tensor = tensor.detach().cpu()
    array: np.ndarray[Any, Any] = (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()
    return array


def load_state(store: Store, key: str, device: torch.device) -> State:
    """The state that a finished stage left."""
    tensors = {name: torch.from_numpy(array).to(device) for name, array in store.tensors(key).items()}
    pool = PromptPool()
    for number, task in enumerate(store.stage(key)["pool"]):
        pool = pool.add(tensors[f"prompt.{number}"], task)
    extra = {name.removeprefix("extra."): t for name, t in tensors.items() if name.startswith("extra.")}
    return State(pool, extra)


def fingerprint(backbone: Backbone) -> dict[str, Any]:
    """What must be equal for equal bits."""
    return {
        "shlpt": __version__, "torch": torch.__version__, "transformers": transformers.__version__,
        "device": str(backbone.device), "dtype": str(backbone.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(), "cpu": torch.backends.cpu.get_cpu_capability(),
        "machine": platform.machine(), "backbone": backbone.digest,
    }  # fmt: skip


def run(
    specs: Sequence[RunSpec],
    home: Path | str | None = None,
    *,
    lanes: int | None = None,
    alone: bool = True,
    fresh: bool = False,
    device: str = "auto",
    watch: Watch | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[dict[str, Any]]:
    """Train runs on one backbone and return their records, as the command line prints them."""
    if len({(spec.backbone, spec.dtype) for spec in specs}) != 1:
        raise UserError("runs that train together need one backbone and one dtype: start one command for each")
    store = Store(home).open()
    backbone = load(specs[0].backbone, device, specs[0].dtype)
    plans = plan_runs(specs, backbone.digest, alone)
    shop = Workshop(backbone, store, Views(backbone), watch or Silent())
    shop.watch.planned([stage for group in lane_groups(plans, 1) for stage in group.stages])
    failed = train_plans(shop, plans, lanes or default_width(backbone.device), fresh, stop)
    records = [run_record(store, plan, failed) for plan in plans]
    for record in records:
        store.save_run(record["id"], record)
    return records


def default_width(device: torch.device) -> int:
    """Lanes in a group: a GPU has room for many, a CPU is busy with a few."""
    return 16 if device.type == "cuda" else 4
