"""Runs through the worker: reuse, reproducibility, failure, interruption."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shlpt.backbone.t5 import Backbone
from shlpt.cli import main
from shlpt.methods.per_task import PerTask
from shlpt.methods.registry import LEARNERS
from shlpt.runs.plan import Stage
from shlpt.runs.store import Store
from shlpt.runs.worker import load_state, run
from shlpt.spec import RunSpec
from shlpt.tasks.pocket import TASKS

TINY = {"epochs": 2, "shots": 4, "validation_shots": 2, "test_shots": 6, "prompt_length": 4}


class Counting:
    """Counts stages by what became of them."""

    def __init__(self) -> None:
        self.trained: list[Stage] = []
        self.reused: list[Stage] = []
        self.events: list[str] = []

    def planned(self, stages: Sequence[Stage]) -> None: ...

    def event(self, stage: Stage, kind: str, payload: dict[str, Any]) -> None:
        self.events.append(kind)

    def finished(self, stage: Stage, reused: bool) -> None:
        (self.reused if reused else self.trained).append(stage)


def specs(method: str, seeds: Sequence[int] = (1, 2), tasks: Sequence[str] = ("rte", "sst2")) -> list[RunSpec]:
    return [RunSpec.make(tasks, method, seed=seed, settings=TINY) for seed in seeds]


def go(home: Path, runs: list[RunSpec], **options: Any) -> tuple[list[dict[str, Any]], Counting]:
    watch = Counting()
    return run(runs, home, device="cpu", watch=watch, **options), watch


def test_no_stage_is_trained_twice(tmp_path: Path) -> None:
    _, first = go(tmp_path, specs("per_task"))
    assert len(first.trained) == 4  # two tasks, two seeds; "alone" are the same stages
    _, second = go(tmp_path, specs("shlpt"))
    assert [stage.task for stage in second.trained] == ["sst2", "sst2"]  # first tasks and baselines are there
    again, third = go(tmp_path, specs("shlpt"))
    assert third.trained == []
    fresh, fourth = go(tmp_path, specs("shlpt"), fresh=True)
    assert len(fourth.trained) == 6
    assert fresh == again


def test_what_is_stored_is_what_analysis_needs(tmp_path: Path, backbone: Backbone) -> None:
    (record,), _ = go(tmp_path, specs("shlpt", (1,), ("rte", "sst2", "agnews")))
    store = Store(tmp_path)
    key = record["stages"][2]
    stage, tensors, events = store.stage(key), store.tensors(key), store.events(key)
    test = stage["tests"]["agnews"]
    assert test["examples"] == [e.id for e in TASKS["agnews"].draw("test", 6, 0)]
    assert len(test["answers"]) == len(test["scores"]) == 24
    assert test["scores"] == [float(a == t) for a, t in zip(test["answers"], test["targets"], strict=True)]
    assert np.mean(test["scores"]) == record["matrix"][2][2]
    assert tensors["record.alpha"].shape == (16, 2)
    np.testing.assert_allclose(tensors["record.alpha"].sum(1), 1, rtol=1e-5)
    assert tensors["record.probe_states"].shape[1:] == (backbone.layers, backbone.inner)
    assert stage["pool"] == ["rte", "sst2", "agnews"]
    assert stage["fingerprint"]["backbone"] == backbone.digest
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert record["settings"]["threshold"] == 0.06


def test_state_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    (record,), _ = go(tmp_path, specs("shlpt", (1,)))
    store = Store(tmp_path)
    first, second = (load_state(store, key, torch.device("cpu")) for key in record["stages"])
    assert [p.task for p in second.pool] == ["rte", "sst2"]
    assert torch.equal(first.pool[0].tensor, second.pool[0].tensor)
    assert {"estimator.up.weight", "temperature"} <= set(second.extra)


def test_seeds_see_the_same_tests_and_other_training_examples(tmp_path: Path) -> None:
    (one, two), _ = go(tmp_path, specs("per_task", tasks=("sst2",)))
    a, b = (Store(tmp_path).stage(r["stages"][0]) for r in (one, two))
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
    monkeypatch.setitem(LEARNERS, "continual", NotANumber)
    (good, bad), _ = go(tmp_path, specs("continual", tasks=("rte", "sst2", "cb")), alone=False)
    assert (good["state"], good["error"]) == ("done", None)
    assert bad["state"] == "failed"
    assert "step 1 of epoch 1" in bad["error"]
    assert bad["matrix"][0][0] is not None
    assert bad["matrix"][1] == [None] * 3
    store = Store(tmp_path)
    assert not store.has_stage(bad["stages"][1])
    kept = load_state(store, f"{bad['stages'][1]}-failed", torch.device("cpu"))
    assert kept.pool.of("sst2").tensor.isfinite().all()


# --- the command line ---------------------------------------------------------------------
SETTINGS = [f"--set={key}={value}" for key, value in TINY.items()]


def test_run_prints_one_document_of_the_agreed_form(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["run", "--tasks=rte,sst2", "--method=shlpt", "--seeds=1,2", f"--home={tmp_path}", *SETTINGS]
    documents = []
    for _ in range(2):
        with pytest.raises(SystemExit) as end:
            main([*arguments, "--json"])
        assert end.value.code == 0
        documents.append(json.loads(capsys.readouterr().out))
    first = documents[0]["runs"][0]
    assert {"id", "method", "tasks", "seed", "state", "matrix", "acc", "bwt", "fwt", "settings"} <= set(first)
    assert documents[0]["runs"] == documents[1]["runs"]
    summary = documents[0]["summary"]
    assert set(summary["acc"]) == {"n", "mean", "sd", "ci95"}
    assert summary["acc"]["mean"] == pytest.approx(np.mean([r["acc"] for r in documents[0]["runs"]]))
    assert summary["trained"] == 6
    assert documents[1]["summary"]["trained"] == 0
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--csv"])
    assert end.value.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("id,method,seed,state,acc")
    assert len(lines) == 3


def test_numbers_are_bit_identical_in_another_process(tmp_path: Path) -> None:
    outputs = []
    for name in ("one", "two"):
        arguments = ["run", "--tasks=rte,sst2", f"--home={tmp_path / name}", "--json", "--threads=1", *SETTINGS]
        done = subprocess.run([sys.executable, "-m", "shlpt", *arguments], capture_output=True, text=True, check=True)
        outputs.append(json.loads(done.stdout)["runs"])
    assert outputs[0] == outputs[1]
    a, b = (Store(tmp_path / name).tensors(outputs[0][0]["stages"][1]) for name in ("one", "two"))
    assert all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.slow
def test_interrupting_ends_quickly_and_leaves_finished_stages_usable(tmp_path: Path) -> None:
    arguments = ["run", "--tasks=rte,yahoo,sst2", "--method=per_task", f"--home={tmp_path}", "--no-alone", "--lanes=1",
                 "--set=epochs=400", "--set=patience=400", "--set=shots=4", "--set=test_shots=4"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "shlpt", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("stages/[!.]*/stage.json")) and time.monotonic() < deadline:
        time.sleep(0.2)
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, messages = process.communicate(timeout=20)
    assert time.monotonic() - begin < 2
    assert process.returncode == 130
    assert "Traceback" not in messages
    assert "finished stages are kept" in messages
    finished = list(tmp_path.glob("stages/*/stage.json"))
    assert len(finished) >= 1
    assert not list(tmp_path.glob("stages/.*"))
