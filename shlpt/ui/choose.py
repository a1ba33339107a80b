"""Widgets that keep their choice in the page's address, as an identifier."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from shlpt.errors import MOST, UserError, unknown
from shlpt.plans.recorded import NOTHING_INSIDE
from shlpt.plots import theme
from shlpt.results import experiments
from shlpt.store.store import Store, default_home
from shlpt.tasks import prompts, shelf
from shlpt.tasks.describe import choices
from shlpt.tasks.find import find_task, is_stored
from shlpt.tasks.sequences import read_tasks, split_names, with_titles
from shlpt.ui.page import guard, plain
from shlpt.ui.store import Shown, both, known_runs, label

Write = Callable[[Any], str]
NOT_HERE = "This link names something that is not here"


def kept(
    text: str,
    options: Sequence[str],
    key: str,
    *,
    default: str | None = None,
    write: Write = str,
    kind: str = "",
    where: Any = st,
    segments: bool = False,
    **more: Any,
) -> str:
    """A select box whose choice is kept in the address under `key`; the beginning of an id is enough. With `segments`
    all options are shown side by side. Streamlit's own binding writes the text on screen and silently drops unknown
    values."""
    widget = f"{key}-choice"
    asked = st.query_params.get(key)
    if asked is not None and _is_news(asked, key, widget):
        found = _meant(asked, options)
        if found is None:
            _say_unknown(kind or key, [asked], options)
        else:
            st.session_state[widget] = found
    if st.session_state.get(widget) not in options:
        st.session_state[widget] = default if default in options else options[0]
    if segments:
        chosen: str = where.segmented_control(text, options, key=widget, format_func=write, required=True, **more)
    else:
        chosen = where.selectbox(text, options, key=widget, format_func=write, **more)
    _keep(key, chosen)
    return chosen


def kept_if_any(text: str, options: Sequence[str], key: str, *, default: str, write: Write, **more: Any) -> str | None:
    """A select box that shows its default in grey until something is chosen; only then the address has it."""
    asked, state = st.query_params.get(key), st.session_state
    if asked is not None and _is_news(asked, key, key):
        state[key] = _meant(asked, options)
        if state[key] is None:
            _say_unknown(text, [asked], options)
    chosen: str | None = st.selectbox(
        text, options, index=None, placeholder=write(default), key=key, format_func=write, **more
    )
    if chosen is None:
        forget(key)
    else:
        _keep(key, chosen)
    return chosen


def _is_news(asked: Any, key: str, widget: str) -> bool:
    """Whether the address says something else than the page: a link, the back button, or a page that is opened again,
    for which Streamlit has forgotten its widgets."""
    return asked != st.session_state.get(f"{key}-kept") or widget not in st.session_state


def kept_many(
    text: str,
    options: Sequence[str],
    key: str,
    *,
    default: Sequence[str] = (),
    write: Write = str,
    kind: str = "",
    **more: Any,
) -> list[str]:
    """A multiselect; the address repeats the key for each choice."""
    widget = f"{key}-choices"
    asked = st.query_params.get_all(key)
    if asked and _is_news(asked, key, widget):
        st.session_state[widget] = meant_many(asked, options, kind or key)
    if widget not in st.session_state:
        st.session_state[widget] = list(default)
    st.session_state[widget] = [name for name in st.session_state[widget] if name in options]
    chosen: list[str] = st.multiselect(text, options, key=widget, format_func=write, **more)
    _keep(key, chosen)
    return chosen


def tasks(text: str, key: str, *, default: Sequence[str], suite: str = "pocket", **more: Any) -> tuple[str, ...]:
    """Tasks as chips, in the order in which they are chosen; what is not in the list can be typed. The address has them
    with commas. Empty, with a message, where a name is no task."""
    widget = f"{key}-choices"
    asked = ",".join(st.query_params.get_all(key))
    if asked and _is_news(asked, key, widget):
        st.session_state[widget] = list(dict.fromkeys(split_names(asked)))
    if widget not in st.session_state:
        st.session_state[widget] = list(default)
    here = default_home()
    imported = [record.title for record in shelf.stored(here)] + [given.title for given in prompts.stored(here)]
    options = dict.fromkeys([*choices(), *imported, *st.session_state[widget]])
    chosen = st.multiselect(
        text,
        list(options),
        key=widget,
        format_func=theme.titled,
        accept_new_options=True,
        placeholder="Choose tasks, or type a name",
        **more,
    )
    said = ",".join(name.removeprefix("pocket/") for name in chosen)  # as it is shown
    _keep(key, said)
    with guard():
        return read_tasks(said, suite, default_home())
    return ()


def one_task(text: str, key: str) -> str:
    """A task of the list, or any other by its name."""
    known = dict.fromkeys(choices())
    for said, where in ((key, st.query_params), (f"{key}-choice", st.session_state)):
        if (name := where.get(said)) and not is_stored(name):  # the page shows how a task is related
            with suppress(UserError):
                where[said] = find_task(name).name
                known |= {where[said]: None}
    help = "Beside those of the list, any name can be typed: ask:price/hotel/yes-no, dial:0.3"
    return kept(text, list(known), key, write=theme.titled, kind="task", accept_new_options=True, help=help)


def meant_many(asked: Sequence[str], options: Sequence[str], kind: str) -> list[str]:
    """The options that match the names in the address; warns of unknown names."""
    found = {name: _meant(name, options) for name in asked}
    if missing := [name for name, option in found.items() if option is None]:
        _say_unknown(kind, missing, options)
    return list(dict.fromkeys(option for option in found.values() if option is not None))


def check_many(key: str, options: Sequence[str]) -> None:
    """Warn of unknown names before a bound multiselect silently drops them."""
    if key not in st.session_state:
        meant_many(st.query_params.get_all(key), options, key)


def go(key: str, value: str) -> None:
    """Set a choice from code. It takes effect at the next run, which `st.rerun()` starts."""
    st.query_params[key] = value


def forget(*keys: str) -> None:
    """Remove from the address the choices that this view does not have."""
    for key in keys:
        st.query_params.pop(key, None)


def _keep(key: str, value: str | list[str]) -> None:
    st.session_state[f"{key}-kept"] = value
    st.query_params[key] = value


def _meant(asked: str, options: Sequence[str]) -> str | None:
    if asked in options:
        return asked
    return next((option for option in options if len(asked) > 2 and option.startswith(asked)), None)


def _say_unknown(kind: str, asked: Sequence[str], options: Sequence[str]) -> None:
    said = "; ".join(_nearest(kind, name, options) for name in asked[:3])
    st.warning(f"{NOT_HERE}: {plain(said)}", icon=":material/link_off:")


def _nearest(kind: str, name: str, options: Sequence[str]) -> str:
    """The error with the nearest name; without one for long lists of ids."""
    shortened = name if len(name) <= 40 else f"{name[:39]}…"
    return str(unknown(kind, shortened, options)) if len(options) <= MOST else f"unknown {kind} {shortened!r}"


# --- runs ---------------------------------------------------------------------------------
def pick_run(suits: Callable[[dict[str, Any]], bool]) -> Shown | None:
    """Choose one of all runs; None if there are none. Runs for which `suits` is true come first, and the first is the
    default."""
    frame, stores = known_runs()
    frame = frame[~frame["note"].isin(NOTHING_INSIDE)]
    rows = [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
    lines = {line["id"]: line for line in sorted(rows, key=lambda line: not suits(line))}
    if not lines:
        st.info("There is no run to show yet. Start one on the Live page.", icon=":material/info:")
        return None
    chosen = kept("Run", list(lines), "run", write=lambda id: label(lines[id]))
    return Shown(stores[bool(lines[chosen]["recorded"])], chosen, lines[chosen])


# --- experiments --------------------------------------------------------------------------
@dataclass(frozen=True)
class ShownExperiment:
    """An experiment and its store."""

    store: Store
    id: str
    line: Mapping[str, Any]
    is_recorded: bool


def known_experiments(kinds: Sequence[str] | None = None, without: Sequence[str] = ()) -> dict[str, ShownExperiment]:
    """The visitor's and the recorded experiments by id; the visitor's come first."""
    found: dict[str, ShownExperiment] = {}
    for is_recorded, store in both():
        for line in experiments.listed(store):
            if (kinds is None or line["kind"] in kinds) and line["kind"] not in without and line["runs"]:
                found.setdefault(line["id"], ShownExperiment(store, line["id"], line, is_recorded))
    return found


def titled(shown: ShownExperiment) -> str:
    """The label of an experiment in a list."""
    runs = "1 run" if shown.line["runs"] == 1 else f"{shown.line['runs']} runs"
    older = " · older backbone" if shown.line["older"] else ""
    name = with_titles(shown.line["name"]) if shown.is_recorded else shown.line["name"]
    return f"{name} · {runs}{' · recorded' if shown.is_recorded else ''}{older} · {shown.id[:7]}"
