"""The live run of a lesson: a few seconds, one seed, watched on the spot."""

import streamlit as st

from shlpt.catalog import METHODS
from shlpt.lessons.reading import Lesson
from shlpt.plots import curves, validation
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


def spec_of(lesson: Lesson) -> RunSpec:
    live = lesson.front.live
    assert live is not None
    return RunSpec.make(live.tasks, live.method, seed=live.seed, settings=live.settings)


def show(lesson: Lesson) -> None:
    """A button, then the run. It is known by what it is, so that it is there after a refresh too."""
    with st.container(border=True):
        st.subheader("See it happen", anchor=False)
        with page.guard():
            store, spec = own(), spec_of(lesson)
            if store.value("SELECT 1 FROM runs WHERE id=?", (spec.id,)) is None:
                _offer(store, spec)
                return
            state = run_record(store, spec.id)["state"]
            page.again(_panel, POLL_SECONDS if state in GOING else None)(spec, state)


def _offer(store: Store, spec: RunSpec) -> None:
    st.caption(
        f"Trains {METHODS[spec.method].title.lower()} on this computer with one seed, in well under a minute. One seed "
        "can come out differently from the mean of ten."
    )
    if st.button("Run it here", icon=":material/play_arrow:", key="run-lesson"):
        if submit.submit(store, submit.planned(store, [spec])).todo:
            ensure_worker(store)
        st.rerun()


def _panel(spec: RunSpec, before: str) -> None:
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
    pair = frames.pair_epochs(store, [spec.id])  # nothing while the source is learned
    if len(pair):
        page.draw(curves, pair, key="lesson-live-pair")
    else:
        page.draw(validation, frames.epochs(store, [spec.id]), key="lesson-live")
    if record["state"] == "done":
        st.markdown(came_out(record))
        to_page("live", "The same run on the Live page", live_address([spec]) | {"runs": spec.id})


def came_out(record: Record) -> str:
    """The result of a finished run, in a sentence."""
    after = record["matrix"][-1][-1] or 0.0
    alone = record["alone"][-1] if record["alone"] else None
    if alone is None:
        return f"Here, with seed {record['seed']}: {after:.0%} of the test texts right."
    source = page.plain(record["tasks"][0])
    return f"Here, with seed {record['seed']}: {after:.0%} of the test texts right after {source}, {alone:.0%} alone."
