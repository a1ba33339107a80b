"""The page of transfer: figure, cell, flips, composing, and addresses that somebody has edited."""

import shlex
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from conftest import SEEDS, TINY, matrix
from saying import outcome, say
from visiting import EVIL, charts, errors, figures, press, said, visit

from shlpt.analysis import transfer
from shlpt.errors import UserError
from shlpt.plans import stages
from shlpt.plans.stages import plan_runs
from shlpt.results import experiments as found
from shlpt.results import frames
from shlpt.store.store import Store


def figure(app: Any) -> dict[str, Any]:
    """The matrix as the browser gets it."""
    return charts(app)[0]


def test_the_matrix_shows_what_the_store_has(home: Path) -> None:
    app = visit("transfer.py")
    assert errors(app) == []
    shown = figure(app)
    assert shown["clicks"]
    assert "pairs" in shown["alt"]
    cells = transfer.cells(found.pairs(Store(home).open(), matrix().id))
    z = next(trace["z"] for trace in shown["figure"]["data"] if trace["type"] == "heatmap")
    expected = {(c.source, c.target): c.value for c in cells.itertuples()}
    assert z == [[None, pytest.approx(expected["yelp", "sst2"])], [pytest.approx(expected["sst2", "yelp"]), None]]
    table = next(frame.value for frame in app.dataframe if "verdict" in frame.value)
    assert list(table["n"]) == [2, 2]


def test_the_pairs_that_help_go_to_the_oracle_as_a_link(home: Path) -> None:
    (link,) = [part.proto for part in visit("transfer.py").get("page_link") if "oracle partition" in part.proto.label]
    address = dict(parse_qsl(link.query_string))
    cells = transfer.cells(found.pairs(Store(home).open(), matrix().id))
    assert address["s_similar_pairs"] == transfer.helping(cells)
    app = visit("live.py", address)
    assert errors(app) == []
    assert address["s_similar_pairs"] in app.text_input("s_similar_pairs").value
    assert "--method oracle_partition" in app.code[0].value


def test_a_cell_has_curves_and_the_examples_that_flipped(home: Path) -> None:
    app = visit("transfer.py", {"source": "sst2", "target": "yelp", "seed": "2"})
    run = next(c.spec.id for c in matrix().cells if c.label == {"source": "sst2", "target": "yelp", "seed": 2})
    store = Store(home).open()
    gained, lost = transfer.flips(frames.answers(store, run, "yelp"), frames.answers(store, run, "yelp", alone=True))
    assert f"**{len(gained)}** are answered better after pocket\\/sst2 and **{len(lost)}** worse" in said(app)
    curves = figures(app)[1]
    assert {trace["name"] for trace in curves["data"] if trace.get("name")} == {"with transfer", "alone"}
    assert f"{len(SEEDS)} seeds" in app.metric[0].delta
    run = matrix().cells[0].spec.id
    frame = frames.pair_epochs(Store(home).open(), [run])
    assert set(frame["task"]) == {"sst2"}
    assert list(frame.groupby("which").size()) == [TINY["epochs"]] * 2


def test_the_choice_of_a_cell_goes_into_the_address(home: Path) -> None:
    app = visit("transfer.py")
    app.selectbox("source-choice").select("sst2").run()
    assert "sst2" in app.query_params["source"]
    assert app.selectbox("target-choice").options == ["pocket/yelp"]


