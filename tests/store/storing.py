"""Small stores for tests of runs: planned, with stages finished by hand, nothing trained."""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from shlpt.plans.stages import RunPlan, alone_specs, stages_of
from shlpt.queue import claims
from shlpt.queue.claims import Finished, Job
from shlpt.queue.enqueue import enqueue
from shlpt.spec import RunSpec
from shlpt.store import artifacts, liveness
from shlpt.store.liveness import Observer
from shlpt.store.locks import Lock
from shlpt.store.store import Store

SLOW = float(os.environ.get("SHLPT_SLOW_MACHINE", "1"))  # bounds on seconds times this: others use the machine too
TINY: dict[str, Any] = {"epochs": 2, "shots": 4, "validation_shots": 2, "test_shots": 6, "prompt_length": 4}


def spec_of(tasks: Sequence[str] = ("sst2", "rte"), method: str = "shlpt", seed: int = 1, **settings: Any) -> RunSpec:
    return RunSpec.make(tasks, method, seed=seed, settings=TINY | settings)


def plan_of(spec: RunSpec, alone: bool = False, backbone: str = "b0") -> RunPlan:
    """A plan whose data are told apart by name only, which is fast."""
    single = tuple(stages_of(one, backbone, str)[0] for one in alone_specs(spec)) if alone else ()
    return RunPlan(spec, stages_of(spec, backbone, str), single)


def queued(store: Store, *specs: RunSpec, width: int = 4, alone: bool = False) -> list[RunPlan]:
    plans = [plan_of(spec, alone) for spec in specs]
    enqueue(store, plans, width)
    return plans


def finished(key: str, tests: Mapping[str, Sequence[float]], error: str | None = None) -> Finished:
    rows = {
        task: {"examples": [f"{task}/{i}" for i in range(len(s))], "targets": ["a"] * len(s), "answers": ["b"] * len(s)}
        | {"scores": list(s)}
        for task, s in tests.items()
    }
    summary = {"steps": 4, "epochs": 2, "validation": 0.5, "trainable": 10, "stored_bytes": 40, "failure": error or ""}
    return Finished(key, {"pool": list(tests)}, summary, rows, 1.5, error)


def finish(store: Store, key: str, tests: Mapping[str, Sequence[float]], error: str | None = None) -> None:
    """As a worker does it, without a claim."""
    data = artifacts.to_bytes({"prompt.0": np.ones((2, 3), dtype=np.float32)}, {"pool": list(tests)})
    with store.write() as db:
        claims.finish_stage(db, finished(key, tests, error), artifacts.write(store.home, f"{key}.1", data))


_LOCKS: dict[tuple[str, str], Lock] = {}


def join(store: Store, worker: str = "w1") -> str:
    """A worker of this machine, which is alive until `claims.leave`."""
    if before := _LOCKS.pop((str(store.home), worker), None):
        before.close()
    _LOCKS[str(store.home), worker] = lock = liveness.hold(store.home, worker)
    liveness.mark(lock)
    claims.register(store, worker, "cpu")
    return worker


def join_elsewhere(store: Store, worker: str = "w1", beat: int = 0) -> str:
    """A worker of another machine, which nobody here can judge but by its beat."""
    with store.write() as db:
        row = (worker, "elsewhere", 7, "cpu", 0, beat)
        db.execute("INSERT INTO workers (id, host, pid, device, started, beat) VALUES (?,?,?,?,?,?)", row)
    return worker


def take(store: Store, worker: str = "w1", observer: Observer | None = None) -> Job | None:
    return claims.claim(store, worker, observer or Observer(store))


def taken(store: Store, worker: str = "w1") -> Job:
    job = take(store, worker)
    assert job is not None
    return job


def until(true: Callable[[], Any], seconds: float = 30 * max(3.0, SLOW)) -> Any:
    """What it is as soon as it holds."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    return found


def at_once(act: Callable[..., None], *arguments: tuple[Any, ...]) -> list[int | None]:
    """Exit codes of processes that do it at the same time."""
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=act, args=given) for given in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return [process.exitcode for process in processes]


def group_rows(store: Store) -> list[dict[str, Any]]:
    return store.rows("SELECT key, state, wish, worker, claim, note, warnings FROM groups ORDER BY number")


def states(store: Store) -> list[str]:
    return [row["state"] for row in group_rows(store)]


def stage_events(store: Store, key: str) -> list[dict[str, Any]]:
    """All that a stage said."""
    rows = store.rows(
        "SELECT seq, kind, at, payload FROM events WHERE stage=(SELECT id FROM stages WHERE key=?) ORDER BY seq", (key,)
    )
    return [{"seq": r["seq"], "kind": r["kind"], "at": r["at"]} | json.loads(r["payload"]) for r in rows]
