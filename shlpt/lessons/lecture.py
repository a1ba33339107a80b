"""Lessons as one file for a lecture: guess, then reveal, with notes for the speaker. It opens without internet."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from markdown_it import MarkdownIt

from shlpt.lessons import claims, glossary, reveal
from shlpt.lessons.equations import EQUATIONS
from shlpt.lessons.maths import mathml
from shlpt.lessons.reading import PAPER_SECTION, Lesson
from shlpt.paper import ORIGIN
from shlpt.sharing.html import Figure, Fold, Markup, Part, Section, document, drawn

_MATHS = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
LEAD = (
    "Guess first, then open the result. Notes for the speaker are folded. All figures can be zoomed, and nothing here "
    "needs internet. Numbers outside “In the paper” were recorded with this program on generated tasks: they say what "
    "methods can do where transfer is known, and nothing about real data."
)


def lecture(lessons: Sequence[Lesson]) -> bytes:
    """The file."""
    title = lessons[0].front.title if len(lessons) == 1 else "Lifelong prompt tuning, in lessons"
    words = [Section("Words and symbols", (Markup(_words(lessons)),))]
    return document(
        title, [*(Section(f"{one.number}. {one.front.title}", [*_parts(one)]) for one in lessons), *words], LEAD
    )


def _parts(lesson: Lesson) -> Iterator[Part]:
    front = lesson.front
    yield _text(lesson, "Situation")
    yield Markup("<h3>What do you think?</h3>")
    yield _text(lesson, "Question")
    if front.guess.kind == "choice":
        yield _options(f"guess-{lesson.name}", [option.text for option in front.guess.options])
    else:
        yield _figure(reveal.question(lesson, None, revealed=False))
    result = [_figure(one) for one in reveal.result(lesson, None)]
    said = []
    if front.guess.kind == "choice":
        said = [Markup(f"<p><strong>{_inline(front.guess.options[reveal.right(lesson)].text)}</strong></p>")]
    yield Fold("The result", [*said, *result, _text(lesson, "What happened")])
    yield Fold("Why", [_text(lesson, "Why"), *map(_equation, front.equations), *_paper(lesson)])
    right = front.check.options[front.check.right]
    yield Markup("<h3>Check</h3>")
    yield _text(lesson, "Check")
    yield _options(f"check-{lesson.name}", [option.text for option in front.check.options])
    answer = Markup(f"<p><strong>{_inline(right.text)}</strong> {_inline(right.because)}</p>")
    yield Fold("The answer", (answer,))
    yield Fold("Now change this (in the app)", (_text(lesson, "Now change this"),))
    yield Fold("Notes for the speaker", (_text(lesson, "For the teacher"),))


def _figure(one: reveal.Drawn) -> Figure:
    return drawn(one.plot, *one.given, **one.how)


def _equation(number: int) -> Markup:
    formula, meaning = EQUATIONS[number]
    return Markup(f"<p>{mathml(formula, display=True)}</p><p>Equation {number}. {escape(meaning)}</p>")


def _paper(lesson: Lesson) -> list[Part]:
    source = f"<p><small>{escape(lesson.front.paper)}. {escape(ORIGIN)}</small></p>"
    return [Markup(f"<h3>{PAPER_SECTION}</h3>"), _text(lesson, PAPER_SECTION), Markup(source)]


def _options(name: str, texts: Sequence[str]) -> Markup:
    """Radio buttons: the answer stays on this screen."""
    lines = (
        f'<p><label><input type="radio" name="{name}" value="{place}"> {_inline(text)}</label></p>'
        for place, text in enumerate(texts)
    )
    return Markup(
        f'<fieldset style="border:0;padding:0;margin:0"><legend>Your answer</legend>{"".join(lines)}</fieldset>'
    )


def _words(lessons: Sequence[Lesson]) -> str:
    used = dict.fromkeys(term for lesson in lessons for term in lesson.front.terms)
    return html("\n".join(f"- {glossary.line(glossary.find(term))}" for term in used))


# --- markdown -----------------------------------------------------------------------------
def _text(lesson: Lesson, heading: str) -> Markup:
    return Markup(html(claims.filled(lesson, lesson.sections[heading])))


def html(text: str) -> str:
    """Markdown with formulas. HTML in it is shown as text."""
    formulas: list[str] = []

    def kept(found: re.Match[str]) -> str:
        formulas.append(mathml(found[1] or found[2], display=bool(found[1])))
        return f"\ue000{len(formulas) - 1}\ue001"  # no markdown inside

    made = MarkdownIt("commonmark", {"html": False}).render(_MATHS.sub(kept, text))
    return re.sub("\ue000(\\d+)\ue001", lambda found: formulas[int(found[1])], made)


def _inline(text: str) -> str:
    return html(text).removeprefix("<p>").removesuffix("</p>\n")
