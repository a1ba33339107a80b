"""Step by step on the Live page, without a browser: a step is taken, told and kept in the address."""

import time
from typing import Any

import pytest
from visiting import charts, errors, parts, press, said, visit

from shlpt.analysis.steps import headline
from shlpt.analysis.steps import said as told
from shlpt.plots import theme
from shlpt.results import stepping
from shlpt.store.store import Store

pytestmark = pytest.mark.usefixtures("only_looked")


def at(looked: Any, name: str = "shlpt", **address: str) -> Any:
    app = visit("live.py", {"runs": looked.ids[name], "view": "steps"} | address)
    assert errors(app) == []
    return app


def step_of(app: Any) -> str:
    found = app.query_params.get("step", "0")
    return found if isinstance(found, str) else found[0]


def disabled(app: Any) -> set[str]:
    return {button.label for button in app.button if button.disabled}


def words(app: Any) -> str:
    return said(app).replace("\\", "")


def test_steps_are_taken_told_and_taken_back(looked: Any) -> None:
    app = at(looked, about="sst2")
    assert {"One back", "Back to the start"} <= disabled(app)
    assert "Answered right with the initial prompt: " in words(app)
    assert parts(app)["pool"]["node"][0] == "the initial prompt"
    start = parts(app)["texts"]
    walked = stepping.walk(Store(looked.home).open(), looked.ids["shlpt"], "sst2")
    first, second = walked.to(2)
    app = press(app, "One step")
    assert errors(app) == []
    about = walked.named(theme.titled)
    for line in told(first, about):
        assert line in words(app) + parts(app)["strip"]["story"]
    assert parts(app)["strip"]["story"] == f"Step 1. {headline(first)}"
    rows = parts(app)["texts"]["rows"]
    assert first.after is not None
    assert [one["width"] for one in parts(app)["pool"]["items"]] == first.after.alpha
    assert first.before is not None
    assert [row["right"] for row in rows] == list(first.after.right)
    assert [row["course"] for row in rows] == [
        [*pair] for pair in zip(first.before.right, first.after.right, strict=True)
    ]
    assert len(charts(app)) == 2
    app = press(app, "One step")
    assert step_of(app) == "2"
    assert parts(app)["strip"]["story"] == f"Step 2. {headline(second)}"
    command = next(code.value for code in app.code if " steps " in code.value)
    assert "--task sst2 --count 2" in command
    app = press(app, "Back to the start")
    assert parts(app)["texts"] == start
    assert step_of(app) == "0"


def test_a_link_shows_the_same_step_and_the_end_is_the_end(looked: Any) -> None:
    app = at(looked, about="agnews", step="1")
    assert parts(app)["strip"]["story"].startswith("Step 1. ")
    app = press(app, "Ten steps")
    walked = stepping.walk(Store(looked.home).open(), looked.ids["shlpt"], "agnews")
    count = len(walked.to(1000))
    end = at(looked, about="agnews", step=str(count + 50))
    assert step_of(end) == str(count)
    assert "Training ends here" in parts(end)["strip"]["story"]
    assert {"One step", "Ten steps", "Slow motion"} <= disabled(end)


def test_two_visitors_do_not_disturb_each_other(looked: Any) -> None:
    one, two = at(looked, about="sst2"), at(looked, about="sst2")
    one = press(press(one, "One step"), "One step")
    two = press(two, "One step")
    assert (step_of(one), step_of(two)) == ("2", "1")
    assert parts(one.run())["strip"]["story"].startswith("Step 2.")


def test_slow_motion_takes_a_step_a_second_until_it_is_paused(looked: Any) -> None:
    app = press(at(looked, about="sst2"), "Slow motion")
    assert "Pause" in {button.label for button in app.button}
    before = int(step_of(app))
    assert before <= 1
    time.sleep(1)
    app = app.run()
    assert int(step_of(app)) == before + 1 or "Training ends" in parts(app)["strip"]["story"]
    if "Pause" in {button.label for button in app.button}:
        app = press(app, "Pause")
    count = step_of(app)
    time.sleep(1)
    assert step_of(app.run()) == count


@pytest.mark.parametrize(("name", "task"), [("shlpt", "rte"), ("uniform", "agnews"), ("oracle", "sst2")])
def test_every_kind_of_task_takes_a_step(looked: Any, name: str, task: str) -> None:
    app = press(at(looked, name, about=task), "One step")
    assert errors(app) == []
    assert parts(app)["strip"]["story"].startswith("Step 1. On these texts the loss")


@pytest.mark.parametrize(
    ("name", "address", "message"),
    [
        ("finetune", {"about": "sst2"}, "trains all weights"),
        ("waiting", {"about": "agnews"}, "not trained yet"),
        ("shlpt", {"about": "<b>x</b>"}, "not here"),
        ("shlpt", {"about": "sst2", "step": "many"}, "not here"),
        ("shlpt", {"view": "stepss"}, "not here"),
    ],
)
def test_what_cannot_be_shown_is_said(looked: Any, name: str, address: dict[str, str], message: str) -> None:
    app = at(looked, name, **address)
    assert message in " ".join(part.value for part in (*app.error, *app.warning))
    assert "strip" in parts(app)  # another task can be chosen
