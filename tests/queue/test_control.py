"""What people do to runs, with groups that nobody holds and with held ones."""

import time
from collections.abc import Callable

import pytest
from storing import finish, group_rows, join, join_elsewhere, queued, spec_of, states, take, taken

from shlpt.errors import UserError
from shlpt.queue import claims, control
from shlpt.results.record import run_record
from shlpt.store import liveness
from shlpt.store.find import Ambiguous, find_run, groups_of
from shlpt.store.store import Store

SPEC, OTHER = spec_of(), spec_of(seed=2)


def wishes(store: Store) -> list[str]:
    return [row["wish"] for row in group_rows(store)]


# --- which run ----------------------------------------------------------------------------
def test_a_run_is_found_by_how_its_id_begins(store: Store) -> None:
    queued(store, SPEC, OTHER)
    assert find_run(store, SPEC.id) == SPEC.id
    assert find_run(store, SPEC.id[:6]) == SPEC.id


def test_an_unknown_run_is_answered_with_the_nearest(store: Store) -> None:
    with pytest.raises(UserError, match=r"unknown run 'r1': there are no runs in .* yet"):
        find_run(store, "r1")
    specs = [spec_of(("sst2",), seed=seed) for seed in range(30)]
    queued(store, *specs)
    for wrong in (specs[3].id[:-1] + "x", "R" + specs[3].id[1:]):
        with pytest.raises(UserError, match=rf"unknown run '{wrong}': did you mean '{specs[3].id}'\?") as error:
            find_run(store, wrong)
        assert str(error.value).count("r") < 60  # not all thirty of them
    with pytest.raises(UserError, match="unknown run ''"):
        find_run(store, "")


def test_the_beginning_of_several_ids_is_called_so(store: Store) -> None:
    queued(store, *[spec_of(("sst2",), seed=seed) for seed in range(7)])
    with pytest.raises(Ambiguous, match=r"'r' matches 7 runs: (r\w+, ){5}…\. Write more of the id"):
        find_run(store, "r")


# --- nobody holds it ----------------------------------------------------------------------
def test_what_nobody_holds_stops_and_pauses_at_once(store: Store) -> None:
    queued(store, SPEC)
    control.pause(store, [SPEC.id])
    assert states(store) == ["paused", "paused"]
    control.stop(store, [SPEC.id])
    assert states(store) == ["stopped", "stopped"]
    assert take(store, join(store)) is None
    control.resume(store, [SPEC.id])
    assert states(store) == ["queued", "queued"]
    assert take(store) is not None


def test_what_is_done_stays_done(store: Store) -> None:
    (plan,) = queued(store, SPEC)
    job = taken(store, join(store))
    finish(store, plan.stages[0].key, {"sst2": [1.0]})
    claims.release(store, job.claim, "done")
    for act in (control.stop, control.pause, control.resume, control.step):
        act(store, [SPEC.id])
        assert states(store)[0] == "done"


def test_a_lost_run_can_be_stopped(store: Store) -> None:
    queued(store, SPEC)
    taken(store, join(store))
    claims.leave(store, "w1")
    assert run_record(store, SPEC.id)["state"] == "lost"
    control.stop(store, [SPEC.id])
    assert run_record(store, SPEC.id)["state"] == "stopped"
    assert group_rows(store)[0]["worker"] is None


