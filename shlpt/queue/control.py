"""Control of runs: stop, pause, step, resume, delete, rename. No torch. Stages of several runs train together in a lane
group, so all requests apply to groups."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress

from shlpt.errors import UserError, unknown
from shlpt.queue import launch
from shlpt.store import artifacts, liveness
from shlpt.store.find import groups_of
from shlpt.store.store import Store

UNITS = ("batch", "epoch", "task")
NOT_OVER = "('queued', 'running', 'paused', 'stopped')"
GOING_ON = "('queued', 'running', 'paused')"  # what is stopped has nothing to hold


def unfinished(store: Store, stages: Iterable[str]) -> list[str]:
    return [key for key in stages if store.value("SELECT state FROM stages WHERE key=?", (key,)) == "queued"]


def pending(store: Store, runs: Iterable[str]) -> bool:
    """Whether a paused worker has not yet carried out a request."""
    rows = store.rows("SELECT key FROM groups WHERE worker IS NOT NULL AND state='paused' AND wish!='pause'")
    return bool(rows) and bool({row["key"] for row in rows} & set(groups_of(store, runs)) & _held(store))


def others_work_on(store: Store, groups: Collection[str]) -> bool:
    """Whether a living worker holds one of these groups, so that waiting makes sense."""
    observer = liveness.Observer(store)
    rows = store.rows("SELECT key, worker FROM groups WHERE worker IS NOT NULL")
    return any(row["key"] in groups and observer.alive(row["worker"]) for row in rows)


# --- wishes -------------------------------------------------------------------------------
def stop(store: Store, runs: Sequence[str]) -> None:
    """Stop runs; finished stages and the newest checkpoint are kept."""
    _wish(store, runs, "stop", "stopped")


@contextmanager
def stopping_on_interrupt(store: Store, runs: Sequence[str]) -> Iterator[None]:
    """Stop these runs on Ctrl-C: left in the queue, they would be the first that any worker trains."""
    try:
        yield
    except KeyboardInterrupt:
        with suppress(UserError):  # no room to say so
            stop(store, runs)
        raise


def pause(store: Store, runs: Sequence[str]) -> None:
    """Pause running and queued groups; stopped ones stay stopped."""
    _wish(store, runs, "pause", "paused")


def _wish(store: Store, runs: Sequence[str], wish: str, state: str) -> None:
    """Leave a request for the worker that holds a group; a group without a worker changes at once."""
    open = NOT_OVER if wish == "stop" else GOING_ON
    _settle(store, runs)
    with store.write() as db:
        held = _held(store)
        for group in groups_of(store, runs):
            if group in held:
                db.execute(f"UPDATE groups SET wish=? WHERE key=? AND state IN {open}", (wish, group))
            else:
                db.execute(
                    f"UPDATE groups SET state=?, wish='', worker=NULL WHERE key=? AND state IN {open}", (state, group)
                )


def step(store: Store, runs: Sequence[str], unit: str = "batch") -> None:
    """Advance the first group that can be trained by a batch, an epoch or a task, and pause the others."""
    if unit not in UNITS:
        raise unknown("step", unit, UNITS)
    _settle(store, runs)
    with store.write() as db:
        held = _held(store)
        open = _open_groups(db, groups_of(store, runs))
        found = (_can_advance(db, group, open) for group in open)
        first = next(filter(None, found), open[0] if open else None)
        for group in dict.fromkeys([first, *open] if first else []):
            if group == first:
                db.execute("UPDATE groups SET wish=? WHERE key=?", (f"step {unit}", group))
                if group not in held:
                    db.execute("UPDATE groups SET state='queued', worker=NULL WHERE key=?", (group,))
            elif group in held:  # the others wait for their own step
                db.execute("UPDATE groups SET wish='pause' WHERE key=?", (group,))
            else:
                db.execute(f"UPDATE groups SET state='paused', wish='' WHERE key=? AND state IN {NOT_OVER}", (group,))


def resume(store: Store, runs: Sequence[str]) -> None:
    """Resume paused, stopped and lost groups, and retry failed ones."""
    _settle(store, runs)
    with store.write() as db:
        held = _held(store)
        for group in groups_of(store, runs):
            if group in held:
                db.execute("UPDATE groups SET wish='' WHERE key=?", (group,))
                continue
            if _forget_failures(db, group):
                db.execute("UPDATE groups SET state='queued' WHERE key=?", (group,))
            db.execute(
                f"UPDATE groups SET state='queued', wish='', worker=NULL, note='' WHERE key=? AND state IN {NOT_OVER}",
                (group,),
            )


def _open_groups(db: sqlite3.Connection, groups: Iterable[str]) -> list[str]:
    over = {row[0] for row in db.execute("SELECT key FROM groups WHERE state IN ('done', 'failed')")}
    return [group for group in groups if group not in over]


def _can_advance(db: sqlite3.Connection, group: str, ours: Collection[str]) -> str | None:
    """The group, or the one that it waits for; None if that belongs to other runs and continues by itself."""
    parents = db.execute(
        "SELECT DISTINCT g.key, g.state FROM stages s JOIN stages p ON p.key=s.parent JOIN groups g ON g.key=p.grp "
        "WHERE s.grp=? AND s.state='queued' AND p.state='queued' ORDER BY g.number",
        (group,),
    ).fetchall()
    waiting = (parent for parent, state in parents if parent in ours or state in ("paused", "stopped"))
    return next(filter(None, (_can_advance(db, parent, ours) for parent in waiting)), None) if parents else group


def _settle(store: Store, runs: Iterable[str]) -> None:
    """Watch who holds groups of these runs until it is known who lives: seconds only where it is another machine's.
    Before a transaction, which would keep the beats from being written."""
    groups = groups_of(store, runs)
    rows = store.rows("SELECT key, worker FROM groups WHERE worker IS NOT NULL")
    liveness.settled(store, {row["worker"] for row in rows if row["key"] in groups})


def _held(store: Store) -> set[str]:
    observer = liveness.Observer(store)
    rows = store.rows("SELECT key, worker FROM groups WHERE worker IS NOT NULL")
    return {row["key"] for row in rows if observer.alive(row["worker"])}


def _forget_failures(db: sqlite3.Connection, group: str) -> bool:
    failed = [row[0] for row in db.execute("SELECT id FROM stages WHERE grp=? AND state='failed'", (group,))]
    state = db.execute("SELECT state FROM groups WHERE key=?", (group,)).fetchone()[0]
    for stage in failed:
        db.execute("DELETE FROM events WHERE stage=?", (stage,))
        db.execute("DELETE FROM scores WHERE stage=?", (stage,))
        db.execute("UPDATE stages SET state='queued', error=NULL WHERE id=?", (stage,))
    if failed:
        runs = "SELECT run FROM run_stages WHERE stage IN (SELECT key FROM stages WHERE grp=?)"
        db.execute(f"UPDATE runs SET result=NULL WHERE id IN ({runs})", (group,))
    return bool(failed) or state == "failed"


# --- workers ------------------------------------------------------------------------------
def worker_wish(store: Store, worker: str) -> str:
    return str(store.value("SELECT wish FROM workers WHERE id=?", (worker,)) or "")


def stop_workers(store: Store) -> int:
    """Let every worker finish the group it holds and leave, but for those that are part of a command; how many."""
    coming = launch.turn_back(store)  # first: it is registered before it looks
    serving = {row["id"] for row in store.rows("SELECT id, device FROM workers") if liveness.serves(row["device"])}
    alive = serving & set(liveness.living(store))
    with store.write() as db:
        db.executemany("UPDATE workers SET wish='stop' WHERE id=?", [(worker,) for worker in alive])
    return len(alive) + coming


# --- names, notes, deleting ---------------------------------------------------------------
def describe(store: Store, run: str, *, name: str | None = None, note: str | None = None) -> None:
    with store.write() as db:
        db.execute("UPDATE runs SET name=ifnull(?, name), note=ifnull(?, note) WHERE id=?", (name, note, run))


def delete(store: Store, runs: Sequence[str], force: bool = False) -> None:
    """Delete runs and what no other run uses. A worker whose group is deleted learns it at its next write."""
    if not force:
        _settle(store, runs)
    with store.write() as db:
        held = _held(store)
        for run in runs:
            if not force and any(group in held for group in _running(store, run)):
                raise UserError(f"run {run} is running: stop it first, or force its deletion")
            db.execute("DELETE FROM run_stages WHERE run=?", (run,))
            db.execute("DELETE FROM experiment_runs WHERE run=?", (run,))
            db.execute("DELETE FROM runs WHERE id=?", (run,))
        files = _sweep(db)
    for file in files:
        (store.home / artifacts.FOLDER / file).unlink(missing_ok=True)


def _running(store: Store, run: str) -> list[str]:
    rows = store.rows(
        "SELECT DISTINCT s.grp FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run=? AND s.state='queued'",
        (run,),
    )
    return [row["grp"] for row in rows]


def _sweep(db: sqlite3.Connection) -> list[str]:
    """Delete rows without references; returns their files."""
    lonely = "SELECT id FROM stages WHERE key NOT IN (SELECT stage FROM run_stages)"
    db.execute(f"DELETE FROM events WHERE stage IN ({lonely})")
    db.execute(f"DELETE FROM scores WHERE stage IN ({lonely})")
    db.execute(f"DELETE FROM stages WHERE id IN ({lonely})")
    db.execute("DELETE FROM groups WHERE key NOT IN (SELECT grp FROM stages)")
    owners = "SELECT key FROM stages UNION SELECT key FROM groups UNION SELECT experiment FROM experiment_runs"
    gone = f"owner NOT IN ({owners})"
    files = [row[0] for row in db.execute(f"SELECT file FROM artifacts WHERE {gone}")]
    db.execute(f"DELETE FROM artifacts WHERE {gone}")
    return files
