"""`steps` on the command line: the numbers of the function, and kind answers to mistakes."""

from pathlib import Path
from typing import Any

import pytest
from saying import refused, say

from shlpt.analysis.steps import said
from shlpt.results import recorded, stepping
from shlpt.store.store import Store


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")


def test_the_command_has_the_numbers_of_the_function(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = looked.ids["shlpt"]
    walked = stepping.walk(Store(looked.home).open(), run, "sst2")
    expected = walked.to(2)
    found = say(capsys, "steps", run[:9], "--task", "sst2", "--count", "2", f"--home={looked.home}")
    assert (found["run"], found["task"], found["stored"]) == (run, "sst2", False)
    for told, step in zip(found["steps"], expected, strict=True):
        assert step.before is not None
        assert step.after is not None
        assert (told["before"]["loss"], told["after"]["loss"]) == (step.before.loss, step.after.loss)
        assert told["after"]["alpha"] == {"rte": step.after.alpha[0]}
        assert told["texts"] == list(step.texts)
        assert told["said"] == said(step, walked.about)
    last = say(capsys, "steps", run, "--count", "100", f"--home={looked.home}")  # more than there are, of the last task
    assert last["task"] == "agnews"
    assert last["notes"][-1] == f"The run takes {len(last['steps'])} steps for this task, not 100."
    first = say(capsys, "steps", run, "--task", "rte", "--count", "1", f"--home={looked.home}")
    assert "There is no earlier task, so there is no α." in first["notes"]
    assert first["steps"][0]["before"]["alpha"] == {}


@pytest.mark.parametrize(
    ("run", "words", "said"),
    [
        ("shlpt", ["--task", "rt"], "did you mean 'rte'"),
        ("shlpt", ["--task", "<b>"], "unknown task of this run '<b>'"),
        ("shlpt", ["--count", "0"], "greater than or equal to 1"),
        ("finetune", [], "trains all weights"),
    ],
)
def test_mistakes_are_explained(
    looked: Any, run: str, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, "steps", looked.ids[run], *words, f"--home={looked.home}")


def test_an_unknown_run_is_refused(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown run" in refused(capsys, "steps", "rnothing", f"--home={looked.home}")
