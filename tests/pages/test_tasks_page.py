"""The page of the tasks: stand-ins are called so, texts are literal, the address carries the state."""

import shlex

import pytest
from visiting import charts, errors, figures, press, said, visit

from shlpt.analysis import transfer
from shlpt.analysis.points import signed
from shlpt.results import experiments
from shlpt.store.store import Store
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS
from shlpt.work import worker


def relatedness(app) -> dict:
    """The matrix of all tasks, below the two figures of the playground."""
    return figures(app)[2]


@pytest.fixture(scope="module")
def first() -> object:
    return visit("tasks.py")


def test_every_task_is_shown_as_a_stand_in(first) -> None:
    assert first.selectbox("task-choice").options[: len(TASKS)] == [task.title for task in TASKS.values()]
    assert "stands in for Yelp reviews" in said(first)
    assert "it is not that data set" in said(first)
    table = first.dataframe[0].value
    assert list(table["task"]) == [task.title for task in TASKS.values()]
    assert (table["words"] > 0).all()


def test_a_choice_changes_examples(first) -> None:
    app = visit("tasks.py")
    before = [text.value for text in app.text]
    app.selectbox("task-choice").select("rte").run()
    assert "RTE" in said(app)
    assert [text.value for text in app.text][:6] != before[:6]


def test_a_contrary_task_has_its_answers_swapped() -> None:
    plain, swapped = visit("tasks.py"), visit("tasks.py", {"contrary": "true"})
    assert "contrary" in said(swapped)
    assert [t.value for t in plain.text][:1] != [] != [t.value for t in swapped.text][:1]
    figure = relatedness(swapped)
    assert "C  contrary" in [trace.get("name") for trace in figure["data"]]


@pytest.mark.parametrize("name", ["dial:0.3", "ask:price/cafe/yes-no", "contrary:yelp"])
def test_any_task_can_be_looked_at(name: str) -> None:
    app = visit("tasks.py", {"task": name})
    assert [warning.value for warning in app.warning] == []
    assert find_task(name).title in said(app).replace("\\", "")


def test_the_dial_turns_only_the_second_answer() -> None:
    same, contrary = visit("tasks.py", {"dial": "1.0"}), visit("tasks.py", {"dial": "-1.0"})
    assert [t.value for t in same.text] == [t.value for t in contrary.text]
    assert "**100%**" in said(same)
    assert "**0%**" in said(contrary)


def test_three_handles_make_a_source_and_a_target() -> None:
    address = {"question": "price", "texts": "cafe", "answers": "yes-no", "to_question": "noise", "to_texts": "cafe"}
    app = visit("tasks.py", address)
    assert "ask\\:price\\/cafe\\/yes\\-no" in [caption.value for caption in app.caption]
    assert "ask\\:noise\\/cafe\\/bad\\-good" in [caption.value for caption in app.caption]
    assert "other question, same texts (−0.50)" in said(app)
    app.selectbox("question-choice").select("topic").run()
    assert "ask:topic/news/world-sports-business-science" in said(app).replace("\\", "")
    assert "unrelated (−0.30)" in said(app)
    same = visit("tasks.py", {"question": "price", "texts": "cafe", "answers": "bad-good"})
    assert "This is one task" in same.info[0].value
    assert "Train this pair" not in [button.label for button in same.button]


TINY = {"pair_count": "2", "pair_source_shots": "4", "pair_shots": "4", "pair_epochs": "2"}
PAIR = {"question": "noise", "texts": "hotel", "answers": "no-yes"}


@pytest.mark.usefixtures("empty_home")
def test_a_pair_is_trained_and_its_seeds_add_up(started: list[object]) -> None:
    app = press(visit("tasks.py", PAIR | TINY), "Train this pair")
    assert errors(app) == []
    assert started
    words = shlex.split(next(code.value for code in app.code if " matrix " in code.value))
    assert words[words.index("--pairs") + 1] == "ask:noise/hotel/no-yes>ask:price/cafe/bad-good"
    own = Store().open()
    worker.work(own)
    app.run()
    (line,) = experiments.listed(own)
    cell = transfer.cells(experiments.pairs(own, line["id"])).iloc[0]
    assert (line["runs"], cell["n"]) == (2, 2)
    assert f"**{signed(cell['value'])} points** (2 seeds)" in said(app)
    plot = next(part for part in charts(app) if "declared relatedness" in part["alt"])
    assert "1 of your own" in plot["alt"]
    (mine,) = [trace for trace in plot["figure"]["data"] if trace["name"] == "yours"]
    assert (mine["x"], mine["y"]) == ([-0.3], [pytest.approx(cell["value"])])
    assert mine["error_y"]["array"] == [pytest.approx(cell["high"] - cell["value"])]
    press(app, "Train this pair")
    assert list(experiments.pairs(own, line["id"])["seed"]) == [42, 142, 242, 342]
    app.number_input("pair_shots").set_value(5).run()
    assert "Not trained yet" in said(app)  # pairs that were trained otherwise are not put together with these


def test_the_address_carries_the_families() -> None:
    figure = relatedness(visit("tasks.py", {"family": "topics"}))
    assert figure["layout"]["xaxis"]["ticktext"] == ["pocket/agnews", "pocket/yahoo", "pocket/dbpedia"]


@pytest.mark.parametrize("address", [{"task": "<b>nobody</b>"}, {"dial": "7"}, {"dial": "x"}, {"split": "$x$"}])
def test_an_address_edited_by_hand_breaks_nothing(address: dict[str, str]) -> None:
    app = visit("tasks.py", address)
    assert [error.message for error in app.exception] == []
    assert app.title[0].value == "Tasks"
    if "task" in address:
        assert "not here" in app.warning[0].value
        assert "\\<b\\>nobody" in app.warning[0].value


def test_every_chart_has_a_sentence_and_a_table(first) -> None:
    assert len(charts(first)) == 4
    assert all(chart["alt"].endswith(".") for chart in charts(first))
    tables = [expander for expander in first.expander if expander.label == "The numbers as a table"]
    assert [len(table.dataframe[0].value) for table in tables] == [256, 120]
