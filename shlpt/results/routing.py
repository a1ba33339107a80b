"""Answers of finished runs without being told the task: a router (`catalog.routers`) chooses whose prompt
answers each test text. Nothing is retrained. A measurement is stored beside the last stage of its run. Torch is loaded
when something is measured."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shlpt.analysis import metrics
from shlpt.analysis.routing import COLUMNS
from shlpt.catalog import METHODS
from shlpt.catalog.routers import ROUTERS, routers_of
from shlpt.errors import UserError, unknown
from shlpt.results import frames, recorded
from shlpt.results.backbones import backbone_of
from shlpt.results.weights import require_current
from shlpt.spec import Training
from shlpt.store import artifacts
from shlpt.store.store import Store
from shlpt.store.tensors import add_artifact, artifact_bytes
from shlpt.tasks.find import draw, find_task
from shlpt.tasks.task import Metric

if TYPE_CHECKING:
    from torch import Tensor

    from shlpt.backbone.encode import Encoded
    from shlpt.backbone.t5 import Backbone
    from shlpt.methods.base import Ask, State

KIND = "routing."  # of the artifact, before the router and the run
CHUNK = 64
Share = Callable[[float], None]


def _silent(share: float) -> None: ...


def stored(store: Store, runs: Iterable[str]) -> dict[str, dict[str, pd.DataFrame]]:
    """Run -> router -> [task, chosen, told, untold] of each test text, as far as they were measured."""
    owners = {r["kind"]: r["owner"] for r in store.rows(f"SELECT owner, kind FROM artifacts WHERE kind LIKE '{KIND}%'")}
    kinds = {run: {router: f"{KIND}{router}.{run}" for router in ROUTERS} for run in runs}
    return {
        run: {r: _frame(artifact_bytes(store, owners[kind], kind)) for r, kind in named.items() if kind in owners}
        for run, named in kinds.items()
    }


def measure(store: Store, run: str, router: str, device: str = "cpu", watch: Share = _silent) -> pd.DataFrame:
    """[task, chosen, told, untold] of each test text, stored or measured now."""
    spec = frames.spec(store, run)
    _refuse(spec, run, router)
    known = stored(store, [run])[run]
    if router in known:
        return known[router]
    found = _routed(_load(store, run, spec, device), router, watch)
    if store.home != recorded.HOME:
        _keep(store, run, router, spec["tasks"], found)
    return found


def _refuse(spec: Mapping[str, Any], run: str, router: str) -> None:
    method, info = spec["method"], METHODS[spec["method"]]
    if router not in ROUTERS:
        raise unknown("router", router, ROUTERS)
    if not info.is_told_the_task:
        raise UserError(f"{method} is never told the task: without it, its answers are the same")
    if router not in routers_of(method):
        keyed = ", ".join(name for name in METHODS if "keys" in routers_of(name))
        raise UserError(f"{method} has no keys to choose a prompt by ({keyed} have): choose another router")
    if len(spec["tasks"]) == 1:
        raise UserError(
            f"run {run} has learned one task, {spec['tasks'][0]}: there is one prompt, so without being told the task "
            "its answers are the same. Choose a run of several tasks"
        )


# --- to the store and back ----------------------------------------------------------------
def _keep(store: Store, run: str, router: str, tasks: list[str], frame: pd.DataFrame) -> None:
    arrays = {name: frame[name].map(tasks.index).to_numpy(dtype=np.int16) for name in ("task", "chosen")}
    arrays |= {name: frame[name].to_numpy(dtype=np.float64) for name in ("told", "untold")}
    stages = frames.stages(store, run)
    key, kind = stages.loc[~stages["alone"], "key"].iloc[-1], f"{KIND}{router}.{run}"
    made = artifacts.write(store.home, f"{key}.{kind}", artifacts.to_bytes(arrays, {"tasks": tasks}))
    with store.write() as db:
        add_artifact(db, key, kind, made)


def _frame(data: bytes) -> pd.DataFrame:
    arrays, tasks = artifacts.from_bytes(data), np.array(artifacts.about_of(data)["tasks"], dtype=object)
    columns = {name: tasks[arrays[name]] for name in ("task", "chosen")}
    columns |= {name: arrays[name] for name in ("told", "untold")}
    return pd.DataFrame(columns, columns=COLUMNS)


# --- measuring ----------------------------------------------------------------------------
@dataclass(frozen=True)
class _Run:
    """A finished run, ready to answer."""

    method: str
    tasks: list[str]
    training: Training
    backbone: Backbone
    state: State
    train: dict[str, Encoded]
    tests: dict[str, Encoded]
    told: dict[str, list[float]]  # the stored score of each test text
    metrics: dict[str, Metric]

    def ask(self, task: str, of: str, rows: Iterable[int]) -> Ask:
        """Test texts of task `of` with the prompt of `task`."""
        from shlpt.methods.base import answer_of

        return answer_of(self.method)(self.backbone, self.state, task, self.tests[of].batch([*rows]), "decode")


def _load(store: Store, run: str, spec: Mapping[str, Any], device: str) -> _Run:
    from shlpt.backbone.encode import Encoded

    stages = frames.stages(store, run)
    path = stages[~stages["alone"]]
    if not (path["state"] == "done").all():
        raise UserError(f"run {run} is not finished: its answers without being told the task are measured at the end")
    require_current(store, {"id": run, "backbone": spec["backbone"]}, "its prompts belong to those weights")
    left = {row.task: frames.stage(store, row.key) for row in path.itertuples()}
    if any("fingerprint" not in stage or not stage["tests"].get(task) for task, stage in left.items()):
        raise UserError(f"the prompts and answers of run {run} are not recorded, only its scores: choose another run")
    backbone = backbone_of(spec["backbone"], left[spec["tasks"][-1]]["fingerprint"], device)
    t = Training(**spec["training"])

    def encoded(task: str, split: str, shots: int, seed: int) -> Encoded:
        return Encoded(backbone, draw(find_task(task, home=store.home), split, shots, seed), t.max_length)

    tests = {task: encoded(task, *t.scored) for task in spec["tasks"]}
    for task, data in tests.items():
        if [e.id for e in data.examples] != left[task]["tests"][task]["examples"]:
            raise UserError(f"the test texts of {task} have changed since run {run}: train it again to do this")
    train = {task: encoded(task, "train", t.shots, spec["seed"]) for task in spec["tasks"]}
    kinds = {task: find_task(task, home=store.home).metric for task in spec["tasks"]}
    told = {task: left[task]["tests"][task]["scores"] for task in spec["tasks"]}
    state = _state(store, list(path["key"]), METHODS[spec["method"]].uses_history, backbone)
    return _Run(spec["method"], spec["tasks"], t, backbone, state, train, tests, told, kinds)


def _state(store: Store, keys: list[str], hands_on: bool, backbone: Backbone) -> State:
    """What answers all tasks: the last state if each contains those before, otherwise all together."""
    from shlpt.methods.base import State
    from shlpt.training.checkpoint import state_of

    found = State()
    for key in keys[-1:] if hands_on else keys:
        state, pool = state_of(artifact_bytes(store, key, "tensors"), backbone.device), found.pool
        for prompt in state.pool:
            pool = pool.add(prompt.tensor, prompt.task)
        found = State(pool, found.extra | state.extra)
    return found


def _routed(run: _Run, router: str, watch: Share) -> pd.DataFrame:
    lines = []
    scores = {"embeddings": _by_embeddings, "keys": _by_keys, "uncertainty": _by_uncertainty}[router]
    for task, found in zip(run.tasks, scores(run, lambda share: watch(0.8 * share)), strict=True):
        chosen = [run.tasks[place] for place in found.argmax(1).tolist()]
        untold = _answered(run, task, chosen)
        lines += list(zip([task] * len(chosen), chosen, run.told[task], untold, strict=True))
        watch(0.8 + 0.2 * (run.tasks.index(task) + 1) / len(run.tasks))
    return pd.DataFrame(lines, columns=COLUMNS)


def _by_embeddings(run: _Run, watch: Share) -> list[Tensor]:
    from shlpt.methods.routing import by_embeddings, centres

    known = centres([_pooled(run.backbone, run.train[task]) for task in run.tasks])
    return [by_embeddings(_pooled(run.backbone, run.tests[task]), known) for task in run.tasks]


def _pooled(backbone: Backbone, data: Encoded) -> Tensor:
    """[N,d]"""
    import torch

    from shlpt.methods.routing import mean_pool

    parts = [data.batch(range(start, min(start + CHUNK, len(data)))) for start in range(0, len(data), CHUNK)]
    return torch.cat([mean_pool(backbone.embed(batch.ids).detach(), batch.mask) for batch in parts])


def _by_keys(run: _Run, watch: Share) -> list[Tensor]:
    from shlpt.methods.base import match_of
    from shlpt.methods.views import Views

    match, views = match_of(run.method), Views(run.backbone)
    assert match is not None, f"the catalogue says that {run.method} has keys"
    return [match(run.state, views.queries(run.tests[task])) for task in run.tasks]


def _by_uncertainty(run: _Run, watch: Share) -> list[Tensor]:
    import torch

    found = []
    for number, of in enumerate(run.tasks):
        data = run.tests[of]
        entropies = torch.zeros(len(data), len(run.tasks))
        for batch in data.batches(CHUNK):
            rows = list(batch.numbers)
            for place, task in enumerate(run.tasks):
                ask = run.ask(task, of, rows)
                entropies[rows, place] = run.backbone.uncertainty(ask.embeds, ask.mask).cpu()
        found.append(-entropies)
        watch((number + 1) / len(run.tasks))
    return found


def _answered(run: _Run, task: str, chosen: list[str]) -> list[float]:
    """Scores of a task's test texts, each with the chosen prompt. With its own, the answer is the stored one."""
    found, data = list(run.told[task]), run.tests[task]
    for other in run.tasks:
        rows = [row for row, name in enumerate(chosen) if name == other != task]
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            answers = _decoded(run, other, task, some)
            targets = [data.examples[row].target for row in some]
            scores = metrics.score(run.metrics[task], answers, targets, run.training.matching)
            for row, value in zip(some, scores, strict=True):
                found[row] = value
    return found


def _decoded(run: _Run, task: str, of: str, rows: list[int]) -> list[str]:
    """Answers as long as those of the chosen task may be: the true one is not known."""
    from dataclasses import replace

    from shlpt.training.engine import drive

    t, limit = run.training, run.tests[task].limit
    ask = replace(run.ask(task, of, rows), labels=None, limit=limit, beams=t.beams)
    ids: Any = drive([_alone(replace(ask, repetition_penalty=t.repetition_penalty))], run.backbone)[0]
    return run.backbone.text(ids)


def _alone(ask: Ask) -> Any:
    """A lane of one request."""
    return (yield ask)
