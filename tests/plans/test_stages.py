"""Runs as a tree of stages: what is shared, what is not, and in which order they train."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shlpt.catalog import METHODS
from shlpt.catalog.params import NoParams
from shlpt.errors import UserError
from shlpt.plans import stages as planning
from shlpt.plans.stages import RunPlan, Stage, data_digest, lane_groups, plan_runs, stages_of, steps_of
from shlpt.spec import RunSpec, Training

TASKS = ("sst2", "rte", "cb")
SAME = {"lr": 0.1}  # with a rate of its own a method would have stages of its own


def path(
    tasks: Sequence[str] = TASKS, method: str = "shlpt", backbone: str = "b0", data: str = "data", **rest: Any
) -> tuple[Stage, ...]:
    """The stages of a run, its data told apart by task name only."""
    return stages_of(RunSpec.make(tasks, method, **rest), backbone, lambda task: f"{data} of {task}")


def keys(stages: Sequence[Stage]) -> list[str]:
    return [stage.key for stage in stages]


def test_the_steps_of_a_stage_follow_from_the_task_s_own_number_of_examples() -> None:
    few, many = (steps_of(path((name,))[0]) for name in ("sst2", "sst2@64"))
    assert (few, many) == (20 * 2 * 8 // 8, 20 * 2 * 64 // 8)


# --- stages of a run ----------------------------------------------------------------------
def test_a_run_has_a_stage_for_each_task_each_the_child_of_the_one_before() -> None:
    stages = path()
    assert [stage.task for stage in stages] == list(TASKS)
    assert [stage.parent for stage in stages] == [None, *keys(stages)[:2]]
    assert [stage.earlier for stage in stages] == [(), ("sst2",), ("sst2", "rte")]
    assert [stage.depth for stage in stages] == [0, 1, 2]
    assert path() == path()
    stages = path(method="per_task")
    assert all(stage.parent is None and stage.earlier == () for stage in stages)
    assert set(keys(stages)) == set(keys(path(("cb", "sst2", "rte"), "per_task")))


def test_equal_beginnings_are_shared_and_the_same_task_after_another_history_is_another_stage() -> None:
    one, other = keys(path(("sst2", "rte", "cb"))), keys(path(("sst2", "rte", "wic")))
    assert one[:2] == other[:2]
    assert one[2] != other[2]
    assert keys(path(("sst2", "rte")))[1] != keys(path(("cb", "rte")))[1]
    assert not set(keys(path(("sst2", "rte", "cb")))) & set(keys(path(("rte", "sst2", "cb"))))


@pytest.mark.parametrize("method", ["shlpt", "continual", "progressive"])
def test_the_first_stage_of_a_method_is_plain_prompt_tuning(method: str) -> None:
    stages, plain = path(method=method, settings=SAME), path(method="per_task", settings=SAME)
    assert stages[0] == plain[0]
    assert (stages[0].method, stages[0].params) == ("per_task", NoParams())
    assert {stage.method for stage in stages[1:]} == {method}
    assert not set(keys(stages[1:])) & set(keys(plain))


CHANGES: list[dict[str, Any]] = [{"seed": 1}, {"settings": {"epochs": 3}}, {"settings": {"test_shots": 3}}]
CHANGES += [{"preset": "paper"}, {"backbone": "b1"}, {"data": "other data"}, {"dtype": "bfloat16"}, {"suite": "other"}]


@pytest.mark.parametrize("method", ["shlpt", "per_task"])
def test_what_decides_the_result_changes_every_key(method: str) -> None:
    for change in CHANGES:
        assert not set(keys(path(method=method))) & set(keys(path(method=method, **change))), change


def test_the_number_format_and_the_device_that_are_resolved_make_the_stage() -> None:
    spec = RunSpec.make(TASKS)
    exact = spec.model_copy(update={"dtype": "float32"})
    half = spec.model_copy(update={"dtype": "bfloat16"})
    on_gpu = [one.model_copy(update={"device": "cuda"}) for one in (spec, exact, half)]
    on_mac = spec.model_copy(update={"device": "mps"})
    found = {
        name: keys(stages_of(one, "b0", str))
        for name, one in zip("aehAEHm", (spec, exact, half, *on_gpu, on_mac), strict=True)
    }
    assert found["a"] == found["e"]  # auto is single precision on a CPU …
    assert found["A"] == found["H"]  # … and bfloat16 on CUDA
    assert len({tuple(each) for each in found.values()}) == 5
    assert [one.precision for one in on_gpu] == ["bfloat16", "float32", "bfloat16"]
    assert "device" not in spec.to_json()  # older runs keep their ids
    assert RunSpec.model_validate(on_gpu[0].to_json()) == on_gpu[0]
    assert {stage.device for stage in stages_of(on_gpu[0], "b0", str)} == {"cuda"}
    (plan,) = planning.plans_of([spec], device="cuda:1")
    assert (plan.spec.device, plan.stages[0].device, plan.alone[0].device) == ("cuda", "cuda", "cuda")


def test_a_setting_of_the_method_changes_the_later_keys_only_and_the_name_of_a_backbone_none() -> None:
    spec = RunSpec.make(TASKS)
    copied = spec.model_copy(update={"backbone": "/somewhere/else"})
    assert keys(stages_of(spec, "b0", str)) == keys(stages_of(copied, "b0", str))
    one, other = keys(path()), keys(path(settings={"threshold": 0.5}))
    assert one[0] == other[0]
    assert not set(one[1:]) & set(other[1:])


def test_a_new_version_of_a_method_changes_its_keys_only(monkeypatch: pytest.MonkeyPatch) -> None:
    shlpt, continual = keys(path()), keys(path(method="continual"))
    monkeypatch.setitem(METHODS, "shlpt", replace(METHODS["shlpt"], version=99))
    assert keys(path())[0] == shlpt[0]
    assert not set(keys(path())[1:]) & set(shlpt[1:])
    assert keys(path(method="continual")) == continual


def test_a_new_version_of_the_first_stage_changes_all_that_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(path())
    monkeypatch.setitem(METHODS, "per_task", replace(METHODS["per_task"], version=99))
    assert not set(keys(path())) & set(before)


# --- the data of a stage ------------------------------------------------------------------
SMALL = Training(shots=3, validation_shots=2, test_shots=4)


def test_other_examples_have_another_digest_and_other_training_has_the_same() -> None:
    others = [("rte", SMALL, 0), ("sst2", SMALL, 1), ("contrary:sst2", SMALL, 0)]
    more = [{"shots": 4}, {"validation_shots": 3}, {"test_shots": 5}]
    others += [("sst2", SMALL.model_copy(update=change), 0) for change in more]
    found = {data_digest(task, "pocket", training, seed) for task, training, seed in [("sst2", SMALL, 0), *others]}
    assert len(found) == 1 + len(others)
    slower = SMALL.model_copy(update={"lr": 0.01, "epochs": 3})
    assert data_digest("sst2", "pocket", slower, 0) == data_digest("sst2", "pocket", SMALL, 0)


def test_more_examples_than_there_are_stop_the_plan() -> None:
    with pytest.raises(UserError, match=r"task 'wic' has no more than \d+ different train examples"):
        plan_runs([RunSpec.make(["wic"], settings={"shots": 5000})], "b0")


# --- plans --------------------------------------------------------------------------------
def small(tasks: Sequence[str], method: str, seed: int = 42) -> RunSpec:
    return RunSpec.make(tasks, method, seed=seed, settings=SAME | {"shots": 2, "validation_shots": 1, "test_shots": 1})


def test_each_later_task_is_also_learned_alone_and_shared_with_per_task_prompts() -> None:
    (plan,) = plan_runs([small(TASKS, "shlpt")], "b0")
    found = [(stage.task, stage.parent, stage.method) for stage in plan.alone]
    assert found == [(task, None, "per_task") for task in ("rte", "cb")]
    ours, plain = plan_runs([small(TASKS, "shlpt"), small(TASKS, "per_task")], "b0")
    assert keys(ours.alone) == keys(plain.stages)[1:] == keys(plain.alone)
    (plan,) = plan_runs([small(TASKS, "shlpt")], "b0", alone=False)
    assert plan.alone == ()
    assert len(plan.stages) == 3


@pytest.mark.parametrize("method", METHODS)
def test_learning_alone_is_the_same_for_all_methods_on_the_frozen_backbone(method: str) -> None:
    (plan,) = plan_runs([RunSpec.make(("sst2", "rte"), method, settings={"lr": 0.1})], "b0")
    (plain,) = plan_runs([RunSpec.make(("sst2", "rte"), "per_task", settings={"lr": 0.1})], "b0")
    if METHODS[method].shares_backbone:
        assert plan.alone == plain.alone
    else:
        assert [stage.method for stage in plan.alone] == [method]


def test_no_stage_of_an_experiment_is_trained_twice_and_equal_beginnings_form_a_tree() -> None:
    specs = [small(TASKS, method, seed) for method in ("shlpt", "continual", "per_task") for seed in (1, 2)]
    groups = lane_groups(plan_runs(specs, "b0"), 4)
    # a seed: 3 plain stages (first, alone and per-task are the same), 2 of shlpt, 2 of continual
    assert sum(len(group.stages) for group in groups) == 2 * (3 + 2 + 2)
    specs = [small(("sst2", "rte", last), "shlpt") for last in ("cb", "wic", "copa")]
    groups = lane_groups(plan_runs(specs, "b0"), 16)
    # depth 0: sst2; depth 1: rte; depth 2: cb, wic, copa; and last, alone: rte, cb, wic, copa
    assert [len(group.stages) for group in groups] == [1, 1, 3, 4]


# --- lane groups --------------------------------------------------------------------------
def plans_of(specs: Sequence[RunSpec]) -> list[RunPlan]:
    return [RunPlan(spec, stages_of(spec, "b0", str), ()) for spec in specs]


runs = st.builds(
    RunSpec.make,
    tasks=st.permutations(("sst2", "rte", "cb", "wic")).flatmap(
        lambda order: st.integers(2, 4).map(lambda length: order[:length])
    ),
    method=st.sampled_from(sorted(METHODS)),
    seed=st.integers(0, 1),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(runs, min_size=1, max_size=8), st.integers(1, 5))
def test_groups_are_a_training_order_of_all_stages(specs: list[RunSpec], width: int) -> None:
    plans = plans_of(specs)
    groups = lane_groups(plans, width)
    counts = Counter(stage.key for group in groups for stage in group.stages)
    assert set(counts) == {stage.key for plan in plans for stage in plan.stages}
    assert set(counts.values()) == {1}
    finished: set[str | None] = {None}
    for group in groups:
        assert 1 <= len(group.stages) <= width
        assert len({(stage.depth, stage.method) for stage in group.stages}) == 1
        assert {stage.parent for stage in group.stages} <= finished
        finished |= set(keys(group.stages))
    assert len({group.key for group in groups}) == len(groups)


def test_a_row_of_stages_is_cut_to_the_width() -> None:
    plans = plans_of([RunSpec.make(["sst2", "rte"], "continual", seed=seed) for seed in range(5)])
    assert [len(group.stages) for group in lane_groups(plans, 2)] == [2, 2, 1, 2, 2, 1]
    assert [len(group.stages) for group in lane_groups(plans, 5)] == [5, 5]
    plans = plans_of([RunSpec.make(TASKS, method) for method in METHODS])
    assert lane_groups(plans, 2) == lane_groups(plans, 2)
    plans = plans_of([RunSpec.make(["sst2"], seed=seed) for seed in range(3)])
    (one,), (other,) = lane_groups(plans[:2], 4), lane_groups(plans, 4)
    assert one.key != other.key
    assert lane_groups([], 4) == []


def test_a_setting_that_names_a_task_that_is_none_is_refused() -> None:
    wrong = RunSpec.make(("sst2", "rte"), "oracle_partition", settings={"similar_pairs": "sst2>rt"})
    with pytest.raises(UserError, match="unknown task 'rt': did you mean 'rte'"):
        plan_runs([wrong], "b0")


def test_a_task_is_known_by_its_own_name_and_still_only_once() -> None:
    (plan,) = plan_runs([RunSpec.make(("dial:1", "dial:0.5"), "continual")], "b0", alone=False)
    assert plan.spec.tasks == ("dial:+1.00", "dial:+0.50")
    assert [stage.task for stage in plan.stages] == ["dial:+1.00", "dial:+0.50"]
    with pytest.raises(UserError, match="twice"):
        plan_runs([RunSpec.make(("dial:0.5", "dial:0.50"), "continual")], "b0", alone=False)
