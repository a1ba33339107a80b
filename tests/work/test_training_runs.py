"""Runs through the worker: reuse, reproducibility, failure, interruption."""

import itertools
import json
import math
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from saying import outcome, say
from storing import TINY, queued, stage_events

from shlpt.backbone.t5 import Backbone
from shlpt.cli.bar import BarWatch
from shlpt.methods.per_task import PerTask
from shlpt.plans.stages import Stage
from shlpt.queue import control
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store import liveness
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks.pocket import TASKS
from shlpt.training.checkpoint import state_of
from shlpt.work.worker import run, work


class Counting:
    """Counts stages by what became of them."""

    def __init__(self) -> None:
        self.todo: list[Stage] = []
        self.trained: list[Stage] = []
        self.reused = 0
        self.events: list[str] = []

    def planned(self, stages: Sequence[Stage], reused: int) -> None:
        self.todo, self.reused = list(stages), reused

    def event(self, stage: Stage, kind: str, payload: dict[str, Any]) -> None:
        self.events.append(kind)

    def finished(self, stage: Stage) -> None:
        self.trained.append(stage)


def specs(method: str, seeds: Sequence[int] = (1, 2), tasks: Sequence[str] = ("rte", "sst2")) -> list[RunSpec]:
    return [RunSpec.make(tasks, method, seed=seed, settings=TINY | {"lr": 0.1}) for seed in seeds]


def go(home: Path, runs: list[RunSpec], **options: Any) -> tuple[list[dict[str, Any]], Counting]:
    watch = Counting()
    return run(runs, home, device="cpu", watch=watch, **options), watch


def test_no_stage_is_trained_twice(tmp_path: Path) -> None:
    _, first = go(tmp_path, specs("per_task"))
    assert len(first.trained) == 4  # two tasks, two seeds; "alone" are the same stages
    _, second = go(tmp_path, specs("shlpt"))
    assert [stage.task for stage in second.trained] == ["sst2", "sst2"]  # first tasks and baselines are there
    assert {stage.key for stage in second.todo} == {stage.key for stage in second.trained}
    again, third = go(tmp_path, specs("shlpt"))
    assert (third.trained, third.todo, third.reused) == ([], [], 6)
    fresh, fourth = go(tmp_path, specs("shlpt"), fresh=True)
    assert len(fourth.trained) == 6
    numbers = ("matrix", "acc", "bwt", "fwt", "alone", "settings", "tasks", "seed")
    assert [[record[name] for name in numbers] for record in fresh] == [[r[name] for name in numbers] for r in again]
    assert not {record["id"] for record in fresh} & {record["id"] for record in again}


def test_what_is_stored_is_what_analysis_needs(tmp_path: Path, backbone: Backbone) -> None:
    (record,), _ = go(tmp_path, specs("shlpt", (1,), ("rte", "sst2", "agnews")))
    store = Store(tmp_path)
    key = record["stages"][2]
    stage, tensors = frames.stage(store, key), frames.stage_tensors(store, key)
    events = stage_events(store, key)
    test = stage["tests"]["agnews"]
    assert test["examples"] == [e.id for e in TASKS["agnews"].draw("test", 6, 0)]
    assert len(test["answers"]) == len(test["scores"]) == 24
    assert test["scores"] == [float(a == t) for a, t in zip(test["answers"], test["targets"], strict=True)]
    assert np.mean(test["scores"]) == record["matrix"][2][2]
    assert tensors["record.alpha"].shape == (16, 2)
    assert 0 < tensors["record.alpha"].sum(1).max() < 1  # the rest is for none of them
    assert tensors["record.probe_states"].shape[1:] == (backbone.layers, backbone.inner)
    assert stage["pool"] == ["rte", "sst2", "agnews"]
    assert stage["fingerprint"]["backbone"] == backbone.digest
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert record["settings"]["threshold"] == 0.06


def test_state_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    (record,), _ = go(tmp_path, specs("shlpt", (1,)))
    store = Store(tmp_path)
    first, second = (state_of(artifact_bytes(store, key, "tensors"), torch.device("cpu")) for key in record["stages"])
    assert [p.task for p in second.pool] == ["rte", "sst2"]
    assert torch.equal(first.pool[0].tensor, second.pool[0].tensor)
    assert {"estimator.up.weight", "temperature"} <= set(second.extra)


