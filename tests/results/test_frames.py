"""The store as frames, of a run that was really trained and of one that was not."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from storing import TINY, group_rows, join_elsewhere, queued, spec_of, taken

from shlpt.errors import UserError
from shlpt.plots import partition
from shlpt.queue import claims
from shlpt.queue.claims import Event
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.work.worker import run

TASKS = ("rte", "sst2", "agnews")
SPEC = RunSpec.make(TASKS, "shlpt", seed=3, settings=TINY)
LATER = RunSpec.make(("cb", "wic"), "continual", seed=1, settings=TINY)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One run that is done, and one in the queue."""
    home = tmp_path_factory.mktemp("home")
    run([SPEC], home, device="cpu")
    store = Store(home)
    queued(store, LATER)
    return store


@pytest.fixture
def empty(tmp_path: Path) -> Store:
    return Store(tmp_path).open()


# --- lists --------------------------------------------------------------------------------
def test_every_run_in_a_line_the_newest_first(store: Store) -> None:
    frame = frames.runs(store)
    assert list(frame.columns) == frames.LIST_COLUMNS
    assert list(frame["id"]) == [LATER.id, SPEC.id]
    assert list(frame["state"]) == ["queued", "done"]
    assert list(frame["progress"]) == [0.0, 1.0]
    assert list(frame["tasks"]) == [["cb", "wic"], list(TASKS)]
    done = frames.run(store, SPEC.id)
    assert frame["acc"][1] == done["acc"]
    assert np.isnan(frame["acc"][0])
    before = frames.runs(store)
    with store.write() as db:
        db.execute("UPDATE runs SET result=NULL")
    pd.testing.assert_frame_equal(frames.runs(store), before)


def test_only_the_runs_that_are_asked_for_are_read(empty: Store) -> None:
    queued(empty, SPEC, LATER)
    empty.db.execute("UPDATE runs SET spec='damaged' WHERE id=?", (LATER.id,))
    assert frames.states(empty, [SPEC.id, "unknown"]) == {"queued": 1}
    assert frames.troubles(empty, [SPEC.id]) == []
    with pytest.raises(ValueError, match="Expecting value"):
        frames.runs(empty)


def test_an_empty_store_has_empty_frames(empty: Store) -> None:
    assert list(frames.runs(empty).columns) == frames.LIST_COLUMNS
    assert len(frames.runs(empty)) == len(frames.workers(empty)) == 0


def test_a_run_shows_who_trains_it_and_how_far_it_is(empty: Store) -> None:
    (plan,) = queued(empty, LATER)
    assert frames.run(empty, LATER.id)["worker"] is None
    taken(empty, join_elsewhere(empty))
    with empty.write() as db:
        claims.add_events(db, [Event(plan.stages[0].key, 0, "step", {}, 0.0)])
    worker = frames.run(empty, LATER.id)["worker"]
    assert (worker["id"], worker["pid"], worker["beat"]) == ("w1", 7, 0)
    frame = frames.runs(empty)
    assert list(frame["state"]) == ["running"]
    assert frame["progress"][0] == frames.run(empty, LATER.id)["progress"] > 0


def test_stages_of_a_run_with_what_they_took_and_left(store: Store) -> None:
    frame = frames.stages(store, SPEC.id)
    assert list(frame["task"]) == [*TASKS, "sst2", "agnews"]
    assert list(frame["alone"]) == [False] * 3 + [True] * 2
    assert set(frame["state"]) == {"done"}
    assert (frame["steps"] <= frame["planned_steps"]).all()
    assert (frame["seconds"] > 0).all()
    assert set(frames.stages(store, LATER.id)["state"]) == {"queued"}
    assert set(frames.probe(store, SPEC.id)) == set(TASKS)
    assert frames.probe(store, LATER.id) == {}
    assert frames.tensors(store, SPEC.id, "agnews")["prompt.2"].shape[0] == 4
    with pytest.raises(UserError, match="no stage 'nowhere'"):
        frames.stage(store, "nowhere")
    assert {row["state"] for row in group_rows(store)[:3]} == {"done"}


# --- curves -------------------------------------------------------------------------------
def test_curves_of_losses_similarity_epochs_and_overlap(store: Store) -> None:
    frame = frames.losses(store, [SPEC.id])
    assert list(frame.columns) == ["run", "seed", "position", "task", "step", "epoch", "loss", "down", "hsc", "asc"]
    stages = frames.stages(store, SPEC.id)
    assert frame.groupby("task")["step"].max().to_dict() == dict(zip(TASKS, stages["steps"][:3], strict=True))
    assert set(frame["seed"]) == {3}
    assert frame.loc[frame["position"] > 0, "down"].notna().all()
    assert frame.loc[frame["position"] == 0, "down"].isna().all()  # plain prompt tuning has no parts
    frame = frames.similarity(store, [SPEC.id])
    assert frame.groupby("task")["earlier"].agg(set).to_dict() == {"sst2": {"rte"}, "agnews": {"rte", "sst2"}}
    assert ((frame["low"] <= frame["mean"] + 1e-6) & (frame["mean"] <= frame["high"] + 1e-6)).all()
    assert frame["dissimilar"].between(0, 1).all()
    epochs, overlap = frames.epochs(store, [SPEC.id]), frames.overlap(store, [SPEC.id])
    assert len(epochs) == 6
    assert epochs["validation"].between(0, 1).all()
    assert len(overlap) == 2 * (1 + 2)
    assert overlap["overlap"].between(-1, 1.001).all()


