"""What pages share: text of users letter by letter, mistakes in words, charts with a table."""

import pytest
from streamlit.testing.v1 import AppTest
from visiting import charts

from shlpt.lessons import equations
from shlpt.ui import page


@pytest.mark.parametrize(
    "text", ["**b**", "$x^2$", ":red[a]", "<b>h</b>", "`c`", "# 1", "- x", "[a](b)", ":material/home:"]
)
def test_every_mark_of_markdown_is_escaped(text: str) -> None:
    shown = page.plain(text)
    assert shown.replace("\\", "") == text
    assert all(shown[i - 1] == "\\" for i, letter in enumerate(shown) if letter in "*$:<>`#-[]()_/^")


def test_an_address_does_not_become_a_link() -> None:
    assert "\u2060" in page.plain("http://example.org")
    assert page.plain("me@example.org").startswith("me\\@\u2060")


def failing() -> None:
    import streamlit as st

    from shlpt.errors import UserError
    from shlpt.ui import page

    with page.guard():
        raise UserError("no run **x**")

    def panel(name: str) -> None:
        raise UserError(f"{name} is locked")

    page.polled(panel, 1.0)("the store")
    st.write("the rest")


def test_a_mistake_is_said_in_words_and_the_page_goes_on_also_where_a_part_runs_again() -> None:
    app = AppTest.from_function(failing).run()
    assert not app.exception
    assert [e.value for e in app.error] == ["no run \\*\\*x\\*\\*", "the store is locked"]
    assert [m.value for m in app.markdown] == ["the rest"]


def drawing() -> None:
    import pandas as pd

    from shlpt.plots import validation
    from shlpt.ui import page

    page.head("Title", "What one sees.", badges=["store *a*"])
    frame = pd.DataFrame([(1, "yelp", 1, 0.5)], columns=["seed", "task", "epoch", "validation"])
    page.chart(validation.figure(frame), validation.alt(frame), validation.numbers(frame), key="v")
    page.explain("The score.", equation=5)


def test_a_chart_has_a_sentence_and_a_table() -> None:
    app = AppTest.from_function(drawing).run()
    assert not app.exception
    (chart,) = charts(app)
    assert chart["figure"]["layout"]["template"]["layout"]["paper_bgcolor"] == "#ffffff"
    assert chart["alt"].endswith(".")
    assert app.expander[0].dataframe[0].value["mean"].tolist() == [0.5]
    assert [caption.value for caption in app.caption] == ["What one sees.", "The score."]


def test_equations_have_a_formula_and_a_meaning() -> None:
    assert {1, 4, 5, 6, 8, 11, 12} <= set(equations.EQUATIONS)
    for formula, meaning in equations.EQUATIONS.values():
        assert formula.count("{") == formula.count("}")
        assert meaning.endswith(".")
