"""`alpha` and `activations` on the command line: the numbers of the pages, and kind answers to mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shlpt.cli import main
from shlpt.runs import inside, lens, queries, recorded
from shlpt.runs.store import Store


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")


def asked(looked: Any, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    with pytest.raises(SystemExit) as end:
        main([*words, "--home", str(looked.home), "--json"])
    said = capsys.readouterr()
    assert end.value.code in (0, None), said.err
    return json.loads(said.out)


def refused(looked: Any, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as end:
        main([*words, "--home", str(looked.home)])
    assert end.value.code == 2
    return capsys.readouterr().err


def test_alpha_of_a_text(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run, text = looked.ids["still"], "the food was superb ."
    found = asked(looked, capsys, "alpha", run[:9], "agnews", "--text", text)
    reading = lens.read(Store(looked.home).open(), run, "agnews", text)
    assert found["alpha"] == dict(zip(reading.alpha["earlier"], reading.alpha["alpha"], strict=True))
    assert [word["word"] for word in found["words"]] == [*text.split(), lens.END]
    assert found["threshold"] == 0.06
    assert found["similar"] == [name for name, value in found["alpha"].items() if value > 0.06]


def test_alpha_of_a_task_and_of_a_training_text(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(looked, capsys, "alpha", looked.ids["still"], "agnews", "--threshold", "0.9")
    assert [row["earlier"] for row in found["earlier"]] == ["rte", "sst2"]
    assert found["retrained"] is False
    assert found["examples"] == len(found["instances"]) == 16
    first = found["instances"][0]
    one = asked(looked, capsys, "alpha", looked.ids["still"], "agnews", "--example", first["example"])
    assert one["alpha"] == first["alpha"]
    assert {row["which"] for row in one["neighbours"]} == {"nearest", "farthest"}


def test_activations_agree_with_what_training_said(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The overlap that was measured after the best epoch, from states stored in half precision."""
    run = looked.ids["shlpt"]
    found = asked(looked, capsys, "activations", run)
    store = Store(looked.home).open()
    rows = queries.stages(store, run).set_index("task")
    best = queries.stage(store, rows.loc["agnews", "key"])["summary"]["best_epoch"] + 1
    measured = queries.overlap(store, [run])
    there = measured[(measured["task"] == "agnews") & (measured["epoch"] == best)].set_index("earlier")["overlap"]
    assert len(there) == 2
    for number, task in enumerate(found["tasks"][:2]):
        assert found["matrix"][2][number] == pytest.approx(there[task], abs=2e-3)
    assert found["other"]["run"] == looked.ids["no_asc"]
    np.testing.assert_allclose(
        found["difference"]["matrix"], np.subtract(found["matrix"], found["other"]["matrix"]), atol=1e-12
    )


def test_neurons_and_measures(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--measure", "jaccard", "--layer", "1", "--neurons", "rte,agnews", "--most", "5")
    found = asked(looked, capsys, "activations", looked.ids["shlpt"], *words)
    assert (found["measure"], found["layer"], len(found["neurons"])) == ("jaccard", 1, 5)
    changes = [abs(row["difference"]) for row in found["neurons"]]
    assert changes == sorted(changes, reverse=True)


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("still", ("alpha", "RUN", "agnews", "--text", " "), "write some words"),
        ("still", ("alpha", "RUN", "rte"), "no α is stored"),
        ("still", ("alpha", "RUN", "qqp"), "unknown task of this run"),
        ("still", ("alpha", "RUN", "agnews", "--example", "x"), "ids look like"),
        ("still", ("alpha", "RUN", "agnews", "--example", "x", "--text", "y"), "not both"),
        ("oracle", ("alpha", "RUN", "sst2", "--text", "y"), "no estimator"),
        ("finetune", ("activations", "RUN"), "no activation states"),
        ("still", ("activations", "RUN", "--layer", "9"), "no decoder layer 9"),
        ("still", ("activations", "RUN", "--measure", "dot"), "unknown measure"),
        ("still", ("activations", "RUN", "--neurons", "rte"), "with a comma"),
        ("still", ("activations", "RUN", "--neurons", "rte,yelp"), "unknown learned task"),
        ("still", ("activations", "RUN", "--neurons", "rte,sst2", "--by", "x"), "unknown order of neurons"),
        ("still", ("activations", "nobody"), "unknown run"),
    ],
)
def test_mistakes_are_told(
    looked: Any, capsys: pytest.CaptureFixture[str], name: str, words: tuple[str, ...], message: str
) -> None:
    given = [looked.ids[name] if word == "RUN" else word for word in words]
    assert message in refused(looked, capsys, *given)


def test_a_recorded_run_is_found_too(
    looked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recorded, "HOME", looked.home)
    store, id = inside.locate(looked.ids["shlpt"][:8], tmp_path / "own")
    assert (store.home, id) == (looked.home, looked.ids["shlpt"])