def test_seeds_see_the_same_tests_and_other_training_examples(tmp_path: Path) -> None:
    (one, two), _ = go(tmp_path, specs("per_task", tasks=("sst2",)))
    a, b = (frames.stage(Store(tmp_path), r["stages"][0]) for r in (one, two))
    assert a["tests"]["sst2"]["examples"] == b["tests"]["sst2"]["examples"]
    assert set(a["train_examples"]) != set(b["train_examples"])


class NotANumber(PerTask):
    def ask(self, batch: Any) -> Any:
        ask = super().ask(batch)
        if self.ctx.task == "sst2" and self.ctx.seed == 2:
            object.__setattr__(ask, "loss", lambda out: out.loss.mean() * math.nan)
        return ask


def test_a_failed_run_says_why_keeps_its_prompt_and_leaves_the_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shlpt.methods.continual.Continual", NotANumber)
    (good, bad), _ = go(tmp_path, specs("continual", tasks=("rte", "sst2", "cb")), alone=False)
    assert (good["state"], good["error"]) == ("done", None)
    assert bad["state"] == "failed"
    assert "step 1 of epoch 1" in bad["error"]
    assert bad["matrix"][0][0] is not None
    assert bad["matrix"][1] == [None] * 3
    store = Store(tmp_path)
    assert list(frames.stages(store, bad["id"])["state"]) == ["done", "failed", "failed"]
    kept = state_of(artifact_bytes(store, bad["stages"][1], "tensors"), torch.device("cpu"))
    assert kept.pool.of("sst2").tensor.isfinite().all()
    monkeypatch.undo()
    (good, mended), watch = go(tmp_path, specs("continual", tasks=("rte", "sst2", "cb")), alone=False)
    assert (mended["state"], mended["error"]) == ("done", None)
    assert {(stage.task, stage.seed) for stage in watch.todo} == {("sst2", 2), ("cb", 2)}


class OutOfOrder(PerTask):
    def __init__(self, ctx: Any) -> None:
        raise RuntimeError("out of memory")


def test_a_mistake_of_ours_fails_the_group_with_its_reason_and_the_worker_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shlpt.methods.continual.Continual", OutOfOrder)
    (record,), watch = go(tmp_path, specs("continual", (1,)))
    assert record["state"] == "failed"
    assert "RuntimeError: out of memory" in record["error"]
    assert len(watch.trained) == 2  # the first task, and the second one alone


def test_another_backbone_than_planned_is_not_trained_on(store: Store) -> None:
    queued(store, *specs("per_task", (1,)))  # for weights called b0
    work(store, device="cpu")
    record = frames.run(store, specs("per_task", (1,))[0].id)
    assert record["state"] == "failed"
    assert "the backbone pocket has changed since the run was queued" in record["error"]


def test_another_machine_goes_on_with_a_warning(tmp_path: Path) -> None:
    (record,), _ = go(tmp_path, specs("per_task", (1,), ("rte",)))
    store = Store(tmp_path)
    key = record["stages"][0]
    with store.write() as db:
        db.execute("UPDATE groups SET state='stopped', made=replace(made, '\"threads\":', '\"threads\":9')")
        db.execute("UPDATE stages SET state='queued'")
        db.execute("UPDATE runs SET result=NULL")
        db.execute("UPDATE events SET payload='{\"old\":1}'")
    (record,), _ = go(tmp_path, specs("per_task", (1,), ("rte",)))
    (warning,) = record["warnings"]
    assert "resumed with another machine or setting: threads: 9" in warning
    assert not any("old" in event for event in stage_events(store, key))
    assert list(frames.stages(store, record["id"])["note"]) == [warning]


def test_a_worker_leaves_nothing_of_itself_behind(tmp_path: Path) -> None:
    go(tmp_path, specs("per_task", (1,), ("rte",)))
    store = Store(tmp_path)
    assert liveness.living(store) == []
    assert list((tmp_path / "workers").iterdir()) == []
    assert store.rows("SELECT * FROM workers") == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [".reserve", "artifacts", "shlpt.sqlite", "workers"]


def test_what_was_stopped_goes_on_with_the_same_command(tmp_path: Path) -> None:
    class Stopping(Counting):
        def finished(self, stage: Stage) -> None:
            super().finished(stage)
            control.stop(Store(tmp_path), [specs("per_task", (1,))[0].id])

    records = run(specs("per_task", (1,)), tmp_path, device="cpu", lanes=1, watch=Stopping())
    assert records[0]["state"] == "stopped"
    assert records[0]["matrix"][0][0] is not None
    (record,), watch = go(tmp_path, specs("per_task", (1,)))
    assert record["state"] == "done"
    assert len(watch.trained) == 1


