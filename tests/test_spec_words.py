"""Settings, methods and seeds as people read and write them."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from shlpt.catalog import METHODS
from shlpt.catalog.params import ShlptParams
from shlpt.errors import UserError
from shlpt.spec import RunSpec, Training, find_methods, settings_of
from shlpt.tasks.find import draw, find_task

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("sst2", "rte")


@pytest.mark.parametrize("model", [Training, *dict.fromkeys(info.params for info in METHODS.values())])
def test_every_setting_has_help_and_says_what_it_may_be(model: type[BaseModel]) -> None:
    rows = settings_of(model)
    assert [row["name"] for row in rows] == list(model.model_fields)
    for row in rows:
        assert row["help"], row["name"]
        said = row["range"] or row["choices"] or isinstance(row["default"], bool) or row["default"] in row["help"]
        assert said, row["name"]


def test_a_number_is_described_with_its_range_and_words() -> None:
    row = settings_of(ShlptParams)[0]
    assert (row["name"], row["default"], row["choices"], row["range"]) == ("threshold", 0.06, None, "≥ 0")
    row = next(row for row in settings_of(ShlptParams) if row["name"] == "temperature")
    assert (row["default"], row["choices"], row["range"]) == ("auto", ["auto"], "> 0")
    for row in settings_of(ShlptParams):
        for choice in row["choices"] or []:
            assert RunSpec.make(TASKS, settings={row["name"]: choice}).settings[row["name"]] == choice


# --- methods as text ----------------------------------------------------------------------
def test_methods_are_read_with_commas_in_order_and_once() -> None:
    assert find_methods("all") == find_methods(" all ,l2p") == tuple(METHODS)
    assert find_methods(" l2p, shlpt,,l2p ") == ("l2p", "shlpt")
    assert find_methods("ewc,all")[:2] == ("ewc", "shlpt")


def test_an_unknown_method_among_known_ones_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"unknown method 'l2pp': did you mean 'l2p'\? Known: bmtpt, coda, ") as caught:
        find_methods("shlpt,l2pp")
    assert all(name in str(caught.value) for name in METHODS)


@pytest.mark.parametrize("text", ["", " , "])
def test_no_methods_are_answered_with_what_to_write(text: str) -> None:
    with pytest.raises(UserError, match=r"no methods given: write all, or .* Known: shlpt, per_task"):
        find_methods(text)


def test_runs_are_scored_on_other_validation_examples_than_those_that_stop_training() -> None:
    run = RunSpec.make(["sst2"], "per_task", settings={"scored_on": "validation", "test_shots": 8})
    split, shots, seed = run.training.scored
    scored = {e.text for e in draw(find_task("sst2"), split, shots, seed)}
    stopping = {e.text for e in draw(find_task("sst2"), "validation", run.training.validation_shots, run.seed)}
    assert split == "validation"
    assert len(scored) == 16
    assert not scored & stopping


def test_where_scores_come_from_is_written_down_only_when_it_is_not_the_test_examples() -> None:
    usual, other = Training(), Training(scored_on="validation")
    assert "scored_on" not in usual.model_dump()
    assert other.model_dump()["scored_on"] == "validation"
    assert [Training(**t.model_dump()) for t in (usual, other)] == [usual, other]