# --- how sure it is -----------------------------------------------------------------------
def test_the_sentence_under_the_figure_is_that_of_the_command(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = transfer.cells(found.pairs(Store(home).open(), matrix().id))
    app = visit("transfer.py")
    assert transfer.sentence(transfer.counts(table)) in said(app)
    assert outcome("experiments", matrix().id, f"--home={home}") == 0
    shown = capsys.readouterr().out
    assert transfer.sentence(transfer.counts(table)) in shown
    assert "cannot be computed" in shown
    document = say(capsys, "experiments", matrix().id, f"--home={home}")
    assert document["counts"] == transfer.counts(table)
    assert document["agreement"]["pairs"] == 2
    assert [cell["q"] for cell in document["cells"]] == pytest.approx(list(table["q"]))


def test_more_seeds_are_one_click(home: Path, started: list[Any]) -> None:
    app = visit("transfer.py", {"source": "sst2", "target": "yelp"})
    command = next(code.value for code in app.code if " more " in code.value)
    assert command == f"python -m shlpt more {matrix().id} --pair 'sst2>yelp' --count 3 --home {home}"
    press(app, "More seeds for this pair")
    assert errors(app) == []
    assert len(started) == 1
    pairs = found.pairs(Store(home).open(), matrix().id)
    mine = pairs[(pairs["source"] == "sst2") & (pairs["target"] == "yelp")]
    assert list(mine["seed"]) == [1, 2, 3, 4, 5]
    assert len(pairs) == 4 + 3
    run = frames.run(Store(home).open(), mine["run"].iloc[-1])
    assert run["settings"] == frames.run(Store(home).open(), mine["run"].iloc[0])["settings"]
    assert matrix().id in app.query_params["matrix"]


def test_a_recorded_matrix_stays_as_it_is_and_a_new_one_is_named_after_it(only_recorded: Path) -> None:
    own = Store().open()
    made = found.more_seeds(own, matrix().id, "sst2", "yelp", 2)
    assert (made.name, made.joins) == ("tiny matrix: sst2 → yelp", "")
    assert [cell.label["seed"] for cell in made.cells] == [1, 2, 3, 4]
    assert made.about["tasks"] == ["sst2", "yelp"]
    with pytest.raises(UserError, match="no pair rte>cb"):
        found.more_seeds(own, matrix().id, "rte", "cb", 2)


# --- a new one ----------------------------------------------------------------------------
def test_an_empty_store_offers_to_compose_one(empty_home: Path) -> None:
    app = visit("transfer.py")
    assert errors(app) == []
    assert app.selectbox("matrix-choice").value == "new"
    assert [metric.value for metric in app.metric[:3]] == ["12", "36", "48"]
    assert app.metric[3].value == "2 min"
    assert "nothing was measured here yet" in app.metric[3].help


def test_what_is_composed_is_what_the_command_line_says(home: Path) -> None:
    app = visit("transfer.py", {"matrix": "new", "tasks": "rte", "seeds": "3", "s_shots": "4"})
    app.multiselect("tasks-choices").set_value(["rte", "cb"]).run()
    words = shlex.split(app.code[0].value)
    assert words[:4] == ["python", "-m", "shlpt", "matrix"]
    options = dict(zip(words[4::2], words[5::2], strict=True))
    settings = {"--method": "continual", "--set": "shots=4", "--home": str(home)}
    assert options == {"--tasks": "rte,cb", "--seeds": "3"} | settings


@pytest.mark.usefixtures("home")
def test_tasks_of_every_kind_make_a_matrix() -> None:
    kinds = ["contrary:sst2", "dial:+0.30", "ask:price/hotel/yes-no@8"]
    app = visit("transfer.py", {"matrix": "new", "tasks": ",".join(kinds), "seeds": "3"})
    assert errors(app) == []
    assert app.multiselect("tasks-choices").value == kinds
    words = shlex.split(app.code[0].value)
    assert words[words.index("--tasks") + 1] == ",".join(kinds)


def test_starting_queues_the_runs_and_shows_them(
    home: Path, started: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit("transfer.py", {"matrix": "new", "tasks": "rte", "seeds": "3"})
    app.multiselect("tasks-choices").set_value(["rte", "cb"])
    app.text_input("matrix-name").set_value(EVIL).run()
    planned: list[int] = []
    monkeypatch.setattr(stages, "plan_runs", lambda specs, *more: planned.append(len(specs)) or plan_runs(specs, *more))
    press(app, "Train this matrix")
    assert errors(app) == []
    assert planned == [2]  # once, for what it costs and for the queue
    assert len(started) == 1
    line = found.listed(Store(home).open())[0]
    assert (line["name"], line["kind"], line["runs"]) == (EVIL, "matrix", 2)
    assert line["id"] in app.query_params["matrix"]
    assert app.selectbox("matrix-choice").options[0].startswith(EVIL)
    assert "no worker is running" in said(app)
    assert "No pair of tasks" in figure(app)["figure"]["layout"]["annotations"][0]["text"]
    press(app, "Stop")
    assert frames.states(Store(home).open(), found.runs_in(Store(home).open(), line["id"])) == {"stopped": 2}


@pytest.mark.parametrize(("seeds", "tasks"), [("x", "rte"), ("", "rte"), ("1", "rte")])
def test_a_choice_that_cannot_be_trained_is_said(home: Path, seeds: str, tasks: str) -> None:
    app = visit("transfer.py", {"matrix": "new", "tasks": tasks, "seeds": seeds})
    assert errors(app) == []
    assert app.error[0].value
    assert not [button for button in app.button if button.label == "Train this matrix"]


# --- what can be wrong --------------------------------------------------------------------
WRONG = [{"matrix": "<b>x</b>"}, {"source": "=1+1", "seed": "99"}, {"target": "nobody"}]
WRONG += [{"source": "yelp", "target": "yelp"}, {"matrix": "new", "method": "$x$", "tasks": "[a](b)", "preset": "huge"}]


@pytest.mark.parametrize("address", WRONG)
def test_an_address_edited_by_hand_says_what_is_not_there(home: Path, address: dict[str, str]) -> None:
    app = visit("transfer.py", address)
    assert errors(app) == []
    assert "not here" in app.warning[0].value
    assert "<b>" not in said(app).replace("\\<b\\>", "")


def test_recorded_results_are_called_so_and_cannot_be_stopped(only_recorded: Path) -> None:
    app = visit("transfer.py")
    assert errors(app) == []
    assert "· recorded ·" in app.selectbox("matrix-choice").options[0]
    assert "came with the program" in said(app)
    assert {button.label for button in app.button if not button.disabled} & {"Stop", "Resume", "Pause"} == set()


def test_a_failed_pair_says_why(home: Path) -> None:
    store = Store(home).open()
    run = matrix().cells[0].spec.id
    with store.write() as db:
        db.execute("UPDATE runs SET result=NULL WHERE id=?", (run,))
        db.execute(
            "UPDATE stages SET state='failed', error=? WHERE key=(SELECT stage FROM run_stages WHERE run=? AND alone=0 "
            "AND position=1)",
            (f"loss is no number {EVIL}", run),
        )
    app = visit("transfer.py")
    assert errors(app) == []
    assert "loss is no number" in app.error[0].value
    assert "<img" not in app.error[0].value.replace("\\<img", "")
    assert "Resume" in [button.label for button in app.button]


def test_a_store_of_a_newer_version_is_said_and_the_rest_is_shown(only_recorded: Path, empty_home: Path) -> None:
    store = Store(empty_home).open()
    store.db.execute("PRAGMA user_version=999")
    store.close()
    app = visit("transfer.py")
    assert errors(app) == []
    assert "newer version" in app.error[0].value
    assert figure(app)["alt"]


def test_what_waits_without_a_worker_is_not_watched(home: Path) -> None:
    from shlpt.ui.control import going

    store = Store(home).open()
    assert not going(store, {"queued": 3})
    assert not going(store, {"done": 3})
