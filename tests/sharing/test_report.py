"""Reports: the numbers of the pages and commands, what they were made with, and what they are about."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from shlpt.analysis.points import points
from shlpt.results import frames, recorded
from shlpt.results.rows import ROWS
from shlpt.results.verdicts import verdicts
from shlpt.sharing.html import LARGEST
from shlpt.sharing.report import report
from shlpt.sharing.which import Which, locate
from shlpt.store.store import Store


def words(data: bytes) -> str:
    """What is read, without markup and scripts."""
    text = re.sub(r"<(script|style).*?</\1>", " ", data.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def figures(data: bytes) -> int:
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', data.decode(), re.DOTALL)
    assert found
    return len(json.loads(found[1]))


def test_a_run_with_its_numbers_settings_versions_and_device(looked: Any) -> None:
    store, id = Store(looked.home).open(), looked.ids["shlpt"]
    data, record = report(Which(store, (id,))), frames.run(Store(looked.home).open(), id)
    said = words(data)
    assert said.startswith("SHLPT: pocket/rte → pocket/sst2 → pocket/agnews, seed 1")
    assert "are stand-ins that bear the names of the paper's data sets" in said
    assert f"(%) {points(record['acc'])}" in said
    for verdict in verdicts(store, [id]):
        assert verdict.sentence in said
    assert "Threshold δ 0.06" in said
    assert "One seed: no interval" in said
    made = frames.stage(store, record["stages"][0])["fingerprint"]
    for key in ("torch", "device", "cpu", "backbone", "threads"):
        assert str(made[key]) in said
    assert "python -m shlpt run --tasks rte,sst2,agnews --method shlpt" in said
    assert figures(data) == 3 + 2 * 2  # matrix, validation, losses; α and partition of two tasks
    assert len(data) <= LARGEST


def test_a_run_of_which_only_scores_are_recorded_says_so() -> None:
    store = recorded.recorded()
    assert store is not None
    rows = frames.runs(store)
    id = rows[rows["note"].str.startswith("scores only") & (rows["method"] == "shlpt")]["id"].iloc[0]
    said = words(report(Which(store, (id,))))
    assert "The curves of this run are not recorded" in said


def test_an_experiment_with_the_table_and_the_notes_of_its_command() -> None:
    which = locate(Path("nowhere"), "the estimator on demo")
    data = report(which)
    said = words(data)
    assert "<title>the estimator on the demonstration" in data.decode()
    rows, document = ROWS["ablations"](which.store, which.id, False)
    for row in rows:
        assert row["variant"] in said
        assert row["difference"] in said
    for note in document["notes"]:
        assert note in said
    assert "Seeds: 42, 142, 242" in said
    assert which.id in said
