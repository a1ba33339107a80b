"""Claims of lane groups by workers, and every write that needs one. No torch. The claim number of a group goes up each
time a worker takes it. A write with an older number is refused in the same transaction, so a worker that was replaced
while it hung changes nothing."""

import json
import os
import socket
import sqlite3
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shlpt.plans.stages import LaneGroup, stage_from
from shlpt.store.artifacts import Artifact, Damaged, remove_others
from shlpt.store.liveness import Observer
from shlpt.store.store import Store, to_json
from shlpt.store.tensors import add_artifact, artifact_bytes

LEFT_AS = {"stop": "stopped", "pause": "paused"}  # wish -> state of a group that is given back


class Fenced(Exception):
    """Another worker has taken over the group."""


@dataclass(frozen=True)
class Claim:
    """Includes the worker, because numbers start again for a group that was deleted and planned again."""

    group: str
    number: int
    worker: str

    @property
    def mark(self) -> str:
        """In the names of files that are written under it, so that no other claim touches them."""
        return f"{self.worker}.{self.number}"


@dataclass(frozen=True)
class Job:
    """A claimed lane group: what to train, on what."""

    claim: Claim
    group: LaneGroup
    backbone: str
    dtype: str
    parents: Mapping[str, bytes] = field(default_factory=dict)  # tensors that the earlier stages left
    checkpoint: bytes | None = None
    warning: str = ""  # what was wrong with a checkpoint
    made: Mapping[str, Any] | None = None  # the fingerprint of the process that trained it before
    home: Path | None = None  # of the store, where imported tasks are: on a cluster, a folder that all nodes see


# --- workers ------------------------------------------------------------------------------
def register(store: Store, worker: str, device: str, log: str = "") -> None:
    with store.write() as db:
        db.execute(
            "INSERT INTO workers (id, host, pid, device, started, log) VALUES (?,?,?,?,?,?)",
            (worker, socket.gethostname(), os.getpid(), device, time.time(), log),
        )


def leave(store: Store, worker: str) -> None:
    with store.write() as db:
        db.execute("DELETE FROM workers WHERE id=?", (worker,))


def beat(store: Store, worker: str) -> None:
    with store.write(durable=False) as db:
        db.execute("UPDATE workers SET beat=beat+1 WHERE id=?", (worker,))


# --- claiming -----------------------------------------------------------------------------
_READY = """
    SELECT g.key, g.state, g.worker, g.claim, g.backbone, g.dtype, g.made FROM groups g
    WHERE g.state IN ('queued', 'running', 'paused') AND (g.state != 'paused' OR g.wish LIKE 'step%' OR g.worker=?)
      AND NOT EXISTS (
        SELECT 1 FROM stages s JOIN stages p ON p.key = s.parent
        WHERE s.grp = g.key AND s.state = 'queued' AND p.state = 'queued')
    ORDER BY g.number
"""


def claim(
    store: Store, worker: str, observer: Observer, only: Collection[str] | None = None, device: str = ""
) -> Job | None:
    """The first group that can be trained now: its parents are done, nobody else alive holds it, and it was planned for
    this kind of device, if one is given. A group that this worker still holds counts as free: it could not be given
    back on a full disk."""
    for row in store.rows(_READY, (worker,)):
        if only is not None and row["key"] not in only:
            continue
        if device and (store.value(_PLANNED_FOR, (row["key"],)) or device) != device:
            continue
        if row["worker"] not in (None, worker) and observer.alive(row["worker"]):
            continue
        job = _take(store, worker, row)
        if job is not None:
            return job
    return None


_PLANNED_FOR = "SELECT json_extract(plan, '$.device') FROM stages WHERE grp=? LIMIT 1"


def _take(store: Store, worker: str, row: Mapping[str, Any]) -> Job | None:
    with store.write() as db:
        taken = db.execute(
            "UPDATE groups SET worker=?, claim=claim+1, state='running', note='' WHERE key=? AND claim=? AND state=?",
            (worker, row["key"], row["claim"], row["state"]),
        )
        if not taken.rowcount:
            return None
        _fail_orphans(db, row["key"])
        stages = db.execute(
            "SELECT s.plan FROM stages s LEFT JOIN stages p ON p.key=s.parent "
            "WHERE s.grp=? AND ifnull(p.state, 'done')='done' ORDER BY s.id",
            (row["key"],),
        ).fetchall()  # also those that are done: what they computed together they compute together again
    group = LaneGroup(row["key"], tuple(stage_from(json.loads(stage["plan"])) for stage in stages))
    made = json.loads(row["made"] or "null")
    return Job(
        Claim(row["key"], row["claim"] + 1, worker),
        group,
        row["backbone"],
        row["dtype"],
        made=made,
        home=store.home.resolve(),
    )


def _fail_orphans(db: sqlite3.Connection, group: str) -> None:
    db.execute(
        "UPDATE stages SET state='failed', error='an earlier task of this run failed' "
        "WHERE grp=? AND state='queued' AND parent IN (SELECT key FROM stages WHERE state='failed')",
        (group,),
    )


