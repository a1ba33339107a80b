"""The page of the tasks: stand-ins are called so, texts are literal, the address carries the state."""

import pytest
from visiting import charts, figures, said, visit

from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS


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
    figure = figures(swapped)[0]
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


def test_a_composed_task_is_named_and_related_to_the_chosen_one() -> None:
    app = visit("tasks.py", {"question": "price", "texts": "cafe", "answers": "yes-no", "task": "yelp"})
    assert "ask:price/cafe/yes-no" in [code.value for code in app.code]
    assert "other question, same texts (-0.50)" in said(app)
    app.selectbox("question-choice").select("topic").run()
    assert "ask:topic/news/world-sports-business-science" in [code.value for code in app.code]


def test_the_address_carries_the_families() -> None:
    figure = figures(visit("tasks.py", {"family": "topics"}))[0]
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
    assert len(charts(first)) == 2
    assert all(chart["alt"].endswith(".") for chart in charts(first))
    tables = [expander for expander in first.expander if expander.label == "The numbers as a table"]
    assert [len(table.dataframe[0].value) for table in tables] == [256, 120]
