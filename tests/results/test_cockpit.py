"""A run at one moment, read from the store: what was trained is what is told."""

from pathlib import Path
from typing import Any

import pytest

from shlpt.plots.pool import ribbons
from shlpt.results import frames, recorded
from shlpt.results.cockpit import chance, equations, learned_from, moment, newest, now, references, stations, texts
from shlpt.store.store import Store


@pytest.fixture
def store(looked: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing")
    return Store(looked.home)


def test_stations_say_where_each_task_is(store: Store, looked: Any) -> None:
    id = looked.ids["shlpt"]
    found, record = stations(store, [id]), frames.run(store, id)
    assert [one["task"] for one in found] == record["tasks"]
    assert [one["state"] for one in found] == ["done"] * 3
    assert [one["score"] for one in found] == [record["matrix"][place][place] for place in range(3)]
    assert found[-1]["epoch"] == frames.epochs(store, [id])["epoch"].max()
    assert newest(found) == "agnews"
    waits = stations(store, [looked.ids["waiting"]])
    assert [(one["state"], one["step"], one["score"]) for one in waits[1:]] == [("waiting", 0, None)] * 2
    assert newest(waits) == "rte"
    assert references(store, [id])["count"] == 0
    both = stations(store, [id, looked.ids["seed_2"]])
    other = frames.run(store, looked.ids["seed_2"])
    assert both[2]["score"] == pytest.approx((record["matrix"][2][2] + other["matrix"][2][2]) / 2)


def test_the_newest_step_is_the_last_one(store: Store, looked: Any) -> None:
    id = looked.ids["shlpt"]
    found = now(store, id, "agnews")
    frame = frames.similarity(store, [id])
    last = frame[frame["task"] == "agnews"].groupby("earlier", sort=False)["mean"].last()
    drawn = ribbons(found["method"], found["earlier"], found["step"], found["lambdas"])
    assert {one.name: one.width for one in drawn} == last.to_dict()
    assert now(store, looked.ids["oracle"], "sst2")["threshold"] == 0  # α is given: what has none is dissimilar


def test_the_equations_are_of_one_text_of_the_task(store: Store, looked: Any) -> None:
    found = equations(store, looked.ids["shlpt"], "agnews")
    assert found["text"]
    assert sum(row["alpha"] for row in found["rows"]) + found["none"] == pytest.approx(1)
    spec = frames.spec(store, looked.ids["shlpt"])
    drawn = frames.examples_of(store, "agnews", "train", spec["training"]["shots"], spec["seed"])
    assert any(example.text.startswith(found["text"]) for example in drawn.values())
    assert all(row["score"] is None for row in equations(store, looked.ids["uniform"], "agnews")["rows"])
    assert equations(store, looked.ids["finetune"], "sst2") == {}
    assert equations(store, looked.ids["shlpt"], "rte") == {}


def test_texts_have_their_answers_and_how_they_came_about(store: Store, looked: Any) -> None:
    id = looked.ids["shlpt"]
    rows = texts(store, id, "agnews")
    assert len(rows) == 5
    assert all(row["text"] and row["target"] for row in rows)
    assert {len(row["course"]) for row in rows} == {frames.stages(store, id)["epochs"].iloc[-1]}
    for row in rows:
        assert row["right"] == (row["answer"] == row["target"])
    waiting = texts(store, looked.ids["waiting"], "sst2")
    assert {row["right"] for row in waiting} == {None}
    assert len({row["target"] for row in waiting}) == 2
    assert chance(store, id, "agnews") == 0.25
    given = learned_from(store, id, "sst2")
    assert (given["count"], len(given["texts"])) == (8, 3)
    whole = moment(store, [id], "agnews")
    assert whole["texts"] == rows


def test_of_older_stages_the_test_answers_are_shown() -> None:
    store = recorded.recorded()
    assert store is not None
    frame = frames.runs(store)
    demo = frame[frame["tasks"].map(len) == 4]
    whole = [id for id in demo[demo["note"] == ""]["id"] if len(frames.answers(store, id, "rte"))]
    keys = {id: frames.run(store, id)["stages"][-1] for id in whole}
    older = next(id for id in whole if not any("answers" in told for told in frames.epochs_of(store, keys[id])))
    rows = texts(store, older, "rte")
    stored = frames.answers(store, older, "rte").set_index("text")
    assert [row["answer"] for row in rows] == [stored.loc[row["text"], "answer"] for row in rows]
    assert {row["target"] for row in rows} == {"entailment", "not_entailment"}
    only_scores = demo[demo["note"] != ""]["id"].iloc[0]
    assert texts(store, only_scores, "rte") == []
