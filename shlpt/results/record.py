"""The record of a run: state, accuracy matrix and metrics, read from its stages. No torch."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from shlpt.analysis import metrics
from shlpt.catalog import METHODS
from shlpt.results.weights import is_older, weights_of
from shlpt.store import liveness
from shlpt.store.find import find_run
from shlpt.store.liveness import Observer
from shlpt.store.store import Store, clean, to_json

GOING = ("queued", "running")  # states in which numbers change by themselves
OVER = ("done", "failed", "stopped", "lost")

_STAGES = """
    SELECT r.run, r.alone, r.position, r.reused, s.key, s.task, s.state, s.error, s.steps, s.seconds, s.summary,
           g.state AS group_state, g.worker, g.note, g.warnings, g.claim
    FROM run_stages r JOIN stages s ON s.key=r.stage JOIN groups g ON g.key=s.grp
    WHERE r.run=? ORDER BY r.alone, r.position
"""


class Record(TypedDict):
    """What a run is and came to, as JSON. What is not known yet is None."""

    id: str
    method: str
    tasks: list[str]
    seed: int
    state: str  # queued, running, paused, stopped, done, failed or lost
    error: str | None
    progress: float  # share of the training steps
    warnings: list[str]
    matrix: list[list[float | None]]  # a[i][k]: score on task k after task i
    alone: list[float | None] | None  # each task but the first learned alone
    acc: float | None
    bwt: float | None
    fwt: float | None
    settings: dict[str, Any]
    suite: str
    backbone: str
    weights: str | None  # a hash of those it was made with
    older: bool  # the backbone has other weights now
    seconds: float
    trainable: int | None
    stored_bytes: int | None
    name: str
    note: str
    created: float
    spec: dict[str, Any]
    stages: list[str]
    alone_stages: list[str]
    reused: list[str]


def matrix(scores: Sequence[Mapping[str, float] | None], tasks: Sequence[str], keeps_answers: bool) -> metrics.Matrix:
    """a[i][k] from the mean scores that each stage measured; NaN above the diagonal and where a stage is missing."""
    a = np.full((len(tasks), len(tasks)), np.nan)
    for i, measured in enumerate(scores):
        if measured is None:
            break
        for k in range(i + 1):
            # What answers task k never changed after task k: its score is not measured again.
            source = scores[k] if keeps_answers else measured
            if source is not None:
                a[i, k] = source[tasks[k]]
    return a


def run_record(store: Store, id: str) -> Record:
    """A run as JSON: its spec, its state, its matrix and metrics."""
    row = store.row("SELECT * FROM runs WHERE id=?", (find_run(store, id),))
    assert row is not None
    found: Any = json.loads(row["result"]) if row["result"] else _work_out(store, row)
    return _whole(store, row, found)


def _whole(store: Store, row: Mapping[str, Any], found: Any) -> Record:
    """What is stored of a finished run, with what its row has already."""
    spec, weights = json.loads(row["spec"]), weights_of(store, row["id"])
    asked = {key: row[key] for key in ("id", "name", "note", "created")}
    asked |= {key: spec[key] for key in ("method", "tasks", "seed", "suite", "backbone")}
    asked |= {"settings": spec["training"] | spec["params"], "spec": spec}
    record: Record = asked | found | asked | {"weights": weights, "older": is_older(spec["backbone"], weights)}
    return record


def keep_results(store: Store, runs: Iterable[str]) -> None:
    """Store the records of finished runs, so that lists load fast."""
    new = [run for run in runs if not store.value("SELECT result FROM runs WHERE id=?", (run,))]
    rows = store.rows("SELECT * FROM runs WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(new),))
    done = [(row["id"], found) for row in rows if (found := _work_out(store, row))["state"] == "done"]
    if done:
        with store.write() as db:
            db.executemany("UPDATE runs SET result=? WHERE id=?", [(to_json(found), id) for id, found in done])


def _work_out(store: Store, row: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored of a finished run."""
    spec = json.loads(row["spec"])
    stages = store.rows(_STAGES, (row["id"],))
    path = [s for s in stages if not s["alone"]]
    scores = {s["key"]: _scores(store, s["key"]) if s["state"] == "done" else None for s in stages}
    tasks = spec["tasks"]
    a = matrix([scores[s["key"]] for s in path], tasks, METHODS[spec["method"]].keeps_answers)
    complete = all(s["state"] == "done" for s in path)
    alone = [(scores[s["key"]] or {}).get(s["task"], np.nan) for s in stages if s["alone"]]
    has_alone = complete and len(alone) == len(tasks) - 1 and not np.isnan(alone).any()
    state, error = state_of_run(store, stages)
    summaries = [json.loads(s["summary"]) for s in path if s["summary"]]
    record = {
        "state": state,
        "error": error,
        "progress": progress(store, stages),
        "warnings": list(dict.fromkeys(line for s in stages for line in s["warnings"].splitlines())),
        "matrix": a.tolist(),
        "alone": [np.nan, *alone] if has_alone else None,
        "acc": metrics.average_accuracy(a) if complete else None,
        "bwt": metrics.backward_transfer(a) if complete else None,
        "fwt": metrics.forward_transfer(a, [np.nan, *alone]) if has_alone else None,
        "seconds": sum(s["seconds"] or 0 for s in path),
        "trainable": max((s["trainable"] for s in summaries), default=None),
        "stored_bytes": _stored(summaries, METHODS[spec["method"]].uses_history),
        "stages": [s["key"] for s in path],
        "alone_stages": [s["key"] for s in stages if s["alone"]],
        "reused": [s["key"] for s in stages if s["reused"]],
    }
    found: dict[str, Any] = clean(record)
    return found


