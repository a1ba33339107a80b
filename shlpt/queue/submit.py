"""Put runs in the queue. No torch: pages and commands do this at once, whatever trains them later."""

import json
import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shlpt.devices import is_gpu, kind_of, memory_of_gpus
from shlpt.plans.estimate import lanes_in
from shlpt.plans.experiments import Experiment, next_seeds
from shlpt.plans.stages import RunPlan, Stage, alone_specs, every_stage, plans_of
from shlpt.queue import control
from shlpt.queue.enqueue import Taken, enqueue
from shlpt.queue.launch import ensure_worker
from shlpt.results.record import keep_results
from shlpt.spec import RunSpec, digest
from shlpt.store.find import next_edition
from shlpt.store.store import Store, to_json

MOST_WORKERS = 4  # that one press starts
FILLED = 0.8  # of a GPU's memory, by the estimate


@dataclass(frozen=True)
class Submitted:
    specs: tuple[RunSpec, ...]  # one for each that was asked for: two that are equal are one run
    todo: tuple[Stage, ...]  # stages that are to be trained now
    reused: int  # stages that are there

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(spec.id for spec in self.specs)


def planned(
    store: Store, specs: Sequence[RunSpec], *, alone: bool = True, fresh: bool = False, device: str = "auto"
) -> list[RunPlan]:
    """The plans that an estimate and `submit` take. `fresh`: everything is trained again, as a new edition."""
    if not fresh:
        return plans_of(specs, alone, store.home, device)
    edition = next_edition(store)
    specs = [spec.model_copy(update={"edition": edition}) for spec in specs]
    return [replace(plan, fresh=True) for plan in plans_of(specs, alone, store.home, device)]


def again(store: Store, specs: Sequence[RunSpec], *, same: bool) -> list[RunPlan]:
    """Plans for these runs once more: with the next seeds, or with the same ones. What the store has is then trained
    again."""
    if same:
        known = any(store.value("SELECT 1 FROM runs WHERE id=?", (spec.id,)) for spec in specs)
        return planned(store, specs, fresh=known or any(spec.edition for spec in specs))
    alike = {to_json(_without_seed(spec.to_json())) for spec in specs}
    stored = (json.loads(row["spec"]) for row in store.rows("SELECT spec FROM runs"))
    taken = [spec.seed for spec in specs] + [spec["seed"] for spec in stored if to_json(_without_seed(spec)) in alike]
    seeds = sorted({spec.seed for spec in specs})  # runs that share a seed share the new one
    news = dict(zip(seeds, next_seeds(taken, len(seeds)), strict=True))
    return planned(store, [spec.model_copy(update={"seed": news[spec.seed], "edition": 0}) for spec in specs])


def _without_seed(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in spec.items() if key not in ("seed", "edition")}


def submit(store: Store, plans: Sequence[RunPlan], *, lanes: int | None = None, device: str = "auto") -> Submitted:
    """Queue planned runs; stopped and failed runs resume. The store is made here: a plan that fails leaves none."""
    store.open()
    try:
        enqueue(store, plans, lanes or width_for(plans, device))
    except Taken:  # planning takes a while: another command was faster, and each trains its own
        alone = any(plan.alone for plan in plans)
        again = planned(store, [plan.spec for plan in plans], alone=alone, fresh=True, device=device)
        return submit(store, again, lanes=lanes, device=device)
    sent = tuple(plan.spec for plan in plans)
    control.resume(store, [spec.id for spec in sent])
    keep_results(store, dict.fromkeys(spec.id for spec in sent))  # other runs may have trained all of their stages
    stages = every_stage(plans)
    todo = tuple(stages[key] for key in control.unfinished(store, stages))
    return Submitted(sent, todo, len(stages) - len(todo))


def default_width(device: str = "auto", many: bool = False) -> int:
    """Lanes in a group: a GPU has room for many, a CPU is busy with a few; some more where there are many runs."""
    return 16 if is_gpu(device) else 6 if many else 4


