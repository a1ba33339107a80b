"""Part of the Live page: a task of a run, one batch at a time, from its initial prompt.

What a visitor has is the number of the step, which is in the address; the steps themselves are shared
(`results/stepping.py`), so two visitors of one run do not disturb each other.
"""

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis.steps import Ahead, Step, as_row, headline, said, said_ahead
from shlpt.errors import UserError
from shlpt.plans import commands
from shlpt.plots import losses, similarity, theme
from shlpt.results import cockpit as moments
from shlpt.results import frames, stepping
from shlpt.store.store import Store
from shlpt.ui import cockpit, page
from shlpt.ui.choose import NOT_HERE
from shlpt.ui.live_plot import live_plot, prepared
from shlpt.ui.store import at

KEY = "step"  # in the address: steps taken
PLAYING, AT = "steps-playing", "steps-at"
SECOND = 1.0  # of slow motion, a step
LISTED = 8  # texts
FIGURE = 184  # pixels
SLOW = 15  # steps that are taken again without saying so
SAID = "steps-said"  # its height is in `frame.CSS`
ABOUT = (
    "The run's own training again, from the same initial prompt and on the same batches, one step at a time. "
    "Nothing is stored, and the run stays as it is."
)


@st.cache_resource(max_entries=16, show_spinner=False)  # type: ignore[untyped-decorator]
def base(home: str, id: str, task: str, mark: str) -> dict[str, Any]:
    """What does not change from step to step."""
    store = at(home)
    found = {
        "now": moments.now(store, id, task),
        "stations": moments.stations(store, [id]),
        "learned_from": moments.learned_from(store, id, task),
        "chance": moments.chance(store, id, task),
        "references": {"count": 0},
        "seeds": 1,
    }
    store.close()
    return found


def view(store: Store, id: str, own: bool) -> None:
    """A task of a run; the fragment runs again by itself in slow motion only."""
    spec = frames.spec(store, id)
    able = stepping.tasks(store, id)
    task = _which(spec["tasks"], able)
    playing = bool(st.session_state.get(PLAYING))
    page.polled(_panel, SECOND if playing else None)(str(store.home), id, task, own, playing)


def _which(tasks: Sequence[str], able: Sequence[str]) -> str:
    """The task in the address, else the last that can be stepped through."""
    asked = st.query_params.get("about")
    if asked is not None and asked not in tasks:
        st.warning(f"{NOT_HERE}: {page.plain(f'task {asked}')}", icon=":material/link_off:")
    return asked if asked in tasks else [*tasks[:1], *able][-1]


def _panel(home: str, id: str, task: str, own: bool, polled: bool) -> None:
    store, dark = at(home), page.is_dark()
    found = base(home, id, task, frames.marker(store, [id]))
    try:
        with st.spinner("Loading the model …", show_time=True):
            walked = stepping.walk(store, id, task)
    except UserError:
        st.session_state[PLAYING] = False
        cockpit.show(cockpit.strip(found, task, "", "", dark), "steps-strip", partial(_chosen, task))
        raise
    steps = _taken(walked)
    _buttons(steps, walked, polled)
    newest: Step | Ahead | None = steps[-1] if steps else walked.first
    story = f"Step {len(steps)}. {headline(steps[-1])}" if steps else "Press One step: the first batch is trained on."
    cockpit.show(cockpit.strip(found, task, story, "", dark), "steps-strip", partial(_chosen, task))
    left, right = st.columns([6, 5], gap="small")
    with left.container(gap="xsmall"):
        now = _now(store, found, steps, newest)
        cockpit.show(cockpit.pool(now, False, dark), "steps-pool")
        cockpit.show(_texts(newest, dark), "steps-texts")
    with right.container(gap=None):
        _sentences(store, walked, steps)
        _figures(walked, steps, dark)
    _below(store, id, walked, steps, own)
    if polled != bool(st.session_state.get(PLAYING)):
        st.rerun()


# --- where the visitor is -----------------------------------------------------------------
def _taken(walked: stepping.Walk) -> list[Step]:
    """The steps up to the number in the address, and one more in slow motion when a second has passed."""
    state, number = st.session_state, _number()
    if state.get(PLAYING) and time.monotonic() - state.get(AT, 0.0) > 0.6 * SECOND:
        number, state[AT] = number + 1, time.monotonic()
    if number - len(walked.taken) > SLOW:
        with st.spinner(f"Taking {number - len(walked.taken)} steps …", show_time=True):
            steps = walked.to(number)
    else:
        steps = walked.to(number)
    if len(steps) < number or (steps and steps[-1].over):
        state[PLAYING] = False
    go(len(steps))
    return steps


def _number() -> int:
    asked = st.query_params.get(KEY, "0")
    if asked.isdecimal() and len(asked) < 7:
        return int(asked)
    st.warning(f"{NOT_HERE}: {page.plain(f'step {asked[:40]}')}", icon=":material/link_off:")
    return 0


def go(number: int) -> None:
    if number:
        st.query_params[KEY] = str(number)
    else:
        st.query_params.pop(KEY, None)


def _chosen(before: str, task: str) -> None:
    """A click on a station: another task begins at its own initial prompt."""
    if task != before:
        st.query_params["about"] = task
        st.session_state[PLAYING] = False
        go(0)


