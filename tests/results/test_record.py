"""From stages to the matrix, metrics and state of a run, with numbers worked out by hand."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from storing import finish, group_rows, join, queued, spec_of, taken

from shlpt.errors import UserError
from shlpt.plans.stages import RunPlan, Stage
from shlpt.queue import claims
from shlpt.queue.claims import Event
from shlpt.results.record import Record, keep_results, matrix, run_record, summarise
from shlpt.spec import RunSpec
from shlpt.store.find import runs_of
from shlpt.store.store import Store

TASKS = ("sst2", "rte", "cb")
NAN = math.nan


KEPT = [{"sst2": 0.75}, {"rte": 0.5}, {"cb": 0.2}]
FORGETTING = [{"sst2": 1.0}, {"sst2": 0.5, "rte": 0.5}, {"sst2": 0.25, "rte": 0.0, "cb": 1.0}]


# --- the matrix ---------------------------------------------------------------------------
def test_the_matrix_by_hand() -> None:
    expected = [[0.75, NAN, NAN], [0.75, 0.5, NAN], [0.75, 0.5, 0.2]]
    np.testing.assert_allclose(matrix(KEPT, TASKS, keeps_answers=True), expected)
    expected = [[1.0, NAN, NAN], [0.5, 0.5, NAN], [0.25, 0.0, 1.0]]
    np.testing.assert_allclose(matrix(FORGETTING, TASKS, keeps_answers=False), expected)
    for scores, keeps in ((KEPT, True), (FORGETTING, False)):
        found = matrix([scores[0], None, scores[2]], TASKS, keeps)
        assert found[0, 0] == scores[0]["sst2"]
        assert np.isnan(found[1:]).all()
    assert np.isnan(matrix([None, None], ("sst2", "rte"), keeps_answers=True)).all()


# --- the record of a run ------------------------------------------------------------------
ANSWERS = {"sst2": [1.0, 1, 1, 0], "rte": [1.0, 0], "cb": [1.0, 0, 0, 0, 0]}
ALONE = {"rte": [1.0, 1, 1, 1], "cb": [0.0, 0]}
SPEC = spec_of(TASKS)


def saved(store: Store, learned: int = 3, alone: Sequence[str] = ("rte", "cb"), error: str | None = None) -> RunPlan:
    """A run of which the first stages, and some stages alone, are finished; with `error` the last of them failed."""
    (plan,) = queued(store, SPEC, alone=True)
    for number, stage in enumerate(plan.stages[:learned]):
        finish(store, stage.key, {stage.task: ANSWERS[stage.task]}, error if number == learned - 1 else None)
    for stage in plan.alone:
        if stage.task in alone:
            finish(store, stage.key, {stage.task: ALONE[stage.task]})
    return plan


def keys(stages: Sequence[Stage]) -> list[str]:
    return [stage.key for stage in stages]


def test_a_finished_run_is_done_with_its_numbers(store: Store) -> None:
    saved(store)
    record = run_record(store, SPEC.id)
    assert (record["state"], record["error"], record["progress"]) == ("done", None, 1.0)
    assert record["acc"] == pytest.approx((0.75 + 0.5 + 0.2) / 3)
    assert record["bwt"] == 0
    assert record["alone"] == [None, 1.0, 0.0]
    assert record["fwt"] == pytest.approx(((0.5 - 1.0) + (0.2 - 0.0)) / 2)
    assert record["matrix"] == [[0.75, None, None], [0.75, 0.5, None], [0.75, 0.5, 0.2]]


@pytest.mark.parametrize(("method", "size"), [("per_task", 3 * 40), ("continual", 40)])
def test_a_run_stores_what_answers_all_its_tasks(store: Store, method: str, size: int) -> None:
    """Each stage of per-task prompts has its own prompt only; others hand on all of them."""
    (plan,) = queued(store, spec_of(TASKS, method))
    for stage in plan.stages:
        finish(store, stage.key, {stage.task: ANSWERS[stage.task]})
    assert run_record(store, plan.spec.id)["stored_bytes"] == size


def test_scores_are_means_over_the_examples_f1_like_any_other(store: Store) -> None:
    (plan,) = queued(store, spec_of(("squad",)))
    finish(store, plan.stages[0].key, {"squad": [2 / 3, 1.0, 0.0]})
    assert run_record(store, plan.spec.id)["matrix"] == [[pytest.approx((2 / 3 + 1) / 3)]]


def test_a_record_says_which_run_it_is_and_is_json(store: Store) -> None:
    plan = saved(store)
    record = run_record(store, SPEC.id[:8])
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert set(record) == set(Record.__annotations__)
    assert RunSpec.model_validate(record["spec"]) == SPEC
    assert (record["id"], record["tasks"], record["method"]) == (SPEC.id, list(TASKS), "shlpt")
    assert (record["stages"], record["alone_stages"]) == (keys(plan.stages), keys(plan.alone))
    assert record["settings"]["threshold"] == 0.06
    with pytest.raises(UserError, match="unknown run"):
        run_record(store, "rx")


def test_a_run_with_stages_to_do_is_queued_and_has_no_metrics(store: Store) -> None:
    saved(store, learned=2)
    record = run_record(store, SPEC.id)
    assert (record["state"], record["error"]) == ("queued", None)
    assert (record["acc"], record["bwt"], record["fwt"], record["alone"]) == (None, None, None, None)
    assert record["matrix"] == [[0.75, None, None], [0.75, 0.5, None], [None, None, None]]
    assert 0.5 < record["progress"] < 1


def test_a_run_without_any_stage_has_no_progress(store: Store) -> None:
    saved(store, learned=0, alone=())
    record = run_record(store, SPEC.id)
    assert (record["state"], record["progress"]) == ("queued", 0.0)
    assert record["matrix"] == [[None] * 3] * 3


def test_a_run_is_failed_with_the_first_reason_and_keeps_what_came_before(store: Store) -> None:
    saved(store, learned=2, error="the loss is nan")
    record = run_record(store, SPEC.id)
    assert (record["state"], record["error"]) == ("failed", "the loss is nan")
    assert record["matrix"] == [[0.75, None, None], [None] * 3, [None] * 3]
    assert record["acc"] is None


def test_without_a_task_learned_alone_only_forward_transfer_is_missing(store: Store) -> None:
    plan = saved(store, alone=("cb",))
    finish(store, plan.alone[0].key, {"rte": [1.0]}, error="the loss is nan")
    record = run_record(store, SPEC.id)
    assert record["state"] == "done"
    assert (record["fwt"], record["alone"]) == (None, None)
    assert record["acc"] == pytest.approx(1.45 / 3)


def test_a_run_over_one_task_has_no_transfer(store: Store) -> None:
    (plan,) = queued(store, spec_of(("sst2",)))
    finish(store, plan.stages[0].key, {"sst2": ANSWERS["sst2"]})
    record = run_record(store, plan.spec.id)
    assert (record["state"], record["acc"], record["bwt"], record["fwt"]) == ("done", 0.75, None, None)


# --- states -------------------------------------------------------------------------------
def test_a_run_is_running_while_its_worker_lives_and_lost_afterwards(store: Store) -> None:
    (plan,) = queued(store, SPEC)
    taken(store, join(store))
    assert run_record(store, SPEC.id)["state"] == "running"
    with store.write() as db:
        claims.add_events(db, [Event(plan.stages[0].key, n, "step", {}, 0.0) for n in range(2)])
    assert run_record(store, SPEC.id)["progress"] == pytest.approx(
        2 / sum(r["steps"] for r in store.rows("SELECT steps FROM stages")), abs=1e-4
    )
    claims.leave(store, "w1")
    record = run_record(store, SPEC.id)
    assert (record["state"], record["error"]) == ("lost", "its worker has ended; resume the run to continue")


@pytest.mark.parametrize("state", ["paused", "stopped", "failed"])
def test_a_group_says_for_its_runs_where_it_stands_and_why(store: Store, state: str) -> None:
    queued(store, SPEC)
    claims.release(store, taken(store, join(store)).claim, state, "the reason")
    assert (run_record(store, SPEC.id)["state"], run_record(store, SPEC.id)["error"]) == (state, "the reason")


def test_warnings_of_all_its_groups_belong_to_a_run_each_once(store: Store) -> None:
    saved(store)
    with store.write() as db:
        for group, text in zip(group_rows(store), ("x", "y", "x"), strict=False):
            claims.add_warning(db, group["key"], text)
    assert run_record(store, SPEC.id)["warnings"] == ["x", "y"]


def test_what_is_finished_is_worked_out_once_and_names_stay_new(store: Store) -> None:
    saved(store)
    before = run_record(store, SPEC.id)
    keep_results(store, runs_of(store, group_rows(store)[0]["key"]))
    with store.write() as db:
        db.execute("DELETE FROM scores")
        db.execute("UPDATE runs SET name='mine'")
    assert run_record(store, SPEC.id) == before | {"name": "mine"}


def test_what_is_not_finished_is_not_kept(store: Store) -> None:
    saved(store, learned=2)
    for row in group_rows(store):
        keep_results(store, runs_of(store, row["key"]))
    assert store.value("SELECT result FROM runs") is None


# --- several seeds ------------------------------------------------------------------------
def test_seeds_are_summarised_metric_by_metric_without_the_missing() -> None:
    found = summarise([{"acc": a, "bwt": b, "fwt": None} for a, b in ((0.5, -0.1), (0.7, None), (None, None))])
    assert (found["acc"]["n"], found["acc"]["mean"]) == (2, pytest.approx(0.6))
    assert found["acc"]["sd"] == pytest.approx(math.sqrt(0.1**2 + 0.1**2))  # over n - 1 = 1
    assert found["bwt"] == {"n": 1, "mean": -0.1, "sd": None, "ci95": None}
    assert found["fwt"] == {"n": 0, "mean": None, "sd": None, "ci95": None}