@pytest.mark.parametrize("state", ["running", "paused"])
@pytest.mark.parametrize("act", [control.stop, control.pause, control.resume, control.delete])
def test_what_a_worker_left_that_died_under_another_host_name_can_be_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch, act: Callable[..., None], state: str
) -> None:
    """The command looks until it is known: each new one would take it for alive for ever."""
    now = [time.monotonic()]
    monkeypatch.setattr(liveness.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(liveness.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    queued(store, SPEC)
    taken(store, join_elsewhere(store))
    with store.write() as db:
        db.execute("UPDATE groups SET state=? WHERE worker IS NOT NULL", (state,))
    act(store, [SPEC.id])
    becomes = {control.stop: "stopped", control.pause: "paused", control.resume: "queued"}
    assert set(states(store)) == ({becomes[act]} if act in becomes else set())
    assert [row["worker"] for row in group_rows(store) if row["worker"]] == []


def test_runs_that_train_together_stop_together_and_others_go_on(store: Store) -> None:
    queued(store, SPEC, OTHER)
    queued(store, spec_of(seed=3))
    control.stop(store, [SPEC.id])
    assert states(store) == ["stopped", "stopped", "queued", "queued"]


# --- somebody holds it --------------------------------------------------------------------
def test_a_worker_is_asked_and_what_it_does_not_hold_changes_at_once(store: Store) -> None:
    queued(store, SPEC)
    taken(store, join(store))
    control.stop(store, [SPEC.id])
    assert (states(store), wishes(store)) == (["running", "stopped"], ["stop", ""])
    control.resume(store, [SPEC.id])
    assert (states(store), wishes(store)) == (["running", "queued"], ["", ""])


def test_a_held_group_is_watched_until_it_has_done_what_was_wished(store: Store) -> None:
    queued(store, SPEC)
    job = taken(store, join(store))
    control.pause(store, [SPEC.id])
    store.db.execute("UPDATE groups SET state='paused' WHERE key=?", (job.claim.group,))
    assert not control.pending(store, [SPEC.id])
    for act in (control.step, control.resume, control.stop):
        act(store, [SPEC.id])
        assert control.pending(store, [SPEC.id])
        assert not control.pending(store, [OTHER.id])
    claims.leave(store, "w1")
    assert not control.pending(store, [SPEC.id])  # nobody will


@pytest.mark.parametrize("unit", control.UNITS)
def test_a_step_goes_to_the_first_open_group_and_the_later_ones_wait(store: Store, unit: str) -> None:
    queued(store, SPEC)
    taken(store, join(store))
    control.step(store, [SPEC.id], unit)
    assert (states(store), wishes(store)) == (["running", "paused"], [f"step {unit}", ""])


def test_a_step_wakes_what_nobody_holds(store: Store) -> None:
    queued(store, SPEC)
    control.pause(store, [SPEC.id])
    control.step(store, [SPEC.id], "epoch")
    assert (states(store), wishes(store)) == (["queued", "paused"], ["step epoch", ""])
    taken(store, join(store))
    assert wishes(store)[0] == "step epoch"  # for the worker to see


@pytest.fixture
def waits_for_another(store: Store) -> None:
    """The second task of SPEC trains together with that of OTHER, whose first task is not trained yet."""
    (single,) = queued(store, spec_of(("sst2",)))
    job = taken(store, join(store))
    finish(store, single.stages[0].key, {"sst2": [1.0]})
    claims.release(store, job.claim, "done")
    queued(store, SPEC, OTHER)


@pytest.mark.usefixtures("waits_for_another")
@pytest.mark.parametrize("runs", [[SPEC.id, OTHER.id], [OTHER.id, SPEC.id], [SPEC.id]])
def test_a_step_goes_to_what_the_first_group_waits_for(store: Store, runs: list[str]) -> None:
    """Also where that belongs to another run: nothing would advance otherwise."""
    control.pause(store, [SPEC.id, OTHER.id])
    control.step(store, runs, "task")
    assert (states(store), wishes(store)) == (["done", "queued", "paused"], ["", "step task", ""])
    assert len(taken(store).group.stages) == 1


@pytest.mark.usefixtures("waits_for_another")
def test_a_step_leaves_other_runs_alone_that_go_on_by_themselves(store: Store) -> None:
    taken(store)
    control.step(store, [SPEC.id])
    assert (states(store), wishes(store)) == (["done", "running", "queued"], ["", "", "step batch"])


def test_two_groups_that_are_held_do_not_both_step(store: Store) -> None:
    queued(store, spec_of(("sst2", "rte"), "per_task"), width=1)
    for worker in ("w1", "w2"):
        taken(store, join(store, worker))
    control.step(store, [spec_of(("sst2", "rte"), "per_task").id])
    assert wishes(store) == ["step batch", "pause"]


def test_an_unknown_step_is_answered_with_the_nearest(store: Store) -> None:
    queued(store, SPEC)
    with pytest.raises(UserError, match=r"unknown step 'epok': did you mean 'epoch'\?"):
        control.step(store, [SPEC.id], "epok")
    assert states(store) == ["queued", "queued"]


# --- failures -----------------------------------------------------------------------------
def test_resuming_tries_again_what_failed(store: Store) -> None:
    (plan,) = queued(store, SPEC)
    job = taken(store, join(store))
    finish(store, plan.stages[0].key, {"sst2": [1.0]}, error="the loss is nan")
    claims.release(store, job.claim, "done")
    claims.release(store, taken(store).claim, "done")
    assert (run_record(store, SPEC.id)["state"], run_record(store, SPEC.id)["error"]) == ("failed", "the loss is nan")
    control.resume(store, [SPEC.id])
    assert states(store) == ["queued", "queued"]
    assert store.rows("SELECT DISTINCT state, error FROM stages") == [{"state": "queued", "error": None}]
    assert store.rows("SELECT * FROM scores") == []


def test_a_group_that_failed_as_a_whole_is_tried_again(store: Store) -> None:
    queued(store, SPEC)
    claims.release(store, taken(store, join(store)).claim, "failed", "out of memory")
    record = run_record(store, SPEC.id)
    assert (record["state"], record["error"]) == ("failed", "out of memory")
    control.resume(store, [SPEC.id])
    assert run_record(store, SPEC.id)["state"] == "queued"


# --- workers ------------------------------------------------------------------------------
def test_workers_are_told_to_leave(store: Store) -> None:
    join(store)
    assert control.worker_wish(store, "w1") == ""
    assert control.stop_workers(store) == 1
    assert control.worker_wish(store, "w1") == "stop"
    assert control.worker_wish(store, "unknown") == ""


def test_it_is_worth_waiting_for_what_somebody_alive_holds(store: Store) -> None:
    queued(store, SPEC)
    keys = list(groups_of(store, [SPEC.id]))
    assert not control.others_work_on(store, keys)
    taken(store, join(store))
    assert control.others_work_on(store, keys)
    assert not control.others_work_on(store, keys[1:])
    claims.leave(store, "w1")
    assert not control.others_work_on(store, keys)


# --- names and deleting -------------------------------------------------------------------
def test_names_and_notes_are_changed_one_by_one(store: Store) -> None:
    queued(store, SPEC)
    control.describe(store, SPEC.id, name="mine")
    control.describe(store, SPEC.id, note="why")
    record = run_record(store, SPEC.id)
    assert (record["name"], record["note"]) == ("mine", "why")


def test_deleting_leaves_what_other_runs_use(store: Store) -> None:
    shared, other = queued(store, SPEC, spec_of(("sst2", "cb")))
    for key in (shared.stages[0].key, shared.stages[1].key):
        finish(store, key, {"sst2": [1.0], "rte": [1.0]})
    control.delete(store, [SPEC.id])
    assert {row["key"] for row in store.rows("SELECT key FROM stages")} == {s.key for s in other.stages}
    assert [path.name for path in (store.home / "artifacts").iterdir()] == [f"{shared.stages[0].key}.1.safetensors"]
    assert run_record(store, spec_of(("sst2", "cb")).id)["matrix"][0][0] == 1.0
    control.delete(store, [spec_of(("sst2", "cb")).id])
    for table in ("runs", "stages", "run_stages", "groups", "scores", "events", "artifacts"):
        assert store.rows(f"SELECT * FROM {table}") == []
    assert list((store.home / "artifacts").iterdir()) == []


def test_a_running_run_is_not_deleted_by_accident_and_nothing_is_changed(store: Store) -> None:
    queued(store, SPEC)
    queued(store, spec_of(seed=9))
    taken(store, join(store))
    tables = {name: store.rows(f"SELECT * FROM {name}") for name in ("runs", "stages", "run_stages", "groups")}
    with pytest.raises(UserError, match=rf"run {SPEC.id} is running: stop it first, or force its deletion"):
        control.delete(store, [spec_of(seed=9).id, SPEC.id])
    assert {name: store.rows(f"SELECT * FROM {name}") for name in tables} == tables
    control.delete(store, [SPEC.id], force=True)
    assert [row["id"] for row in store.rows("SELECT id FROM runs")] == [spec_of(seed=9).id]
