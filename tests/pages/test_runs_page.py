"""The page of what is stored: filter, names, wishes, deletion, workers that are gone."""

import json
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from conftest import TASKS, TINY, matrix
from saying import outcome
from visiting import EVIL, errors, press, said, visit

from shlpt.catalog import METHODS
from shlpt.plans.stages import plans_of
from shlpt.plots import library
from shlpt.queue import claims, control
from shlpt.queue.submit import submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.find import groups_of
from shlpt.store.store import Store

LETTER, PADDING = 6.7, 16  # pixels of a table's letter, on average, and beside its text


def waiting(store: Store) -> str:
    return submit(store, plans_of([RunSpec.make(("rte", "cb"), "continual", settings=TINY)])).runs[0]


def table(app: Any) -> Any:
    return next(frame.value for frame in app.dataframe if "experiment" in frame.value)


def test_every_run_is_in_the_table_and_the_filter_narrows_it(home: Path) -> None:
    app = visit("runs.py")
    assert errors(app) == []
    assert sorted(table(app)["id"]) == sorted(frames.runs(Store(home).open())["id"])
    assert list(table(visit("runs.py", {"method": "shlpt"}))["method"]) == ["SHLPT"] * 2
    assert list(table(visit("runs.py", {"find": "SST2 seed tiny"}))["experiment"]) == ["tiny matrix"] * 4
    assert "No run matches" in visit("runs.py", {"find": "nothing like it"}).info[0].value
    assert "No run matches" in visit("runs.py", {"whose": "recorded"}).info[0].value


def test_no_name_is_cut_whichever_rows_are_seen_first(home: Path) -> None:
    """A column without a width is as wide as its first rows: names were cut to the method's."""
    app = visit("runs.py")
    shown = next(frame for frame in app.dataframe if "experiment" in frame.value)
    columns = json.loads(shown.proto.columns)
    assert columns["method"]["width"] >= PADDING + LETTER * max(len(info.title) for info in METHODS.values())
    names = [f"{info.title} · the demonstration" for info in METHODS.values()]
    assert columns["name"]["width"] >= PADDING + LETTER * max(map(len, names))
    assert columns["tasks"]["width"] >= PADDING + LETTER * len("yelp → sst2 → agnews → rte")


def test_a_name_and_a_note_are_kept_and_shown_letter_by_letter(home: Path) -> None:
    run = matrix().cells[0].spec.id
    app = visit("runs.py", {"run": run[:8]})
    app.text_input(f"name-{run}").set_value(EVIL)
    app.text_input(f"note-{run}").set_value(EVIL)
    app = press(app, "Save")
    assert errors(app) == []
    line = frames.runs(Store(home).open()).set_index("id").loc[run]
    assert (line["name"], line["note"]) == (EVIL, EVIL)
    assert "<img" not in app.header[0].value.replace("\\<img", "")
    assert EVIL in list(table(app)["name"])


def test_all_that_are_shown_can_be_chosen_without_a_mouse(home: Path) -> None:
    app = press(visit("runs.py", {"method": "shlpt"}), "Select all shown")
    assert errors(app) == []
    assert len(app.query_params["run"]) == 2
    assert app.header[0].value == "2 runs"
    assert len(press(app, "Clear selection").query_params.get("run", [])) == 0


def test_a_run_is_deleted_only_after_it_was_confirmed(home: Path) -> None:
    run = RunSpec.make(TASKS, "shlpt", seed=1, settings=TINY).id
    app = press(visit("runs.py", {"run": run}), "Delete")
    assert run in list(frames.runs(Store(home).open())["id"])
    next(button for button in app.button if button.key == "really").click().run()
    assert errors(app) == []
    assert run not in list(frames.runs(Store(home).open())["id"])


def test_a_run_waits_is_paused_stopped_and_resumed(home: Path, started: list[Any]) -> None:
    store = Store(home).open()
    run = waiting(store)
    app = visit("runs.py", {"run": run})
    assert "no worker is running" in said(app)
    app = press(app, "Pause")
    assert frames.states(store, [run]) == {"paused": 1}
    app = press(app, "Resume")
    assert frames.states(store, [run]) == {"queued": 1}
    assert len(started) == 1
    press(app, "Stop")
    assert frames.states(store, [run]) == {"stopped": 1}


