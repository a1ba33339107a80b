"""For a class: the link that sets a stage, the way out of one, and what of a link could not be restored."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from shlpt.plots import theme
from shlpt.results import experiments, frames
from shlpt.store.store import default_home
from shlpt.tasks import shelf
from shlpt.ui import projector, stage
from shlpt.ui.page import is_dark, plain
from shlpt.ui.store import both

SCRIPT, STYLE = (Path(__file__).with_suffix(suffix) for suffix in (".js", ".css"))
HTML = (
    '<div class="shlpt-copy"><button type="button">Copy link for students</button><span role="status"></span>'
    "<label>The link<textarea readonly rows=3></textarea></label>"
    "<label>If an app runs at another address, this goes behind it<textarea readonly rows=2></textarea></label></div>"
)
USUAL = "http://localhost:8501"  # where an app runs by default
LOCAL = ("localhost", "127.0.0.1", "::1")
# Of the session: the parts of a page that is drawn, the opened link, its address until it is drawn, what it lacks.
WHOLE, OPENED, ASKED, LOST = "stage-whole", "stage-opened", "stage-asked", "stage-lost"
# Keys of the address that pages read without a control.
READ = {stage.PARAMETER, projector.PARAMETER, "about", "check", "delta", "guess", "lesson"}
READ |= {"run", "runs", "scale", "step", "suite", "text"}


@contextmanager
def around(url: str) -> Iterator[None]:
    """What stands above a page; after it, what is known when all of it is drawn."""
    state, value = st.session_state, st.query_params.get(stage.PARAMETER)
    if value is None:
        state.pop(LOST, None)
        state.pop(OPENED, None)
    elif state.get(OPENED) != (url, value):
        state[OPENED], state[LOST] = (url, value), []
        state[ASKED] = {key: st.query_params.get_all(key) for key in st.query_params}
    with st.container(key="stage-head"):
        if value is None:
            st.fragment(for_class)(url)
        else:
            about = "Leaves the view that somebody prepared for a class"
            st.button("Show all controls", key="stage-all", type="tertiary", help=about, on_click=_leave)
    projector.mount()
    place = st.container()
    _say_lost(place, state.get(LOST, []))
    state[stage.SEEN] = seen = stage.Seen()
    yield
    state[WHOLE] = url, seen
    if (asked := state.pop(ASKED, None)) is not None:
        state[LOST] = lost(asked, seen, state)
        _say_lost(place, state[LOST])


def _leave() -> None:
    st.query_params.pop(stage.PARAMETER, None)


# --- what a link lacks --------------------------------------------------------------------
def lost(asked: Mapping[str, Sequence[str]], seen: stage.Seen, now: Mapping[Any, Any]) -> list[str]:
    """Sentences on what a page did not take from a link. `now` has the values of controls by their key. Controls of
    `ui/choose.py` say by themselves which of their values are unknown."""
    link = stage.read(asked[stage.PARAMETER][-1])
    said = []
    if not link.version:
        said.append("Its list of controls cannot be read, so all controls are shown.")
    elif link.version != stage.VERSION:
        said.append(f"It is of another version ({link.version}; this app reads {stage.VERSION}).")
    if link.version and link.is_torn:
        said.append("A part of its list of controls cannot be read.")
    known = {part.name for part in stage.PARTS} | {*seen.parts}
    if missing := sorted(link.names - known):
        said.append(f"This page has no control named {', '.join(missing)}.")
    if unread := sorted(key for key in asked if key not in READ | seen.keys):
        said.append(f"This page has no choice named {', '.join(key[:40] for key in unread)}.")
    wrong = [key for key in sorted({*asked} & seen.keys) if key in now and not _taken(asked[key], now[key])]
    if wrong:
        pairs = ", ".join(f"{key}={','.join(asked[key])[:40]}" for key in wrong)
        said.append(f"Not possible here: {pairs}.")
    return said


def _taken(asked: Sequence[str], value: Any) -> bool:
    """Whether a control that Streamlit itself keeps in the address has the value of the link."""
    if isinstance(value, list | tuple):
        return {*asked} <= {str(one) for one in value}
    if isinstance(value, bool):
        return (asked[-1].lower() in ("true", "1", "yes", "on")) == value
    if isinstance(value, int | float):
        try:
            return float(asked[-1]) == value
        except ValueError:
            return False
    return asked[-1] == ("" if value is None else str(value))


def _say_lost(place: Any, sentences: Sequence[str]) -> None:
    if sentences:
        text = f"Not everything in this link could be restored. {plain(' '.join(sentences))}"
        place.warning(text, icon=":material/link_off:")


# --- a new link ---------------------------------------------------------------------------
def for_class(url: str) -> None:
    """A popover that is only filled while it is open."""
    opened = st.popover("For a class", icon=":material/co_present:", key="stage-class", on_change="rerun")
    if opened.open:
        with opened:
            _compose(url)


def _compose(url: str) -> None:
    st.markdown("**A link for students**")
    st.caption("It opens this page as you see it now. Students can use only what you choose; the rest is hidden.")
    where, seen = st.session_state.get(WHOLE, (url, stage.Seen()))
    titles = {stage.MENU: _menu()} | (seen.parts if where == url else {})
    names = st.pills(
        "Students can use", list(titles), selection_mode="multi", format_func=titles.__getitem__, key=f"stage-of-{url}"
    )
    _copy(stage.written(names))
    for sentence in only_here(st.query_params):
        st.warning(plain(sentence), icon=":material/link_off:")
    st.markdown("**Projector mode**")
    st.caption("One figure at a time, in large type. The arrow keys step, Escape leaves.")
    if st.button("Start projector mode", icon=":material/slideshow:", key="stage-project"):
        projector.start()


def _menu() -> str:
    return next(part.title for part in stage.PARTS if part.name == stage.MENU)


@cache
def _component() -> Callable[..., Any]:
    script, style = (file.read_text(encoding="utf-8") for file in (SCRIPT, STYLE))
    return st.components.v2.component("shlpt_copy", html=HTML, css=style, js=script, isolate_styles=False)


def _copy(value: str) -> None:
    """The browser makes the link: it knows its address before the server does."""
    at = urlsplit(str(st.context.url or USUAL))
    home = USUAL if at.hostname in LOCAL else f"{at.scheme}://{at.netloc}"
    dark = is_dark()
    colors = {"accent": theme.ACCENT[dark], "ink": theme.TEXT[dark], "card": theme.SECOND[dark]}
    colors |= {"ground": theme.GROUND[dark], "grid": theme.GRID[dark], "faint": theme.FAINT[dark]}
    parameters = {"parameter": stage.PARAMETER, "value": value, "leave": projector.PARAMETER}
    _component()(key="stage-copy", data={"home": home, "colors": colors} | parameters)


def only_here(address: Any) -> list[str]:
    """What the address names that only this store has."""
    words = {word for key in address for text in address.get_all(key) for word in text.split(",") if len(word) > 2}
    mine: set[str] = set()
    theirs: set[str] = set()
    for is_recorded, store in both():
        ids = {*frames.runs(store)["id"], *(line["id"] for line in experiments.listed(store))}
        (theirs if is_recorded else mine).update(ids)
    runs = sorted(word for word in words if any(id.startswith(word) for id in mine - theirs))
    tasks = [record.title for record in shelf.stored(default_home()) if record.title in words]
    said = []
    if runs:
        said.append(
            f"Only your app has {', '.join(runs)}. Other apps will say so and show something else. Recorded results "
            "are in every app; your own runs can be handed out as a bundle: Runs page, Take it away."
        )
    if tasks:
        said.append(f"Only your app has the imported tasks {', '.join(tasks)}. Students must import them first.")
    return said
