"""A group has one holder, and only the holder's writes count."""

import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from storing import at_once, finish, finished, group_rows, join, queued, spec_of, states, take, taken

from shlpt.queue import claims, control
from shlpt.queue.claims import Claim, Event, Fenced, Job, guarded
from shlpt.store import artifacts, tensors
from shlpt.store.liveness import Observer
from shlpt.store.store import Store


def put_checkpoint(store: Store, job: Job, number: int, data: bytes) -> Path:
    artifact = artifacts.write(store.home, f"{job.claim.group}.{job.claim.number}.{number}", data)
    with guarded(store, job.claim) as db:
        tensors.add_artifact(db, job.claim.group, f"checkpoint.{number % 2}", artifact, {"number": number})
    return store.home / "artifacts" / artifact.file


# --- claiming -----------------------------------------------------------------------------
def test_nothing_is_there_to_claim_in_an_empty_store(store: Store) -> None:
    assert take(store, join(store)) is None


def test_a_group_is_claimed_once_its_parents_are_done(store: Store) -> None:
    plans = queued(store, spec_of(seed=1), spec_of(seed=2))
    join(store)
    job = taken(store)
    assert list(job.group.stages) == [plan.stages[0] for plan in plans]
    assert (job.backbone, job.dtype, job.claim.number) == ("pocket", "float32", 1)
    assert take(store, join(store, "w2")) is None
    for plan in plans:
        assert take(store, "w2") is None
        finish(store, plan.stages[0].key, {"sst2": [1.0]})
    assert list(taken(store, "w2").group.stages) == [plan.stages[1] for plan in plans]


def test_only_the_groups_that_are_asked_for(store: Store) -> None:
    queued(store, spec_of(("sst2",)))
    queued(store, spec_of(("rte",)))
    first, second = (row["key"] for row in group_rows(store))
    job = claims.claim(store, join(store), Observer(store), [second])
    assert job is not None
    assert job.claim.group == second
    assert claims.claim(store, "w1", Observer(store), []) is None
    assert states(store) == ["queued", "running"]
    assert first != second


def test_a_group_is_left_to_workers_of_the_device_that_it_was_planned_for(store: Store) -> None:
    queued(store, spec_of().model_copy(update={"device": "cuda"}))
    (group, *_) = group_rows(store)
    worker, observer = join(store), Observer(store)
    assert claims.claim(store, worker, observer, device="cpu") is None
    job = claims.claim(store, worker, observer, device="cuda")
    assert job is not None
    assert (job.dtype, job.group.stages[0].device) == ("bfloat16", "cuda")
    claims.release(store, job.claim)
    with store.write() as db:  # as an older program planned it
        db.execute("UPDATE stages SET plan=json_remove(plan, '$.device') WHERE grp=?", (group["key"],))
    older = claims.claim(store, worker, observer, device="cpu")
    assert older is not None
    assert older.group.stages[0].device == ""


def test_what_a_dead_worker_held_is_taken_over_and_what_a_living_one_holds_is_not(store: Store) -> None:
    queued(store, spec_of(("sst2",)))
    join(store, "dead")
    old = taken(store, "dead")
    assert take(store, join(store, "w2")) is None
    claims.leave(store, "dead")
    new = taken(store, "w2")
    assert new.claim == Claim(old.claim.group, old.claim.number + 1, "w2")
    assert group_rows(store)[0]["worker"] == "w2"


@pytest.mark.parametrize("state", ["paused", "stopped", "done", "failed"])
def test_what_is_not_to_be_trained_is_not_claimed(store: Store, state: str) -> None:
    queued(store, spec_of(("sst2",)))
    with store.write() as db:
        db.execute("UPDATE groups SET state=?", (state,))
    assert take(store, join(store)) is None


