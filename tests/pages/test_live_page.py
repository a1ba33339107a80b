"""Compose a run and watch one, without a browser: what the form says is what is queued."""

from pathlib import Path
from typing import Any

import pytest
from reading import Read, nothing_trained, specs_of
from visiting import charts, errors, parts, press, said, visit

from shlpt.backbone.files import EMBEDDED
from shlpt.plans.stages import plans_of
from shlpt.queue import launch
from shlpt.queue.submit import submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.sequences import SEQUENCES
from shlpt.ui.links import live_address


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(launch, "start_worker", lambda *a, **k: None)
    return tmp_path / "home"


def test_the_form_begins_with_the_demonstration_and_says_what_it_costs(home: Path) -> None:
    app = visit("live.py")
    assert errors(app) == []
    metrics = {metric.label: metric.value for metric in app.metric}
    assert (metrics["Stages to train"], metrics["Trained parameters"]) == ("7 of 7", "5,632")
    command = next(code.value for code in app.code if "python -m" in code.value)
    assert command.startswith("python -m shlpt run --sequence demo --method shlpt --seeds 42")


def test_run_queues_what_the_form_says_and_shows_it(home: Path) -> None:
    address = live_address([RunSpec.make(["rte", "cb"], "per_task", seed=7, settings={"epochs": 3})])
    app = press(visit("live.py", address), "Run")
    assert errors(app) == []
    frame = frames.runs(Store(home).open())
    assert list(frame["tasks"]) == [["rte", "cb"]]
    record = frames.run(Store(home).open(), frame["id"][0])
    assert (record["method"], record["seed"], record["settings"]["epochs"]) == ("per_task", 7, 3)
    assert app.query_params["runs"] in (frame["id"][0], [frame["id"][0]])


def test_a_link_opens_the_form_with_the_same_runs(home: Path, tmp_path: Path) -> None:
    """Link → form → command → runs, and link → form → Python → runs."""
    copy = tmp_path / "my T5"
    copy.symlink_to(EMBEDDED)
    pairs = {"similar_pairs": "rte>dial:+0.50", "similar_transfer": False}
    for made in (
        [RunSpec.make(["yelp", "rte"], settings={"similar_transfer": False, "temperature": 2.5, "lr": 3e-5})],
        [
            RunSpec.make(["rte", "dial:+0.50"], "oracle_partition", seed=s, settings=pairs, dtype="float32")
            for s in (3, 1)
        ],
        [RunSpec.make(["sst2", "contrary:sst2"], "finetune", preset="standard", backbone=str(copy))],
        [RunSpec.make(SEQUENCES["demo"], preset="paper", settings={"epochs": 2, "estimator": "uniform"})],
    ):
        app = visit("live.py", live_address(made))
        assert errors(app) == []
        command, python = (code.value for code in app.code)
        assert specs_of(command) == made
        with nothing_trained(), pytest.raises(Read) as found:
            exec(python, {})
        assert found.value.args[0] == (made, str(home))


def test_a_link_to_a_suite_that_is_not_there_is_answered_in_words(home: Path) -> None:
    app = visit("live.py", live_address([RunSpec.make(["yelp", "rte"], suite="real")]))
    assert errors(app) == []
    assert [error.value.replace("\\", "") for error in app.error] == [
        "unknown suite 'real': Known: own, paper, pocket, prompts"
    ]


def test_the_python_on_the_page_trains_what_it_says(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 2}
    spec = RunSpec.make(["yelp", "rte"], settings=tiny)
    app = visit("live.py", live_address([spec]))
    python = next(code.value for code in app.code if "import shlpt" in code.value)
    exec(python, {})
    record = frames.run(Store(home), spec.id)
    assert record["state"] == "done"
    assert capsys.readouterr().out.splitlines() == [f"{spec.id} {record['acc']} {record['matrix']}"]


