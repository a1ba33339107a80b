"""`runs …` and `run --detach` on stores where nothing is trained."""

import csv
import io
import json
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from saying import outcome, refused
from storing import TINY, finish, join, queued, spec_of, states, taken

from shlpt.plans import experiments
from shlpt.plans.stages import plans_of
from shlpt.queue import control
from shlpt.queue.claims import leave
from shlpt.queue.submit import start_experiment
from shlpt.results import frames, recorded
from shlpt.results.record import keep_results
from shlpt.store.find import runs_of
from shlpt.store.schema import VERSION
from shlpt.store.store import FILE, Store

DONE, WAITING = spec_of(), spec_of(seed=2)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path).open()
    for spec in (DONE, WAITING):
        queued(store, spec, width=1)
    (plan,) = queued(store, DONE)
    for stage in plan.stages:
        finish(store, stage.key, {task: [1.0, 0.0] for task in (*stage.earlier, stage.task)})
    with store.write() as db:
        db.execute("UPDATE groups SET state='done' WHERE number<=2")
    keep_results(store, runs_of(store, store.value("SELECT key FROM groups")))
    return store


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Processes that were not started."""
    found: list[Any] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: found.append(command))
    return found


def say(store: Store | Path, *words: str) -> int:
    home = store.home if isinstance(store, Store) else store
    return outcome(*words, f"--home={home}")


def document(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_runs_are_listed_for_people_and_programs(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(store, "runs", "list", "--json") == 0
    rows = document(capsys)["runs"]
    assert [(row["id"], row["state"]) for row in rows] == [(WAITING.id, "queued"), (DONE.id, "done")]
    assert rows[0]["acc"] is None
    assert say(store, "runs", "list", "--csv") == 0
    assert [row["id"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == [WAITING.id, DONE.id]
    assert say(store, "runs", "list") == 0


def test_one_run_is_shown_by_how_its_id_begins(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(store, "runs", "show", DONE.id[:7], "--json") == 0
    record = document(capsys)
    parts = "id state method tasks seed settings progress worker matrix acc error warnings"
    assert set(parts.split()) <= set(record)
    assert (record["id"], record["matrix"]) == (DONE.id, [[0.5, None], [0.5, 0.5]])
    assert say(store, "runs", "show", DONE.id) == 0
    assert "stages" in capsys.readouterr().out


def test_wishes_are_written_and_a_worker_is_started_where_one_is_needed(
    store: Store, capsys: pytest.CaptureFixture[str], workers: list[Any]
) -> None:
    for act, state in (("pause", "paused"), ("stop", "stopped"), ("pause", "stopped")):
        assert say(store, "runs", act, WAITING.id, "--json") == 0
        assert document(capsys)["runs"] == [{"id": WAITING.id, "state": state, "progress": 0.0}]
    assert workers == []
    assert say(store, "runs", "resume", WAITING.id) == 0
    assert states(store)[2:] == ["queued", "queued"]
    assert len(workers) == 1
    assert say(store, "runs", "step", WAITING.id, "--by=epoch") == 0
    assert store.value("SELECT wish FROM groups WHERE number=3") == "step epoch"


@pytest.mark.parametrize("act", ["stop", "pause", "step", "resume"])
def test_a_wish_that_changes_nothing_says_where_the_run_stands(
    store: Store, act: str, capsys: pytest.CaptureFixture[str], workers: list[Any]
) -> None:
    with store.write() as db:
        db.execute("UPDATE groups SET state=? WHERE number>2", ("queued" if act == "resume" else "failed",))
    assert say(store, "runs", act, DONE.id, WAITING.id) == 0
    said = capsys.readouterr().err
    assert f"run {DONE.id} is done: {act} has no effect" in said
    assert f"run {WAITING.id} is {'queued' if act == 'resume' else 'failed'}: {act} has no effect" in said
    with store.write() as db:
        db.execute("UPDATE groups SET state='paused' WHERE number>2")
    for act in ("resume", "stop"):
        assert say(store, "runs", act, WAITING.id) == 0
        assert "nothing" not in capsys.readouterr().err


def test_a_detached_run_prints_its_id_and_returns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: list[Any]
) -> None:
    settings = [f"--set={key}={value}" for key, value in TINY.items()]
    words = ["run", "--tasks=rte,sst2", "--seeds=1,2", "--detach", "--json", *settings]
    assert say(tmp_path, *words) == 0
    found = document(capsys)
    assert [row["seed"] for row in found["runs"]] == [1, 2]
    assert (found["to_train"], found["reused"]) == (6, 0)
    assert len(workers) == 1
    assert say(tmp_path, *words) == 0
    assert document(capsys) == found


def test_runs_are_deleted(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(store, "runs", "delete", DONE.id, WAITING.id[:8], "--json") == 0
    assert document(capsys) == {"deleted": [DONE.id, WAITING.id]}
    assert store.rows("SELECT * FROM stages") == []


def test_runs_are_watched_until_they_are_over(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert say(store, "runs", "watch", DONE.id, "--json") == 0
    assert document(capsys)["runs"][0]["state"] == "done"
    say(store, "runs", "stop", WAITING.id)
    assert say(store, "runs", "watch") == 0  # nothing is open


def test_a_lost_run_is_watched_while_another_worker_is_there_to_take_it(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = join(store, "gone"), join(store, "other")
    job = taken(store, gone)
    leave(store, gone)
    assert frames.run(store, WAITING.id)["error"] == "its worker has ended; another worker will take over"
    looks: list[float] = []

    def asleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 1:
            assert taken(store, other).claim.group == job.claim.group
        else:
            leave(store, other)

    monkeypatch.setattr(time, "sleep", asleep)
    assert say(store, "runs", "watch", "--json") == 0
    lines = [json.loads(line)["runs"][0] for line in capsys.readouterr().out.splitlines()]
    assert [line["state"] for line in lines] == ["lost", "running", "lost"]
    assert lines[-1]["error"] == "its worker has ended; resume the run to continue"
    assert len(looks) == 2


READING = [
    (["runs", "list"], 0),
    (["experiments"], 0),
    (["experiments", "x1"], 2),
    (["compare", "r1", "r2"], 2),
    (["alpha", "r1", "sst2"], 2),
    (["route", "r1"], 2),
    (["runs", "watch"], 2),
    *[(["runs", act, "r1"], 2) for act in ("show", "stop", "pause", "step", "resume", "delete", "watch")],
]


@pytest.mark.parametrize(("words", "code"), READING, ids=[" ".join(words) for words, _ in READING])
def test_who_only_looks_makes_no_store(
    tmp_path: Path, words: list[str], code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")
    assert say(tmp_path / "typo", *words, *(["--json"] if code == 0 else [])) == code
    said = capsys.readouterr()
    everywhere = words[0] in ("alpha", "compare", "route") or words[:2] == [
        "runs",
        "show",
    ]  # these look among the recorded runs too
    assert ("there are no runs yet" if everywhere else f"no results in {tmp_path / 'typo'}") in said.err
    assert ("unknown run 'r1'" in said.err) == (words[-1] == "r1" or everywhere)
    assert said.out == ("" if code else f'{{"{words[-1] if words[0] != "runs" else "runs"}": []}}\n')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["matrix", "sweep", "bench"])
def test_an_experiment_whose_runs_were_deleted_says_so(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    common = {"settings": TINY}
    made = {
        "matrix": lambda: experiments.matrix(("rte", "sst2"), (1,), common | {"method": "continual"}),
        "sweep": lambda: experiments.sweep(("rte", "sst2"), "lr", (0.1,), (1,), common | {"method": "continual"}),
        "bench": lambda: experiments.bench("standard_cl", ("per_task",), (1,), common),
    }[kind]()
    store = Store(tmp_path).open()
    id, sent = start_experiment(store, made, plans_of(made.specs))
    control.delete(store, list(sent.runs))
    for words in (["experiments", id], ["compare", f"--experiment={id}"]):
        assert say(store, *words) == 2
        assert f"({id}) has no runs any more: all were deleted" in capsys.readouterr().err
    assert say(store, "experiments", "--json") == 0
    assert document(capsys)["experiments"][0]["stages"] == 0


# --- recorded runs, and once more ---------------------------------------------------------
@pytest.fixture
def with_program(store: Store, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same finished run, as if it had come with the program too; its id there."""
    home = tmp_path_factory.mktemp("recorded")
    with closing(sqlite3.connect(home / FILE)) as db:
        store.db.backup(db)
    copy = Store(home).open()
    control.delete(copy, [WAITING.id])
    recorded.mark(copy)
    copy.close()
    monkeypatch.setattr(recorded, "HOME", home)
    return f"c{DONE.id[1:]}"