def release(store: Store, claim: Claim, state: str = "", note: str = "") -> None:
    """Give a group back in a state (done, stopped, failed …), by default the one that users request now. A step that
    was not taken is left for the next worker. The checkpoints of a finished group are deleted."""
    with guarded(store, claim) as db:
        wish = "" if state else db.execute("SELECT wish FROM groups WHERE key=?", (claim.group,)).fetchone()[0]
        state, left = state or LEFT_AS.get(wish, "queued"), wish if wish.startswith("step ") else ""
        row = (state, left, note, claim.group)
        db.execute("UPDATE groups SET state=?, worker=NULL, wish=?, note=? WHERE key=?", row)
        if state != "done":
            return
        db.execute("DELETE FROM artifacts WHERE owner=?", (claim.group,))
        stages = [row[0] for row in db.execute("SELECT key FROM stages WHERE grp=?", (claim.group,))]
        files = "SELECT file FROM artifacts WHERE owner IN (SELECT key FROM stages WHERE grp=?)"
        keep = {row[0] for row in db.execute(files, (claim.group,))}
    remove_others(store.home, [claim.group, *stages], keep)


def gather(store: Store, job: Job) -> Job:
    """The job with its inputs: tensors of the parents, and the newest intact checkpoint."""
    keys = dict.fromkeys(stage.parent for stage in job.group.stages if stage.parent)
    parents = {key: artifact_bytes(store, key, "tensors") for key in keys}
    warning = ""
    for kind in _slots(store, job.claim.group):
        try:
            data = artifact_bytes(store, job.claim.group, kind)
        except Damaged:
            warning = "the newest checkpoint was damaged: training resumed from the one before it"
            continue
        return replace(job, parents=parents, checkpoint=data, warning=warning)
    return replace(
        job, parents=parents, warning=warning and "all checkpoints were damaged: trained again from the start"
    )


def _slots(store: Store, group: str) -> list[str]:
    """The checkpoints of a group, the newest first."""
    rows = store.rows("SELECT kind, about FROM artifacts WHERE owner=? AND kind LIKE 'checkpoint%'", (group,))
    return [row["kind"] for row in sorted(rows, key=lambda r: -json.loads(r["about"])["number"])]


# --- writes by the holder of the claim ----------------------------------------------------
@contextmanager
def guarded(store: Store, claim: Claim, durable: bool = True) -> Iterator[sqlite3.Connection]:
    """A transaction that only the holder of the claim can make."""
    with store.write(durable) as db:
        found = db.execute("SELECT claim, worker FROM groups WHERE key=?", (claim.group,)).fetchone()
        if found is None or tuple(found) != (claim.number, claim.worker):
            raise Fenced(f"group {claim.group} was given to another worker")
        yield db


@dataclass(frozen=True)
class Event:
    stage: str
    seq: int
    kind: str
    payload: Mapping[str, Any]
    at: float


def add_events(db: sqlite3.Connection, events: Sequence[Event]) -> None:
    """Existing events stay: a resumed stage repeats those since its checkpoint."""
    db.executemany(
        "INSERT OR IGNORE INTO events (stage, seq, kind, at, payload) "
        "SELECT id, ?, ?, ?, ? FROM stages WHERE key=? AND state='queued'",
        [(e.seq, e.kind, e.at, to_json(e.payload), e.stage) for e in events],
    )


def forget_events(db: sqlite3.Connection, stage: str, since: int) -> None:
    """Delete events from `since` on, but none of a finished stage, which would not repeat them."""
    mine = "SELECT id FROM stages WHERE key=? AND state='queued'"
    db.execute(f"DELETE FROM events WHERE seq>=? AND stage=({mine})", (since, stage))


def add_warning(db: sqlite3.Connection, group: str, text: str) -> None:
    """Record, once, what was unusual about a group's training."""
    db.execute(
        "UPDATE groups SET warnings=ltrim(warnings || char(10) || ?, char(10)) WHERE key=? AND instr(warnings, ?)=0",
        (text, group, text),
    )


@dataclass(frozen=True)
class Finished:
    """What a stage leaves in the store, beside its tensors."""

    key: str
    record: Mapping[str, Any]  # the pool, training examples, group, fingerprint
    summary: Mapping[str, Any]
    tests: Mapping[str, Mapping[str, Any]]  # task -> examples, targets, answers, scores
    seconds: float
    error: str | None = None

    @property
    def state(self) -> str:
        return "failed" if self.error else "done"


def finish_stage(db: sqlite3.Connection, done: Finished, tensors: Artifact) -> str | None:
    """Store a finished stage, unless it is done already; returns the file that is no longer needed."""
    changed = db.execute(
        "UPDATE stages SET state=?, error=?, summary=?, record=?, seconds=?, finished=? WHERE key=? AND state='queued'",
        (done.state, done.error, to_json(done.summary), to_json(done.record), done.seconds, time.time(), done.key),
    )
    if not changed.rowcount:
        mine = db.execute("SELECT 1 FROM artifacts WHERE file=?", (tensors.file,)).fetchone()
        return None if mine else tensors.file
    number = db.execute("SELECT id FROM stages WHERE key=?", (done.key,)).fetchone()[0]
    db.executemany(
        "INSERT OR REPLACE INTO scores (stage, task, mean, examples) VALUES (?,?,?,?)",
        [(number, task, sum(t["scores"]) / len(t["scores"]), to_json(t)) for task, t in done.tests.items()],
    )
    return add_artifact(db, done.key, "tensors", tensors)


def wish_of(store: Store, claim: Claim) -> str:
    """The request for a group: stop, pause, step …, or leave (the worker shall exit while the group is paused)."""
    row = store.row(
        "SELECT g.wish, g.claim, g.worker, g.state, w.wish AS leave "
        "FROM groups g LEFT JOIN workers w ON w.id=g.worker WHERE g.key=?",
        (claim.group,),
    )
    if row is None or (row["claim"], row["worker"]) != (claim.number, claim.worker):
        raise Fenced(f"group {claim.group} was given to another worker")
    found: str = "leave" if row["leave"] == "stop" and row["state"] == "paused" else row["wish"]
    return found
