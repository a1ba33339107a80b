"""Runs become rows once, however often they are planned."""

import os
from pathlib import Path

from storing import at_once, finish, group_rows, plan_of, queued, spec_of

from shlpt.plans.stages import stage_from, stage_json, steps_of
from shlpt.queue.enqueue import enqueue
from shlpt.results.record import keep_results, run_record
from shlpt.spec import RunSpec
from shlpt.store.find import next_edition, runs_of
from shlpt.store.store import Store


def dump(store: Store) -> dict[str, list[dict[str, object]]]:
    return {name: store.rows(f"SELECT * FROM {name}") for name in ("runs", "stages", "run_stages", "groups")}


def test_planning_again_changes_nothing(store: Store) -> None:
    queued(store, spec_of(), spec_of(seed=2), alone=True)
    before = dump(store)
    queued(store, spec_of(), spec_of(seed=2), alone=True, width=1)
    assert dump(store) == before


def test_stages_of_many_runs_train_side_by_side_in_the_planned_order(store: Store) -> None:
    plans = queued(store, *(spec_of(seed=seed) for seed in (1, 2, 3)), width=2)
    members = [
        [row["key"] for row in store.rows("SELECT key FROM stages WHERE grp=? ORDER BY id", (g["key"],))]
        for g in group_rows(store)
    ]
    first, second = ([plan.stages[depth].key for plan in plans] for depth in (0, 1))
    assert members == [first[:2], first[2:], second[:2], second[2:]]


def test_what_comes_later_forms_groups_of_its_own(store: Store) -> None:
    queued(store, spec_of(), spec_of(seed=2))
    before = group_rows(store)
    queued(store, spec_of(("sst2", "cb")), spec_of(seed=3), width=8)
    assert group_rows(store)[: len(before)] == before
    assert store.value("SELECT count(*) FROM stages") == 4 + 3  # sst2 of seed 1 is there


def test_a_stage_comes_back_from_its_row(store: Store) -> None:
    for method in ("shlpt", "coda", "replay"):
        for stage in plan_of(spec_of(("sst2", "rte", "cb"), method)).stages:
            assert stage_from(stage_json(stage)) == stage


def test_which_stages_a_run_finds_and_which_are_its_own(store: Store) -> None:
    queued(store, spec_of(("sst2", "rte")), spec_of(("sst2", "cb")), alone=True)
    rows = store.rows("SELECT run, alone, position, reused FROM run_stages ORDER BY run, alone, position")
    reused = {(row["run"], row["alone"], row["position"]): bool(row["reused"]) for row in rows}
    one, other = spec_of(("sst2", "rte")).id, spec_of(("sst2", "cb")).id
    assert [reused[one, 0, 0], reused[one, 0, 1], reused[one, 1, 0]] == [False] * 3
    assert [reused[other, 0, 0], reused[other, 0, 1], reused[other, 1, 0]] == [True, False, False]


def test_one_backbone_under_two_names_is_trained_with_once(store: Store) -> None:
    plans = [plan_of(spec_of().model_copy(update={"backbone": name})) for name in ("pocket", "/a/copy")]
    enqueue(store, plans, 4)
    assert [row["key"] for row in store.rows("SELECT key FROM stages ORDER BY id")] == [
        stage.key for stage in plans[0].stages
    ]
    assert store.value("SELECT count(*) FROM runs") == 2


def test_steps_of_a_stage_that_never_stops_early() -> None:
    (stage,) = plan_of(spec_of(("agnews",), epochs=3, shots=5, batch_size=8)).stages
    assert steps_of(stage) == 3 * 3  # 20 texts in batches of 8


# --- a run that is there already ----------------------------------------------------------
def done(store: Store, spec: RunSpec) -> None:
    plan = plan_of(spec, alone=True)
    for stage in (*plan.stages, *plan.alone):  # those alone only where they are planned
        finish(store, stage.key, {task: [1.0] for task in (*stage.earlier, stage.task)})
    keep_results(store, runs_of(store, group_rows(store)[-1]["key"]))
    assert store.value("SELECT result FROM runs WHERE id=?", (spec.id,))


def test_a_finished_run_gets_what_it_lacks(store: Store) -> None:
    spec = spec_of()
    queued(store, spec)
    done(store, spec)
    assert (run_record(store, spec.id)["state"], run_record(store, spec.id)["fwt"]) == ("done", None)
    (plan,) = queued(store, spec, alone=True)
    assert run_record(store, spec.id)["state"] == "queued"
    finish(store, plan.alone[0].key, {"rte": [0.0]})
    assert run_record(store, spec.id)["fwt"] == 1.0
    queued(store, spec)  # not asked for now, and kept all the same
    assert run_record(store, spec.id)["fwt"] == 1.0


def test_a_run_follows_a_new_backbone_or_new_code(store: Store) -> None:
    """Its id stays, its stages have other keys."""
    spec = spec_of()
    queued(store, spec, alone=True)
    done(store, spec)
    new = plan_of(spec, backbone="b1")
    enqueue(store, [new], 4)
    record = run_record(store, spec.id)
    assert record["state"] == "queued"
    assert record["stages"] == [stage.key for stage in new.stages]
    assert record["alone_stages"] == []


def test_each_training_anew_has_its_number(store: Store) -> None:
    assert next_edition(store) == 1
    queued(store, spec_of().model_copy(update={"edition": 4}))
    assert next_edition(store) == 5


# --- at once ------------------------------------------------------------------------------
def plan_some(home: Path, shift: int) -> None:
    store = Store(home).open()
    for seed in range(12):
        queued(store, spec_of(seed=(seed + shift) % 12), alone=True)
    os._exit(0)


def test_processes_that_plan_the_same_runs_at_once_plan_each_stage_once(tmp_path: Path) -> None:
    assert at_once(plan_some, *((tmp_path, shift) for shift in (0, 0, 5))) == [0, 0, 0]
    store = Store(tmp_path).open()
    assert store.value("SELECT count(*) FROM runs") == 12
    assert store.value("SELECT count(*) FROM stages") == store.value("SELECT count(DISTINCT key) FROM stages") == 36
    assert store.value("SELECT count(*) FROM run_stages") == 36
    assert store.value("SELECT count(*) FROM stages WHERE grp NOT IN (SELECT key FROM groups)") == 0
    assert store.value("PRAGMA integrity_check") == "ok"