def test_recorded_runs_are_listed_and_shown_and_never_changed(
    store: Store, with_program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say(store, "runs", "list", "--json") == 0
    told = capsys.readouterr()
    assert {row["id"] for row in json.loads(told.out)["runs"]} == {DONE.id, WAITING.id}
    assert "1 recorded runs came with the program: `runs list --recorded`" in told.err
    assert say(store, "runs", "list", "--recorded", "--json") == 0
    assert [row["id"] for row in document(capsys)["runs"]] == [with_program]
    assert say(store, "runs", "show", with_program[:8], "--json") == 0
    assert document(capsys)["id"] == with_program
    for act in ("stop", "pause", "step", "resume", "delete"):
        said = refused(capsys, "runs", act, with_program, f"--home={store.home}")
        assert "came with the program and cannot be changed" in said
    assert say(store, "runs", "delete", DONE.id) == 0  # the visitor's own can be deleted
    assert [row["id"] for row in store.rows("SELECT id FROM runs")] == [WAITING.id]


def test_a_run_is_trained_again_with_the_next_seed_or_the_same(
    store: Store, with_program: str, workers: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    def asked(*words: str) -> dict[str, Any]:
        assert say(store, "runs", "again", *words, "--json") == 0
        (row,) = document(capsys)["runs"]
        found: dict[str, Any] = frames.run(store, row["id"])
        return found

    assert {DONE.seed, WAITING.seed} == {1, 2}
    new = asked(DONE.id)
    assert (new["seed"], new["settings"]) == (3, frames.run(store, DONE.id)["settings"])  # 2 is taken
    same = asked(DONE.id, "--same")
    assert same["seed"] == DONE.seed
    assert same["id"] not in (DONE.id, with_program)
    assert set(same["stages"]).isdisjoint(frames.run(store, DONE.id)["stages"])  # nothing is reused
    assert asked(same["id"], "--same")["id"] not in (DONE.id, same["id"])
    assert asked(with_program)["seed"] == 4
    control.delete(store, [DONE.id])
    assert asked(with_program, "--same")["id"] == DONE.id  # not trained here yet
    assert len(workers) == 5


# --- mistakes -----------------------------------------------------------------------------
@pytest.mark.parametrize("act", ["show", "stop", "pause", "step", "resume", "delete", "watch"])
def test_an_unknown_run_is_answered_with_the_nearest_and_nothing_changes(
    store: Store, act: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store.close()
    before = store.file.read_bytes()
    wrong = WAITING.id[:-1] + "x"
    said = refused(capsys, "runs", act, *([] if act == "show" else [DONE.id]), wrong, f"--home={store.home}")
    assert f"error: unknown run '{wrong}': did you mean '{WAITING.id}'?" in said
    assert store.file.read_bytes() == before


def test_a_running_run_is_deleted_by_force_only(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown step 'day'" in refused(capsys, "runs", "step", WAITING.id, "--by=day", f"--home={store.home}")
    taken(store, join(store))
    store.close()
    before = store.file.read_bytes()
    assert say(store, "runs", "delete", DONE.id, WAITING.id) == 2
    assert f"run {WAITING.id} is running: stop it first, or force its deletion" in capsys.readouterr().err
    assert store.file.read_bytes() == before
    assert say(store, "runs", "delete", WAITING.id, "--force") == 0
    assert [row["id"] for row in store.rows("SELECT id FROM runs")] == [DONE.id]


TRAINING = ("run --tasks=rte", "run --tasks=rte --detach", "matrix --tasks=rte,sst2")


@pytest.mark.parametrize("words", [*TRAINING, "bench --methods=per_task --detach", "worker --idle=0"])
@pytest.mark.parametrize("device", ["cuda:99", "foo"])
def test_a_device_that_is_not_there_is_refused_before_anything_is_queued(
    tmp_path: Path, words: str, device: str, capsys: pytest.CaptureFixture[str], workers: list[Any]
) -> None:
    assert f"device '{device}'" in refused(capsys, *words.split(), f"--device={device}", f"--home={tmp_path}")
    assert workers == []
    store = Store(tmp_path).open()
    assert store.rows("SELECT id FROM runs UNION SELECT id FROM workers") == []


@pytest.mark.parametrize("words", ["runs list", "runs show r1", "worker", *TRAINING[:2]])
@pytest.mark.parametrize("what", ["newer", "another program's", "no database"])
def test_a_store_that_is_not_ours_to_read_is_refused_and_left_alone(
    tmp_path: Path, words: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if what == "newer":
        store = Store(tmp_path).open()
        store.db.execute(f"PRAGMA user_version={VERSION + 1}")
        store.close()
    elif what == "no database":
        (tmp_path / FILE).write_text("my diary")
    else:
        with closing(sqlite3.connect(tmp_path / FILE)) as db:
            db.execute("CREATE TABLE photos (id)")
    before = (tmp_path / FILE).read_bytes()
    said = {"newer": "newer version of shlpt", "no database": "not a store of shlpt"}.get(what, "another program")
    assert said in refused(capsys, *words.split(), f"--home={tmp_path}")
    assert (tmp_path / FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
