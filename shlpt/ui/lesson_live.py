"""The live run of a lesson: a few seconds, one seed, watched on the spot."""

from typing import Any

import numpy as np
import streamlit as st

from shlpt.catalog import METHODS
from shlpt.lessons.reading import Live
from shlpt.plots import accuracy_matrix, curves, theme, validation
from shlpt.queue import submit
from shlpt.queue.launch import ensure_worker
from shlpt.results import frames
from shlpt.results.record import GOING, Record, run_record
from shlpt.spec import RunSpec
from shlpt.store.liveness import expected
from shlpt.store.store import Store
from shlpt.ui import control, page
from shlpt.ui.links import live_address, to_page
from shlpt.ui.store import own

POLL_SECONDS = 1.0


def spec_of(live: Live) -> RunSpec:
    return RunSpec.make(live.tasks, live.method, seed=live.seed, settings=live.settings)


def show(live: Live) -> None:
    """A button, then the run. It is known by what it is, so that it is there after a refresh too."""
    with st.container(border=True):
        st.subheader("See it happen", anchor=False)
        st.markdown(live.about)
        with page.guard():
            store, spec = own(), spec_of(live)
            if store.value("SELECT 1 FROM runs WHERE id=?", (spec.id,)) is None:
                _offer(store, spec)
                return
            state = run_record(store, spec.id)["state"]
            page.polled(_panel, POLL_SECONDS if state in GOING else None)(live, spec, state)


def _offer(store: Store, spec: RunSpec) -> None:
    st.caption(
        f"{METHODS[spec.method].title}, trained on this computer with one seed in well under a minute. One seed can "
        "come out differently from the mean of ten."
    )
    if st.button("Run it here", icon=":material/play_arrow:", key="run-lesson"):
        if submit.submit(store, submit.planned(store, [spec])).todo:
            ensure_worker(store)
        st.rerun()


def _panel(live: Live, spec: RunSpec, before: str) -> None:
    store = own()
    record = run_record(store, spec.id)
    if record["state"] != before and record["state"] not in GOING:
        st.rerun()  # no more changes: stop polling
    states = {record["state"]: 1}
    control.progress(store, [spec.id], states)
    if "queued" in states and expected(store):
        st.caption("A worker is starting. Loading the libraries takes a few seconds.")
    control.troubles(store, [spec.id], states)
    if record["state"] in ("stopped", "failed", "lost", "paused") and st.button("Resume", key="resume-lesson"):
        control.resume(store, [spec.id])
    plot, given = _figure(store, live, spec, record)
    page.draw(plot, *given, key=f"lesson-live-{live.figure if plot is not validation else 'tasks'}")
    if record["state"] == "done":
        st.markdown(came_out(live, record))
        to_page("live", "The same run on the Live page", live_address([spec]) | {"runs": spec.id})


def _figure(store: Store, live: Live, spec: RunSpec, record: Record) -> tuple[Any, tuple[Any, ...]]:
    """The module that draws it, and what it draws."""
    if live.figure == "matrix":
        return accuracy_matrix, (np.array([record["matrix"]], dtype=float), record["tasks"])
    pair = frames.pair_epochs(store, [spec.id])
    if live.figure == "pair" and len(pair):  # nothing while the source is learned
        return curves, (pair,)
    return validation, (frames.epochs(store, [spec.id]),)


def came_out(live: Live, record: Record) -> str:
    """The result of a finished run, in a sentence."""
    first, second = (page.plain(theme.titled(task)) for task in record["tasks"])
    (learned, _), (kept, after) = record["matrix"]
    begin = f"Here, with seed {record['seed']}, of the test texts are right:"
    if live.figure == "matrix":
        return f"{begin} {learned:.0%} of {first} when it was learned, {kept:.0%} of the same texts after {second}."
    if live.figure == "tasks":
        return f"{begin} {kept:.0%} of {first}, {after:.0%} of {second}."
    alone = record["alone"][-1] if record["alone"] else None
    return f"{begin} {after:.0%} of {second} after {first}{'' if alone is None else f', {alone:.0%} alone'}."
