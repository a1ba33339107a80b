"""Runs as a tree of stages, and stages as lane groups. No torch. A stage is one task learned after a given history.
Runs with the same first tasks share stages, so no stage is trained twice. A lane group is a set of stages that share
forward passes: same depth and method, up to a fixed width. It follows from the plan alone."""

import math
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any

from shlpt.backbone.files import digest_of, whole_name
from shlpt.catalog import METHODS, PLAIN
from shlpt.catalog.params import NoParams, Params
from shlpt.devices import kind_of
from shlpt.errors import UserError
from shlpt.spec import RunSpec, Training, digest, refuse_repeats
from shlpt.tasks import prompts
from shlpt.tasks.find import draw, find_task, in_suite, is_given, is_stored


@dataclass(frozen=True)
class Stage:
    """One task learned after a history. The key is a hash of everything that decides the result."""

    key: str
    parent: str | None
    task: str
    earlier: tuple[str, ...]  # tasks that the initial state depends on, oldest first
    suite: str
    method: str
    params: Params
    training: Training
    seed: int
    backbone: str = ""  # digest of its weights
    device: str = ""  # cpu, cuda or mps; a stage that an older program planned may be trained anywhere
    data: tuple[str, ...] = ()  # digests of the examples of the earlier tasks and of this one, if they are stored ones
    rows: int = 0  # training examples of a stored task

    @property
    def depth(self) -> int:
        return len(self.earlier)


@dataclass(frozen=True)
class LaneGroup:
    """Stages that train together: what a worker claims, and the unit of stop, pause and resume."""

    key: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class RunPlan:
    spec: RunSpec
    stages: tuple[Stage, ...]  # one for each task of the sequence
    alone: tuple[Stage, ...]  # each later task learned alone, the reference of forward transfer
    fresh: bool = False  # trained again, not reused: a new edition of the run


def every_stage(plans: Iterable[RunPlan]) -> dict[str, Stage]:
    """All stages of the runs by key, each once: the runs' own, then the tasks learned alone."""
    return {stage.key: stage for plan in plans for stage in (*plan.stages, *plan.alone)}


def data_digest(name: str, suite: str, training: Training, seed: int, home: Path | None = None) -> str:
    """A hash of the examples of a stage. Other examples make another stage."""
    stored = in_suite(name, suite)[0] != "pocket"
    splits = (("train", training.shots, seed), ("validation", training.validation_shots, seed), training.scored)
    found: list[Any] = [_drawn(name, suite, *split, home) if stored else _generated(name, *split) for split in splits]
    if stored and (prompt := find_task(name, suite, home).prompt):
        found.append(prompt)  # other numbers make another stage too
    return digest(found, size=8)


def _drawn(name: str, suite: str, split: str, per_group: int, seed: int, home: Path | None) -> list[str]:
    return [e.id for e in draw(find_task(name, suite, home), split, per_group, seed)]


@lru_cache(8192)  # generated texts never change
def _generated(name: str, split: str, per_group: int, seed: int) -> list[str]:
    return _drawn(name, "pocket", split, per_group, seed, None)


def stages_of(
    spec: RunSpec, backbone: str, data: Callable[[str], str], rows: Callable[[str], int] = lambda _: 0
) -> tuple[Stage, ...]:
    """The stages of a run in order. `data` returns the digest of a task's examples, `rows` how many it trains on."""
    info = METHODS[spec.method]
    stages: list[Stage] = []
    for position, task in enumerate(spec.tasks):
        has_history = position > 0 and info.uses_history
        plain = not has_history and info.plain_first
        method, params = (PLAIN, NoParams()) if plain else (spec.method, spec.params)
        parent = stages[-1].key if has_history else None
        content: dict[str, Any] = {"parent": parent, "task": task, "data": data(task), "backbone": backbone}
        content |= {"suite": spec.suite, "seed": spec.seed}
        content["dtype"] = "auto" if spec.precision == "float32" else spec.precision  # as older stages have it
        if spec.device != "cpu":
            content["device"] = spec.device
        content |= {"method": method, "version": METHODS[method].version, "params": params.model_dump(mode="json")}
        content |= {"training": spec.training.model_dump(mode="json")}
        if spec.edition:
            content["edition"] = spec.edition
        earlier = spec.tasks[:position] if has_history else ()
        key = digest(content, size=10)
        lesson = (spec.suite, method, params, spec.training, spec.seed, backbone, spec.device)
        made_of = tuple(map(data, (*earlier, task))) if any(map(is_stored, (*earlier, task))) else ()
        stages.append(Stage(key, parent, task, earlier, *lesson, made_of, rows(task) if is_stored(task) else 0))
    return tuple(stages)


def with_known_names(spec: RunSpec, home: Path | None = None) -> RunSpec:
    """The same run with canonical task names: `dial:0.5` is `dial:+0.50`. Unknown names are refused."""
    names = [find_task(name, spec.suite, home).name for name in spec.tasks]
    refuse_repeats(names)
    for name in spec.params.tasks_named():
        find_task(name, home=home)
    if spec.params.needs_relatedness() and (stored := [name for name in names if is_stored(name)]):
        raise UserError(
            f"{spec.method} needs to know which tasks are related, and that is declared only for generated tasks, not "
            f"for {', '.join(stored)}: give measured pairs, as in --set similar_pairs={names[0]}>{names[-1]}"
        )
    suites = {in_suite(name)[0] for name in names}
    return spec.model_copy(update={"tasks": tuple(names), "suite": suites.pop() if len(suites) == 1 else "pocket"})


