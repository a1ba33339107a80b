"""What a few lines of Python give."""

from pathlib import Path

import pytest

import shlpt
from shlpt.analysis import transfer
from shlpt.errors import UserError
from shlpt.plans import experiments
from shlpt.results import experiments as results

TINY = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 2}


def test_a_run_and_a_matrix_as_records_and_frames(tmp_path: Path) -> None:
    records = shlpt.run(["yelp", "rte"], "continual", seeds=[2, 1], settings=TINY, home=tmp_path)
    made = [shlpt.RunSpec.make(["yelp", "rte"], "continual", seed=seed, settings=TINY) for seed in (2, 1)]
    assert [(record["id"], record["state"]) for record in records] == [(spec.id, "done") for spec in made]
    store = shlpt.Store(tmp_path)
    assert list(shlpt.frames.epochs(store, [made[0].id])["task"]) == ["yelp", "rte"]
    table = shlpt.matrix(["yelp", "rte"], seeds=[1, 2], settings=TINY, home=tmp_path)
    experiment = experiments.matrix(["yelp", "rte"], [1, 2], {"method": "continual", "settings": TINY})
    assert table.equals(transfer.cells(results.pairs(store, experiment.id)))
    assert list(table["n"]) == [2, 2]
    assert len(shlpt.frames.runs(store)) == 4  # two of the matrix are those that were there


def test_mistakes_are_answered_before_anything_is_stored(tmp_path: Path) -> None:
    for name in ("run", "matrix"):
        with pytest.raises(UserError, match="unknown sequence 'dem'"):
            getattr(shlpt, name)("dem", home=tmp_path / "home")
        with pytest.raises(UserError, match="unknown method"):
            getattr(shlpt, name)(["yelp", "rte"], "shlp", home=tmp_path / "home")
    assert list(tmp_path.iterdir()) == []
