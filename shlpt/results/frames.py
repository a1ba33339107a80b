"""The store as data frames, for pages and commands. No torch, read-only. Every function works while workers write."""

import json
import socket
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from shlpt.errors import UserError
from shlpt.results.record import progress, run_record, state_of_run
from shlpt.results.weights import OF_RUN, is_older, weights_of
from shlpt.spec import RunSpec, Training, digest
from shlpt.store import artifacts, liveness
from shlpt.store.find import find_run
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks.find import draw, find_task, is_stored
from shlpt.tasks.task import Example

LIST_COLUMNS = "id name method tasks seed state progress acc bwt fwt backbone weights older created note".split()
LIST_COLUMNS += ["experiment"]
STAGE_COLUMNS = "task alone position method state reused steps planned_steps epochs validation trainable".split()
STAGE_COLUMNS += "stored_bytes seconds note key".split()
POINTS = 1000  # of a curve, after thinning


# --- runs ---------------------------------------------------------------------------------
_LIST = f"""
    SELECT r.id, r.name, r.note, r.spec, r.created, r.result, {OF_RUN} AS weights,
      (SELECT e.name FROM experiment_runs x JOIN experiments e ON e.id=x.experiment WHERE x.run=r.id) AS experiment
    FROM runs r WHERE {{}} ORDER BY r.created DESC, r.id
"""
_OPEN = """
    SELECT rs.run, rs.alone, s.key, s.steps, s.state, s.error, g.state AS group_state, g.worker, g.note, g.claim
    FROM runs r JOIN run_stages rs ON rs.run=r.id JOIN stages s ON s.key=rs.stage JOIN groups g ON g.key=s.grp
    WHERE r.result IS NULL AND {}
"""


def runs(store: Store, ids: Iterable[str] | None = None) -> pd.DataFrame:
    """All runs or the given ones, one row each, the newest first."""
    wanted, values = ("1", ()) if ids is None else ("r.id IN (SELECT value FROM json_each(?))", (json.dumps([*ids]),))
    unfinished: dict[str, list[Mapping[str, Any]]] = {}
    for row in store.rows(_OPEN.format(wanted), values):
        unfinished.setdefault(row["run"], []).append(row)
    lines, older = [], cache(is_older)  # the files of a backbone are looked at once
    for row in store.rows(_LIST.format(wanted), values):
        spec, stages = json.loads(row["spec"]), unfinished.get(row["id"], [])
        result = json.loads(row["result"]) if row["result"] else {}
        state = "done" if result else state_of_run(store, stages)[0]
        if state == "done" and not result:  # its worker died before it could write the state
            result = run_record(store, row["id"])
        line = {key: row[key] for key in ("id", "name", "created", "note", "experiment", "weights")}
        line |= {key: spec[key] for key in ("method", "tasks", "seed", "backbone")}
        line |= {key: result.get(key) for key in ("acc", "bwt", "fwt")}
        line["older"] = older(spec["backbone"], row["weights"])
        lines.append(line | {"state": state, "progress": 1.0 if result else progress(store, stages)})
    return pd.DataFrame(lines, columns=LIST_COLUMNS)


def run(store: Store, id: str) -> dict[str, Any]:
    """Everything about a run: the output of `runs show`."""
    record = run_record(store, id)
    worker = store.row(
        "SELECT w.id, w.pid, w.host, w.beat, w.log, w.device FROM run_stages r JOIN stages s ON s.key=r.stage "
        "JOIN groups g ON g.key=s.grp JOIN workers w ON w.id=g.worker WHERE r.run=? AND s.state='queued' "
        "ORDER BY g.number LIMIT 1",
        (record["id"],),
    )
    return {**record, "worker": worker}


def states(store: Store, ids: Iterable[str]) -> dict[str, int]:
    """The number of these runs in each state."""
    return {str(state): int(count) for state, count in runs(store, ids)["state"].value_counts().items()}


def troubles(store: Store, ids: Iterable[str], lines: int = 20) -> list[dict[str, Any]]:
    """The failed and lost runs, each with the reason and the end of its worker's log."""
    frame, found = runs(store, ids), []
    for id in frame["id"][frame["state"].isin(["failed", "lost"])]:
        record = run(store, id)
        worker = record["worker"] or {}
        tail = log_tail(store, worker["log"], lines) if worker.get("log") else []
        found.append(
            {"id": id, "state": record["state"], "error": record["error"], "worker": worker.get("id"), "log": tail}
        )
    return found


def spec(store: Store, id: str) -> dict[str, Any]:
    """The spec of a run, with `settings` as one flat mapping as `--set` takes them, and its weights."""
    found: dict[str, Any] = json.loads(store.value("SELECT spec FROM runs WHERE id=?", (id,)))
    return found | {"settings": found["training"] | found["params"], "weights": weights_of(store, id)}


