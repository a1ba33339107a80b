"""Compose a run, start it and watch it train."""

from typing import Any

import streamlit as st

from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.plans.stages import plans_of
from shlpt.store.store import Store
from shlpt.ui import compose, control, page, steps, watch
from shlpt.ui.choose import NOT_HERE, kept
from shlpt.ui.store import own, shown

STEPS = "steps"
VIEWS = {"watch": "Watch", STEPS: "Step by step"}


def watched(head: Any) -> None:
    """The runs in the address; what they are and what can be done with them goes into the `head`."""
    try:
        runs = [shown(id) for id in st.query_params["runs"].split(",") if id][:16]
    except UserError as error:
        with head:
            another()
        st.error(page.plain(f"{NOT_HERE}: {error}"), icon=":material/link_off:")
        return
    if not runs:
        with head:
            another()
        return
    first = runs[0]
    together = [
        run for run in runs if run.is_recorded == first.is_recorded and run.line["tasks"] == first.line["tasks"]
    ]
    if len(together) < len(runs):
        st.caption("Only runs over the same tasks can be shown together. The others are left out.")
    seeds = ", ".join(str(run.line["seed"]) for run in together)
    with head:
        title = f"{METHODS[first.line['method']].title}, seed{'s' * (len(together) > 1)} {seeds}"
        st.header(page.plain(title), anchor=False, width="content")
        another()
        control.again([(run.store, run.id) for run in together], "live")
        way = kept("View", [*VIEWS], "view", write=VIEWS.__getitem__, segments=True, label_visibility="collapsed")
    if way == STEPS:
        by_seed = {str(run.line["seed"]): run.id for run in together}
        seed = kept("Seed", [*by_seed], "seed", segments=True) if len(by_seed) > 1 else next(iter(by_seed))
        steps.view(first.store, by_seed[seed], own=not first.is_recorded)
        return
    watch.view(first.store, [run.id for run in together], own=not first.is_recorded)


def another() -> None:
    if st.button("Compose another run", icon=":material/add:", key="another"):
        del st.query_params["runs"]
        st.rerun()


def begin() -> None:
    store = own()
    specs = compose.form()
    if not specs:
        return
    plans = plans_of(specs, home=store.home)
    compose.cost(store, plans)
    if st.button("Run", type="primary", icon=":material/play_arrow:", key="run-now"):
        control.start(store, plans)
    compose.elsewhere(specs)


if watching := bool(st.query_params.get("runs")):
    row = st.container(horizontal=True, vertical_alignment="center")  # all in one row: the cockpit needs the height
    row.title("Live", width="content")
else:
    page.head(
        "Live",
        "Choose tasks and a method, press Run, and watch similarity, partition, activations and accuracy change. "
        "A worker process trains the run, so it continues when you close this page.",
        badges=(compose.machine(), f"store {Store().home}"),
    )
with page.guard():
    if watching:
        watched(row)
    else:
        begin()
    page.to_top(st.query_params.get("runs", ""))