@pytest.mark.usefixtures("started")
def test_a_crashed_worker_shows_what_it_said_last_and_offers_to_resume(home: Path) -> None:
    store = Store(home).open()
    run = waiting(store)
    claims.register(store, "wgone", "cpu", "gone.log")
    (home / "workers").mkdir(exist_ok=True)
    (home / "workers" / "gone.log").write_text(f"loading\n{EVIL}\nKilled")
    with store.write() as db:
        db.execute("UPDATE groups SET state='running', worker='wgone' WHERE state='queued'")
    app = visit("runs.py", {"run": run})
    assert errors(app) == []
    assert any("Killed" in code.value and EVIL in code.value for code in app.code)
    assert frames.left_by(store, "wgone") == [run]
    app = press(app, "Resume its runs")
    assert frames.states(store, [run]) == {"queued": 1}


def test_a_running_run_is_refused_unless_forced(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(home).open()
    run = waiting(store)
    monkeypatch.setattr(control, "_held", lambda store: set(groups_of(store, [run])))
    app = press(visit("runs.py", {"run": run}), "Delete")
    next(button for button in app.button if button.key == "really").click().run()
    assert errors(app) == []
    assert "is running" in app.error[0].value
    assert run in list(frames.runs(store)["id"])


def test_recorded_runs_can_be_looked_at_and_not_changed(only_recorded: Path) -> None:
    run = matrix().cells[0].spec.id
    app = visit("runs.py", {"run": run})
    assert errors(app) == []
    assert "but not changed" in said(app)
    assert app.text_input(f"name-{run}").disabled
    assert {button.label for button in app.button if not button.disabled} & {"Delete", "Stop", "Resume"} == set()


def test_the_file_of_the_page_is_that_of_the_command(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files: dict[str, Any] = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, *_, **__: files.update({label: data}))
    press(visit("runs.py"), "Select all shown")
    assert outcome("runs", "list", "--csv", f"--home={home}") == 0
    assert files["CSV"]().splitlines() == capsys.readouterr().out.splitlines()  # shares from 0 to 1 in both


@pytest.mark.usefixtures("home")
def test_a_figure_is_a_small_file_that_needs_no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, Any] = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, name, *_, **__: files.update({name: data}))
    run = matrix().cells[0].spec.id
    assert errors(visit("runs.py", {"run": run})) == []
    for what in ("accuracy matrix", "validation"):
        data = files[f"{run} {what}.html"]()
        assert library.FILE.read_bytes() in data  # once, and nothing is loaded from elsewhere
        assert len(data) < library.FILE.stat().st_size + 200_000
        assert f"Run {run}: {what}".encode() in data


@pytest.mark.parametrize("where", ["runs", "similarity", "activations", "compare"])
def test_a_run_is_trained_again_from_its_page(home: Path, started: list[Any], where: str) -> None:
    run = RunSpec.make(TASKS, "shlpt", seed=1, settings=TINY)
    for label, seed in (("Run again, new seed", 3), ("Run again, same seed", 1)):
        app = press(visit(f"{where}.py", {"run": run.id}), label)
        assert errors(app) == []
        frame = frames.runs(Store(home).open())
        (new,) = frame[frame["state"] == "queued"].to_dict("records")
        assert (new["seed"], new["tasks"]) == (seed, list(TASKS))
        assert new["id"] != run.id
        control.delete(Store(home).open(), [new["id"]])
    assert len(started) == 2


def test_ones_own_run_and_the_recorded_one_are_two_rows(home: Path, recorded_too: Path) -> None:
    run = RunSpec.make(TASKS, "shlpt", seed=1, settings=TINY).id
    shown = table(visit("runs.py", {"method": "shlpt"}))
    assert {run, f"c{run[1:]}"} <= set(shown["id"])
    app = press(visit("runs.py", {"run": run}), "Delete")
    next(button for button in app.button if button.key == "really").click().run()
    assert run not in list(frames.runs(Store(home).open())["id"])
    assert f"c{run[1:]}" in set(table(visit("runs.py"))["id"])


def test_an_address_edited_by_hand_breaks_nothing(home: Path) -> None:
    app = visit("runs.py", {"run": "<b>nobody</b>", "method": "$x$", "state": "[a](b)"})
    assert errors(app) == []
    assert len([warning for warning in app.warning if "not here" in warning.value]) == 3