@pytest.mark.parametrize("command", [["run"], ["matrix"]])
def test_a_command_whose_runs_are_not_done_says_so_and_one_that_is_at_it_is_no_worker_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> int:
        words = ["--tasks=rte,sst2", "--method=continual", f"--home={tmp_path}", "--lanes=1", "--json"]
        return outcome(*command, *words, *SETTINGS)

    def stop_workers(*_: Any) -> None:
        assert control.stop_workers(Store(tmp_path)) == 0

    def stop_all(*_: Any) -> None:
        store = Store(tmp_path)
        control.stop(store, list(frames.runs(store)["id"]))

    with monkeypatch.context() as patch:
        patch.setattr(BarWatch, "finished", stop_all)
        assert said() == 1
    found = capsys.readouterr()
    assert "stopped" in found.err
    assert "run the same command again to resume" in found.err
    assert json.loads(found.out)
    with monkeypatch.context() as patch:
        patch.setattr(BarWatch, "finished", stop_workers)
        assert said() == 0


@pytest.mark.parametrize("command", [["run"], ["matrix"]])
def test_what_ctrl_c_ended_waits_for_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """And for nobody else's worker, which would train it before what was asked of it."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    def said() -> int:
        return outcome(*command, "--tasks=rte,sst2", "--method=continual", f"--home={tmp_path}", "--lanes=1", *SETTINGS)

    monkeypatch.setattr(BarWatch, "finished", interrupt)
    assert said() == 130
    monkeypatch.undo()
    store = Store(tmp_path)
    assert work(store, device="cpu") == 0
    assert "stopped" in {row["state"] for row in store.rows("SELECT state FROM groups")} <= {"done", "stopped"}
    assert said() == 0
    assert set(frames.runs(store)["state"]) == {"done"}


def test_a_clock_that_is_set_back_and_forward_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = ("matrix", "acc", "bwt", "fwt", "state", "warnings")
    wanted, _ = go(tmp_path / "one", specs("shlpt", (1,)))
    real, jumps = time.time, itertools.cycle([0.0, -1e6, 1e6])
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    found, _ = go(tmp_path / "two", specs("shlpt", (1,)))
    assert [[record[name] for name in numbers] for record in found] == [[r[name] for name in numbers] for r in wanted]
    one, two = (stage_events(Store(tmp_path / name), found[0]["stages"][1]) for name in ("one", "two"))
    assert [event | {"at": 0} for event in one] == [event | {"at": 0} for event in two]
    assert max(event["at"] for event in two) - min(event["at"] for event in two) > 1e6


# --- the command line ---------------------------------------------------------------------
SETTINGS = [f"--set={key}={value}" for key, value in TINY.items()]


def test_run_prints_one_document_of_the_agreed_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "--tasks=rte,sst2", "--method=shlpt", "--seeds=1,2", f"--home={tmp_path}", *SETTINGS]
    documents = [say(capsys, *arguments) for _ in range(2)]
    first = documents[0]["runs"][0]
    assert {"id", "method", "tasks", "seed", "state", "matrix", "acc", "bwt", "fwt", "settings"} <= set(first)
    assert documents[0]["runs"] == documents[1]["runs"]
    summary = documents[0]["summary"]
    assert set(summary["acc"]) == {"n", "mean", "sd", "ci95"}
    assert summary["acc"]["mean"] == pytest.approx(np.mean([r["acc"] for r in documents[0]["runs"]]))
    assert summary["trained"] == 6
    assert documents[1]["summary"]["trained"] == 0
    assert outcome(*arguments, "--csv") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("id,method,seed,state,acc")
    assert len(lines) == 3


def test_numbers_are_bit_identical_in_another_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--tasks=rte,sst2", f"--threads={torch.get_num_threads()}", *SETTINGS]
    here = say(capsys, *words, f"--home={tmp_path / 'here'}")["runs"]
    command = [sys.executable, "-m", "shlpt", *words, f"--home={tmp_path / 'there'}", "--json"]
    there = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["runs"]
    for record in (*here, *there):  # but for when and how long
        del record["created"], record["seconds"]
    assert here == there
    a, b = (frames.stage_tensors(Store(tmp_path / name), here[0]["stages"][1]) for name in ("here", "there"))
    assert all(np.array_equal(a[name], b[name]) for name in a)
