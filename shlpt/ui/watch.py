"""Runs in training: updating figures, progress, and buttons to pause, step, resume and stop."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from shlpt.analysis import nearest
from shlpt.catalog import METHODS
from shlpt.plans import estimate
from shlpt.plots import accuracy_matrix, losses, overlap, partition, similarity, theme, validation
from shlpt.queue import control, launch
from shlpt.results import frames
from shlpt.results.record import GOING, Record, run_record
from shlpt.store import liveness
from shlpt.store.store import Store
from shlpt.ui import page
from shlpt.ui.choose import kept
from shlpt.ui.control import follow, possible, troubles
from shlpt.ui.live_plot import live_plot, prepared
from shlpt.ui.store import at

POLL_SECONDS = 0.8
POINTS = 250  # per curve and stage, more than a screen shows
NEWEST = "the newest"
COLORS = {"running": "green", "queued": "blue", "paused": "orange", "stopped": "gray", "done": "blue"}
COLORS |= {"failed": "red", "lost": "red"}
Drawn = tuple[dict[str, Any], str]  # the figure as sent, and its alt text


@st.cache_resource(max_entries=8, show_spinner=False)  # type: ignore[untyped-decorator]
def read(home: str, ids: tuple[str, ...], mark: str) -> dict[str, Any]:
    """Frames of these runs, shared by all their visitors; `mark` changes with new data."""
    store = at(home)
    records = [run_record(store, id) for id in ids]
    found = {
        "records": records,
        "losses": frames.losses(store, ids, POINTS),
        "epochs": frames.epochs(store, ids),
        "similarity": frames.similarity(store, ids, POINTS),
        "overlap": frames.overlap(store, ids),
        "stages": frames.stages(store, ids[0]),
        "progress": estimate.progress(store, ids),
    }
    store.close()
    return found


@st.cache_resource(max_entries=48, show_spinner=False)  # type: ignore[untyped-decorator]
def drawn(home: str, ids: tuple[str, ...], mark: str, name: str, task: str | None, dark: bool) -> Drawn:
    """One figure, shared by all visitors."""
    plot, given = _given(read(home, ids, mark), name, task)
    about = {"task": task} if name in OF_A_TASK else {}
    figure = plot.figure(*given, dark=dark, **about)
    return prepared(figure, f"{name}-{'-'.join(ids)}-{task}"), plot.alt(*given, **about)


FROM = {"losses": (losses, "losses"), "validation": (validation, "epochs")}  # a figure, and the frame that it takes
FROM |= {"partition": (partition, "similarity"), "overlap": (overlap, "overlap")}
OF_A_TASK = ("similarity", "partition", "overlap")


def _given(found: dict[str, Any], name: str, task: str | None) -> tuple[Any, tuple[Any, ...]]:
    """The module that draws a figure, and what it draws."""
    tasks, settings = found["records"][0]["tasks"], found["records"][0]["settings"]
    if name == "matrix":
        return accuracy_matrix, (np.array([record["matrix"] for record in found["records"]], dtype=float), tasks)
    if name == "similarity":
        count = tasks.index(task) if task in tasks else None
        return similarity, (found["similarity"], settings.get("threshold"), count)
    plot, frame = FROM[name]
    return plot, (found[frame],)


SAYS: dict[str, tuple[str, str, int | None]] = {  # heading, what one sees, the paper's equation
    "similarity": (
        "Similarity to each earlier task",
        "Mean α over the batch with the range over its texts; with several seeds, one line per seed. Above δ the "
        "prompt of an earlier task is mixed in; below δ the new prompt is pushed away from it.",
        4,
    ),
    "partition": (
        "Similar and dissimilar tasks",
        "For each earlier task: the share of the batch for which it counts as dissimilar.",
        5,
    ),
    "overlap": (
        "Overlap of activation states",
        "Cosine similarity of the last decoder layer's activations with those under each earlier prompt, on texts of "
        "the new task. Lower means that the prompts activate different neurons.",
        10,
    ),
    "losses": (
        "Losses by part",
        "The loss of the task (down) and the two contrastive losses, on hidden states (HSC) and on activations (ASC), "
        "each with its weight: together they are the total.",
        12,
    ),
    "validation": ("Validation", "Score on the validation set after each epoch; it decides early stopping.", None),
    "matrix": (
        "Accuracy matrix",
        "Row: the task learned last. Column: the task tested. A column that fades downwards shows forgetting.",
        None,
    ),
}


# --- the view -----------------------------------------------------------------------------
def view(store: Store, ids: Sequence[str], own: bool) -> None:
    """Runs over the same tasks in one view. Polls only while something changes."""
    moving = own and _moving(store, [run_record(store, id) for id in ids])
    page.again(_panel, POLL_SECONDS if moving else None)(str(store.home), tuple(ids), own, moving)
    if own and not moving:
        follow()


def _moving(store: Store, records: list[Record]) -> bool:
    """Whether the runs will change without a click."""
    return bool({r["state"] for r in records} & set(GOING)) or control.pending(store, [r["id"] for r in records])


def _panel(home: str, ids: tuple[str, ...], own: bool, polled: bool) -> None:
    store = at(home)
    mark = frames.marker(store, ids)
    records = [run_record(store, id) for id in ids]
    if polled and not _moving(store, records):
        st.rerun()  # no more changes: stop polling
    found = read(home, ids, mark)
    _status(store, records, found, own)
    if own:
        _controls(store, records)
    _figures(home, ids, mark, found)
    with st.expander("Stages of the first run", icon=":material/table:"):
        st.dataframe(found["stages"].drop(columns=["key"]), hide_index=True)


def _status(store: Store, records: list[Record], found: dict[str, Any], own: bool) -> None:
    done = sum(r["progress"] for r in records) / len(records)
    left = found["progress"]["seconds_left"]
    states = list(dict.fromkeys(r["state"] for r in records))
    now = found["losses"].iloc[-1] if len(found["losses"]) else None
    parts = [f"{found['progress']['done']} of {found['progress']['stages']} stages"]
    if now is not None and set(states) & {"running", "paused"}:
        parts.append(f"{theme.titled(now['task'])}, epoch {int(now['epoch'])}")
    if left and set(states) & set(GOING):
        parts.append(f"about {estimate.duration(left)} left")
    with st.container(horizontal=True, vertical_alignment="center"):
        for state in states:
            page.badge(state if own else "recorded", COLORS[state])
        st.caption(page.plain(" · ".join(parts)), width="content")
    st.progress(min(1.0, done))
    for text in dict.fromkeys(r["error"] for r in records if r["error"] and r["state"] not in ("failed", "lost")):
        st.warning(page.plain(text), icon=":material/warning:")
    if own:
        counts = {state: [r["state"] for r in records].count(state) for state in states}
        troubles(store, [r["id"] for r in records], counts)
        if "queued" in states and liveness.expected(store):
            st.caption("A worker is starting. Loading the libraries takes a few seconds.")


def _controls(store: Store, records: list[Record]) -> None:
    """Pause, step, resume, stop. Impossible actions are disabled, so that the layout does not move."""
    states, ids = {r["state"] for r in records}, [r["id"] for r in records]
    can = possible(states, liveness.expected(store))
    row = st.container(horizontal=True)  # wraps on a phone

    def button(text: str, icon: str, wish: str, act: Callable[[], None], about: str) -> None:
        if row.button(text, icon=icon, disabled=wish not in can, key=f"do-{text}", help=about):
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


def _figures(home: str, ids: tuple[str, ...], mark: str, found: dict[str, Any]) -> None:
    dark, tasks = page.is_dark(), found["records"][0]["tasks"]
    info = METHODS[found["records"][0]["method"]]
    begun = len(found["similarity"]) or len(found["overlap"])  # nothing is shown empty
    if not begun and len(tasks) > 1 and (info.alpha or info.keeps_prompts):
        st.caption("The first task has no earlier ones. Similarity and overlap are shown from the second task on.")
    task = _which(tasks, found) if begun else None
    names = ["similarity", "partition"] if info.alpha and task else []
    names += ["overlap"] if info.keeps_prompts and task else []
    names += ["validation", "losses", "matrix"]
    if len(found["records"]) > 1:
        st.caption(f"Mean over {len(found['records'])} seeds. After early stopping a seed keeps its last value.")
    columns = st.columns(2)
    for place, name in enumerate(names):
        heading, said, equation = SAYS[name]
        with columns[place % 2].container(border=True):
            st.markdown(f"**{heading}**")
            figure, alt = drawn(home, ids, mark, name, task if name in OF_A_TASK else None, dark)
            live_plot(figure, key=f"live-{name}", alt=alt)
            page.explain(said, equation)
            if name == "similarity" and task:
                st.caption(page.plain(nearest.said(similarity.latest(found["similarity"], task), theme.titled)))
            if name == "partition" and task:
                flips = partition.flips(found["similarity"], task).items()
                said = ", ".join(f"{theme.titled(name)} {partition.counted(counts)}" for name, counts in flips)
                st.caption(page.plain(f"Flips so far: {said or 'none'}"))


def _which(tasks: list[str], found: dict[str, Any]) -> str | None:
    """The task of the similarity figures (default: the newest)."""
    frame = found["similarity"] if len(found["similarity"]) else found["overlap"]
    newest = str(frame["task"].iloc[-1])
    options = [NEWEST, *tasks[1:]]
    chosen = kept("Similarity and overlap of", options, "about", write=theme.titled, kind="task", segments=True)
    return newest if chosen == NEWEST else chosen
