"""The page of similarity: any δ at once, any text again, and a readable word where there is nothing to show."""

from typing import Any

import pytest
from visiting import charts, figures, press, said, visit, whole

from shlpt.analysis.surgery import said as surgery_said
from shlpt.results import frames, surgery
from shlpt.store.store import Store
from shlpt.ui.page import plain

PAGE = "similarity.py"


pytestmark = pytest.mark.usefixtures("only_looked")


def opened(looked: Any, name: str, **address: str) -> Any:
    return whole(PAGE, {"run": looked.ids[name], **address})


def address(app: Any) -> dict[str, str]:
    """What somebody would copy; a bound widget that stands at its default is not in it."""
    return {name: values if isinstance(values, str) else values[0] for name, values in app.query_params.items()}


def test_a_run_is_shown_with_spread_timeline_and_words(looked: Any) -> None:
    app = opened(looked, "shlpt")
    assert app.selectbox("task-choice").value == "agnews"
    assert len(charts(app)) == 6  # spread, similarity and partition over the steps, surgery, bars of the text, words
    assert all(chart["alt"].endswith(".") for chart in charts(app))
    assert "trained with δ = 0.06" in said(app)
    assert any("of 2 seeds" in caption.value for caption in app.caption)
    assert any("another seed may find another" in caption.value for caption in opened(looked, "still").caption)


def test_the_threshold_acts_at_once_and_says_that_nothing_was_retrained(looked: Any) -> None:
    app = opened(looked, "still")
    assert "as trained" in said(app)
    app.slider("delta").set_value(0.995).run()
    assert "not retrained" in said(app)
    assert "No α is above" in said(app) + "".join(w.value for w in app.warning)
    sides = next(d.value for d in app.dataframe if "side" in d.value)
    assert list(sides["side"]) == ["dissimilar", "dissimilar"]
    assert list(sides["lent"]) == [0, 0]


def test_another_run_brings_its_own_threshold_and_one_earlier_task_is_flagged(looked: Any) -> None:
    app = opened(looked, "published", task="sst2")
    assert any("α is always 1" in warning.value for warning in app.warning)
    app = opened(looked, "shlpt", delta="0.5")
    assert app.slider("delta").value == 0.5
    app.selectbox("run-choice").select(looked.ids["uniform"]).run()
    assert app.slider("delta").value == 0.3
    assert not app.exception


def test_a_threshold_above_1_stands_where_it_was_in_training(looked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = frames.spec
    monkeypatch.setattr(frames, "spec", lambda *a: found(*a) | {"settings": found(*a)["settings"] | {"threshold": 1.5}})
    app = opened(looked, "still")
    assert (app.slider("delta").value, app.slider("delta").max) == (1.5, 1.5)
    assert "as trained" in said(app)
    app.slider("delta").set_value(1.0).run()
    assert "not retrained" in said(app)


def test_editing_the_text_changes_alpha_and_the_address(looked: Any) -> None:
    app = opened(looked, "still")
    before = figures(app)[4]["data"][0]["x"]
    app.text_area("text-edited").set_value("stocks fell in lisbon").run()
    assert figures(app)[4]["data"][0]["x"] != before
    assert figures(app)[4]["data"][2]["name"] == "before the edit"
    assert figures(app)[4]["data"][2]["x"] == before
    assert address(app)["text"] == "stocks fell in lisbon"
    app = opened(looked, "still")
    app.text_area("text-edited").set_value("   ").run()
    assert "write some words" in said(app)
    assert not app.exception


def test_a_link_shows_the_same_view(looked: Any) -> None:
    app = opened(looked, "still")
    app.slider("delta").set_value(0.4)
    app.selectbox("example-choice").select_index(3)
    app.selectbox("about-choice").select("rte").run()
    app.text_area("text-edited").set_value("$x^2$ <b>bold</b> **not**").run()
    again = visit(PAGE, address(app) | {"delta": "0.4"})
    assert figures(again) == figures(app)
    assert again.text_area("text-edited").value == "$x^2$ <b>bold</b> **not**"
    assert again.selectbox("example-choice").value == app.selectbox("example-choice").value


def test_a_prompt_is_taken_out_and_the_link_shows_the_same(looked: Any) -> None:
    app = opened(looked, "shlpt")
    assert "with the own prompt alone" in said(app)
    assert "scale" not in app.query_params
    app.slider("scale-0").set_value(0.0).run()
    assert address(app)["scale"] == "rte=0"
    mixed = surgery.mixture(Store(looked.home).open(), looked.ids["shlpt"], "agnews")
    found = surgery.operate(mixed, {"rte": 0.0, "sst2": 1.0})
    assert plain(surgery_said(found.effect)) in said(app)
    shown = [d.value for d in app.dataframe if "with these weights" in d.value]
    assert [list(frame["text"]) for frame in shown] == ([list(found.changed["text"])] if len(found.changed) else [])
    again = visit(PAGE, {"run": looked.ids["shlpt"], "scale": "rte=0"})
    assert again.slider("scale-0").value == 0.0
    assert figures(again)[3] == figures(app)[3]
    assert "surgery" in next(code.value for code in again.code if "--scale" in code.value)
    press(again, "As trained")
    assert (again.slider("scale-0").value, "scale" in again.query_params) == (1.0, False)
    press(again, "All out")
    assert list(again.query_params["scale"]) == ["rte=0", "sst2=0"]
    again.selectbox("task-choice").select("sst2").run()
    assert (again.slider("scale-0").value, "scale" in again.query_params) == (
        1.0,
        False,
    )  # another task, another mixture
    assert not again.exception


def test_another_training_text_brings_its_own_words(looked: Any) -> None:
    app = opened(looked, "still", text="something else")
    assert app.text_area("text-edited").value == "something else"
    app.selectbox("example-choice").select_index(5).run()
    texts = frames.alphas(Store(looked.home).open(), looked.ids["still"], "agnews")["text"].drop_duplicates()
    assert app.text_area("text-edited").value == texts.iloc[5]
    assert "text" not in app.query_params


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("per_task", "does not compute a similarity"),
        ("finetune", "does not compute a similarity"),
        ("one_task", "only one task"),
        ("waiting", "Until then"),
    ],
)
def test_what_has_no_alpha_says_what_to_do(looked: Any, name: str, message: str) -> None:
    app = opened(looked, name)
    assert message in said(app) + "".join(info.value for info in app.info)


def test_a_given_partition_has_a_spread_but_no_estimator(looked: Any) -> None:
    app = opened(looked, "oracle")
    assert len(charts(app)) == 3  # no bars of a text, no words
    assert any("nothing to take out" in info.value for info in app.info)  # nothing similar, nothing mixed in
    assert "similar tasks are given" in said(app)


WRONG = [
    {"scale": "<b>=x"},
    {"run": "<b>nobody</b>"},
    {"task": "no such", "delta": "7", "about": "$y$"},
    {"delta": "x", "example": "x"},
]


@pytest.mark.parametrize("address", [*WRONG, {"text": ""}])
def test_an_address_edited_by_hand_breaks_nothing(looked: Any, address: dict[str, str]) -> None:
    app = visit(PAGE, {"run": looked.ids["shlpt"]} | address)
    assert not app.exception
    assert app.title[0].value == "Similarity"
    told = [warning.value for warning in app.warning if "not here" in warning.value]
    assert len(told) == len(set(address) - {"text"}), told
