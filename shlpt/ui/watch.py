"""Runs in training: the cockpit, and buttons to pause, step, resume and stop."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.plans import estimate
from shlpt.plots import curves, losses, pool, theme
from shlpt.queue import control, launch
from shlpt.results import cockpit as moments
from shlpt.results import frames
from shlpt.results.record import GOING, Record, run_record
from shlpt.results.verdicts import beside_alone, verdicts
from shlpt.store import liveness
from shlpt.store.store import Store
from shlpt.ui import cockpit, depth, page
from shlpt.ui.choose import kept, meant_many
from shlpt.ui.control import follow, possible, troubles
from shlpt.ui.live_plot import live_plot, prepared
from shlpt.ui.store import at

POLL_SECONDS = 0.8
POINTS = 250  # per curve and stage, more than a screen shows
CURVES = 236  # pixels
ABOVE = {"losses": losses, "curves": curves}  # beside the pool, above the fold
NEWEST = "the newest"
COLORS = {"running": "green", "queued": "blue", "paused": "orange", "stopped": "gray", "done": "blue"}
COLORS |= {"failed": "red", "lost": "red"}
Drawn = tuple[dict[str, Any], str]  # the figure as sent, and its alt text
Ids = tuple[str, ...]


@st.cache_resource(max_entries=8, show_spinner=False)  # type: ignore[untyped-decorator]
def read(home: str, ids: Ids, mark: str) -> dict[str, Any]:
    """What every view of these runs needs, shared by all their visitors; `mark` changes with new data."""
    store = at(home)
    found = {
        "records": [run_record(store, id) for id in ids],
        "progress": estimate.progress(store, ids),
        "stations": moments.stations(store, ids),
    }
    store.close()
    return found


@st.cache_resource(max_entries=16, show_spinner=False)  # type: ignore[untyped-decorator]
def moment(home: str, ids: Ids, mark: str, task: str, shown: str) -> dict[str, Any]:
    """What the cockpit shows of one task."""
    store = at(home)
    found = moments.moment(store, ids, task, shown)
    found |= {"curves": beside_alone(store, ids, task), "verdicts": verdicts(store, ids, task)}
    store.close()
    return found


FRAMES: dict[str, Callable[[Store, Ids, str], pd.DataFrame]] = {
    "losses": lambda store, ids, task: frames.losses(store, ids, POINTS, task),
    "similarity": lambda store, ids, task: frames.similarity(store, ids, POINTS, task),
    "overlap": lambda store, ids, task: frames.overlap(store, ids, task),
    "epochs": lambda store, ids, task: frames.epochs(store, ids),
    "stages": lambda store, ids, task: frames.stages(store, ids[0]),
}


@st.cache_resource(max_entries=24, show_spinner=False)  # type: ignore[untyped-decorator]
def frame(home: str, ids: Ids, mark: str, name: str, task: str) -> pd.DataFrame:
    """The numbers of one figure, read when it is drawn."""
    store = at(home)
    found = FRAMES[name](store, ids, task)
    store.close()
    return found


def rows_of(home: str, ids: Ids, mark: str, name: str, task: str) -> pd.DataFrame | None:
    """The numbers of a figure below the cockpit; None if it has none of its own."""
    return frame(home, ids, mark, depth.NEEDS[name], task) if name in depth.NEEDS else None


def drawn(home: str, ids: Ids, mark: str, name: str, task: str, dark: bool) -> Drawn:
    """One figure."""
    key = f"{name}-{'-'.join(ids)}-{task}"
    if name == "losses":
        return made(key, name, (frame(home, ids, mark, name, task),), {}, dark)
    if name == "curves":
        now = moment(home, ids, mark, task, ids[0])
        return made(key, name, (now["curves"],), {"chance": now["chance"]}, dark)
    given = depth.given(read(home, ids, mark)["records"], name, task, rows_of(home, ids, mark, name, task))
    return made(key, name, given, {"task": task} if name in depth.OF_A_TASK else {}, dark)


@st.cache_resource(max_entries=48, show_spinner=False)  # type: ignore[untyped-decorator]
def made(key: str, name: str, given: tuple[Any, ...], about: dict[str, Any], dark: bool) -> Drawn:
    """Built once for all visitors, and again only when its own numbers change: most looks bring a step and no epoch."""
    plot = ABOVE.get(name) or depth.PLOTS[name]
    figure = plot.figure(*given, dark=dark, **about)
    if name in ABOVE:
        figure.update_layout(height=CURVES)
    return prepared(figure, key), plot.alt(*given, **about)


# --- the view -----------------------------------------------------------------------------
def view(store: Store, ids: Sequence[str], own: bool) -> None:
    """Runs over the same tasks in one view. Polls only while something changes."""
    moving = own and _moving(store, [run_record(store, id) for id in ids])
    page.polled(_panel, POLL_SECONDS if moving else None)(str(store.home), tuple(ids), own, moving)
    if own and not moving:
        follow()


def _moving(store: Store, records: list[Record]) -> bool:
    """Whether the runs will change without a click."""
    return bool({r["state"] for r in records} & set(GOING)) or control.pending(store, [r["id"] for r in records])


def _panel(home: str, ids: Ids, own: bool, polled: bool) -> None:
    store = at(home)
    mark = frames.marker(store, ids)
    records = [run_record(store, id) for id in ids]
    found = read(home, ids, mark)
    shown = _status(store, records, found, own)
    if polled and not _moving(store, records):
        st.rerun()  # no more changes: stop polling; after the buttons, or a press that comes now would be lost
    task = _which(records[0]["tasks"], found["stations"])
    _cockpit(home, ids, mark, found, task, shown)
    name = depth.choice(found, task)
    rows = rows_of(home, ids, mark, name, task)
    figure = None if name == depth.TABLE else drawn(home, ids, mark, name, task, page.is_dark())
    depth.show(name, task, rows, figure)


def _status(store: Store, records: list[Record], found: dict[str, Any], own: bool) -> str:
    """State, progress and buttons in one row; what went wrong below. Returns the run whose seed is shown."""
    states = list(dict.fromkeys(r["state"] for r in records))
    parts = [f"{found['progress']['done']} of {found['progress']['stages']} stages"]
    if own and "queued" in states and liveness.expected(store):
        parts = ["a worker is starting, a few seconds"]
    left = found["progress"]["seconds_left"]
    if left and set(states) & set(GOING):
        parts.append(f"about {estimate.duration(left)} left")
    with st.container(horizontal=True, vertical_alignment="center"):
        for state in states:
            page.badge(state if own else "recorded", COLORS[state])
        st.caption(page.plain(" · ".join(parts)), width="content")
        shown = _seed(records)
        if own:
            _controls(store, records)
    for text in dict.fromkeys(r["error"] for r in records if r["error"] and r["state"] not in ("failed", "lost")):
        st.warning(page.plain(text), icon=":material/warning:")
    if own:
        counts = {state: [r["state"] for r in records].count(state) for state in states}
        troubles(store, [r["id"] for r in records], counts)
    return shown


def _seed(records: list[Record]) -> str:
    """The run that the pool and the texts are shown of; curves are means over all."""
    seeds = {str(record["seed"]): record["id"] for record in records}
    if len(seeds) < 2:
        return records[0]["id"]
    return seeds[kept("Seed", [*seeds], "seed", segments=True, label_visibility="collapsed")]


def _controls(store: Store, records: list[Record]) -> None:
    """Pause, step, resume, stop. Impossible actions are disabled, so that the layout does not move."""
    states, ids = {r["state"] for r in records}, [r["id"] for r in records]
    can = possible(states, liveness.expected(store))

    def button(text: str, icon: str, wish: str, act: Callable[[], None], about: str) -> None:
        if st.button(text, icon=icon, disabled=wish not in can, key=f"do-{text}", help=about):
            with page.guard():
                act()
                if wish in ("step", "resume"):
                    launch.ensure_worker(store)
            st.rerun()

    button("Pause", ":material/pause:", "pause", lambda: control.pause(store, ids), "Pause the run")
    for unit in control.UNITS:
        about = f"Advance by one {unit} while the run is paused"
        button(f"One {unit}", ":material/step:", "step", partial(control.step, store, ids, unit), about)
    about = "Continue a run that is paused, stopped, failed or lost"
    button("Resume", ":material/play_arrow:", "resume", lambda: control.resume(store, ids), about)
    about = "Stop the run. Finished tasks and the best prompt so far are kept"
    button("Stop and keep", ":material/stop:", "stop", lambda: control.stop(store, ids), about)


def _cockpit(home: str, ids: Ids, mark: str, found: dict[str, Any], task: str, shown: str) -> None:
    dark, now = page.is_dark(), moment(home, ids, mark, task, shown)
    going = any(record["state"] == "running" for record in found["records"])
    said, outcome = _story(found, now, task)
    cockpit.show(cockpit.strip(now, task, said, outcome, dark), "live-strip", _chosen)
    left, right = st.columns([6, 5], gap="small")
    with left.container(gap="xsmall"):
        cockpit.show(cockpit.pool(now, going, dark), "live-pool")
        cockpit.show(cockpit.texts(now["texts"], dark), "live-texts")
    with right.container(gap=None):
        for name, heading in (("curves", "Validation against learned alone"), ("losses", "Losses")):
            figure, alt = drawn(home, ids, mark, name, task, dark)
            if name == "curves" and frames.ALONE not in set(now["curves"]["which"]):
                heading = "Validation"
            st.markdown(f"**{heading}** · {page.plain(theme.titled(task))}")
            live_plot(figure, key=f"live-{name}", alt=alt)


def _story(found: dict[str, Any], now: dict[str, Any], task: str) -> tuple[str, str]:
    """One sentence about what happens, or the verdict on a task that is learned, and its outcome."""
    tasks, over = found["records"][0]["tasks"], now["now"]["is_done"]
    verdict = next((one for one in now["verdicts"]), None)
    if over and verdict is not None and verdict.after is not None:
        named = theme.titled(task) + verdict.sentence.removeprefix(task)
        return f"{named} {verdict.why}".strip(), verdict.outcome
    place = tasks.index(task)
    following = tasks[place + 1] if place + 1 < len(tasks) else None
    ribbons = cockpit.shown_ribbons(now["now"])
    return pool.story(now["now"]["method"], task, tasks, ribbons, following, over), ""


def _chosen(task: str) -> None:
    """A click on a station; on the chosen one again: back to the newest."""
    if st.query_params.get("about") == task:
        del st.query_params["about"]
    else:
        st.query_params["about"] = task


def _which(tasks: list[str], stations: Sequence[dict[str, Any]]) -> str:
    """The task of the cockpit: the one in the address, else the newest."""
    asked = st.query_params.get("about")
    found = meant_many([asked], [NEWEST, *tasks], "task") if asked else []
    return found[0] if found and found[0] != NEWEST else moments.newest(stations)