def _stored(summaries: Sequence[Mapping[str, Any]], hands_on: bool) -> int | None:
    """Bytes needed to answer all tasks: the last state if each contains those before, otherwise the sum."""
    sizes = [summary["stored_bytes"] for summary in summaries]
    if not sizes:
        return None
    return int(sizes[-1] if hands_on else sum(sizes))


def _scores(store: Store, key: str) -> dict[str, float]:
    rows = store.rows("SELECT task, mean FROM scores WHERE stage=(SELECT id FROM stages WHERE key=?)", (key,))
    return {row["task"]: row["mean"] for row in rows}


def state_of_run(store: Store, stages: Sequence[Mapping[str, Any]]) -> tuple[str, str | None]:
    """queued, running, paused, stopped, done, failed or lost, with the reason if there is one."""
    for stage in stages:
        if stage["state"] == "failed" and not stage["alone"]:
            return "failed", stage["error"]
    waiting = [s for s in stages if s["state"] == "queued"]
    if not waiting:
        return "done", None
    states = {s["group_state"] for s in waiting}
    note = next((s["note"] for s in waiting if s["note"]), None)
    if "failed" in states:
        return "failed", note
    observer = Observer(store)
    if "running" in states:
        lost = [s for s in waiting if s["group_state"] == "running" and not observer.alive(s["worker"])]
        if not lost:
            return "running", note
        then = "another worker will take over" if liveness.expected(store) else "resume the run to continue"
        return "lost", f"its worker has ended; {then}"
    return next((state for state in ("paused", "stopped") if state in states), "queued"), note


def over(store: Store) -> set[str]:
    """States in which a run no longer changes; a lost one still does while another worker can take over."""
    return set(OVER) - ({"lost"} if liveness.expected(store) else set())


def progress(store: Store, stages: Sequence[Mapping[str, Any]]) -> float:
    """Share of the training steps; a stage that stopped early counts as complete."""
    total = sum(s["steps"] for s in stages)
    done = sum(s["steps"] for s in stages if s["state"] != "queued")
    begun = [s for s in stages if s["state"] == "queued" and s["claim"]]
    done += sum(min(s["steps"], _steps_so_far(store, s["key"])) for s in begun)
    return round(done / total, 4) if total else 1.0


def _steps_so_far(store: Store, key: str) -> int:
    query = "SELECT count(*) FROM events WHERE stage=(SELECT id FROM stages WHERE key=?) AND kind='step'"
    return int(store.value(query, (key,)))


def summarise(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean, standard deviation and 95 % interval over the seeds of a run set."""
    values = {name: [r[name] for r in records if r[name] is not None] for name in ("acc", "bwt", "fwt")}
    return {name: metrics.summary(found, share=name == "acc") for name, found in values.items()}
