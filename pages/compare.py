"""Runs and methods side by side: metrics with intervals, curves, accuracy matrices, and two of them in detail."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import compare as side_by_side
from shlpt.analysis import headroom as gauge
from shlpt.analysis import routing
from shlpt.analysis.compare import Side
from shlpt.analysis.points import signed
from shlpt.catalog.routers import routers_of
from shlpt.catalog.routers import title_of as title_of_router
from shlpt.catalog.titles import title_of
from shlpt.plans import commands, estimate
from shlpt.plots import accuracy_matrix, compare, confusion, theme
from shlpt.results import experiments, frames, recorded
from shlpt.results import routing as routed
from shlpt.store.store import Store, default_home
from shlpt.tasks.sequences import with_titles
from shlpt.ui import answered, choose, control, metrics, page, studied
from shlpt.ui import store as stores
from shlpt.ui.forms import shown as in_words

HAND = "runs"
MOST = 12  # sides in a figure
AGAIN = 12  # runs that one press trains again; more are a study of their own
Found = tuple[list[Side], dict[str, Store], choose.ShownExperiment | None]


def chosen() -> Found:
    """The sides to compare (runs that differ only in their seed), the store of each run, and their experiment."""
    known = choose.known_experiments(without=["matrix", "alphas"])
    options = [*known, HAND]
    asked = st.query_params.get_all("run")
    from_link = bool(asked) and "experiment" not in st.query_params
    preferred = next((id for id, each in known.items() if each.line["kind"] == "methods"), options[0])
    which = choose.kept(
        "What to compare",
        options,
        "experiment",
        default=HAND if from_link else preferred,
        kind="experiment",
        write=lambda id: "Runs chosen one by one" if id == HAND else f"Experiment: {choose.titled(known[id])}",
    )
    if which == HAND:
        return by_hand()
    shown = known[which]
    pairs = experiments.labelled(shown.store, shown.id)
    found = side_by_side.sides([record for _, record in pairs], [with_titles(label) for label, _ in pairs])
    st.query_params.pop("run", None)
    return found, {record["id"]: shown.store for _, record in pairs}, shown


def by_hand() -> Found:
    frame, opened = stores.known_runs()
    lines = {line["id"]: {str(k): v for k, v in line.items()} for line in frame.to_dict("records")}
    ids = choose.kept_many(
        "Runs",
        list(lines),
        "run",
        default=list(frame["id"][frame["state"] == "done"][:4]),
        write=lambda id: stores.label(lines[id]),
        kind="run",
        help="Runs that differ only in their seed are averaged, with an interval.",
    )
    where = {id: opened[bool(lines[id]["recorded"])] for id in ids}
    return side_by_side.sides([frames.run(where[id], id) for id in ids]), where, None


# --- all sides --------------------------------------------------------------------------
def headroom(found: list[Side]) -> bool | None:
    """Whether methods can be distinguished on this sequence; None if not measured."""
    first = found[0].records[0]
    rows = next((rows for _, store in stores.both() if (rows := experiments.headroom_of(store, first))), None)
    st.header("Can methods be distinguished here?", anchor="headroom")
    if rows is None:
        st.caption(
            "Not measured for this sequence and this number of examples: the figure above shows methods, and their "
            "order may be chance. This command measures it:"
        )
        st.code(commands.headroom(first, experiments.ALIKE, default_home()), language=None, wrap_lines=True)
        return None
    gauged = gauge.gauge(gauge.by_condition(rows))
    said = "\n\n".join(map(page.plain, gauged["notes"]))
    if gauged["tells_apart"]:
        st.success(said, icon=":material/check:")
    else:
        st.info(f"{said}\n\nMethods are shown without a ranking.", icon=":material/horizontal_rule:")
    st.dataframe(pd.DataFrame(gauge.rows(gauged)), hide_index=True, height="content")
    st.caption(" ".join(gauge.scores_said(rows)))
    return bool(gauged["tells_apart"])


def overview(found: list[Side], ranked: bool | None) -> None:
    """The metrics as figure and table: ranked with the best first, otherwise by name."""
    if ranked is not None:
        order = side_by_side.ranked(found) if ranked else sorted(found, key=lambda side: side.name)
        found = list(order)
    frame = side_by_side.metric_rows(found)
    metrics.side_by_side(frame, "metrics", ranked is not False)
    rows = side_by_side.for_people(side_by_side.table(found))
    rows["side"] = rows["side"].map(theme.side)
    if ranked:
        rows.insert(0, "rank", range(1, len(rows) + 1))
    st.dataframe(rows, hide_index=True, column_config=COLUMNS, height="content")


PERCENT = st.column_config.NumberColumn(format="percent")
COLUMNS: dict[str, Any] = {
    "side": "method",
    "ACC": st.column_config.NumberColumn("ACC (%)", format="%.1f", help="mean score on all tasks after the last one"),
    "ACC from": st.column_config.NumberColumn(format="%.1f", help="lower end of the 95 % interval of ACC"),
    "ACC to": st.column_config.NumberColumn(format="%.1f", help="upper end of the 95 % interval of ACC"),
    "BWT": st.column_config.NumberColumn("BWT (points)", format="%+.1f"),
    "FWT": st.column_config.NumberColumn("FWT (points)", format="%+.1f"),
    "seconds a run": st.column_config.NumberColumn(format="%.0f", help="training and testing of all tasks"),
    "KB stored": st.column_config.NumberColumn(format="%.0f", help="what is stored to answer all tasks"),
    "trained parameters": st.column_config.NumberColumn(format="localized", help="in the largest stage"),
}
POINTS = st.column_config.NumberColumn(format="%.1f")
ROUTED: dict[str, Any] = {
    "side": "method",
    "told": st.column_config.NumberColumn("told (%)", format="%.1f", help="mean score with the task given"),
    "untold": st.column_config.NumberColumn("not told (%)", format="%.1f", help="mean score with the chosen prompts"),
    "gap": st.column_config.NumberColumn("gap (points)", format="%+.1f", help="told minus not told"),
    "right": st.column_config.NumberColumn("sent rightly (%)", format="%.1f", help="texts that got their own prompt"),
    "gap from": POINTS,
    "gap to": POINTS,
}


def by_task(found: list[Side]) -> None:
    frame = side_by_side.task_rows(found)
    figure = compare.figure_tasks(frame, dark=page.is_dark())
    page.chart(figure, compare.alt_tasks(frame), compare.numbers(frame), key="by-task")
    page.explain("Score on each task after the whole sequence, with the 95 % interval over the seeds.")


def curves(found: list[Side], where: dict[str, Store]) -> None:
    """Validation scores of one task, one curve per side."""
    tasks = list(dict.fromkeys(task for side in found for task in side.tasks))
    task = choose.kept("Task", tasks, "task", default=tasks[-1], write=theme.titled, width=320)
    curves = [frames.epochs(where[record["id"]], [record["id"]]) for side in found for record in side.records]
    frame = side_by_side.named(pd.concat(curves, ignore_index=True), found)
    frame = frame[frame["task"] == task]
    figure = compare.figure_curves(frame, dark=page.is_dark())
    page.chart(figure, compare.alt_curves(frame), compare.numbers_curves(frame), key="curves")
    page.explain(
        "Validation score after each epoch: mean over the seeds ± one standard deviation. After early stopping a seed "
        "keeps its last value."
    )


def accuracy(found: list[Side]) -> None:
    """Two beside each other; on a phone and on paper in the same order."""
    for place, side in enumerate(found):
        if place % 2 == 0:
            columns = st.columns(2)
        with columns[place % 2]:
            seeds = "1 seed" if len(side.seeds) == 1 else f"{len(side.seeds)} seeds"
            st.markdown(f"**{page.plain(theme.side(side.name))}** · {seeds}")
            page.draw(accuracy_matrix, side_by_side.matrices(side), side.tasks, key=f"accuracy-{place}")
    page.explain("Row: the task learned last. Column: the task tested. A column that fades downwards shows forgetting.")


# --- without being told the task ----------------------------------------------------------
def without_task(found: list[Side], where: dict[str, Store]) -> None:
    """Scores if the prompt is chosen from the text, as far as they are measured."""
    st.header("Without being told the task", anchor=False)
    ids = [record["id"] for side in found for record in side.records]
    measured = {id: frame for store in set(where.values()) for id, frame in routed.stored(store, ids).items() if frame}
    lines = routing.rows(found, measured)
    if measured:
        st.dataframe(pd.DataFrame(map(routing_line, lines)), hide_index=True, height="content", column_config=ROUTED)
        page.explain(
            "Each test text is answered by the prompt that a router chooses: by the nearest training texts (mean word "
            "embeddings), by the method's own keys, or by the lowest entropy of the first answer token. Gap: told "
            "minus not told, with its 95 % interval. Means over the seeds that were measured."
        )
        mistakes(found, lines, measured)
    own = [record for side in found for record in side.records if where[record["id"]].home != recorded.HOME]
    missing = {record["id"]: lacking for record in own if (lacking := lacks(record, measured))}
    if missing:
        st.caption(f"Not measured for {len(missing)} of these runs. It takes no training. Here, or with this command:")
        if st.button("Measure it here", icon=":material/alt_route:"):
            measure(missing, where)
        st.code(commands.route(list(missing), default_home()), language=None, wrap_lines=True)
    elif not measured:
        st.caption(NOT_MEASURED)


NOT_MEASURED = (
    "Not measured for these runs. It needs a finished run of several tasks, by a method that is told the task at test, "
    "with its stored prompts."
)


def lacks(record: Mapping[str, Any], measured: routing.Found) -> list[str]:
    """Routers that a run can be measured with and was not."""
    if record["state"] != "done" or len(record["tasks"]) == 1 or record["older"]:
        return []
    return [name for name in routers_of(record["method"]) if name not in measured.get(record["id"], {})]


def measure(missing: Mapping[str, list[str]], where: dict[str, Store]) -> None:
    bar, jobs = st.progress(0.0, "Answering …"), [(id, router) for id, names in missing.items() for router in names]
    with page.guard():
        for number, (id, router) in enumerate(jobs):
            routed.measure(where[id], id, router)
            bar.progress((number + 1) / len(jobs), "Answering …")
        st.rerun()


def routing_line(row: Mapping[str, Any]) -> dict[str, Any]:
    means = {name: row[name]["mean"] for name in routing.MEASURES}
    shown = {name: math.nan if mean is None else 100 * mean for name, mean in means.items()}
    ends = row["gap"]["ci95"] or (math.nan, math.nan)
    about = {"side": theme.side(row["side"]), "router": title_of_router(row["router"]), "seeds": row["seeds"]}
    return about | shown | {"gap from": 100 * ends[0], "gap to": 100 * ends[1]}


def mistakes(found: list[Side], lines: list[dict[str, Any]], measured: routing.Found) -> None:
    """Who is mistaken for whom."""
    sides = {side.name: side for side in found}
    left, right = st.columns(2)
    with left:
        names = list(dict.fromkeys(row["side"] for row in lines if row["router"] != routing.NOT_NEEDED))
        name = choose.kept("Mistakes of", names, "routed", kind="side", write=theme.side)
    with right:
        routers = [row["router"] for row in lines if row["side"] == name]
        router = choose.kept("Router", routers, "router", kind="router", write=title_of_router)
    shares, tasks = routing.matrix(sides[name], router, measured), sides[name].tasks
    if shares is not None:
        page.draw(confusion, shares, tasks, key="confusion", table=confusion.numbers(shares, tasks))
    page.explain("Row: the task of the texts. Column: the task whose prompt answers them, in percent of the row.")


# --- two sides --------------------------------------------------------------------------
def two(found: list[Side], where: dict[str, Store]) -> None:
    """Differences between two sides in results and settings."""
    st.header("Two in detail", anchor="two")
    names = [side.name for side in found]
    left, right = st.columns(2)
    with left:
        one = choose.kept("First", names, "first", kind="side", write=theme.side)
    others = [name for name in names if name != one]
    with right:
        other = choose.kept("Second", others, "second", kind="side", write=theme.side)
    sides = {side.name: side for side in found}
    apart = side_by_side.differences(sides[one], sides[other])
    with st.container(horizontal=True):
        for name in ("acc", "bwt", "fwt"):
            difference(name.upper(), apart[name])
    if not apart["same_tasks"]:
        st.warning("These two learn different tasks, so their averages cannot be compared.", icon=":material/warning:")
    page.explain(
        f"{page.plain(theme.side(one))} minus {page.plain(theme.side(other))}, paired by seed: both use the same "
        "training examples, so easy and hard seeds cancel out. If the interval contains zero, the difference is not "
        "significant."
    )
    first, second = theme.side(one), theme.side(other)
    left, right = st.columns(2)
    with left:
        st.markdown("**ACC by seed**")
        seeds = [
            {"seed": str(row["seed"]), first: row["one"], second: row["other"], "difference": row["difference"]}
            for row in apart["acc"]["seeds"]
        ]
        table(seeds, "No seed is finished on both sides yet.", dict.fromkeys([first, second, "difference"], PERCENT))
    with right:
        st.markdown("**Settings that differ**")
        rows = [
            {"setting": title_of(r["setting"]), first: word(r, "one"), second: word(r, "other")}
            for r in apart["settings"]
        ]
        table(rows, "None: only the seeds differ.")
    answered.show(sides[one], sides[other], where)


def difference(name: str, found: dict[str, Any]) -> None:
    points = "–" if found["difference"] is None else f"{signed(100 * found['difference'])} points"
    ends = found["ci95"]
    said = f"95 %: {signed(100 * ends[0])} to {signed(100 * ends[1])}, p = {found['p']:.2g}" if ends else "no interval"
    seeds = "1 seed" if found["n"] == 1 else f"{found['n']} seeds"
    about = "Mean of the paired differences, with Student's t interval"
    page.metric(f"{name}, difference", points, about, f"{seeds}; {said}")


def word(row: Mapping[str, Any], side: str) -> str:
    """A side's value of a setting; a method by its title."""
    value = row[side]
    return "–" if value is None else theme.side(in_words(value, row["setting"]))