def test_what_a_link_changes_is_said_beside_the_folded_form(home: Path) -> None:
    assert "Changed" not in said(visit("live.py"))
    app = visit("live.py", {"s_epochs": "3", "s_estimator": "uniform"})
    assert "Changed: Epochs (at most) 3, Estimator none, equal α" in said(app).replace("\\", "")
    long = ",".join(["rte>cb"] * 20)
    shown = said(visit("live.py", {"method": "oracle_partition", "s_similar_pairs": long})).replace("\\", "")
    assert f"Changed: Similar pairs {long[:60]}…" in shown


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ({"runs": "rnobody"}, "not here"),
        ({"method": "oracle_partition", "s_similar_pairs": "rte"}, "cannot read the pair"),
        ({"method": "oracle_partition", "s_similar_pairs": "rte>cbb"}, "did you mean"),
        ({"sequence": "my own", "tasks": "yelpp"}, "did you mean"),
        ({"seeds": "many"}, "cannot read the seeds"),
        ({"s_epochs": "-5"}, ""),
        ({"method": "<b>x</b>"}, "not here"),
        ({"sequence": "$x$"}, "not here"),
    ],
)
def test_an_address_edited_by_hand_is_answered_in_words(home: Path, address: dict[str, str], message: str) -> None:
    app = visit("live.py", address)
    assert errors(app) == []
    words = " ".join(part.value for part in (*app.error, *app.warning))
    assert message in words
    assert len([*app.error, *app.warning]) <= 1  # one mistake, one message
    assert "--" not in words.replace("\\", "")  # options belong to the command line


def test_a_run_that_is_not_there_is_answered_without_a_wall_of_ids(home: Path) -> None:
    from shlpt.results.recorded import recorded

    store = recorded()
    assert store is not None
    assert len(frames.runs(store)) > 100
    (error,) = visit("live.py", {"runs": "nope"}).error
    assert "unknown run" in error.value
    assert len(error.value) < 300


def test_nothing_is_shown_empty_while_the_first_task_is_learned(home: Path) -> None:
    spec = RunSpec.make(["rte", "sst2", "agnews"], seed=3)
    submit(Store(home).open(), plans_of([spec]))
    app = visit("live.py", {"runs": spec.id})
    assert errors(app) == []
    shown = parts(app)
    assert shown["pool"]["kind"] == "texts"
    assert all(one["title"] and one["width"] for one in shown["pool"]["items"])
    assert "joins the pool" in shown["pool"]["legend"]
    assert "there is no earlier task" in shown["strip"]["story"]
    assert "pocket/sst2 comes next" in shown["strip"]["story"]
    assert [one["said"] for one in shown["strip"]["stations"]] == ["waiting"] * 3 + ["0 of 2"]
    assert {row["mark"] for row in shown["texts"]["rows"]} == {"·"}
    drawn = [chart["alt"].partition(":")[0] for chart in charts(app)]
    assert [name for name in drawn if "imilarity" in name or "Overlap" in name] == []


@pytest.mark.usefixtures("home", "only_looked")
@pytest.mark.parametrize("name", ["shlpt", "uniform", "oracle", "finetune", "per_task", "one_task"])
def test_every_kind_of_run_has_a_whole_cockpit(looked: Any, name: str) -> None:
    app = visit("live.py", {"runs": looked.ids[name]})
    assert errors(app) == []
    shown = parts(app)
    assert set(shown) == {"strip", "pool", "texts"}
    assert shown["pool"]["items"]
    assert shown["texts"]["rows"]
    assert shown["texts"]["rows"][0]["course"]
    assert len(shown["strip"]["story"]) > 40


@pytest.mark.usefixtures("home", "only_looked")
def test_a_station_in_the_address_is_the_one_that_is_shown(looked: Any) -> None:
    app = visit("live.py", {"runs": looked.ids["shlpt"], "about": "sst2"})
    assert errors(app) == []
    shown = parts(app)
    assert [one["name"] for one in shown["strip"]["stations"] if one["chosen"]] == ["sst2"]
    assert (shown["pool"]["of"], [one["name"] for one in shown["pool"]["items"]]) == ("pocket/sst2", ["rte"])
    assert any("sst2" in chart["alt"] for chart in charts(app))
    lost = visit("live.py", {"runs": looked.ids["shlpt"], "about": "yelpp"})
    assert errors(lost) == []
    assert "not here" in lost.warning[0].value
    assert parts(lost)["pool"]["of"] == "pocket/agnews"


