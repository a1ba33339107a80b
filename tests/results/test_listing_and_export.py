"""What pages offer to copy and to take along: lists and files."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shlpt.plans.stages import plans_of
from shlpt.queue.submit import submit
from shlpt.results import export, frames, listing, recorded
from shlpt.results.experiments import label
from shlpt.spec import RunSpec
from shlpt.store.store import Store


def frame(*lines: dict[str, Any]) -> pd.DataFrame:
    usual = {"id": "r1", "name": "", "note": "", "method": "shlpt", "tasks": ["yelp", "rte"], "seed": 42}
    usual |= {"state": "done", "progress": 1.0, "acc": 0.5, "bwt": -0.1, "fwt": None}
    usual |= {"created": 0.0, "experiment": None, "recorded": False, "older": False}
    return pd.DataFrame([usual | line for line in lines])


def test_recorded_ids_are_never_those_of_the_visitor() -> None:
    """Written by another version? `python -m shlpt record --only demo` writes all that is trained again."""
    store = recorded.recorded()
    assert store is not None
    assert {row["id"][0] for row in store.rows("SELECT id FROM runs")} == {recorded.MARK}
    assert {row["id"][:2] for row in store.rows("SELECT id FROM experiments")} == {f"{recorded.MARK}x"}
    assert {row["run"][0] for row in store.rows("SELECT DISTINCT run FROM run_stages")} == {recorded.MARK}


# --- lists --------------------------------------------------------------------------------
ROWS = frame(
    {"id": "ra"},
    {"id": "rb", "name": "=Chalk", "method": "l2p", "state": "failed"},
    {"id": "rc", "recorded": True, "note": "for class", "experiment": "the demonstration"},
)


def test_a_filter_lets_pass_what_it_names() -> None:
    def found(**filters: Any) -> list[str]:
        return list(listing.matching(ROWS, **filters)["id"])

    assert found() == found(text="yelp seed 42") == ["ra", "rb", "rc"]
    assert found(text="CHALK") == found(methods=["l2p"]) == ["rb"]
    assert found(text="class demonstration") == found(recorded=True) == ["rc"]
    assert found(states=["done"], recorded=False) == ["ra"]
    assert found(text="([") == []


def test_people_read_points_and_see_what_is_recorded() -> None:
    shown = listing.for_people(ROWS)
    assert list(shown["state"]) == ["done", "failed", "recorded"]
    assert list(shown["ACC"]) == pytest.approx([50] * 3)
    assert list(shown["BWT"]) == pytest.approx([-10] * 3)
    assert shown["tasks"][0] == "yelp → rte"
    assert listing.for_people(ROWS[:0]).empty


def test_stages_and_workers_are_readable_before_anything_has_trained(tmp_path: Path) -> None:
    store = Store(tmp_path / "home").open()
    (run,) = submit(store, plans_of([RunSpec.make(["yelp", "rte"], "continual")])).runs
    stages = listing.stages_for_people(frames.stages(store, run))
    assert list(stages["task"]) == ["yelp", "rte", "rte"]
    assert list(stages["state"]) == ["queued"] * 3
    assert listing.workers_for_people(frames.workers(store)).empty


# --- files --------------------------------------------------------------------------------
def test_csv_has_no_formulas_and_no_nan() -> None:
    text = export.csv_text(export.rows_of_frame(listing.for_people(ROWS)))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[1]["name"] == "'=Chalk"
    assert rows[0]["FWT"] == ""
    assert rows[0]["BWT"] == "-10"


def test_json_has_null_for_what_is_missing() -> None:
    assert json.loads(export.json_text({"a": float("nan"), "b": ["é"]})) == {"a": None, "b": ["é"]}


def test_a_label_leaves_out_the_seed() -> None:
    assert label({"threshold": 0.3, "seed": 1}) == "threshold=0.3"
    assert label({"method": "shlpt", "sequence": "order1", "seed": 1}) == "shlpt · order1"