def _buttons(steps: Sequence[Step], walked: stepping.Walk, polled: bool) -> None:
    """Impossible ones are disabled, not hidden, so that nothing moves."""
    count, over = len(steps), bool(steps and steps[-1].over)

    def button(text: str, icon: str, number: int, possible: bool, about: str, **look: Any) -> None:
        def act() -> None:
            st.session_state[PLAYING] = False
            go(max(0, number))

        st.button(
            text,
            icon=icon,
            on_click=act,
            disabled=not possible,
            help=about,
            key=f"steps-{text.lower().replace(' ', '-')}",
            **look,
        )

    with st.container(horizontal=True, vertical_alignment="center"):
        button("One step", ":material/step:", count + 1, not over, "Train on the next batch", type="primary")
        button("Ten steps", ":material/fast_forward:", count + 10, not over, "Train on the next ten batches")
        playing = bool(st.session_state.get(PLAYING))
        word, icon = ("Pause", "pause") if playing else ("Slow motion", "slow_motion_video")
        help = "Stop here" if playing else "A step a second"
        st.button(word, icon=f":material/{icon}:", on_click=_turn, disabled=over, help=help, key="steps-play")
        button("One back", ":material/undo:", count - 1, count > 0, "The step before")
        button("Back to the start", ":material/first_page:", 0, count > 0, "The same initial prompt again")
        st.caption(page.plain(_place(steps)), width="content")


def _turn() -> None:
    st.session_state[PLAYING] = not st.session_state.get(PLAYING)
    st.session_state[AT] = 0.0


def _place(steps: Sequence[Step]) -> str:
    if not steps:
        return "at the initial prompt"
    told = steps[-1].told
    epoch = f", epoch {told['epoch'] + 1}" if "epoch" in told else ""
    return f"{len(steps)} step{'s' * (len(steps) > 1)} taken{epoch}{' · the end' if steps[-1].over else ''}"


# --- what is shown ------------------------------------------------------------------------
def _now(store: Store, found: dict[str, Any], steps: Sequence[Step], newest: Step | Ahead | None) -> dict[str, Any]:
    """As the cockpit shows the newest step of a run; of its batch as it is after the step."""
    told = {"step": 0, "epoch": 0} | (steps[-1].told if steps else {})  # a phase before training has no epochs
    seen = (newest.after if isinstance(newest, Step) else newest.before) if newest else None
    told = told | ({} if seen is None else {"loss": seen.loss} | seen.log)
    now = found["now"] | {"step": told, "is_done": False}
    ends = [step.epoch["validation"] for step in steps if step.epoch]
    station = {"task": now["task"], "state": "the initial prompt", "validation": ends[-1] if ends else None}
    return found | {"now": now, "stations": [station], "equations": moments.equations_of(store, now)}


def _texts(newest: Step | Ahead | None, dark: bool) -> dict[str, Any]:
    if newest is None or newest.before is None:
        return cockpit.texts([], dark, "The texts of this step are not a batch of the task")
    after = newest.after if isinstance(newest, Step) else None
    seen, count = after or newest.before, len(newest.texts)
    rows = [
        {
            "text": newest.texts[row],
            "target": newest.targets[row],
            "answer": seen.answers[row],
            "right": seen.right[row],
            "course": [] if after is None else [newest.before.right[row], after.right[row]],
        }
        for row in range(min(count, LISTED))
    ]
    shown = f"{LISTED} of the {count} texts" if count > LISTED else f"The {count} texts"
    title = "of the first batch, before the step" if after is None else "of this batch, after the step"
    return cockpit.texts(rows, dark, f"{shown} {title}", "moments, before and after the step")


def _figures(walked: stepping.Walk, steps: Sequence[Step], dark: bool) -> None:
    about = walked.about
    rows = stepping.losses(walked, steps)
    drawn = [("Losses so far", "losses", losses.figure(rows, dark=dark), losses.alt(rows))]
    if about.threshold is not None and steps:
        alpha = stepping.similarity(walked, steps)
        given = (alpha, about.threshold)
        figure = similarity.figure(*given, task=about.task, dark=dark)
        drawn.append(("α so far", "alpha", figure, similarity.alt(*given, task=about.task)))
    for heading, name, figure, alt in drawn:
        figure.update_layout(height=FIGURE if len(drawn) > 1 else 2 * FIGURE)
        st.markdown(f"**{heading}** · {page.plain(theme.titled(about.task))}")
        live_plot(prepared(figure, f"steps-{name}-{walked.key}"), key=f"steps-{name}", alt=alt)


def _sentences(store: Store, walked: stepping.Walk, steps: Sequence[Step]) -> None:
    """What happened in the newest step; its headline stands above."""
    about = walked.named(theme.titled)
    if steps:
        lines = [line for line in said(steps[-1], about) if line not in headline(steps[-1])]
    else:
        lines = [] if walked.first is None else said_ahead(walked.first, about)
    with st.container(key=SAID, gap="xsmall"):
        st.markdown("**What happened in this step**" if steps else "**Before the first step**")
        st.markdown("\n".join(f"- {page.plain(line)}" for line in lines))
        st.caption(page.plain(stepping.in_run(store, walked, steps[-1:]) if steps else ABOUT))


def _below(store: Store, id: str, walked: stepping.Walk, steps: Sequence[Step], own: bool) -> None:
    if not steps:
        return
    page.numbers(pd.DataFrame([as_row(step, walked.about) for step in steps]))
    with st.expander("The same on the command line", icon=":material/terminal:"):
        command = commands.steps(id, walked.about.task, len(steps), store.home if own else None)
        st.code(command, language=None, wrap_lines=True)