def stages(store: Store, id: str) -> pd.DataFrame:
    """The stages of a run: task, state, whether reused, steps, best validation score, seconds, warning."""
    rows = store.rows(
        "SELECT r.alone, r.position, r.reused, s.key, s.task, s.method, s.state, s.error, s.summary, s.seconds, "
        "s.steps, g.state AS group_state, g.note, g.warnings FROM run_stages r JOIN stages s ON s.key=r.stage "
        "JOIN groups g ON g.key=s.grp WHERE r.run=? ORDER BY r.alone, r.position",
        (id,),
    )
    lines = []
    for row in rows:
        summary = json.loads(row["summary"]) if row["summary"] else {}
        state = row["state"] if row["state"] != "queued" else row["group_state"]
        line = {key: row[key] for key in ("task", "position", "method", "seconds", "key")}
        line |= {key: summary.get(key) for key in ("steps", "epochs", "validation", "trainable", "stored_bytes")}
        line |= {"alone": bool(row["alone"]), "reused": bool(row["reused"]), "planned_steps": row["steps"]}
        lines.append(line | {"state": state, "note": row["error"] or row["note"] or row["warnings"]})
    return pd.DataFrame(lines, columns=STAGE_COLUMNS)


def whole_marker(store: Store) -> str:
    """A digest that changes when a run is added, named, deleted or finished, or a group changes state."""
    rows = store.rows("SELECT id, name, note, result IS NULL AS open FROM runs ORDER BY id")
    rows += store.rows("SELECT key, state, wish FROM groups ORDER BY key")
    rows += store.rows("SELECT experiment, count(*) AS runs FROM experiment_runs GROUP BY experiment")
    return digest([list(row.values()) for row in rows])


def marker(store: Store, ids: Sequence[str]) -> str:
    """A digest that changes whenever these runs have new data."""
    marks = ",".join("?" * len(ids))
    rows = store.rows(
        "SELECT s.id, s.state, g.state AS held, g.wish, g.note, (SELECT max(seq) FROM events WHERE stage=s.id) AS seq "
        f"FROM run_stages r JOIN stages s ON s.key=r.stage JOIN groups g ON g.key=s.grp WHERE r.run IN ({marks})",
        list(ids),
    )
    return digest([list(row.values()) for row in rows])