def claim_all(home: Path, name: str, results: Any) -> None:
    store = Store(home).open()
    join(store, name)
    observer = Observer(store)
    while job := claims.claim(store, name, observer):
        results.put((job.claim.group, name))
        with guarded(store, job.claim) as db:
            for stage in job.group.stages:
                db.execute("UPDATE stages SET state='done' WHERE key=? AND state='queued'", (stage.key,))
        claims.release(store, job.claim, "done")
    results.close()
    results.join_thread()
    os._exit(0)


def test_workers_at_once_share_the_groups_and_none_is_held_twice(store: Store) -> None:
    queued(store, *(spec_of(seed=seed) for seed in range(12)), width=1)
    store.close()
    results = multiprocessing.get_context("fork").Queue()
    at_once(claim_all, *((store.home, f"p{i}", results) for i in range(3)))
    # a worker that finds nothing ready while others hold the parents leaves early; together they do all
    held = [results.get(timeout=1) for _ in range(24)]
    assert len({group for group, _ in held}) == 24
    assert set(states(store)) == {"done"}


# --- fencing ------------------------------------------------------------------------------
def test_a_worker_that_slept_through_its_replacement_changes_nothing(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    old = taken(store, join(store, "old"))
    claims.leave(store, "old")
    new = taken(store, join(store, "new"))
    data = artifacts.write(store.home, "x", b"")
    key = plan.stages[0].key
    before = {name: store.rows(f"SELECT * FROM {name}") for name in ("groups", "stages", "events", "artifacts")}
    event = Event(key, 0, "step", {"loss": 1.0}, 0.0)
    for write in (
        lambda db: claims.add_events(db, [event]),
        lambda db: claims.finish_stage(db, finished(key, {"sst2": [1.0]}), data),
    ):
        with pytest.raises(Fenced), guarded(store, old.claim) as db:
            write(db)
    with pytest.raises(Fenced):
        claims.release(store, old.claim, "done")
    with pytest.raises(Fenced):
        claims.wish_of(store, old.claim)
    assert {name: store.rows(f"SELECT * FROM {name}") for name in before} == before
    assert claims.wish_of(store, new.claim) == ""


def test_a_group_that_was_deleted_fences_its_worker(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    job = taken(store, join(store))
    control.delete(store, [plan.spec.id], force=True)
    with pytest.raises(Fenced):
        claims.wish_of(store, job.claim)


def test_a_worker_that_slept_while_its_group_was_deleted_and_planned_again_changes_nothing(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    old = taken(store, join(store, "old"))
    control.delete(store, [plan.spec.id], force=True)
    queued(store, spec_of(("sst2",)))
    new = taken(store, join(store, "new"))
    assert (old.claim.group, old.claim.number) == (new.claim.group, new.claim.number)
    with pytest.raises(Fenced), guarded(store, old.claim):
        pass
    with pytest.raises(Fenced):
        claims.wish_of(store, old.claim)
    assert old.claim.mark != new.claim.mark
    with guarded(store, new.claim):
        assert claims.wish_of(store, new.claim) == ""


# --- events and ends of stages ------------------------------------------------------------
def test_an_event_that_is_there_stays_as_it_is(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    key = plan.stages[0].key
    with store.write() as db:
        claims.add_events(db, [Event(key, n, "step", {"n": n}, 1.0) for n in range(3)])
        claims.add_events(db, [Event(key, n, "step", {"n": -n}, 2.0) for n in (2, 3)])
    found = [tuple(row.values()) for row in store.rows("SELECT seq, at, payload FROM events")]
    assert found == [(0, 1.0, '{"n":0}'), (1, 1.0, '{"n":1}'), (2, 1.0, '{"n":2}'), (3, 2.0, '{"n":-3}')]


def test_a_finished_stage_is_finished_once_and_says_nothing_more(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    key = plan.stages[0].key
    finish(store, key, {"sst2": [1.0, 0.0]})
    before = {name: store.rows(f"SELECT * FROM {name}") for name in ("stages", "scores", "artifacts")}
    again = artifacts.write(store.home, f"{key}.2", b"")
    with store.write() as db:
        assert claims.finish_stage(db, finished(key, {"sst2": [0.0]}), again) == again.file
        claims.add_events(db, [Event(key, 0, "step", {}, 0.0)])
        claims.forget_events(db, key, 0)
    assert {name: store.rows(f"SELECT * FROM {name}") for name in before} == before
    assert store.rows("SELECT * FROM events") == []


def test_events_of_a_finished_stage_are_not_taken_back(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    key = plan.stages[0].key
    with store.write() as db:
        claims.add_events(db, [Event(key, n, "step", {}, 0.0) for n in range(3)])
    finish(store, key, {"sst2": [1.0]})
    with store.write() as db:
        claims.forget_events(db, key, 1)
    assert store.value("SELECT count(*) FROM events") == 3


def test_what_follows_a_failed_stage_fails_and_the_others_go_on(store: Store) -> None:
    good, bad = queued(store, spec_of(seed=1), spec_of(seed=2))
    job = taken(store, join(store))
    finish(store, good.stages[0].key, {"sst2": [1.0]})
    finish(store, bad.stages[0].key, {"sst2": [1.0]}, error="the loss is nan")
    claims.release(store, job.claim, "done")
    assert list(taken(store).group.stages) == [good.stages[1]]
    row = store.row("SELECT state, error FROM stages WHERE key=?", (bad.stages[1].key,))
    assert row == {"state": "failed", "error": "an earlier task of this run failed"}


# --- what a job starts from ---------------------------------------------------------------
def test_a_group_taken_again_trains_with_all_its_lanes(store: Store) -> None:
    """Also with those that had finished: what was computed together is computed together again."""
    one, two = queued(store, spec_of(("sst2",), seed=1), spec_of(("sst2",), seed=2))
    taken(store, join(store))
    finish(store, one.stages[0].key, {"sst2": [1.0]})
    claims.leave(store, "w1")
    assert list(taken(store, join(store, "w2")).group.stages) == [one.stages[0], two.stages[0]]


def test_the_newest_checkpoint_that_is_whole_is_used(store: Store) -> None:
    queued(store, spec_of(("sst2",)))
    job = taken(store, join(store))
    assert claims.gather(store, job).checkpoint is None
    for number in (1, 2, 3):
        newest = put_checkpoint(store, job, number, b"%d" % number)
    assert (claims.gather(store, job).checkpoint, claims.gather(store, job).warning) == (b"3", "")
    newest.write_bytes(b"4")
    ready = claims.gather(store, job)
    assert ready.checkpoint == b"2"
    assert ready.warning == "the newest checkpoint was damaged: training resumed from the one before it"
    for path in (store.home / "artifacts").iterdir():
        path.write_bytes(b"")
    ready = claims.gather(store, job)
    assert ready.checkpoint is None
    assert ready.warning == "all checkpoints were damaged: trained again from the start"


def test_a_group_that_is_done_leaves_only_what_its_stages_left(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    job = taken(store, join(store))
    put_checkpoint(store, job, 1, b"1")
    artifacts.write(store.home, f"{plan.stages[0].key}.9", b"of a worker that was killed")
    artifacts.write(store.home, "of-others", b"")
    finish(store, plan.stages[0].key, {"sst2": [1.0]})
    claims.release(store, job.claim, "done")
    kept = {path.name for path in (store.home / "artifacts").iterdir()}
    assert kept == {f"{plan.stages[0].key}.1.safetensors", "of-others.safetensors"}
    assert store.rows("SELECT owner FROM artifacts") == [{"owner": plan.stages[0].key}]


def test_a_worker_that_shall_leave_waits_for_nobody(store: Store) -> None:
    queued(store, spec_of(("sst2",)))
    job = taken(store, join(store))
    with store.write() as db:
        db.execute("UPDATE workers SET wish='stop'")
    assert claims.wish_of(store, job.claim) == ""  # it finishes its group first
    with store.write() as db:
        db.execute("UPDATE groups SET state='paused', wish='pause'")
    assert claims.wish_of(store, job.claim) == "leave"
