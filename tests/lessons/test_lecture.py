"""A lecture as one file: everything is in it, formulas are formulas, and nothing in a lesson becomes markup."""

import re
from xml.etree import ElementTree

import pytest

from shlpt.errors import UserError
from shlpt.lessons import claims, glossary, lecture, reading
from shlpt.lessons.equations import EQUATIONS
from shlpt.lessons.maths import mathml


def test_a_lecture_has_question_result_notes_and_no_more_than_is_allowed() -> None:
    chosen = [reading.read(name) for name in ("harm", "forgetting")]
    page = lecture.lecture(chosen).decode()
    assert len(page.encode()) < 10_000_000
    for lesson in chosen:
        for text in (lesson.front.title, lesson.front.paper):
            assert text.replace("&", "&amp;") in page
        answers = [option.text for option in lesson.front.check.options]
        assert sum(f'name="check-{lesson.name}"' in part for part in page.split("<input")) == len(answers)
    assert page.index("How many points does that cost or bring?") < page.index("did no great harm")
    folds = re.findall(r"<summary>(.*?)</summary>", page)
    wanted = ["Draw with the keyboard", "The result", "Why", "The answer", "Now change this (in the app)"]
    assert folds[:6] == [*wanted, "Notes for the speaker"]
    assert claims.filled(chosen[0], "{other_question}") in page
    assert "These numbers are the paper&#x27;s" in page
    assert "<math" in page
    assert "$" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)


def test_every_formula_is_well_formed() -> None:
    formulas = [formula for formula, _ in EQUATIONS.values()]
    formulas += [term.symbol.strip("$") for term in glossary.terms().values() if term.symbol]
    for formula in formulas:
        tree = ElementTree.fromstring(mathml(formula).replace("&#160;", " "))
        assert "\\" not in "".join(tree.itertext())


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        ("a_i^2", "<msubsup><mi>a</mi><mi>i</mi><mn>2</mn></msubsup>"),
        ("a^2_i", "<msubsup><mi>a</mi><mi>i</mi><mn>2</mn></msubsup>"),
        (r"\frac{1}{n}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mi>n</mi></mrow></mfrac>"),
        (r"\hat P^i", '<msup><mover accent="true"><mi>P</mi><mo>^</mo></mover><mi>i</mi></msup>'),
        (r"\text{ if } a < b", "<mtext>&#160;if&#160;</mtext><mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    ],
)
def test_formulas_by_hand(latex: str, wanted: str) -> None:
    assert mathml(latex) == f'<math display="inline"><mrow>{wanted}</mrow></math>'


@pytest.mark.parametrize("latex", [r"\wrong", "{a", "a_", "_a", r"\frac{1}", "}"])
def test_a_formula_that_cannot_be_shown_is_refused(latex: str) -> None:
    with pytest.raises(UserError, match="the formula"):
        mathml(latex)


def test_markup_in_a_lesson_is_shown_as_text() -> None:
    found = lecture.html('<img src=x onerror="alert(1)"> **b** $a<b$')
    assert "<img" not in found
    assert "<strong>b</strong>" in found
    assert "<mo>&lt;</mo>" in found
