"""Run an experiment: estimate, train, report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shlpt.cli import warn
from shlpt.cli.options import Way, require_device, set_threads
from shlpt.cli.report import errors, show
from shlpt.errors import unknown
from shlpt.results.rows import RowsOf
from shlpt.store.store import Store

if TYPE_CHECKING:
    from shlpt.plans.experiments import Experiment
    from shlpt.plans.stages import RunPlan
    from shlpt.queue.submit import Submitted


@dataclass(frozen=True)
class Study(Way):
    """An experiment also has a name and may run on a cluster."""

    name: Annotated[str, typer.Option(help="Name of the experiment.")] = ""
    executor: Annotated[
        str, typer.Option(help="Where to train: local, or ray for a Ray cluster (see docs/cluster.md).")
    ] = "local"
    address: Annotated[
        str | None, typer.Option(help="Address of the Ray cluster (default: start one on this machine).")
    ] = None


def carry_out(
    experiment: Experiment, way: Study, rows_of: RowsOf, quiet: bool = False, plans: list[RunPlan] | None = None
) -> dict[str, Any]:
    """Print the estimated cost, train what is missing, show the results.

    Exits with code 1 if runs are unfinished. With `quiet`, nothing is shown and the caller reads `left`.
    """
    from shlpt.plans.estimate import duration, estimate
    from shlpt.queue.submit import planned, start_experiment
    from shlpt.results.frames import states

    begin = time.monotonic()
    if way.executor not in ("local", "ray"):
        raise unknown("executor", way.executor, ("local", "ray"))
    if way.executor == "ray":
        from shlpt.work import cluster

        cluster.check(way.address, way.detach)
    else:
        require_device(way.device)
    store = Store(way.home)
    set_threads(way.threads)
    plans = plans or planned(store, experiment.specs, fresh=way.fresh, device=way.device)
    store.open()  # what cannot be planned leaves none
    cost = estimate(store, plans, calibrated(store, experiment, way))
    said = f"{len(experiment.specs)} runs: {cost.stages} stages to train, {cost.reused} reused"
    errors.print(f"{said}, about {duration(cost.seconds)} for one worker" if cost.stages else said)
    warn.before(experiment.specs, way.home)
    id, sent = start_experiment(store, experiment, plans, lanes=way.lanes, device=way.device)
    counts = train(store, sent, way)
    left = {} if way.detach else {state: n for state, n in states(store, sent.runs).items() if state != "done"}
    rows, document = rows_of(store, id, way.csv)
    about = {"id": id, "kind": experiment.kind, "name": experiment.name, "runs": len(sent.runs), "estimate": vars(cost)}
    document = {**about, "seconds": round(time.monotonic() - begin, 2), **counts, "left": left, **document}
    if not quiet:
        show(rows, f"{experiment.name} ({id})", as_json=way.json, as_csv=way.csv, document=document)
    errors.print(f"{document['seconds']:.1f} s, {counts['trained']} stages trained, {counts['reused']} reused")
    if not way.detach:
        warn.after(store, sent.runs)
    if left:
        said = ", ".join(f"{count} {state}" for state, count in left.items())
        errors.print(f"unfinished runs: {said}; run the same command again to resume them")
    if left and not quiet:
        raise SystemExit(1)
    return document


def train(store: Store, sent: Submitted, way: Study) -> dict[str, int]:
    """In this process, on a cluster, or (detached) by a worker that outlives this command."""
    if way.detach:
        from shlpt.queue.launch import ensure_worker

        if sent.todo:
            ensure_worker(store, device=way.device, threads=way.threads)
        return {"trained": 0, "reused": sent.reused}
    from shlpt.cli.bar import BarWatch
    from shlpt.queue.control import stopping_on_interrupt

    with BarWatch() as watch:
        if way.executor == "ray":
            from shlpt.work.cluster import work_on_cluster

            watch.planned(sent.todo, sent.reused)
            with stopping_on_interrupt(store, sent.runs):
                work_on_cluster(store, sent.runs, device=way.device, address=way.address, watch=watch)
        else:
            from shlpt.work import worker

            worker.train(store, sent, device=way.device, watch=watch)
        return watch.counts()


def calibrated(store: Store, experiment: Experiment, way: Study) -> float:
    """Seconds of a plain training step, from a short trial if the store has no measurement yet."""
    from shlpt.plans.estimate import LAPTOP_SECONDS_PER_STEP, measured
    from shlpt.queue.submit import default_width

    if measured(store).usual is not None or way.detach:
        return LAPTOP_SECONDS_PER_STEP
    from shlpt.backbone.t5 import load
    from shlpt.training.speed import calibrate

    spec, lanes = experiment.specs[0], way.lanes or default_width(way.device, many=True)
    return calibrate(load(spec.backbone, way.device, spec.dtype), spec.training, lanes)
