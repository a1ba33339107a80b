"""Runs are queued at once; stored stages are reused."""

import os
import shutil
from pathlib import Path

import pytest
from storing import finish, group_rows, spec_of, states

from shlpt.backbone.files import EMBEDDED, digest_of, whole_name
from shlpt.backbone.t5 import pick_device
from shlpt.errors import UserError
from shlpt.plans import estimate, experiments
from shlpt.plans.stages import plans_of
from shlpt.queue import control, launch
from shlpt.queue.submit import FILLED, again, default_width, planned, start_race, submit, width_for
from shlpt.results import experiments as results
from shlpt.spec import RunSpec
from shlpt.store.store import Store


def test_runs_are_planned_and_counted(store: Store) -> None:
    specs = [spec_of(seed=1), spec_of(seed=2)]
    sent = submit(store, plans_of(specs), lanes=2)
    assert sent.runs == tuple(spec.id for spec in specs)
    assert (len(sent.todo), sent.reused) == (6, 0)
    again = submit(store, plans_of([*specs, spec_of(seed=1)]), lanes=2)
    assert (again.runs, again.todo) == ((*sent.runs, sent.runs[0]), sent.todo)
    assert default_width("cuda:1") == default_width("mps") > default_width("cpu", many=True) > default_width("cpu") == 4
    assert default_width() == default_width(str(pick_device()))


def test_lanes_fill_the_memory_of_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = plans_of([spec_of(method="per_task")], device="cuda")
    (one, more) = (estimate.memory([plans[0].spec] * lanes, lanes) for lanes in (1, 8))
    assert width_for(plans, "cuda") == default_width("cuda")  # nothing is known of the GPU
    for memory, lanes in ((one / 2, 1), (1.1 * one / FILLED, 1), (1.01 * more / FILLED, 8), (1e12, 32)):
        monkeypatch.setattr("shlpt.queue.submit.memory_of_gpus", lambda memory=memory: (int(memory), int(1e12)))
        assert width_for(plans, "cuda") == lanes
        assert width_for(plans, "cuda:1") == 32
    assert width_for(plans_of([spec_of()], device="cpu"), "cpu") == default_width("cpu")


def test_a_run_that_others_have_trained_is_written_down_at_once(store: Store) -> None:
    for stage in submit(store, plans_of([spec_of(("sst2", "cb"), "per_task")], alone=False)).todo:
        finish(store, stage.key, {stage.task: [1.0]})
    sent = submit(store, plans_of([spec_of(("cb", "sst2"), "per_task")], alone=False))
    assert sent.todo == ()
    assert [row["id"] for row in store.rows("SELECT id FROM runs WHERE result IS NOT NULL")] == list(sent.runs)


def test_what_was_stopped_goes_on(store: Store) -> None:
    sent = submit(store, plans_of([spec_of()], alone=False))
    control.stop(store, sent.runs)
    submit(store, plans_of([spec_of()], alone=False))
    assert states(store) == ["queued", "queued"]


def test_a_fresh_run_is_another_one(store: Store) -> None:
    first = submit(store, plans_of([spec_of()]))
    second, third = (submit(store, planned(store, [spec_of()], fresh=True)) for _ in range(2))
    assert len({*first.runs, *second.runs, *third.runs}) == 3
    assert len(second.todo) == len(third.todo) == 3
    assert len({stage.key for sent in (first, second, third) for stage in sent.todo}) == 9


def test_a_run_older_than_a_setting_is_trained_again_as_it_was(store: Store) -> None:
    made = spec_of(method="shlpt").to_json()
    del made["params"]["estimator_prior"]
    (plan,) = again(store, [RunSpec.model_validate(made)], same=True)
    assert plan.stages[-1].params.model_dump()["estimator_prior"] == "equal"
    (next_seed,) = again(store, [RunSpec.model_validate(made)], same=False)
    assert next_seed.stages[-1].params == plan.stages[-1].params


def test_before_eyes_the_task_alone_is_learned_first_and_every_core_has_a_worker(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[dict[str, object]] = []
    monkeypatch.setattr(launch, "start_worker", lambda store, **how: started.append(how))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    pairs = [("rte", "cb"), ("sst2", "cb")]
    made = experiments.matrix(("rte", "sst2", "cb"), (1, 2), {"method": "continual"}, "seen", 12, pairs)
    id = start_race(store, made)
    groups = store.rows("SELECT s.task FROM groups g JOIN stages s ON s.grp=g.key ORDER BY g.number")
    assert [row["task"] for row in groups] == 2 * ["cb", "rte@12", "sst2@12", "cb", "cb"]  # each by itself
    assert [how["threads"] for how in started] == [1, 1]
    assert id == made.id
    assert len(results.pairs(store, id)) == 4


@pytest.mark.parametrize("alone", [True, False])
def test_two_at_once_that_train_anew_both_do(store: Store, alone: bool) -> None:
    """Planned before the other one was queued, and queued after it."""
    mine, others = (planned(store, [spec_of()], alone=alone, fresh=True) for _ in range(2))
    other, sent = submit(store, others), submit(store, mine)
    assert [found.specs[0].edition for found in (other, sent)] == [1, 2]
    assert len(other.todo) == len(sent.todo) == 2 + alone
    assert not {stage.key for stage in sent.todo} & {stage.key for stage in other.todo}


def test_names_that_mean_the_same_task_are_the_same_run(store: Store) -> None:
    specs = [spec_of((name, "sst2"), "continual") for name in ("dial:0.5", "dial:+0.50")]
    one, other = (submit(store, plans_of([spec])) for spec in specs)
    assert one.runs == other.runs


def test_a_folder_is_known_from_everywhere_and_by_its_weights(store: Store, tmp_path: Path) -> None:
    shutil.copytree(EMBEDDED, tmp_path / "mine", ignore=shutil.ignore_patterns("*.md"))
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        sent = submit(store, plans_of([spec_of().model_copy(update={"backbone": "mine"})], alone=False))
        assert whole_name("mine") == str(tmp_path / "mine")
    finally:
        os.chdir(before)
    assert {row["backbone"] for row in store.rows("SELECT backbone FROM groups")} == {str(tmp_path / "mine")}
    assert {stage.backbone for stage in sent.todo} == {digest_of(str(tmp_path / "mine"))}
    assert digest_of("pocket") == digest_of(str(tmp_path / "mine"))  # the same files
    assert (whole_name("pocket"), whole_name("t5-small")) == ("pocket", "t5-small")


def test_a_mistake_leaves_the_store_as_it_was(store: Store) -> None:
    for name, reason in (
        ("/nowhere", "folder not found: /nowhere"),
        ("./no/such/one", "folder not found"),
        ("", "unknown backbone ''"),
        ("a/b/c", "cannot load the backbone 'a/b/c'"),
    ):
        with pytest.raises(UserError, match=reason):
            submit(store, plans_of([spec_of().model_copy(update={"backbone": name})]))
    with pytest.raises(UserError, match="unknown backbone 'poket'"):
        submit(store, plans_of([spec_of(), spec_of().model_copy(update={"backbone": "poket"})]))
    assert group_rows(store) == []
    assert store.rows("SELECT * FROM runs") == []
