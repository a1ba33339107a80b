"""What pages offer to copy and to take along: lists, files, command lines, links."""

from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shlpt.catalog import METHODS
from shlpt.plans import commands
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import submit
from shlpt.results import export, frames, listing
from shlpt.results.experiments import label
from shlpt.spec import RunSpec, parse_setting
from shlpt.store.store import Store
from shlpt.ui.links import live_address


def frame(*lines: dict[str, Any]) -> pd.DataFrame:
    usual = {
        "id": "r1",
        "name": "",
        "note": "",
        "method": "shlpt",
        "tasks": ["yelp", "rte"],
        "seed": 42,
        "state": "done",
        "progress": 1.0,
        "acc": 0.5,
        "bwt": -0.1,
        "fwt": None,
        "created": 0.0,
        "experiment": None,
        "recorded": False,
    }
    return pd.DataFrame([usual | line for line in lines])


# --- lists --------------------------------------------------------------------------------
ROWS = frame(
    {"id": "ra"},
    {"id": "rb", "name": "=Chalk", "method": "l2p", "state": "failed"},
    {"id": "rc", "recorded": True, "note": "for class", "experiment": "the demonstration"},
)


@pytest.mark.parametrize(
    ("filters", "ids"),
    [
        ({}, ["ra", "rb", "rc"]),
        ({"text": "CHALK"}, ["rb"]),
        ({"text": "class demonstration"}, ["rc"]),
        ({"text": "yelp seed 42"}, ["ra", "rb", "rc"]),
        ({"text": "(["}, []),
        ({"methods": ["l2p"]}, ["rb"]),
        ({"states": ["done"], "recorded": False}, ["ra"]),
        ({"recorded": True}, ["rc"]),
    ],
)
def test_a_filter_lets_pass_what_it_names(filters: dict[str, Any], ids: list[str]) -> None:
    assert list(listing.matching(ROWS, **filters)["id"]) == ids


def test_people_read_points_and_see_what_is_recorded() -> None:
    shown = listing.for_people(ROWS)
    assert list(shown["state"]) == ["done", "failed", "recorded"]
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


# --- command lines ------------------------------------------------------------------------
def test_a_matrix_as_a_command_line() -> None:
    about = {
        "tasks": ["yelp", "rte"],
        "seeds": [1, 2],
        "method": "shlpt",
        "preset": "standard",
        "settings": {"threshold": 1.5, "similar_transfer": False, "partition": "instance"},
    }
    words = shlex.split(commands.matrix(about, Path("my runs")))
    assert words[:4] == ["python", "-m", "shlpt", "matrix"]
    given = [parse_setting(words[place + 1]) for place, word in enumerate(words) if word == "--set"]
    assert dict(given) == about["settings"]
    assert words[-2:] == ["--home", "my runs"]
    assert "--home" not in commands.matrix(about, Path("runs"))


def test_names_of_experiments_cannot_break_out_of_a_command_line() -> None:
    line = commands.compare([], "x; rm -rf / $(id)")
    assert shlex.split(line)[-1] == "x; rm -rf / $(id)"


@pytest.mark.parametrize("method", METHODS)
def test_of_a_run_with_defaults_nothing_is_changed(method: str) -> None:
    spec = RunSpec.make(["yelp", "rte"], method)
    assert commands.changed(method, spec.settings) == {}
    other = RunSpec.make(["yelp", "rte"], method, settings={"epochs": 3})
    assert commands.changed(method, other.settings) == {"epochs": 3}


def test_the_link_to_live_makes_the_same_run() -> None:
    spec = RunSpec.make(["yelp", "rte"], "shlpt", seed=7, settings={"threshold": 0.5, "similar_transfer": False})
    address = live_address({"method": "shlpt", "tasks": ["yelp", "rte"], "seed": 7, "settings": spec.settings})
    assert address == {
        "sequence": "my own",
        "tasks": "yelp, rte",
        "method": "shlpt",
        "seeds": "7",
        "s_threshold": "0.5",
        "s_similar_transfer": "no",
    }


def test_a_label_leaves_out_the_seed() -> None:
    assert label({"threshold": 0.3, "seed": 1}) == "threshold=0.3"
    assert label({"method": "shlpt", "sequence": "order1", "seed": 1}) == "shlpt · order1"
