"""Verdicts from stored runs: where the reference is found, and that page, command and Python say the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saying import outcome, say

from shlpt.analysis import verdict
from shlpt.results import frames, recorded
from shlpt.results.cockpit import equations
from shlpt.results.verdicts import (
    ALONE,
    ITSELF,
    NO_HISTORY,
    NOT_STORED,
    TRAINED_LAST,
    WITH,
    alone,
    beside_alone,
    verdicts,
)
from shlpt.store.store import Store

DEMO = ["yelp", "sst2", "agnews", "rte"]


def demo(method: str) -> tuple[Store, list[str]]:
    """Three seeds of the recorded demonstration; of the first the answers are recorded too."""
    store = recorded.recorded()
    assert store is not None
    found = frames.runs(store)
    mine = found[
        (found["method"] == method) & (found["tasks"].map(lambda tasks: tasks == DEMO)) & (found["note"] == "")
    ]
    return store, [*mine["id"][:3]]


@pytest.mark.parametrize("count", [1, 3])
def test_the_numbers_are_those_of_the_matrix(count: int) -> None:
    store, ids = demo("shlpt")
    found = verdicts(store, ids[:count])
    assert [one.task for one in found] == DEMO[1:]
    records = [frames.run(store, id) for id in ids[:count]]
    for place, one in enumerate(found, 1):
        after = np.mean([record["matrix"][place][place] for record in records])
        before = np.mean([record["alone"][place] for record in records])
        assert (one.after, one.alone) == (pytest.approx(after), pytest.approx(before))
        assert (one.seeds, one.difference) == (count, pytest.approx(after - before))
        assert f"{one.after:.0%}" in one.sentence
    answers = [frames.answers(store, ids[0], "rte", alone=alone) for alone in (False, True)]
    if count == 1:  # over its texts
        assert found[-1].examples == len(answers[0]) == 64
        assert found[-1].difference == pytest.approx(answers[0]["score"].mean() - answers[1]["score"].mean())


def test_a_method_without_history_is_not_compared_with_itself() -> None:
    store, ids = demo("per_task")
    found = verdicts(store, ids[:1])
    assert {one.outcome for one in found} == {verdict.NO_REFERENCE}
    assert all(NO_HISTORY in one.sentence for one in found)


def test_validation_stands_beside_that_of_the_same_seed_alone() -> None:
    store, ids = demo("shlpt")
    frame = beside_alone(store, ids[:2], "rte")
    for which, one in frame.groupby("which"):
        assert set(one["seed"]) == {42, 142}
        key = frames.stages(store, ids[0]).set_index(["alone", "task"]).loc[(which == ALONE, "rte")]
        assert one[one["seed"] == 42]["validation"].max() == pytest.approx(key["validation"])
        assert len(one[one["seed"] == 42]) == key["epochs"]
    assert set(frame["which"]) == {WITH, ALONE}
    assert set(beside_alone(store, ids[:1], "yelp")["which"]) == {ITSELF}  # the first task


def test_a_run_without_references_finds_them_where_they_were_trained(
    looked: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The per-task run of the same seed and settings is what two of the tasks score alone; nobody trained the third."""
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing")
    store = Store(looked.home)
    second, third = verdicts(store, [looked.ids["shlpt"]])
    assert second.alone == frames.run(store, looked.ids["per_task"])["matrix"][1][1]
    assert third.sentence.endswith(NOT_STORED)
    assert [one.outcome for one in verdicts(store, [looked.ids["waiting"]])] == [verdict.NOT_LEARNED] * 2
    assert verdicts(store, [looked.ids["one_task"]]) == []


def test_a_reference_is_taken_from_the_recorded_results_if_they_have_it(
    looked: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from shlpt.plans.stages import plans_of
    from shlpt.queue.submit import submit
    from shlpt.spec import RunSpec

    monkeypatch.setattr(recorded, "HOME", looked.home)
    store, spec = Store(tmp_path).open(), frames.spec(Store(looked.home), looked.ids["pair"])
    again = RunSpec.make(spec["tasks"], "shlpt", seed=1, settings=spec["training"] | {"threshold": 0.9})
    submit(store, plans_of([again]))
    assert alone(store, again.id)["sst2"][0].home == looked.home
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing")
    assert alone(store, again.id)["sst2"][0].home == tmp_path  # waits to be trained


def test_the_command_says_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    store, ids = demo("shlpt")
    document = say(capsys, "runs", "show", ids[0], "--home", str(tmp_path))
    assert document["verdict"] == json.loads(json.dumps([one.to_json() for one in verdicts(store, ids[:1])]))
    assert document["now"]["task"] == "rte"
    assert document["now"]["equations"] == equations(store, ids[0], "rte")
    assert [one["score"] for one in document["stations"]] == [document["matrix"][place][place] for place in range(4)]
    assert outcome("runs", "show", ids[0], "--home", str(tmp_path)) == 0
    assert document["verdict"][-1]["sentence"] in capsys.readouterr().out


def test_a_verdict_waits_for_what_is_trained_last(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from shlpt.plans.stages import plans_of
    from shlpt.queue.submit import submit
    from shlpt.spec import RunSpec

    store = Store(tmp_path).open()
    spec = RunSpec.make(["rte", "sst2"], "continual", seed=5)
    submit(store, plans_of([spec]))
    key = store.value("SELECT stage FROM run_stages WHERE run=? AND alone=0 AND position=1", (spec.id,))
    with store.write() as db:
        db.execute("UPDATE stages SET state='done' WHERE key=?", (key,))
        examples = {"examples": ["a"], "targets": ["x"], "answers": ["x"], "scores": [1.0]}
        id = db.execute("SELECT id FROM stages WHERE key=?", (key,)).fetchone()[0]
        db.execute("INSERT INTO scores VALUES (?, 'sst2', 1.0, ?)", (id, json.dumps(examples)))
    (one,) = verdicts(store, [spec.id])
    assert one.sentence == f"sst2 after this history 100%. {TRAINED_LAST}"
