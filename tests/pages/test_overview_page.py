"""The first page: its finding comes from the recorded matrix, and a press trains the very pairs again."""

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from conftest import SEEDS, TINY, matrix
from visiting import charts, errors, press, said, visit

from shlpt.analysis import finding, transfer
from shlpt.analysis.headlines import BUILT
from shlpt.queue import submit
from shlpt.results import experiments as found
from shlpt.results import findings
from shlpt.store.store import Store
from shlpt.tasks.describe import phrase
from shlpt.ui import links
from shlpt.work import worker

PAIRS = (("sst2", "yelp"), ("yelp", "sst2"))


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """The recorded results of another test are forgotten."""
    st.cache_resource.clear()


def write(home: Path, gain: float) -> Any:
    """Every pair of the recorded matrix gains this much over a half, a little more with each seed."""
    store = Store(home).open()
    with store.write() as db:
        for run, cell in found.runs_with_cells(store, matrix().id):
            for alone, position, score in ((1, 0, 0.5), (0, 1, 0.5 + gain + 0.01 * cell["seed"])):
                stage = "SELECT s.id FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run=? AND alone=?"
                values = (score, run, alone, position, cell["target"])
                db.execute(f"UPDATE scores SET mean=? WHERE stage=({stage} AND position=?) AND task=?", values)
    return transfer.cells(found.pairs(store, matrix().id))


@pytest.mark.parametrize(
    ("gain", "headline"),
    [
        (0.4, "What is learned first gains a task 42 points"),
        (-0.4, "What is learned first costs a task 38 points"),
        (0.0, "No task clearly helps or harms another"),
    ],
)
def test_the_headline_is_what_the_recorded_matrix_says(only_recorded: Path, gain: float, headline: str) -> None:
    table = write(only_recorded, gain)
    app = visit("overview.py")
    assert errors(app) == []
    assert app.title[0].value == headline
    assert transfer.headline(transfer.counts(table)) in [part.value for part in app.header]
    assert transfer.sentence(transfer.counts(table)) in said(app)
    labels = [button.label for button in app.button]
    assert ("See it happen now" in labels) == (gain != 0)
    if best := finding.clearest(table):
        assert BUILT in said(app)
        assert links.playground_address(*best.pairs[0]) == {}  # these are not made of parts
        assert phrase(best.target) in said(app).replace("\\", "")
        assert phrase(best.effects[0].source) in charts(app)[0]["alt"]


def test_a_press_trains_the_pair_with_a_fresh_seed_and_the_next_adds_to_it(
    only_recorded: Path, started: list[Any]
) -> None:
    best = finding.clearest(write(only_recorded, 0.4))
    assert best is not None
    source, target = best.pairs[0]
    app = press(visit("overview.py"), "See it happen now")
    assert errors(app) == []
    assert len(started) == min(submit.os.cpu_count() or 1, submit.MOST_WORKERS)
    own = Store().open()
    (line,) = found.listed(own)
    mine = found.pairs(own, line["id"])
    assert (list(mine["source"]), list(mine["target"]), list(mine["seed"])) == ([source], [target], [max(SEEDS) + 1])
    spec = json.loads(own.value("SELECT spec FROM runs WHERE id=?", (mine["run"].iloc[0],)))
    assert {key: spec["training"][key] for key in TINY} == TINY  # as in the recorded matrix
    worker.work(own)
    app = visit("overview.py")
    assert "Seed 3, test texts:" in said(app)
    assert "fresh seed" in said(app)
    assert any((trace.get("name") or "").endswith(", now") for trace in charts(app)[0]["figure"]["data"])
    press(app, "Again, with a new seed")
    both = findings.trained_pairs(own, found.find(Store(only_recorded), matrix().id)["about"])
    assert list(both["seed"]) == [3, 4]
    assert len(found.listed(own)) == 1  # one experiment, which grows
    app = visit("overview.py")
    assert "Go on with it" in [button.label for button in app.button]  # nobody trains it here


def test_without_recorded_results_the_page_says_how_to_get_them(
    empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shlpt.results import recorded

    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing")
    app = visit("overview.py")
    assert errors(app) == []
    assert "git checkout" in app.info[0].value
    assert "Not measured" in app.title[0].value
