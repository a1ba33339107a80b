"""Names of runs and experiments in lists: titles where the program made them, the visitor's words as they are."""

from pathlib import Path

import pytest

from shlpt.queue import control
from shlpt.queue.submit import planned, submit
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.sequences import SEQUENCES
from shlpt.ui import choose
from shlpt.ui import store as stores


@pytest.fixture
def own_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "home"))
    store = Store().open()
    (id,) = submit(store, planned(store, [RunSpec.make(["yelp"])])).runs
    control.describe(store, id, name="stream_plus, mine", note="")
    return id


def test_recorded_names_have_titles_and_a_visitors_name_stays(own_run: str) -> None:
    runs, _ = stores.known_runs()
    made = runs[runs["recorded"].astype(bool)]
    said = {*made["name"], *made["experiment"].dropna(), *map(choose.titled, choose.known_experiments().values())}
    words = {word.strip(",:") for name in said for word in name.split()}
    assert "demonstration" in words
    assert not words & {*SEQUENCES}
    (mine,) = runs[runs["id"] == own_run]["name"]
    assert mine == "stream_plus, mine"