def test_the_parts_of_the_loss_are_those_that_add_up_to_it(empty: Store) -> None:
    """Drawn without their weights they would lie above the total."""
    spec = spec_of(("sst2", "rte"))
    (plan,) = queued(empty, spec)
    whole = 0.5 + spec.settings["lambda_hsc"] * 2.0 + spec.settings["lambda_asc"] * 3.0
    payload = {"step": 1, "epoch": 0, "loss": whole, "down": 0.5, "hsc": 2.0, "asc": 3.0}
    with empty.write() as db:
        claims.add_events(db, [Event(plan.stages[1].key, 0, "step", payload, 0.0)])
    (row,) = frames.losses(empty, [spec.id]).to_dict("records")
    assert row["down"] + row["hsc"] + row["asc"] == pytest.approx(row["loss"])
    assert max(row["down"], row["hsc"], row["asc"]) <= row["loss"]


def test_a_long_curve_is_thinned_and_keeps_its_end(empty: Store) -> None:
    (plan,) = queued(empty, spec_of(("sst2",)))
    key = plan.stages[0].key
    events = [Event(key, n, "step", {"step": n + 1, "epoch": 0, "loss": float(n)}, 0.0) for n in range(5000)]
    last = Event(key, 5000, "epoch", {"step": 5000, "epoch": 0, "validation": 1.0, "validation_loss": 0.0}, 0.0)
    with empty.write() as db:
        claims.add_events(db, [*events, last])
    frame = frames.losses(empty, [plan.spec.id], points=100)
    assert 100 <= len(frame) <= 103
    assert (frame["step"].iloc[0], frame["step"].iloc[-1]) == (1, 5000)
    assert len(frames.losses(empty, [plan.spec.id], points=10_000)) == 5000
    assert len(frames.epochs(empty, [plan.spec.id])) == 1


def test_flips_are_counted_over_all_steps_however_few_are_shown(empty: Store) -> None:
    """Of two earlier tasks one changes sides with every step and the other once."""
    spec = spec_of(("sst2", "rte", "cb"))
    (plan,) = queued(empty, spec)
    key = plan.stages[2].key

    def event(step: int) -> Event:
        share = [float(step % 2), float(step > 300)]
        alpha = {name: [0.5, 0.5] for name in ("alpha", "alpha_low", "alpha_high")}
        return Event(key, step - 1, "step", {"step": step, "epoch": 0, "loss": 1.0, "dissimilar": share} | alpha, 0.0)

    with empty.write() as db:
        claims.add_events(db, [event(step) for step in range(1, 601)])
    frame = frames.similarity(empty, [spec.id], points=29)
    assert len(frame) < 80
    assert partition.flips(frame, "cb") == {"sst2": [599], "rte": [1]}
    shown = frame[frame["earlier"] == "sst2"]
    assert (shown["flips"] == shown["step"] - 1).all()


@pytest.mark.parametrize("query", [frames.losses, frames.similarity, frames.epochs, frames.overlap])
def test_curves_of_a_run_that_has_not_begun_are_empty_with_their_columns(store: Store, query) -> None:  # type: ignore[no-untyped-def]
    assert list(query(store, [LATER.id]).columns) == list(query(store, [SPEC.id]).columns)
    assert len(query(store, [LATER.id])) == len(query(store, [])) == 0
    with pytest.raises(UserError, match="unknown run 'rx'"):
        query(store, ["rx"])


# --- what a stage left --------------------------------------------------------------------
def test_similarity_and_answers_of_each_instance_explain_the_matrix(store: Store) -> None:
    frame = frames.alphas(store, SPEC.id, "agnews")
    assert len(frame) == 16 * 2
    sums = frame.groupby("example")["alpha"].sum()
    assert 0 < sums.min() <= sums.max() < 1  # the rest is for none of them
    assert frame["text"].str.len().min() > 0
    for task in ("rte", "agnews"):
        assert len(frames.alphas(store, (SPEC if task == "rte" else LATER).id, "rte" if task == "rte" else "wic")) == 0
    record = frames.run(store, SPEC.id)
    frame = frames.answers(store, SPEC.id, "sst2")
    assert frame["score"].mean() == record["matrix"][1][1]
    assert (frame["score"] == (frame["answer"] == frame["target"])).all()
    assert frames.answers(store, SPEC.id, "sst2", alone=True)["score"].mean() == record["alone"][1]
    assert len(frames.answers(store, LATER.id, "cb")) == len(frames.answers(store, SPEC.id, "rte", after="sst2")) == 0


# --- beside a worker ----------------------------------------------------------------------
def test_reading_writes_nothing_and_works_while_somebody_writes(store: Store) -> None:
    store.close()
    before = store.file.read_bytes()
    frames.runs(store), frames.run(store, SPEC.id), frames.losses(store, [SPEC.id]), frames.stages(store, SPEC.id)
    store.close()
    assert store.file.read_bytes() == before
    writer = sqlite3.connect(store.file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE runs SET name='not yet'")
    assert set(frames.runs(store)["name"]) == {""}
    writer.execute("ROLLBACK")
    writer.close()


def test_workers_and_their_logs(empty: Store) -> None:
    join_elsewhere(empty)
    (empty.home / "workers").mkdir()
    (empty.home / "workers" / "a.log").write_text("one\ntwo\nthree\n")
    (empty.home / "secret").write_text("mine")
    frame = frames.workers(empty)
    assert (frame["id"][0], frame["host"][0], frame["pid"][0]) == ("w1", "elsewhere", 7)
    assert (bool(frame["alive"][0]), bool(frame["here"][0])) == (True, False)
    assert frames.log_tail(empty, "a.log", 2) == ["two", "three"]
    for name in ("", "b.log", "../secret", "/etc/passwd"):
        assert frames.log_tail(empty, name) == []
