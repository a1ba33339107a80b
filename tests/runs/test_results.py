"""From stages to the matrix, metrics and state of a run, with numbers worked out by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shlpt.runs.plan import RunPlan, Stage, stages_of
from shlpt.runs.results import matrix, run_record, summarise
from shlpt.runs.store import Store
from shlpt.spec import RunSpec

TASKS = ("sst2", "rte", "cb")
NAN = math.nan


def stage(task: str, scores: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    return {"task": task, "tests": {name: {"scores": list(row)} for name, row in scores.items()}}


KEPT = [
    stage("sst2", {"sst2": [1, 1, 1, 0]}),  # 3/4
    stage("rte", {"rte": [1, 0]}),  # 1/2
    stage("cb", {"cb": [1, 0, 0, 0, 0]}),  # 1/5
]
FORGETTING = [
    stage("sst2", {"sst2": [1, 1, 1, 1]}),
    stage("rte", {"sst2": [1, 1, 0, 0], "rte": [1, 0]}),
    stage("cb", {"sst2": [1, 0, 0, 0], "rte": [0, 0], "cb": [1, 1]}),
]


# --- the matrix ---------------------------------------------------------------------------
def test_kept_answers_fill_the_column_below_the_diagonal() -> None:
    expected = [[0.75, NAN, NAN], [0.75, 0.5, NAN], [0.75, 0.5, 0.2]]
    np.testing.assert_allclose(matrix(KEPT, TASKS, keeps_answers=True), expected)


def test_answers_that_change_are_measured_after_every_task() -> None:
    expected = [[1.0, NAN, NAN], [0.5, 0.5, NAN], [0.25, 0.0, 1.0]]
    np.testing.assert_allclose(matrix(FORGETTING, TASKS, keeps_answers=False), expected)


@pytest.mark.parametrize(("stages", "keeps"), [(KEPT, True), (FORGETTING, False)])
def test_a_missing_stage_leaves_its_row_and_all_after_it_missing(stages: list[dict[str, Any]], keeps: bool) -> None:
    found = matrix([stages[0], None, stages[2]], TASKS, keeps)
    assert found[0, 0] == np.mean(stages[0]["tests"]["sst2"]["scores"])
    assert np.isnan(found[1:]).all()


def test_no_stages_leave_the_matrix_empty() -> None:
    assert np.isnan(matrix([None, None], ("sst2", "rte"), keeps_answers=True)).all()


def test_f1_scores_are_averaged_like_any_other() -> None:
    found = matrix([stage("squad", {"squad": [2 / 3, 1.0, 0.0]})], ("squad",), keeps_answers=True)
    assert found[0, 0] == pytest.approx((2 / 3 + 1) / 3)


# --- the record of a run ------------------------------------------------------------------
ALONE = {"rte": [1, 1, 1, 1], "cb": [0, 0]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path).open()


def saved(store: Store, learned: int = 3, alone: Sequence[str] = ("rte", "cb")) -> RunPlan:
    """A plan of which the first stages, and some stages alone, are in the store."""
    spec = RunSpec.make(TASKS, "shlpt")
    singles = [stages_of(spec.model_copy(update={"tasks": (task,)}), "b0", str)[0] for task in TASKS[1:]]
    plan = RunPlan(spec, stages_of(spec, "b0", str), tuple(singles))
    for content, planned in zip(KEPT[:learned], plan.stages, strict=False):
        store.save_stage(planned.key, content, {}, [])
    for single in singles:
        if single.task in alone:
            store.save_stage(single.key, stage(single.task, {single.task: ALONE[single.task]}), {}, [])
    return plan


def keys(stages: Sequence[Stage]) -> list[str]:
    return [stage.key for stage in stages]


def test_a_finished_run_is_done_with_its_numbers(store: Store) -> None:
    record = run_record(store, saved(store), {})
    assert (record["state"], record["error"]) == ("done", None)
    assert record["acc"] == pytest.approx((0.75 + 0.5 + 0.2) / 3)
    assert record["bwt"] == 0
    assert record["alone"] == [None, 1.0, 0.0]
    assert record["fwt"] == pytest.approx(((0.5 - 1.0) + (0.2 - 0.0)) / 2)
    assert record["matrix"] == [[0.75, None, None], [0.75, 0.5, None], [0.75, 0.5, 0.2]]


def test_a_record_says_which_run_it_is_and_is_json(store: Store) -> None:
    plan = saved(store)
    record = run_record(store, plan, {})
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert RunSpec.model_validate(record["spec"]) == plan.spec
    assert (record["id"], record["tasks"], record["method"]) == (plan.spec.id, list(TASKS), "shlpt")
    assert (record["stages"], record["alone_stages"]) == (keys(plan.stages), keys(plan.alone))
    assert record["settings"]["threshold"] == 0.06


def test_a_run_with_stages_to_do_is_stopped_and_has_no_metrics(store: Store) -> None:
    record = run_record(store, saved(store, learned=2), {})
    assert (record["state"], record["error"]) == ("stopped", None)
    assert (record["acc"], record["bwt"], record["fwt"], record["alone"]) == (None, None, None, None)
    assert record["matrix"] == [[0.75, None, None], [0.75, 0.5, None], [None, None, None]]


def test_a_run_without_any_stage_is_stopped(store: Store) -> None:
    record = run_record(store, saved(store, learned=0), {})
    assert record["state"] == "stopped"
    assert record["matrix"] == [[None] * 3] * 3


def test_a_run_is_failed_with_the_first_reason_and_keeps_what_came_before(store: Store) -> None:
    plan = saved(store, learned=1)
    _, second, third = keys(plan.stages)
    record = run_record(store, plan, {third: "an earlier task of this run failed", second: "the loss is nan"})
    assert (record["state"], record["error"]) == ("failed", "the loss is nan")
    assert record["matrix"][0] == [0.75, None, None]
    assert record["acc"] is None


def test_a_failed_stage_does_not_count_even_if_an_older_one_is_stored(store: Store) -> None:
    plan = saved(store)
    record = run_record(store, plan, {plan.stages[2].key: "the loss is inf"})
    assert record["state"] == "failed"
    assert record["matrix"][2] == [None, None, None]


def test_without_a_task_learned_alone_only_forward_transfer_is_missing(store: Store) -> None:
    plan = saved(store)
    for record in (
        run_record(store, plan, {plan.alone[0].key: "the loss is nan"}),
        run_record(store, RunPlan(plan.spec, plan.stages, ()), {}),
    ):
        assert record["state"] == "done"
        assert (record["fwt"], record["alone"]) == (None, None)
        assert record["acc"] == pytest.approx(1.45 / 3)


def test_a_run_over_one_task_has_no_transfer(store: Store) -> None:
    spec = RunSpec.make(["sst2"])
    plan = RunPlan(spec, stages_of(spec, "b0", str), ())
    store.save_stage(plan.stages[0].key, KEPT[0], {}, [])
    record = run_record(store, plan, {})
    assert (record["state"], record["acc"], record["bwt"], record["fwt"]) == ("done", 0.75, None, None)


# --- several seeds ------------------------------------------------------------------------
def test_seeds_are_summarised_metric_by_metric_without_the_missing() -> None:
    records: list[dict[str, Any]] = [
        {"acc": 0.5, "bwt": -0.1, "fwt": None},
        {"acc": 0.7, "bwt": None, "fwt": None},
        {"acc": None, "bwt": None, "fwt": None},
    ]
    found = summarise(records)
    assert (found["acc"]["n"], found["acc"]["mean"]) == (2, pytest.approx(0.6))
    assert found["acc"]["sd"] == pytest.approx(math.sqrt(0.1**2 + 0.1**2))  # over n - 1 = 1
    assert found["bwt"] == {"n": 1, "mean": -0.1, "sd": None, "ci95": None}
    assert found["fwt"] == {"n": 0, "mean": None, "sd": None, "ci95": None}
