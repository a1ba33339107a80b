"""The page of comparison, and that the command line says the same."""

import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import SEEDS, TASKS, TINY, matrix
from saying import outcome, refused, say
from visiting import EVIL, charts, errors, figures, press, said, visit

from shlpt.analysis.points import signed
from shlpt.catalog.routers import title_of
from shlpt.plans import headroom
from shlpt.plans.experiments import Cell, Experiment
from shlpt.plans.stages import plans_of
from shlpt.queue import control
from shlpt.queue.submit import start_experiment
from shlpt.results import recorded
from shlpt.results.record import run_record
from shlpt.spec import RunSpec
from shlpt.store.store import Store


def run_ids() -> list[str]:
    """SHLPT and continual initialisation on the same tasks, two seeds each."""
    shlpt = [RunSpec.make(TASKS, "shlpt", seed=seed, settings=TINY).id for seed in SEEDS]
    return [*shlpt, *(c.spec.id for c in matrix().cells if c.label["source"] == TASKS[0])]


def table(app: Any) -> Any:
    return next(frame.value for frame in app.dataframe if "side" in frame.value)


def test_runs_of_the_same_settings_are_one_side(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    address: dict[str, Any] = {"experiment": "runs", "run": run_ids()}
    app = visit("compare.py", address)
    assert errors(app) == []
    shown = table(app)
    assert list(shown["side"]) == ["SHLPT", "Continual initialisation"]
    assert list(shown["seeds done"]) == ["2 of 2", "2 of 2"]
    told = say(capsys, "compare", *run_ids())
    assert [row["name"] for row in told["sides"]] == ["shlpt", "continual"]
    assert list(shown["ACC"]) == [pytest.approx(100 * row["acc"]["mean"]) for row in told["sides"]]
    difference = told["differences"][0]["acc"]["difference"]
    assert difference == pytest.approx(told["sides"][1]["acc"]["mean"] - told["sides"][0]["acc"]["mean"])
    assert app.metric[0].value == f"{signed(-100 * difference)} points"
    assert {row["setting"] for row in told["differences"][0]["settings"]} >= {"method", "threshold"}


def test_two_sides_are_compared_answer_by_answer_on_the_page_and_by_the_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = run_ids()
    app = visit("compare.py", {"experiment": "runs", "run": ids})
    told = say(capsys, "compare", *ids)
    shown = next(frame.value for frame in app.dataframe if "only first right" in frame.value)
    assert list(shown["examples"]) == [row["examples"] for row in told["answers"].values()]
    assert list(shown["only first right"]) == [row["second"] for row in told["answers"].values()]  # the other way round
    store, tasks = Store(home).open(), dict(zip(TASKS, (0, 1), strict=True))
    for task, place in tasks.items():
        scores = [[run_record(store, id)["matrix"][-1][place] for id in side] for side in (ids[:2], ids[2:])]
        apart = sum(scores[1]) / 2 - sum(scores[0]) / 2
        assert told["answers"][task]["difference"] == pytest.approx(apart)
        assert told["answers"][task]["test"] == "over examples and seeds"
    assert told["answers"]["all tasks"]["examples"] == sum(told["answers"][task]["examples"] for task in TASKS)
    assert "3 points" in told["power"]
    assert "A true difference of 3 points" in said(app)
    one = say(capsys, "compare", ids[0], ids[2])
    assert {row["test"] for row in one["answers"].values()} == {"McNemar"}
    assert "cannot be said from one seed" in one["power"]


def test_runs_of_two_stores_are_compared_by_the_command_that_the_page_shows(
    home: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained, tmp_path / "recorded")
    monkeypatch.setattr(recorded, "HOME", tmp_path / "recorded")
    ids = run_ids()
    control.delete(Store(home).open(), ids[:2])  # these two are recorded only
    app = visit("compare.py", {"experiment": "runs", "run": ids})
    assert errors(app) == []
    words = shlex.split(app.code[-1].value)
    assert words[:4] == ["python", "-m", "shlpt", "compare"]
    assert words[-2:] == ["--home", str(home)]
    told = say(capsys, *words[3:])
    assert [row["name"] for row in told["sides"]] == ["shlpt", "continual"]
    assert list(table(app)["side"]) == ["SHLPT", "Continual initialisation"]


def test_a_page_without_an_address_compares_what_there_is(home: Path) -> None:
    app = visit("compare.py")
    assert errors(app) == []
    assert len(charts(app)) >= 4
    assert all(chart["alt"].endswith(".") for chart in charts(app))


def test_the_sides_of_an_experiment_have_its_names(home: Path) -> None:
    cells = tuple(
        Cell({"variant": f"{EVIL} {method}", "seed": seed}, RunSpec.make(TASKS, method, seed=seed, settings=TINY))
        for method in ("shlpt", "continual")
        for seed in SEEDS
    )
    made = Experiment("methods", EVIL, cells, {})
    id, _ = start_experiment(Store(home).open(), made, plans_of(made.specs))
    app = visit("compare.py", {"experiment": id[:6]})
    assert errors(app) == []
    assert list(table(app)["side"]) == [f"{EVIL} shlpt", f"{EVIL} continual"]
    assert "<img" not in said(app).replace("\\<img", "")
    assert "<img" not in json.dumps(figures(app)[0]["layout"]["yaxis"]["ticktext"])


def test_orders_are_compared_although_their_sequences_differ(home: Path) -> None:
    specs = [RunSpec.make(tasks, "continual", settings=TINY) for tasks in (TASKS, TASKS[::-1])]
    cells = tuple(Cell({"order": " ".join(spec.tasks), "seed": 42}, spec) for spec in specs)
    for kind, warned in (("orders", False), ("methods", True)):
        made = Experiment(kind, f"as {kind}", cells, {"tasks": list(TASKS), "seeds": [42]})
        id, _ = start_experiment(Store(home).open(), made, plans_of(made.specs))
        app = visit("compare.py", {"experiment": id[:6]})
        assert errors(app) == []
        assert any("learn the same sequence" in one.value for one in app.warning) == warned


def test_two_sides_and_a_task_are_in_the_address(home: Path) -> None:
    address: dict[str, Any] = {"experiment": "runs", "run": run_ids()}
    address |= {"first": "continual", "second": "shlpt", "task": "sst2"}
    app = visit("compare.py", address)
    assert app.selectbox("first-choice").value == "continual"
    assert app.selectbox("task-choice").value == "sst2"
    assert app.query_params["run"] == run_ids()


@pytest.mark.parametrize("address", [{"experiment": "<b>"}, {"run": "$x$"}, {"first": "nobody", "task": "=1"}])
def test_an_address_edited_by_hand_breaks_nothing(home: Path, address: dict[str, str]) -> None:
    app = visit("compare.py", address)
    assert errors(app) == []
    assert any("not here" in warning.value for warning in app.warning)


def test_runs_that_are_not_over_are_shown_as_far_as_they_are(home: Path) -> None:
    store = Store(home).open()
    spec = RunSpec.make(("rte", "cb"), "continual", settings=TINY)
    made = Experiment("methods", "waiting", (Cell({"method": "continual", "seed": 42}, spec),), {})
    start_experiment(store, made, plans_of(made.specs))
    control.pause(store, [spec.id])
    app = visit("compare.py", {"run": spec.id, "experiment": "runs"})
    assert errors(app) == []
    assert list(table(app)["seeds done"]) == ["0 of 1"]


def test_the_command_takes_runs_or_an_experiment_and_prints_tables(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "--experiment" in refused(capsys, "compare")
    assert "unknown run" in refused(capsys, "compare", "nobody")
    assert len(say(capsys, "compare", "--experiment", "tiny matrix")["sides"]) == 2
    assert outcome("compare", *run_ids()) == 0
    assert "settings that differ" in capsys.readouterr().out


# --- without being told the task ----------------------------------------------------------
def test_answers_without_the_task_are_measured_when_somebody_asks(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = run_ids()
    app = visit("compare.py", {"experiment": "runs", "run": ids})
    assert errors(app) == []
    assert "Not measured for 4 of these runs" in said(app)
    assert not any("router" in frame.value for frame in app.dataframe)
    command = next(code.value for code in app.code if " route " in code.value)
    app = press(app, "Measure it here", timeout=120)  # it loads the model
    assert errors(app) == []
    shown = next(frame.value for frame in app.dataframe if "router" in frame.value)
    told = say(capsys, *shlex.split(command)[3:])
    assert list(zip(shown["router"], shown["seeds"], strict=True)) == [
        (title_of(r["router"]), r["seeds"]) for r in told["rows"]
    ]
    for name in ("told", "untold", "gap", "right"):
        assert list(shown[name]) == [pytest.approx(100 * row[name]["mean"]) for row in told["rows"]]
    assert "Not measured for 4" not in said(app)
    drawn = next(chart for chart in charts(app) if "answered by its own prompt" in chart["alt"])
    assert drawn["figure"]["data"][0]["z"] == told["matrices"][0]["matrix"]


def test_recorded_runs_are_not_measured_by_a_page(only_recorded: Path) -> None:
    app = visit("compare.py", {"experiment": "runs", "run": run_ids()})
    assert errors(app) == []
    assert "Not measured for these runs" in said(app)
    assert not any(button.label == "Measure it here" for button in app.button)


# --- whether methods can be distinguished -------------------------------------------------
def gauged(home: Path, apart: float) -> None:
    """A headroom gauge over the tasks, whose runs came to what is said: no training."""
    store = Store(home).open()
    made = headroom.headroom({"two": TASKS}, (1, 2, 3), {"settings": TINY})
    start_experiment(store, made, plans_of(made.specs))
    for cell in made.cells:
        record = run_record(store, cell.spec.id)
        spread = 0.01 * cell.label["seed"] * (cell.label["condition"] == "declared")
        record |= {"state": "done", "acc": 0.5 + spread + apart * (cell.label["condition"] == "declared")}
        with store.write() as db:
            db.execute("UPDATE runs SET result=? WHERE id=?", (json.dumps(record), cell.spec.id))


@pytest.mark.parametrize(("apart", "ranked"), [(0.2, True), (-0.02, False)])
def test_methods_have_a_rank_only_where_there_is_something_to_tell_apart(
    home: Path, apart: float, ranked: bool
) -> None:
    gauged(home, apart)
    app = visit("compare.py", {"experiment": "runs", "run": run_ids()})
    assert errors(app) == []
    shown = table(app)
    assert ("rank" in shown) is ranked
    notes = [part.value for part in (*app.success, *app.info)]
    assert any(("Methods can be distinguished" if ranked else "without a ranking") in note for note in notes)
    assert ("is highest for" in charts(app)[0]["alt"]) is ranked
    if ranked:
        assert list(shown["ACC"]) == sorted(shown["ACC"], reverse=True)


def test_what_is_not_measured_is_said_with_the_command(home: Path) -> None:
    app = visit("compare.py", {"experiment": "runs", "run": run_ids()})
    assert "Not measured for this sequence" in said(app)
    command = next(code.value for code in app.code if "headroom" in code.value)
    assert "--tasks yelp,sst2 --set epochs=2 --set shots=4 --set test_shots=4" in command
    assert "rank" not in table(app)
