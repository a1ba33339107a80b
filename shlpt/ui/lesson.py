"""A lesson on a page: guess, result, why, check, and what to change next. Where somebody is and what they answered is
kept in the address."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from shlpt.lessons import answers, claims, glossary, numbers, reveal
from shlpt.lessons.answers import CHECK, GUESS
from shlpt.lessons.equations import EQUATIONS
from shlpt.lessons.reading import PAPER_SECTION, Lesson, names
from shlpt.paper import ORIGIN
from shlpt.plots.guess_cell import written
from shlpt.ui import lesson_live, page, projector
from shlpt.ui.guess import drawing
from shlpt.ui.links import to_page

STEPS = ("Guess", "Result", "Why", "Check", "Now change this")
WIDTH = 940  # pixels
ADDRESS = ("lesson", "step", "guess", "check")


def show(lesson: Lesson) -> None:
    """In a column that is easy to read."""
    with st.container(width="stretch" if projector.is_on() else WIDTH):
        _show(lesson)


def _show(lesson: Lesson) -> None:
    """The step in the address; a result is shown only after a guess."""
    guess, check = _answered(lesson, GUESS), _answered(lesson, CHECK)
    step = _step() if guess is not None else 0
    st.title(f"{lesson.number}. {lesson.front.title}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Lesson {lesson.number} · about {lesson.front.minutes} minutes", width="content")
        if st.button("All lessons", icon=":material/arrow_back:", type="tertiary", key="all-lessons"):
            leave()
    st.progress((step + 1) / len(STEPS), f"Step {step + 1} of {len(STEPS)}: {STEPS[step]}")
    page.to_top(f"{lesson.name} {step}")
    st.header(STEPS[step], anchor=False)
    parts: tuple[Callable[[], None], ...] = (
        partial(ask, lesson),
        partial(result, lesson, guess),
        partial(why, lesson),
        partial(check_it, lesson, check),
        partial(change, lesson),
    )
    with page.guard():
        parts[step]()
    _move(lesson, step, check is not None)


def _step() -> int:
    said = st.query_params.get("step", "1")
    return min(max(int(said), 1), len(STEPS)) - 1 if said.isdecimal() and len(said) < 3 else 0


def _answered(lesson: Lesson, question: str) -> answers.Answer | None:
    """The answer in the address. The guess counts once it is given: from the second step on."""
    key = "guess" if question == GUESS else "check"
    said = st.query_params.get(key)
    found = None if said is None else answers.unpacked(lesson, question, said)
    if said is not None and found is None:
        st.warning(f"The link has an answer that this lesson does not know: {page.plain(said[:40])}")
        del st.query_params[key]
    return found


def leave() -> None:
    for key in ADDRESS:
        st.query_params.pop(key, None)
    st.rerun()


def go(**address: str) -> None:
    for key, value in address.items():
        st.query_params[key] = value
    st.rerun()


def _move(lesson: Lesson, step: int, checked: bool) -> None:
    """Buttons to the steps before and after."""
    with st.container(horizontal=True):
        if step and st.button("Back", icon=":material/chevron_left:", key="step-back"):
            go(step=str(step))
        if 0 < step < len(STEPS) - 1:
            look: dict[str, Any] = {"type": "primary" if step != 3 or checked else "secondary", "key": "step-next"}
            if st.button(f"Next: {STEPS[step + 1]}", icon=":material/chevron_right:", **look):
                go(step=str(step + 2))
        if step == len(STEPS) - 1:
            following = [*names(), None][names().index(lesson.name) + 1]
            if following and st.button("Next lesson", icon=":material/school:", type="primary", key="next-lesson"):
                for key in ("step", "guess", "check"):
                    st.query_params.pop(key, None)
                go(lesson=following)


# --- the question -------------------------------------------------------------------------
def ask(lesson: Lesson) -> None:
    st.markdown(claims.filled(lesson, lesson.sections["Situation"]))
    with st.container(border=True):
        st.subheader("What do you think?", anchor=False)
        st.markdown(claims.filled(lesson, lesson.sections["Question"]))
        answer = {"choice": _choose, "curve": _draw, "cell": _draw}[lesson.front.guess.kind](lesson)
        ready = answer is not None
        if answer is not None:
            st.query_params["guess"] = answers.packed(lesson, GUESS, answer)  # there after a refresh
        if st.button("This is my guess", type="primary", disabled=not ready, key="guessed"):
            go(step="2")
        if not ready:
            st.caption("Answer first; then you see the result. A wrong guess teaches more than no guess.")


def _choose(lesson: Lesson) -> Sequence[float] | None:
    chosen = _one_of(lesson.front.guess.options, _draft(lesson), f"guess-{lesson.name}")
    return None if chosen is None else (float(chosen),)


def _one_of(options: Sequence[Any], before: answers.Answer | None, key: str) -> int | None:
    """The place of the chosen option; at first that of the answer before."""
    return st.radio(
        "Your answer",
        range(len(options)),
        index=None if before is None else int(before[0]),
        format_func=lambda place: options[place].text,
        key=key,
    )


def _draft(lesson: Lesson) -> answers.Answer | None:
    """What the address has, of somebody who came back to the question."""
    return answers.unpacked(lesson, GUESS, st.query_params.get("guess", ""))


def _draw(lesson: Lesson) -> Sequence[float] | None:
    touched, asked = f"touched-{lesson.name}", reveal.asked(lesson)
    keys = [f"guess-{lesson.name}-{place}" for place in range(len(asked.labels))]
    before = _draft(lesson)
    for place, key in enumerate(keys):
        if key not in st.session_state:
            st.session_state[key] = _rounded(lesson, before[place] if before else asked.begin)
    if before is not None:
        st.session_state[touched] = True
    values = [float(st.session_state[key]) for key in keys]

    def drawn(sent: list[float]) -> None:
        for key, value in zip(keys, sent, strict=True):
            st.session_state[key] = _rounded(lesson, value)
        st.session_state[touched] = True

    shown = None if _is_cell(lesson) and not st.session_state.get(touched) else values
    figure = reveal.question(lesson, shown, revealed=False)
    st.caption(asked.how)
    picture = figure.plot.figure(*figure.given, dark=page.is_dark())
    drawing(picture, f"draw-{lesson.name}", figure.plot.alt(*figure.given), values, asked.about, drawn)
    with st.expander("Draw with the keyboard", icon=":material/keyboard:"):
        for key, label in zip(keys, asked.labels, strict=True):
            st.slider(label, *_ends(lesson), key=key, on_change=partial(_touch, touched), **_step_of(asked))
    return values if st.session_state.get(touched) else None


def _touch(key: str) -> None:
    st.session_state[key] = True


def _is_cell(lesson: Lesson) -> bool:
    return lesson.front.guess.kind == "cell"


def _ends(lesson: Lesson) -> tuple[float, float]:
    return lesson.front.guess.low, lesson.front.guess.high


def _step_of(asked: reveal.Asked) -> dict[str, Any]:
    if asked.about["kind"] == "cell":
        return {"step": 1.0, "format": "%+.0f"}
    return {"step": 0.01, "format": "percent" if asked.about["share"] else "%.2f"}


def _rounded(lesson: Lesson, value: float) -> float:
    low, high = _ends(lesson)
    return round(min(max(value, low), high), 0 if _is_cell(lesson) else 2)


# --- the result ---------------------------------------------------------------------------
def result(lesson: Lesson, guess: answers.Answer | None) -> None:
    st.markdown(_compared(lesson, guess or ()))
    for number, one in enumerate(reveal.result(lesson, guess)):
        page.draw(one.plot, *one.given, key=f"result-{lesson.name}-{number}", table=one.table)
    st.caption(_recorded(lesson))
    st.markdown(claims.filled(lesson, lesson.sections["What happened"]))
    if lesson.front.live is not None:
        lesson_live.show(lesson.front.live)
    _code(lesson, GUESS, guess)
    for_teacher(lesson, GUESS)


def _compared(lesson: Lesson, guess: Sequence[float]) -> str:
    """The guess and the result, in a sentence."""
    front = lesson.front.guess
    if front.kind == "choice":
        place = reveal.right(lesson)
        if int(guess[0]) == place:
            return f"**You guessed it:** {front.options[place].text}"
        return f"**The result:** {front.options[place].text} You guessed: {front.options[int(guess[0])].text}"
    if front.kind == "cell":
        found = claims.found(lesson, front.of)
        return f"**The result:** {numbers.written(found)}. You guessed: {written(guess[0])} points."
    return "**The result** is the full line; the dashed one is yours."


def _recorded(lesson: Lesson) -> str:
    """Which recorded results the figures show."""
    ids = [text.partition(" ")[0] for text in lesson.front.results.values()]
    said = page.plain(", ".join(dict.fromkeys(ids)))
    return f"Recorded with this program; lines are 95 % intervals. Experiments: {said}"


def _code(lesson: Lesson, question: str, answer: answers.Answer | None) -> None:
    if answer is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Code of your answer for the class (no name in it):", width="content")
        st.code(answers.code(lesson, question, answer), language=None, width="content")


def for_teacher(lesson: Lesson, question: str) -> None:
    """Notes, and the answers of a class."""
    with st.expander("For the teacher: notes, and the answers of the class", icon=":material/co_present:"):
        st.markdown(claims.filled(lesson, lesson.sections["For the teacher"]))
        text = st.text_area("Codes of the class", key=f"codes-{lesson.name}-{question}", placeholder="2G-7K3-Q9D 2G-…")
        if text.strip():
            found = answers.votes(lesson, question, text)
            one = reveal.of_class(lesson, question, found)
            page.draw(one.plot, *one.given, key=f"class-{lesson.name}-{question}", table=one.table)
            st.caption(_said(found))
        page.explain("Students read out or send you their codes. They are read on this page and stored nowhere.")


def _said(found: answers.Votes) -> str:
    read = f"{len(found.answers)} answer{'s' * (len(found.answers) != 1)}"
    if not found.unreadable:
        return f"{read}."
    many = found.unreadable != 1
    return f"{read}; {found.unreadable} code{'s' * many} unreadable: torn, of another lesson or question, or made up."


# --- why, check, change -------------------------------------------------------------------
def why(lesson: Lesson) -> None:
    st.markdown(claims.filled(lesson, lesson.sections["Why"]))
    for number in lesson.front.equations:
        formula, meaning = EQUATIONS[number]
        with st.container(border=True):
            st.latex(formula)
            st.caption(f"Equation {number}. {meaning}")
    with st.container(border=True):
        st.subheader("In the paper", anchor=False)
        st.markdown(claims.filled(lesson, lesson.sections[PAPER_SECTION]))
        st.caption(f"{page.plain(lesson.front.paper)}. {ORIGIN}")
    if lesson.front.terms:
        with st.expander("Words and symbols", icon=":material/menu_book:"):
            st.markdown("\n".join(f"- {glossary.line(glossary.find(term))}" for term in lesson.front.terms))


def check_it(lesson: Lesson, check: answers.Answer | None) -> None:
    options = lesson.front.check.options
    st.markdown(claims.filled(lesson, lesson.sections["Check"]))
    chosen = _one_of(options, check, f"check-{lesson.name}")
    if st.button("Answer", type="primary" if check is None else "secondary", disabled=chosen is None, key="answered"):
        go(check=answers.packed(lesson, CHECK, (float(chosen or 0),)))
    if check is None:
        return
    given = options[int(check[0])]
    if given.right:
        st.success(f"Right. {given.because}", icon=":material/check:")
    else:
        st.info(f"Not quite. {given.because} Try another answer.", icon=":material/refresh:")
    _code(lesson, CHECK, check)
    for_teacher(lesson, CHECK)


def change(lesson: Lesson) -> None:
    st.markdown(claims.filled(lesson, lesson.sections["Now change this"]))
    with st.container(horizontal=True):
        for link in lesson.front.links:
            to_page(link.page, link.label, link.address)


def card(lesson: Lesson) -> None:
    """A lesson in the list."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{lesson.number}. {lesson.front.title}**")
        st.caption(f"{lesson.front.question} · {lesson.front.minutes} minutes")
        label = f"Begin lesson {lesson.number}"
        if st.button(label, icon=":material/play_arrow:", key=f"begin-{lesson.name}", type="tertiary"):
            go(lesson=lesson.name)