def width_for(plans: Sequence[RunPlan], device: str = "auto", many: bool = False) -> int:
    """Lanes in a group of these runs: on a CUDA device as many as its memory holds, by the estimate of what they need.
    All of its memory, not what is free now: which stages share forward passes must not depend on the moment."""
    if kind_of(device) != "cuda" or not plans or not (memory := memory_of_gpus()):
        return default_width(device, many)
    number = int(device.partition(":")[2] or 0)
    room = memory[number] if number < len(memory) else min(memory)
    specs = {(p.spec.method, p.spec.backbone, p.spec.precision, p.spec.training): p.spec for p in plans}.values()
    return min(lanes_in(spec, int(FILLED * room)) for spec in specs)


def start_experiment(
    store: Store, experiment: Experiment, plans: Sequence[RunPlan], *, lanes: int | None = None, device: str = "auto"
) -> tuple[str, Submitted]:
    """Queue all planned runs and store the experiment. An experiment that exists already is resumed."""
    sent = submit(store, plans, lanes=lanes or width_for(plans, device, many=True), device=device)
    id = experiment.joins or experiment.id
    if any(plan.fresh for plan in plans) and not experiment.joins:
        id = f"x{digest([experiment.kind, experiment.name, sent.runs])}"
    with store.write() as db:
        first = 0
        if experiment.joins:
            last = "SELECT coalesce(max(number), -1) + 1 FROM experiment_runs WHERE experiment=?"
            (first,) = db.execute(last, (id,)).fetchone()
        else:
            _set_aside(db, id, sent.runs)
            db.execute(
                "INSERT INTO experiments (id, kind, name, about, created) VALUES (?,?,?,?,?) "
                "ON CONFLICT (id) DO UPDATE SET about=excluded.about",  # the same runs against another reference
                (id, experiment.kind, experiment.name, to_json(experiment.about), time.time()),
            )
        db.executemany(
            "INSERT INTO experiment_runs (experiment, number, run, cell) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
            [
                (id, number, run, to_json(cell.label))
                for number, (run, cell) in enumerate(zip(sent.runs, experiment.cells, strict=True), first)
            ],
        )
    return id, sent


def start_race(store: Store, experiment: Experiment) -> str:
    """Queue the pairs of a matrix for somebody who watches: seed by seed, what a target is compared with first, shared
    by as many workers of one thread as there are cores. On a small backbone two of them are faster than one with two
    threads. Returns the id of the experiment."""
    gpu, cores = is_gpu("auto"), min(os.cpu_count() or 1, MOST_WORKERS)
    plans = plans_of(experiment.specs, home=store.home)
    lanes = width_for(plans) if gpu or cores == 1 else 1
    for seed in dict.fromkeys(plan.spec.seed for plan in plans):
        mine = [plan for plan in plans if plan.spec.seed == seed]
        alone = {one.id: one for plan in mine for one in alone_specs(plan.spec)}
        submit(store, plans_of([*alone.values()], alone=False, home=store.home), lanes=lanes)
        submit(store, mine, lanes=lanes)
    id, sent = start_experiment(store, experiment, plans, lanes=lanes)
    if sent.todo:
        ensure_worker(store, threads=None if gpu else 1, count=1 if gpu else cores)
    return id


def _set_aside(db: sqlite3.Connection, id: str, runs: Sequence[str]) -> None:
    """An experiment whose runs were made with other weights keeps them, under an id of its own."""
    query = "SELECT run FROM experiment_runs WHERE experiment=? AND number<? ORDER BY number"
    before = [row[0] for row in db.execute(query, (id, len(runs)))]
    if before and before != list(runs[: len(before)]):
        aside = f"{id}-{digest(before, size=3)}"
        db.execute("UPDATE experiments SET id=? WHERE id=?", (aside, id))
        db.execute("UPDATE experiment_runs SET experiment=? WHERE experiment=?", (aside, id))