# --- curves -------------------------------------------------------------------------------
def _events(
    store: Store, ids: Iterable[str], kind: str, points: int, alone: bool = False, task: str | None = None
) -> list[dict[str, Any]]:
    """Events of the runs' stages, or of one task's, thinned to about `points` per stage; the last one always stays.
    `alone`: of the tasks learned alone instead."""
    found = []
    for id in ids:
        rows = store.rows(
            "SELECT s.id, s.task, r.position FROM run_stages r JOIN stages s ON s.key=r.stage "
            "WHERE r.run=? AND r.alone=? AND s.task=coalesce(?, s.task) ORDER BY r.position",
            (id, alone, task),
        )
        seed = _spec(store, id)["seed"]
        for row in rows:
            last = store.value("SELECT max(seq) FROM events WHERE stage=?", (row["id"],))
            stride = 1 if kind != "step" else max(1, (last or 0) // points)
            events = store.rows(
                "SELECT payload FROM events WHERE stage=? AND kind=? AND (seq % ? = 0 OR seq >= ?) ORDER BY seq",
                (row["id"], kind, stride, (last or 0) - 1),
            )
            same = {"run": id, "seed": seed, "position": row["position"], "task": row["task"], "stage": row["id"]}
            for event in events:
                payload = json.loads(event["payload"])
                found.append(same | payload | {"epoch": payload["epoch"] + 1})  # as people count them
    return found


_RUN = ["run", "seed", "position", "task"]


def losses(store: Store, ids: Sequence[str], points: int = POINTS, task: str | None = None) -> pd.DataFrame:
    """Loss of each training step and its parts as they are added up: times λ (eq. 12). NaN for parts that a method
    does not have."""
    rows = _events(store, ids, "step", points, task=task)
    frame = pd.DataFrame(rows, columns=[*_RUN, "step", "epoch", "loss", "down", "hsc", "asc"])
    params = {id: _spec(store, id)["params"] for id in ids}
    for part in ("hsc", "asc"):
        frame[part] *= (
            frame["run"].map({id: own.get(f"lambda_{part}", 1.0) for id, own in params.items()}).astype(float)
        )
    return frame


_SIMILARITY = [*_RUN, "step", "epoch", "earlier", "mean", "low", "high", "dissimilar", "flips"]


def similarity(store: Store, ids: Sequence[str], points: int = POINTS, task: str | None = None) -> pd.DataFrame:
    """α of each earlier task at each step: mean and range over the batch, share for which it is dissimilar, and how
    often that share has crossed one half so far."""
    lines, flips = [], {}
    for event in _events(store, ids, "step", points, task=task):
        if "alpha" not in event:
            continue
        if event["stage"] not in flips:
            flips[event["stage"]] = _flips(store, event["stage"])
        earlier = _spec(store, event["run"])["tasks"][: event["position"]]
        parts = [event[key] for key in ("alpha", "alpha_low", "alpha_high", "dissimilar")]
        same = [event[key] for key in (*_RUN, "step", "epoch")]
        lines += [
            [*same, *values] for values in zip(earlier, *parts, flips[event["stage"]][event["step"]], strict=False)
        ]
    return pd.DataFrame(lines, columns=_SIMILARITY)


def _flips(store: Store, stage: int) -> dict[int, list[int]]:
    """Step -> crossings so far of each earlier task, counted over all steps, before thinning."""
    rows = store.rows(
        "SELECT json_extract(payload, '$.step') AS step, json_extract(payload, '$.dissimilar') AS share FROM events "
        "WHERE stage=? AND kind='step' AND share IS NOT NULL ORDER BY seq",
        (stage,),
    )
    away = np.array([json.loads(row["share"]) for row in rows], dtype=float) >= 0.5
    turned = np.vstack([np.zeros_like(away[:1]), away[1:] != away[:-1]]).cumsum(0)
    return dict(zip((row["step"] for row in rows), turned.tolist(), strict=True))


def epochs(store: Store, ids: Sequence[str]) -> pd.DataFrame:
    """Validation score and loss after each epoch."""
    return pd.DataFrame(
        _events(store, ids, "epoch", POINTS), columns=[*_RUN, "epoch", "step", "validation", "validation_loss"]
    )


WITH, ALONE, ITSELF = "with transfer", "alone", "nothing before it"


def pair_epochs(store: Store, ids: Sequence[str]) -> pd.DataFrame:
    """For runs over two tasks: validation of the target after each epoch, after its source and alone."""
    after = [event for event in _events(store, ids, "epoch", POINTS) if event["position"] == 1]
    alone = _events(store, ids, "epoch", POINTS, alone=True)
    lines = [{"which": which} | event for which, events in ((WITH, after), (ALONE, alone)) for event in events]
    return pd.DataFrame(lines, columns=["which", "run", "seed", "task", "epoch", "validation"])


def epochs_of(store: Store, key: str) -> list[dict[str, Any]]:
    """What a stage told after each of its epochs, by its key."""
    query = "SELECT payload FROM events WHERE stage=(SELECT id FROM stages WHERE key=?) AND kind='epoch' ORDER BY seq"
    return [json.loads(row["payload"]) for row in store.rows(query, (key,))]


def overlap(store: Store, ids: Sequence[str], task: str | None = None) -> pd.DataFrame:
    """Cosine of activation states with those under each earlier prompt, on the task's own texts, per epoch."""
    lines = []
    for event in _events(store, ids, "epoch", POINTS, task=task):
        earlier = _spec(store, event["run"])["tasks"][: event["position"]]
        for name, value in zip(earlier, event.get("overlap", []), strict=False):
            lines.append({key: event[key] for key in (*_RUN, "epoch", "step")} | {"earlier": name, "overlap": value})
    return pd.DataFrame(lines, columns=[*_RUN, "epoch", "step", "earlier", "overlap"])


def run_spec(store: Store, id: str) -> RunSpec:
    """The spec of a run, to plan or train it again."""
    return RunSpec.model_validate(_spec(store, id))


def _spec(store: Store, id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.value("SELECT spec FROM runs WHERE id=?", (find_run(store, id),)))
    return found


# --- what a stage left --------------------------------------------------------------------
def stage(store: Store, key: str) -> dict[str, Any]:
    """A stage by its key: plan, state, summary, fingerprint, and answers of each example."""
    row = store.row("SELECT * FROM stages WHERE key=?", (key,))
    if row is None:
        raise UserError(f"no stage {key!r} in {store.home}")
    scores = store.rows("SELECT task, examples FROM scores WHERE stage=?", (row["id"],))
    found: dict[str, Any] = json.loads(row["plan"]) | json.loads(row["record"] or "{}")
    found |= {key: row[key] for key in ("state", "error", "seconds")} | {"summary": json.loads(row["summary"] or "{}")}
    return found | {"tests": {score["task"]: json.loads(score["examples"]) for score in scores}}


def stage_tensors(store: Store, key: str) -> dict[str, np.ndarray[Any, Any]]:
    """Prompts (`prompt.0` …), other kept tensors (`extra.…`), and records (`record.…`)."""
    return artifacts.from_bytes(artifact_bytes(store, key, "tensors"))


def _key(store: Store, id: str, task: str, alone: bool = False) -> str | None:
    found = store.value(
        "SELECT s.key FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run=? AND r.alone=? AND s.task=? "
        "AND s.state='done'",
        (id, alone, task),
    )
    return None if found is None else str(found)


def tensors(store: Store, id: str, task: str) -> dict[str, np.ndarray[Any, Any]]:
    """The tensors of the stage that learned `task`; empty if it is not finished or only its scores are recorded."""
    key = _key(store, id, task)
    there = store.value("SELECT 1 FROM artifacts WHERE owner=? AND kind='tensors'", (key,))
    return stage_tensors(store, key) if key and there else {}


LOST = Example("", "", "")  # of an older world, or of an imported task whose file was removed


def examples_of(store: Store, task: str, split: str, per_group: int, seed: int) -> Mapping[str, Example]:
    """The examples of a task by their ids; none if its file was removed. Results do not depend on them."""
    if not is_stored(task):
        return _generated(task, split, per_group, seed)
    try:
        drawn = draw(find_task(task, home=store.home), split, per_group, seed)
    except UserError:
        return {}
    return {example.id: example for example in drawn}


@lru_cache(64)  # generated texts never change, and whoever watches a run asks for the same ones every second
def _generated(task: str, split: str, per_group: int, seed: int) -> Mapping[str, Example]:
    return MappingProxyType({example.id: example for example in draw(find_task(task), split, per_group, seed)})


def alphas(store: Store, id: str, task: str) -> pd.DataFrame:
    """The last α of every training example: one row per example and earlier task."""
    columns = ["example", "text", "target", "earlier", "alpha"]
    alpha = tensors(store, id, task).get("record.alpha")
    if alpha is None or not alpha.size:
        return pd.DataFrame(columns=columns)
    spec = _spec(store, id)
    examples = examples_of(store, task, "train", spec["training"]["shots"], spec["seed"])
    key = _key(store, id, task)
    record = json.loads(store.value("SELECT record FROM stages WHERE key=?", (key,)))
    trained = [examples.get(e, LOST) for e in record["train_examples"]]
    earlier = spec["tasks"][: spec["tasks"].index(task)]
    return pd.DataFrame(
        [
            (e, shown.text, shown.target, name, float(value))
            for e, shown, row in zip(record["train_examples"], trained, alpha, strict=True)
            for name, value in zip(earlier, row, strict=True)
        ],
        columns=columns,
    )


def answers(store: Store, id: str, task: str, *, after: str | None = None, alone: bool = False) -> pd.DataFrame:
    """Test examples of `task` with answers and scores, measured after `after` (default: `task` itself)."""
    columns = ["example", "text", "target", "answer", "score"]
    key = _key(store, id, after or task, alone)
    found = (
        None
        if key is None
        else store.value(
            "SELECT examples FROM scores WHERE stage=(SELECT id FROM stages WHERE key=?) AND task=?", (key, task)
        )
    )
    tests = json.loads(found or "{}")
    if not tests:  # not tested yet, or only its scores are recorded
        return pd.DataFrame(columns=columns)
    spec = _spec(store, id)
    examples = examples_of(store, task, *Training(**spec["training"]).scored)
    rows = zip(tests["examples"], tests["targets"], tests["answers"], tests["scores"], strict=True)
    return pd.DataFrame([(e, examples.get(e, LOST).text, t, a, s) for e, t, a, s in rows], columns=columns)


def probe(store: Store, id: str) -> dict[str, np.ndarray[Any, Any]]:
    """Task -> activation states [N,layers,f] of the probe batch under its prompt, for the tasks learned so far."""
    found = {task: tensors(store, id, task).get("record.probe_states") for task in _spec(store, id)["tasks"]}
    return {task: states for task, states in found.items() if states is not None}


# --- workers and the store ----------------------------------------------------------------
def workers(store: Store) -> pd.DataFrame:
    alive = set(liveness.living(store))
    rows = store.rows("SELECT id, host, pid, device, started, beat, log FROM workers ORDER BY started")
    frame = pd.DataFrame(rows, columns=["id", "host", "pid", "device", "started", "beat", "log"])
    return frame.assign(alive=[worker in alive for worker in frame["id"]], here=frame["host"] == socket.gethostname())


def left_by(store: Store, worker: str) -> list[str]:
    """Runs with unfinished stages in a lane group that this worker holds."""
    rows = store.rows(
        "SELECT DISTINCT r.run FROM groups g JOIN stages s ON s.grp=g.key JOIN run_stages r ON r.stage=s.key "
        "WHERE g.worker=? AND s.state='queued'",
        (worker,),
    )
    return [row["run"] for row in rows]


def log_tail(store: Store, worker_log: str, lines: int = 20) -> list[str]:
    """The last lines of a worker's log."""
    path = store.home / "workers" / worker_log
    if path.parent != store.home / "workers" or not path.is_file():
        return []
    return path.read_text(errors="replace").splitlines()[-lines:]
