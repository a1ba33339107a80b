"""All stored runs: find, name, stop, resume, delete and export them."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from shlpt.catalog import METHODS
from shlpt.catalog.titles import title_of
from shlpt.errors import UserError
from shlpt.plots import accuracy_matrix, validation
from shlpt.queue import control as act
from shlpt.results import export, frames, health
from shlpt.results import listing as shown_runs
from shlpt.results.further import further
from shlpt.sharing import html
from shlpt.spec import RunSpec, digest
from shlpt.store.store import Store
from shlpt.tasks.sequences import with_titles
from shlpt.ui import choose, control, page, take_away
from shlpt.ui import store as stores
from shlpt.ui.forms import shown
from shlpt.ui.links import live_address, to_page

STATES = ("queued", "running", "paused", "stopped", "done", "failed", "lost")
# Pixels: a column without a width is as wide as the rows that are seen first, and cuts longer names further down.
COLUMNS: dict[str, Any] = {
    "name": st.column_config.TextColumn(width=320),
    "method": st.column_config.TextColumn(width=180),
    "tasks": st.column_config.TextColumn(width=220),
    "progress": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width="small"),
    "ACC": st.column_config.NumberColumn(format="%.1f", help="%: mean score on all tasks after the last one"),
    "BWT": st.column_config.NumberColumn(format="%+.1f", help="points: change on tasks since they were learned"),
    "FWT": st.column_config.NumberColumn(format="%+.1f", help="points: gain over learning each task alone"),
    "created": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm"),
}


# --- the table ----------------------------------------------------------------------------
def wanted(frame: pd.DataFrame) -> dict[str, Any]:
    """The filter, kept in the address."""
    first, second, third, fourth = st.columns([3, 2, 2, 2])
    text = first.text_input(
        "Find",
        key="find",
        bind="query-params",
        icon=":material/search:",
        placeholder="name, note, task, id …",
        live=True,
    )
    known = sorted(set(frame["method"]))
    with second:
        methods = choose.kept_many("Method", known, "method", write=lambda name: METHODS[name].title)
    states = third.multiselect("State", STATES, key="state", bind="query-params")
    place = fourth.segmented_control(
        "Origin", ["mine", "recorded"], key="whose", bind="query-params", help="Recorded runs came with the program"
    )
    return {
        "text": text or "",
        "methods": methods,
        "states": states,
        "recorded": None if place is None else place == "recorded",
    }


def listing(filters: dict[str, Any], was_going: bool) -> None:
    """The runs that match the filter, with boxes to select them. Runs again while something trains."""
    frame, opened = stores.known_runs()
    listed(frame, filters)
    if st.session_state.pop("changed", False) or going(opened) != was_going:
        st.rerun()


def listed(frame: pd.DataFrame, filters: dict[str, Any]) -> None:
    """A table with boxes."""
    rows = shown_runs.matching(frame, **filters)
    if rows.empty:
        st.info(
            "No run matches the filter." if len(frame) else "There is no run yet. Start one on the Live page.",
            icon=":material/info:",
        )
        return
    ids, picked = list(rows["id"]), st.session_state["picked"]
    key = f"table-{st.session_state.get('drawn', 0)}-{digest(ids)}"
    st.dataframe(
        shown_runs.for_people(rows),
        hide_index=True,
        column_config=COLUMNS,
        key=key,
        selection_mode="multi-row",
        on_select=lambda: take(ids, st.session_state[key].selection.rows),
        height=min(38 + 35 * len(ids), 420),
        selection_default={"selection": {"rows": [place for place, id in enumerate(ids) if id in picked]}},
        alt=f"Table of {len(ids)} runs, one per row",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Select all shown", icon=":material/select_all:"):
            remember(ids)
        if st.button("Clear selection", icon=":material/deselect:", disabled=not picked):
            remember([])
        st.caption(f"{len(ids)} of {len(frame)} runs. Tick the boxes on the left to select runs.", width="content")


def take(ids: list[str], rows: list[int]) -> None:
    """Update the selection from the boxes. Selected runs outside the filter stay selected."""
    hidden = [id for id in st.session_state["picked"] if id not in ids]
    st.session_state["picked"] = [*hidden, *(ids[row] for row in rows if row < len(ids))]
    st.session_state["changed"] = True


def remember(ids: list[str]) -> None:
    """Set the selection; the table is redrawn with it."""
    st.session_state["picked"] = ids
    st.session_state["drawn"] = st.session_state.get("drawn", 0) + 1
    st.rerun()


def going(opened: dict[bool, Store]) -> bool:
    if False not in opened:
        return False
    counts = frames.runs(opened[False])["state"].value_counts()
    return control.going(opened[False], {str(state): int(n) for state, n in counts.items()})


def picked_runs(frame: pd.DataFrame) -> list[str]:
    """The selected runs that exist, from the address or from this session."""
    ids = list(frame["id"])
    if "picked" not in st.session_state:
        st.session_state["picked"] = choose.meant_many(st.query_params.get_all("run"), ids, "run")
    st.session_state["picked"] = [id for id in st.session_state["picked"] if id in ids]
    st.query_params["run"] = st.session_state["picked"]
    return list(st.session_state["picked"])


# --- actions on the selected runs ---------------------------------------------------
def chosen(frame: pd.DataFrame, opened: dict[bool, Store], ids: list[str]) -> None:
    lines = {line["id"]: {str(k): v for k, v in line.items()} for line in frame.to_dict("records")}
    mine = [id for id in ids if not lines[id]["recorded"]]
    st.header(page.plain(stores.label(lines[ids[0]])) if len(ids) == 1 else f"{len(ids)} runs", anchor="chosen")
    if len(mine) < len(ids):
        some = "This run is" if len(ids) == 1 else f"{len(ids) - len(mine)} of them are"
        st.caption(
            f"{some} recorded and came with the program. Recorded runs can be viewed and copied, but not changed."
        )
    if mine:
        store = opened[False]
        states = frames.states(store, mine)
        control.troubles(store, mine, states)
        control.buttons(store, mine, states, "chosen")
    records = [frames.run(opened[bool(lines[id]["recorded"])], id) for id in ids]
    with st.container(horizontal=True, vertical_alignment="center"):
        downloads(records, frame[frame["id"].isin(ids)])
        to_page("compare", "Compare", {"run": ids}, help="Show them side by side on the Compare page")
        if len(ids) == 1:
            to_page(
                "live",
                "Duplicate with changes",
                live_address([RunSpec.model_validate(records[0]["spec"])]),
                help="Opens the Live page with these tasks, this method and these settings",
            )
        control.again([(opened[bool(lines[id]["recorded"])], id) for id in ids], "chosen")
        if mine and st.button("Delete", icon=":material/delete:"):
            confirm(mine, [stores.label(lines[id]) for id in mine])
    if len(ids) == 1:
        one(opened[bool(lines[ids[0]]["recorded"])], records[0], bool(lines[ids[0]]["recorded"]))


def downloads(records: list[dict[str, Any]], rows: pd.DataFrame) -> None:
    """Files are written on request."""
    st.download_button(
        "CSV",
        lambda: export.csv_text(shown_runs.short(export.rows_of_frame(rows))),
        "runs.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        help="One row per run, as `runs list --csv` writes it",
    )
    st.download_button(
        "JSON",
        lambda: export.json_text({"runs": records}),
        "runs.json",
        "application/json",
        icon=":material/download:",
        on_click="ignore",
        help="The output of `runs show --json`: settings, accuracy matrix, stages",
    )


@st.dialog("Delete permanently?")  # type: ignore[untyped-decorator]
def confirm(ids: list[str], labels: list[str]) -> None:
    """A run in training is deleted only if forced."""
    st.write("These runs will be deleted, with all results that no other run uses:")
    for label in labels[:8]:
        st.text(label)
    if len(labels) > 8:
        st.caption(f"and {len(labels) - 8} more")
    st.checkbox("Also delete runs that are training now", key="force")
    left, right = st.columns(2)
    left.button(
        "Delete", type="primary", icon=":material/delete:", key="really", width="stretch", on_click=delete, args=(ids,)
    )
    if right.button("Cancel", key="keep", width="stretch") or st.session_state.pop("over", False):
        st.rerun()


def delete(ids: list[str]) -> None:
    """Delete all or none; the page shows why not."""
    st.session_state["over"] = True
    try:
        act.delete(stores.own(), ids, bool(st.session_state.get("force")))
    except UserError as error:
        st.session_state["refused"] = str(error)


# --- one run ------------------------------------------------------------------------------
def one(store: Store, record: dict[str, Any], is_recorded: bool) -> None:
    """One run: names, tasks, settings, figures."""
    names(store, record, is_recorded)
    take_away.fold(store, record)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Accuracy matrix**")
        a = np.asarray(record["matrix"], dtype=float)
        page.draw(accuracy_matrix, a, record["tasks"], key=f"{record['id']} accuracy matrix")
        figure_file("accuracy matrix", accuracy_matrix, record["id"], a, record["tasks"])
        if len(more := further(store, record["id"])):
            st.dataframe(more, hide_index=True, height="content")
            page.explain("Beside the score in the matrix: exact match of SQuAD, F1 of MultiRC, from 0 to 1.")
    with right:
        st.markdown("**Validation**")
        epochs = frames.epochs(store, [record["id"]])
        page.draw(validation, epochs, key=f"{record['id']} validation", table=validation.numbers(epochs))
        figure_file("validation", validation, record["id"], epochs)
    st.markdown("**Stages, one per task**")
    st.dataframe(shown_runs.stages_for_people(frames.stages(store, record["id"])), hide_index=True, height="content")
    page.explain(
        "Alone: the task learned by itself, the reference for forward transfer. Reused: another run had trained the "
        "same stage already, so it was not trained again."
    )
    for sentence in health.said(health.health(store, record["id"])):
        st.warning(page.plain(sentence), icon=":material/stethoscope:")
    with st.expander("Settings", icon=":material/tune:"):
        settings = {"method": METHODS[record["method"]].title, **record["settings"]}
        st.dataframe(
            pd.DataFrame([{"setting": title_of(k), "value": shown(v, k)} for k, v in settings.items()]),
            hide_index=True,
            height="content",
        )


def names(store: Store, record: dict[str, Any], is_recorded: bool) -> None:
    with st.form("names", border=False):
        left, middle, right = st.columns([3, 5, 1], vertical_alignment="bottom")
        known = with_titles(record["name"]) if is_recorded else record["name"]
        name = left.text_input("Name", known, max_chars=80, disabled=is_recorded, key=f"name-{record['id']}")
        note = middle.text_input(
            "Note", record["note"], max_chars=500, disabled=is_recorded, key=f"note-{record['id']}"
        )
        if right.form_submit_button("Save", icon=":material/save:", disabled=is_recorded, width="stretch"):
            act.describe(store, record["id"], name=name.strip(), note=note.strip())
            st.rerun()


def figure_file(what: str, plot: Any, id: str, *given: Any) -> None:
    st.download_button(
        "Figure as HTML",
        lambda: html.figure(f"Run {id}: {what}", plot, *given),
        f"{id} {what}.html",
        "text/html",
        icon=":material/download:",
        on_click="ignore",
        key=f"html-{what}",
        type="tertiary",
        help="A standalone page that needs no internet. For PNG or SVG use the buttons in the figure's corner.",
    )


# --- workers ------------------------------------------------------------------------------
def workers(store: Store) -> None:
    """The workers, and the last log lines of crashed ones."""
    st.header("Workers", anchor="workers")
    frame = frames.workers(store)
    page.explain(
        "A worker is a process that trains queued runs. It continues when this page, the browser or the server is "
        "closed, and ends after ten minutes without work."
    )
    if frame.empty:
        st.caption("No worker is running. The next run starts one.")
        return
    st.dataframe(
        shown_runs.workers_for_people(frame),
        hide_index=True,
        height="content",
        column_config={
            "started": st.column_config.DatetimeColumn(format="D MMM, HH:mm"),
            "heartbeats": st.column_config.NumberColumn(help="rise while the worker is alive"),
        },
    )
    for line in frame[~frame["alive"]].tail(3).to_dict("records"):
        crashed(store, {str(key): value for key, value in line.items()})


def crashed(store: Store, worker: dict[str, Any]) -> None:
    left = frames.left_by(store, worker["id"])
    said = f"Runs it left unfinished: {len(left)}" if left else "It left no run unfinished"
    st.error(f"Worker {worker['id']} ended unexpectedly. {said}.", icon=":material/heart_broken:")
    lines = frames.log_tail(store, worker["log"]) if worker["log"] else []
    st.code("\n".join(lines) or "Its log is empty.", language=None, wrap_lines=True)
    if left and st.button("Resume its runs", icon=":material/play_arrow:", key=f"resume-{worker['id']}"):
        control.resume(store, left)


def show() -> None:
    page.head("Runs", "All stored runs: your own, and the recorded ones that came with the program.")
    frame, opened = stores.known_runs()
    choose.check_many("state", STATES)
    if refused := st.session_state.pop("refused", ""):
        st.error(page.plain(refused), icon=":material/error:")
    filters = wanted(frame)
    ids = picked_runs(frame)
    is_going = going(opened)
    page.polled(listing, control.EVERY if is_going else None)(filters, is_going)
    if ids:
        chosen(frame, opened, ids)
    if False in opened:
        page.polled(workers, 2 * control.EVERY if is_going else None)(opened[False])
        control.follow()


with page.guard():
    show()