def table(rows: list[dict[str, Any]], empty: str, columns: dict[str, Any] | None = None) -> None:
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config=columns, height="content")
    else:
        st.caption(empty)


# --- the page -----------------------------------------------------------------------------
def watch(store: Store, runs: list[str], done: int, was_going: bool) -> None:
    """Progress while runs train. The page is redrawn after each learned task."""
    states = frames.states(store, runs)
    if control.progress(store, runs, states) != done or control.going(store, states) != was_going:
        st.rerun()


def follow(found: list[Side], where: dict[str, Store]) -> None:
    """Progress and errors of the visitor's unfinished runs."""
    runs = [r["id"] for side in found for r in side.records if r["state"] != "done"]
    if not runs:
        return
    store = where[runs[0]]
    states = frames.states(store, runs)
    going = control.going(store, states)
    done = estimate.progress(store, runs)["done"]
    page.polled(watch, control.EVERY if going else None)(store, runs, done, going)
    control.troubles(store, runs, states)


def show() -> None:
    page.head("Compare", "Runs and methods side by side. Runs that differ only in their seed are averaged.")
    control.follow()
    found, where, experiment = chosen()
    if not found:
        st.info("Choose runs to compare, or train some on the Live page.", icon=":material/info:")
        return
    if len(found) > MOST:
        st.warning(f"The figures show the first {MOST} of {len(found)}. The command below compares all of them.")
    is_order_study = experiment is not None and experiment.line["kind"] == "orders"
    if not side_by_side.same_tasks(found) and not is_order_study:
        st.warning(
            "Not all of these learn the same sequence: compare them task by task, not by their averages.",
            icon=":material/warning:",
        )
    follow(found, where)
    if experiment is not None:
        studied.section(experiment)
    body(found[:MOST], where)
    ids = [record["id"] for side in found for record in side.records]
    if len(ids) <= AGAIN:
        with st.container(horizontal=True):
            control.again([(where[id], id) for id in ids], "compare")
    with st.expander("The same on the command line", icon=":material/terminal:"):
        st.code(commands.compare(ids, default_home()), language=None, wrap_lines=True)


def body(found: list[Side], where: dict[str, Store]) -> None:
    several = len({record["method"] for side in found for record in side.records}) > 1
    first = st.container()  # the results, whose order depends on what stands below them
    can_rank = several and side_by_side.same_tasks(found) and len(found[0].tasks) > 1
    ranked = headroom(found) if can_rank else None
    with first:
        st.header("Side by side", anchor="side-by-side")
        overview(found, ranked)
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Task by task", anchor="by-task")
        by_task(found)
    with right:
        st.header("Learning curves", anchor="curves")
        curves(found, where)
    if len(found) > 1:
        two(found, where)
    st.header("Accuracy matrices", anchor="matrices")
    accuracy(found)
    without_task(found, where)


with page.guard():
    show()
