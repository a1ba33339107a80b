"""`surgery` on the command line: the numbers of the function, every way to ask, and kind answers to mistakes."""

from pathlib import Path
from typing import Any

import pytest
from saying import refused, say

from shlpt.analysis.surgery import factors, flat
from shlpt.results import recorded, surgery
from shlpt.store.store import Store


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")


def test_the_command_has_the_numbers_of_the_function(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run = looked.ids["shlpt"]
    mixed = surgery.mixture(Store(looked.home).open(), run, "agnews")
    expected = surgery.operate(mixed, factors(mixed.earlier, ["rte"], ["sst2=0.5"]))
    words = ("surgery", run[:9], "--task", "agnews", "--without", "pocket/rte", "--scale", "sst2=0.5")
    found = say(capsys, *words, f"--home={looked.home}")
    assert found["weights"] == dict(zip(mixed.earlier, mixed.weights, strict=True))
    assert found["factors"] == {"rte": 0.0, "sst2": 0.5}
    assert {key: found[key] for key in expected.effect} == expected.effect
    assert [row["example"] for row in found["changed"]] == list(expected.changed["example"])
    turns = say(capsys, "surgery", run, f"--home={looked.home}")  # the last task, each prompt out by itself
    assert [row["without"] for row in turns["rows"]] == ["rte", "sst2", "all"]
    alone = flat(surgery.operate(mixed, factors(mixed.earlier, ["rte"])).effect)
    assert {key: turns["rows"][0][key] for key in alone} == alone
    assert (found["trained"], turns["trained"]) == (False, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--without", "rt"], "did you mean 'rte'"),
        (["--scale", "rte=3"], "a number from 0"),
        (["--task", "rte"], "first task"),
        (["--task", "<b>"], "unknown task of this run '<b>'"),
    ],
)
def test_mistakes_are_explained(looked: Any, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in refused(capsys, "surgery", looked.ids["shlpt"], *words, f"--home={looked.home}")
