"""Warnings about δ in the output of commands: on standard error, before training and after."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from saying import outcome

from shlpt.results.vacuity import of_runs
from shlpt.store.store import Store

SMALL = {"epochs": 2, "shots": 4, "validation_shots": 2, "test_shots": 2, "prompt_length": 4}
WORDS = [word for key, value in SMALL.items() for word in ("--set", f"{key}={value}")]
TASKS = ("--tasks=rte,sst2,agnews", "--seeds=1", *WORDS)


@pytest.fixture
def home(looked: Any, tmp_path: Path) -> Path:
    """Trained already, so that the commands reuse everything."""
    shutil.copytree(looked.home, tmp_path / "home")
    return tmp_path / "home"


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[str, list[str]]:
    assert outcome(*words) == 0
    found = capsys.readouterr()
    return found.out, [line for line in found.err.splitlines() if line.startswith("warning: ")]


def test_run_warns_before_and_after_and_its_document_stays_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uniform = ("--set", "estimator=uniform", "--set", "threshold=0.3")
    out, found = told(capsys, "run", *TASKS, *uniform, "--no-alone", "--json", f"--home={home}")
    assert json.loads(out)["summary"]["trained"] == 0
    assert "α is 1 whatever the texts" in found[0]
    assert "δ = 0.3 is below the uniform level 1/n (0.5 for n = 2)" in found[1]
    assert any("agnews: The entropy of α is at its maximum" in line for line in found[2:])


def test_a_sweep_warns_of_each_value_once_and_methods_without_alpha_of_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = "--values=threshold=0.06,1.5"
    _, found = told(capsys, "sweep", *TASKS, values, f"--home={home}")
    assert sum("α is never above 1, so at δ = 1.5" in line for line in found) == 1
    assert not any("below the uniform level" in line for line in found)  # α may say none of them
    _, found = told(capsys, "sweep", *TASKS, values, "--set=estimator_prior=equal", f"--home={home}")
    assert sum("δ = 0.06 is below the uniform level" in line for line in found) == 1
    _, found = told(capsys, "run", "--tasks=rte,sst2", "--seeds=1", "--method=per_task", *WORDS, f"--home={home}")
    assert found == []


def test_alpha_says_its_warnings_beside_its_numbers(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    out, found = told(
        capsys, "alpha", looked.ids["still"], "agnews", "--threshold=0.999", "--json", f"--home={looked.home}"
    )
    assert [f"warning: {said}" for said in json.loads(out)["warnings"]] == found
    assert any("No α is above this δ" in line for line in found)


def test_runs_that_differ_in_their_seed_are_read_together(looked: Any) -> None:
    store = Store(looked.home).open()
    ids = [looked.ids[name] for name in ("shlpt", "seed_2", "per_task", "uniform")]
    found = of_runs(store, ids)
    assert all(said.startswith(("δ = 0.06, agnews: ", "δ = 0.3, agnews: ")) for said in found)
    assert not any("below the uniform level" in said for said in found)  # known before training