def plan_runs(specs: Sequence[RunSpec], backbone: str, alone: bool = True, home: Path | None = None) -> list[RunPlan]:
    """The stages of each run; with `alone` also each later task learned alone. Stored tasks are looked for in `home`,
    the folder of the store."""
    known: dict[tuple[Any, ...], str] = {}
    plans = []
    for spec in (with_known_names(spec, home) for spec in specs):
        _refuse_unfit(spec, backbone, home)

        def data(task: str, spec: RunSpec = spec) -> str:
            key = (task, spec.suite, spec.training, spec.seed)
            if key not in known:
                known[key] = data_digest(*key, home)
            return known[key]

        def rows(task: str, spec: RunSpec = spec) -> int:
            return len(draw(find_task(task, spec.suite, home), "train", spec.training.shots, spec.seed))

        single = tuple(stages_of(one, backbone, data, rows)[0] for one in alone_specs(spec)) if alone else ()
        plans.append(RunPlan(spec, stages_of(spec, backbone, data, rows), single))
    return plans


def _refuse_unfit(spec: RunSpec, backbone: str, home: Path | None) -> None:
    """Imported prompts belong to the weights that they were trained on, and to methods that start from prompts."""
    for name in filter(is_given, spec.tasks):
        given = prompts.find(in_suite(name)[1].partition("@")[0], home)
        if not METHODS[spec.method].takes_prompts:
            able = ", ".join(info.name for info in METHODS.values() if info.takes_prompts)
            raise UserError(
                f"{spec.method} cannot begin with the imported prompt {name}: it needs more of an earlier task than "
                f"its prompt. Methods that can: {able}"
            )
        if given.backbone != backbone:
            raise UserError(
                f"the prompt {name} was trained on other weights than those of the backbone {spec.backbone!r}: choose "
                "with --backbone the one that it was imported for"
            )
        if given.length != spec.training.prompt_length:
            raise UserError(
                f"the prompt {name} has {given.length} rows, and the prompts of this run have "
                f"{spec.training.prompt_length}: add --set prompt_length={given.length}"
            )


def alone_specs(spec: RunSpec) -> list[RunSpec]:
    """Each later task learned alone, the reference of forward transfer. On the frozen backbone it is learned with
    per-task prompts for every method. A method that trains the weights is its own reference."""
    plain = {"method": PLAIN, "params": NoParams()} if METHODS[spec.method].shares_backbone else {}
    return [spec.model_copy(update={"tasks": (task,), **plain}) for task in spec.tasks[1:]]


def lane_groups(plans: Iterable[RunPlan], width: int, only: Container[str] | None = None) -> list[LaneGroup]:
    """All stages (or those of `only`), parents first, in groups of at most `width` lanes. Tasks learned alone come
    last."""
    plans = list(plans)
    path = {s.key: s for plan in plans for s in plan.stages}
    stages = path | {s.key: s for plan in plans for s in plan.alone if s.key not in path}
    order = {key: number for number, key in enumerate(stages)}
    chosen = [s for s in stages.values() if only is None or s.key in only]
    ranked = sorted(chosen, key=lambda s: (s.key not in path, s.depth, s.method, s.task, order[s.key]))
    groups = []
    for _, together in groupby(ranked, key=lambda s: (s.key not in path, s.depth, s.method)):
        row = list(together)
        for start in range(0, len(row), width):
            members = tuple(row[start : start + width])
            groups.append(LaneGroup(digest([s.key for s in members], size=10), members))
    return groups


def stage_json(stage: Stage) -> dict[str, Any]:
    models = {key: getattr(stage, key).model_dump(mode="json") for key in ("params", "training")}
    stored = {"data": list(stage.data), "rows": stage.rows}
    found = {key: value for key, value in vars(stage).items() if key not in stored}
    return found | {"earlier": list(stage.earlier)} | models | {key: value for key, value in stored.items() if value}


def stage_from(row: Mapping[str, Any]) -> Stage:
    params, training = METHODS[row["method"]].params.stored(row["params"]), Training(**row["training"])
    tuples = {key: tuple(row.get(key, ())) for key in ("earlier", "data")}
    return Stage(**{**row, **tuples, "params": params, "training": training})


def steps_of(stage: Stage) -> int:
    """Training steps of a stage that never stops early."""
    rows = stage.rows
    if is_given(stage.task):
        return 0
    if not rows:
        task = find_task(stage.task)
        rows = (task.shots or stage.training.shots) * task.classes
    return stage.training.epochs * math.ceil(rows / stage.training.batch_size)


def plans_of(
    specs: Sequence[RunSpec], alone: bool = True, home: Path | None = None, device: str = "auto"
) -> list[RunPlan]:
    """A plan for each spec, in order, on the backbone that the spec names and the device that is asked for."""
    kind = kind_of(device)
    specs = [spec.model_copy(update={"backbone": whole_name(spec.backbone), "device": kind}) for spec in specs]
    found: dict[int, RunPlan] = {}
    for name in dict.fromkeys(spec.backbone for spec in specs):
        mine = [place for place, spec in enumerate(specs) if spec.backbone == name]
        plans = plan_runs([specs[place] for place in mine], digest_of(name), alone, home)
        found |= zip(mine, plans, strict=True)
    return [found[place] for place in range(len(specs))]
