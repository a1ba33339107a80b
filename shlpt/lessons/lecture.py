"""Lessons as one file for a lecture: guess, then reveal, with notes for the speaker. It opens without internet."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from markdown_it import MarkdownIt

from shlpt.lessons import claims, glossary, numbers, reveal
from shlpt.lessons.equations import EQUATIONS
from shlpt.lessons.maths import mathml
from shlpt.lessons.reading import PAPER_SECTION, Lesson
from shlpt.paper import ORIGIN
from shlpt.sharing.html import Figure, Fold, Guess, Markup, Part, Section, document, drawn

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
        yield _options(_name(lesson), [option.text for option in front.guess.options])
    else:
        yield _drawing(lesson)
    result = [_figure(one) for one in reveal.result(lesson, None)]
    if front.guess.kind != "choice":
        result[0] = replace(result[0], over=_name(lesson))
    yield Fold("The result", [_compared(lesson), *result, _text(lesson, "What happened")])
    yield Fold("Why", [_text(lesson, "Why"), *map(_equation, front.equations), *_paper(lesson)])
    right = front.check.options[front.check.right]
    yield Markup("<h3>Check</h3>")
    yield _text(lesson, "Check")
    yield _options(f"check-{lesson.name}", [option.text for option in front.check.options])
    answer = Markup(f"<p><strong>{_inline(right.text)}</strong> {_inline(right.because)}</p>")
    yield Fold("The answer", (answer,))
    yield Fold("Now change this (in the app)", (_text(lesson, "Now change this"),))
    yield Fold("Notes for the speaker", (_text(lesson, "For the teacher"),))


def _name(lesson: Lesson) -> str:
    return f"guess-{lesson.name}"


def _drawing(lesson: Lesson) -> Guess:
    """A curve begins as a flat line, a cell without a number."""
    asked = reveal.asked(lesson)
    begin = [asked.begin] * len(asked.labels)
    shown = reveal.question(lesson, begin if lesson.front.guess.kind == "curve" else None, revealed=False)
    return Guess(_name(lesson), _figure(shown), asked.how, asked.labels, begin, asked.about)


def _compared(lesson: Lesson) -> Markup:
    """The result in a sentence, and the guess if there is one."""
    guess, mine = lesson.front.guess, f'<span data-guessed="{_name(lesson)}" hidden>'
    if guess.kind == "choice":
        return Markup(f"<p><strong>{_inline(guess.options[reveal.right(lesson)].text)}</strong></p>")
    if guess.kind == "curve":
        return Markup(f"<p>{mine}<strong>The result</strong> is the full line; the dashed one is yours.</span></p>")
    found = escape(numbers.written(claims.found(lesson, guess.of)))
    return Markup(f"<p><strong>The result:</strong> {found}. {mine}You guessed: <output></output> points.</span></p>")


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
