"""The doctor on trained stages: the numbers are stored, read, and said where a run is shown."""

from pathlib import Path

import pytest
from saying import say

from shlpt.results import frames
from shlpt.results.health import COLUMNS, facts_of, health, said
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.work.worker import run

TINY = {"epochs": 2, "shots": 4, "validation_shots": 4, "test_shots": 8, "prompt_length": 4, "lr": 1e-6}


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A run that cannot learn."""
    home = tmp_path_factory.mktemp("still")
    (record,) = run([RunSpec.make(["sst2"], "per_task", seed=1, settings=TINY)], home, device="cpu")
    return Store(home).open(), record["id"]


def test_a_stage_that_stands_still_is_found(still: tuple[Store, str]) -> None:
    store, id = still
    frame = health(store, id)
    assert list(frame.columns) == COLUMNS
    (row,) = frame.itertuples()
    assert (row.above_chance, row.cause, row.chance) == (False, "rate too small", 0.5)
    assert "Try a lr ten times larger" in said(frame)[0]
    facts = facts_of(store, frames.stages(store, id)["key"][0])
    assert facts is not None
    assert 0 < (facts.moved or 0) < 0.001
    assert facts.constant_loss is not None
    assert facts.train_loss is not None
    assert facts.restricted is not None
    assert facts.restricted >= facts.score  # an answer word may be right where another answer never is
    assert len(facts.validation) == 2


def test_it_is_said_where_the_run_is_shown(still: tuple[Store, str], capsys: pytest.CaptureFixture[str]) -> None:
    store, id = still
    document = say(capsys, "runs", "show", id, "--home", str(store.home))
    assert [row["cause"] for row in document["health"]] == ["rate too small"]


def test_runs_of_which_only_scores_are_recorded_say_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path).open()
    assert health(store, "r000000000000").empty
    assert said(health(store, "r000000000000")) == []