@pytest.mark.usefixtures("home", "only_looked")
def test_the_equations_have_the_numbers_that_are_stored(looked: Any) -> None:
    id = looked.ids["shlpt"]
    pool = parts(visit("live.py", {"runs": id}))["pool"]
    frame = frames.similarity(Store(looked.home), [id])
    last = frame[(frame["task"] == "agnews") & (frame["step"] == frame[frame["task"] == "agnews"]["step"].max())]
    head = pool["table"]["head"][1:]
    told = {row["name"]: dict(zip(head, row["cells"], strict=True)) for row in pool["table"]["rows"]}
    for item, stored in zip(pool["items"], last.itertuples(), strict=True):
        assert item["name"] == stored.earlier
        assert item["width"] == stored.mean
        cells = told[stored.earlier]
        assert cells["α, mean of the batch"] == f"{stored.mean:.3f}"
        assert stored.low - 1e-3 <= float(cells["α, this text"]) <= stored.high + 1e-3
        said = {line["number"]: line["said"] for line in pool["equations"][stored.earlier]["lines"]}
        assert set(said) == {3, 4, 5, 6, 7}
        assert f"α = {cells['α, this text']}" in said[4]
        assert cells["weight α̃"] in said[7]
    weights = [float(told[item["name"]]["weight α̃"]) for item in pool["items"]]
    assert sum(weights) == pytest.approx(1, abs=2e-3)


def test_at_the_end_stands_the_verdict_that_the_command_says(home: Path) -> None:
    from shlpt.results.recorded import recorded
    from shlpt.results.verdicts import verdicts

    store = recorded()
    assert store is not None
    frame = frames.runs(store)
    demo = frame[(frame["method"] == "shlpt") & (frame["tasks"].map(len) == 4) & (frame["note"] == "")]
    ids = [*demo["id"][:3]]
    for chosen in (ids[:1], ids):
        strip = parts(visit("live.py", {"runs": ",".join(chosen)}))["strip"]
        verdict = verdicts(store, chosen)[-1]
        assert strip["story"].startswith(f"pocket/{verdict.sentence}")
        assert strip["outcome"] == verdict.outcome
    assert "3 seeds" in strip["story"]


def test_chips_name_the_tasks_in_their_order(home: Path) -> None:
    app = visit("live.py", {"sequence": "my own", "tasks": "dial:.5, contrary:yelp"})
    assert app.multiselect("tasks-choices").value == ["dial:.5", "contrary:yelp"]
    app.multiselect("tasks-choices").set_value(["ask:price/cafe/no-yes", "sst2@32", "yelp"]).run()
    assert errors(app) == []
    assert "--tasks ask:price/cafe/no-yes,sst2@32,yelp" in app.code[0].value
    assert app.query_params["tasks"] in ("ask:price/cafe/no-yes,sst2@32,yelp", ["ask:price/cafe/no-yes,sst2@32,yelp"])


def test_a_store_of_a_newer_version_is_told_on_the_page(home: Path) -> None:
    Store(home).open().db.execute("PRAGMA user_version=99")
    app = visit("live.py")
    assert errors(app) == []
    assert "newer version" in " ".join(error.value for error in app.error)


def test_recorded_runs_are_shown_without_buttons_that_change_them(home: Path) -> None:
    from shlpt.results.recorded import recorded

    store = recorded()
    assert store is not None
    frame = frames.runs(store)
    ids = list(frame["id"][(frame["method"] == "shlpt") & (frame["tasks"].map(len) == 4)])
    app = visit("live.py", {"runs": ",".join(ids)})
    assert errors(app) == []
    assert "Pause" not in [button.label for button in app.button]
    assert len(charts(app)) == 3
    assert "recorded" in said(app)


@pytest.mark.usefixtures("only_looked")
def test_beside_similarity_stands_whether_the_seeds_agree(looked: Any) -> None:
    app = visit("live.py", {"runs": f"{looked.ids['shlpt']},{looked.ids['seed_2']}"})
    assert any("of 2 seeds" in caption.value for caption in app.caption)
    alone = visit("live.py", {"runs": looked.ids["shlpt"]})
    assert any("another seed may find another" in caption.value for caption in alone.caption)
