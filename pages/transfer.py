"""Transfer between pairs of tasks: how learning one task first changes another."""

import pandas as pd
import streamlit as st

from shlpt import paper
from shlpt.analysis import agreement, printed, transfer
from shlpt.analysis.points import signed
from shlpt.catalog import METHODS
from shlpt.plans import commands, estimate, experiments
from shlpt.plans.stages import plans_of
from shlpt.plots import curves, theme, transfer_matrix
from shlpt.queue.launch import ensure_worker
from shlpt.queue.submit import start_experiment
from shlpt.results import experiments as results
from shlpt.results import frames
from shlpt.spec import PRESET_ABOUT, PRESETS, RunSpec, read_seeds
from shlpt.store.store import default_home
from shlpt.ui import choose, control, page
from shlpt.ui.choose import ShownExperiment
from shlpt.ui.compose import about_method, size_metrics
from shlpt.ui.forms import folded_settings
from shlpt.ui.links import SETTING, live_address, to_page
from shlpt.ui.live_plot import live_plot
from shlpt.ui.store import own

NEW = "new"
MORE = 3  # seeds that one click adds to a pair
FIRST_TASKS = ("yelp", "sst2", "rte", "agnews")


def choose_matrix(found: dict[str, ShownExperiment]) -> str:
    """The id of a matrix, or `new`."""
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    with left:
        chosen = choose.kept(
            "Matrix",
            [*found, NEW],
            "matrix",
            kind="matrix",
            write=lambda id: "A new matrix" if id == NEW else choose.titled(found[id]),
        )
    if right.button("New matrix", icon=":material/add:", disabled=chosen == NEW, width="stretch"):
        choose.go("matrix", NEW)
        st.rerun()
    return chosen


# --- a new one ----------------------------------------------------------------------------
def compose() -> None:
    """Tasks, method, seeds, settings; the estimate; the start button."""
    st.header("Compose a matrix", anchor=False)
    tasks = choose.tasks("Tasks (every ordered pair is trained)", "tasks", default=FIRST_TASKS)
    first, second, third = st.columns(3)
    with first:
        method = choose.kept(
            "Method",
            list(METHODS),
            "method",
            default="continual",
            write=lambda name: METHODS[name].title,
            help="How the target learns after the source. In the paper's Fig. 1, its prompt starts from the source's.",
        )
    seeds = second.text_input(
        "Seeds",
        "42,142,242",
        key="seeds",
        bind="query-params",
        help="Whole numbers separated by commas. Each pair is trained once per seed. An interval needs two seeds.",
    )
    with third:
        preset = choose.kept("Preset", list(PRESETS), "preset", write=lambda name: f"{name}: {PRESET_ABOUT[name]}")
    st.caption(page.plain(about_method(method)))
    settings = folded_settings(method, preset, SETTING)
    name = st.text_input("Name", "", placeholder=f"matrix of {len(tasks)} tasks", max_chars=80, key="matrix-name")
    if not tasks:
        return
    with page.guard():
        common = {"method": method, "settings": settings, "preset": preset}
        made = experiments.matrix(tasks, read_seeds(seeds), common, name.strip())
        offer(made)


def offer(made: experiments.Experiment) -> None:
    """The estimate, the button, and the equivalent command."""
    store = own()
    plans = plans_of(made.specs, home=store.home)
    cost = estimate.estimate(store, plans)
    pairs = len(made.about["tasks"]) * (len(made.about["tasks"]) - 1)
    with st.container(horizontal=True):
        page.metric("Pairs", pairs, "Ordered: source first, then target")
        page.metric("Runs", len(made.specs), "Each pair once per seed")
        page.metric(
            "Stages to train",
            cost.stages,
            f"A stage is one task learned after the tasks before it. {cost.reused} of "
            f"{cost.reused + cost.stages} stages are stored already. Runs share the stage of their first task, and a "
            "target is learned alone once for all sources.",
        )
        time = estimate.duration(cost.seconds) if cost.stages else "none"
        page.metric("Estimated time", time, cost.source)
        size_metrics(made.specs[0])
    if st.button("Train this matrix", type="primary", icon=":material/play_arrow:"):
        id, sent = start_experiment(store, made, plans)
        if sent.todo:
            ensure_worker(store)
        choose.go("matrix", id)
        st.rerun()
    st.caption("The same on the command line:")
    st.code(commands.matrix(made.about, made.name, store.home), language=None, wrap_lines=True)


# --- one that is stored -------------------------------------------------------------------
def matrix(shown: ShownExperiment, tasks: list[str], was_going: bool) -> None:
    """Progress and the figure. Runs again while something trains."""
    runs = results.runs_in(shown.store, shown.id)
    states = frames.states(shown.store, runs)
    if shown.is_recorded:
        st.caption("Recorded: these results came with the program. Press New matrix to train your own.")
    else:
        control.progress(shown.store, runs, states)
        control.buttons(shown.store, runs, states, "matrix")
        control.troubles(shown.store, runs, states)
    table = transfer.cells(results.pairs(shown.store, shown.id))
    clicked = live_plot(
        transfer_matrix.figure(table, tasks, dark=page.is_dark()),
        "transfer",
        transfer_matrix.alt(table, tasks),
        clicks=True,
    )
    if len(table):
        st.markdown(transfer.sentence(transfer.counts(table)))
    page.explain(
        "Blue: the target makes fewer test errors after the source (positive transfer). Orange: it makes more "
        "(negative transfer). Faded: not significant after the correction for the number of pairs. Click a cell for "
        "details.",
        1,
    )
    if len(table):
        related(shown, table)
        page.numbers(transfer.described(table).drop(columns=["clear", "learned"]), COLUMNS)
        about = results.find(shown.store, shown.id)["about"]
        common = {key: about[key] for key in commands.COMMON if key in about and key != "settings"}
        oracle = RunSpec.make(tasks, "oracle_partition", settings={"similar_pairs": transfer.helping(table)}, **common)
        to_page(
            "live",
            "Run the oracle partition on these tasks",
            live_address([oracle]),
            help="SHLPT without its estimator: the sources that lower the target's mean test error in this matrix "
            "count as similar. This is the partition by measured transfer",
        )
    opened = clicked is not None and open_cell(tasks, clicked)
    if opened or control.going(shown.store, states) != was_going:
        st.rerun()


def related(shown: ShownExperiment, table: pd.DataFrame) -> None:
    """Whether measured transfer follows declared relatedness."""
    about = results.find(shown.store, shown.id)["about"]
    with page.guard():
        found = agreement.of_tasks(table, about["tasks"])
        st.caption(page.plain(" ".join(agreement.sentences(found))))


COLUMNS = {
    "value": st.column_config.NumberColumn("reduction", format="%+.2f", help="test error reduction in points (eq. 1)"),
    "low": st.column_config.NumberColumn("from", format="%+.2f", help="lower end of the 95 % interval"),
    "high": st.column_config.NumberColumn("to", format="%+.2f", help="upper end of the 95 % interval"),
    "n": st.column_config.NumberColumn("seeds"),
    "p": st.column_config.NumberColumn("p", format="%.3f", help="paired t test of this pair alone"),
    "q": st.column_config.NumberColumn(
        "corrected p", format="%.3f", help="p corrected for the number of pairs; clear below .05"
    ),
}


def open_cell(tasks: list[str], clicked: dict[str, object]) -> bool:
    """Put the clicked pair into the address, except on the diagonal."""
    try:
        row, column = int(str(clicked["y"])), int(str(clicked["x"]))
    except ValueError:
        return False
    if row == column or not (0 <= row < len(tasks) and 0 <= column < len(tasks)):
        return False
    choose.go("source", tasks[row])
    choose.go("target", tasks[column])
    return True


def cell(shown: ShownExperiment, source: str, target: str) -> None:
    """The result of one pair."""
    pairs = results.pairs(shown.store, shown.id)
    mine = pairs[(pairs["source"] == source) & (pairs["target"] == target)]
    found = transfer.cell(transfer.cells(pairs), source, target)
    measured = found["n"] > 0
    interval = f"95 %: {signed(found['low'])} to {signed(found['high'])}, " if found["n"] > 1 else ""
    with st.container(horizontal=True, vertical_alignment="center"):
        page.metric(
            "Test error reduction",
            f"{signed(found['value'])} points" if measured else "–",
            "Test error of the target learned alone minus its test error after the source: mean over the seeds "
            "with Student's t interval",
            f"{interval}{found['n']} seed{'s' * (found['n'] != 1)}",
        )
        page.badge(found["verdict"], {"helps": "blue", "harms": "orange"}.get(found["verdict"], "gray"))
        more_seeds(shown, source, target)
    epochs = frames.pair_epochs(shown.store, list(mine["run"]))
    page.draw(curves, epochs, key="curves", effect=found["verdict"], table=curves.numbers(epochs))
    page.explain(
        f"How {page.plain(theme.titled(target))} is learned after {page.plain(theme.titled(source))} and alone: "
        "validation score after each epoch, mean over the seeds ± one standard deviation. After early stopping a seed "
        "keeps its last value."
    )


def more_seeds(shown: ShownExperiment, source: str, target: str) -> None:
    """A button for the next seeds of this pair, and its command."""
    pressed = st.button(
        "More seeds for this pair",
        icon=":material/add:",
        help=f"Train {MORE} more seeds with the same settings. They are added to this matrix. A recorded matrix "
        "stays as it is: a new one of this pair is made in your store.",
    )
    with st.popover("Command", type="tertiary", help="The same on the command line"):
        command = commands.more(shown.id, source, target, MORE, own().home)
        st.code(command, language=None, wrap_lines=True)
    if pressed:
        store = own()
        made = results.more_seeds(store, shown.id, source, target, MORE)
        id, sent = start_experiment(store, made, plans_of(made.specs, home=store.home))
        if sent.todo:
            ensure_worker(store)
        choose.go("matrix", id)
        choose.go("source", source)
        choose.go("target", target)
        st.rerun()


def flipped(shown: ShownExperiment, source: str, target: str) -> None:
    """Test examples answered correctly only with transfer, or only without it."""
    pairs = results.pairs(shown.store, shown.id)
    mine = pairs[(pairs["source"] == source) & (pairs["target"] == target)].dropna(subset=["score", "alone"])
    st.header("Examples that flipped", anchor="flipped")
    if mine.empty:
        st.caption("They are shown once the pair has been tested.")
        return
    runs = dict(zip(mine["seed"].map(str), mine["run"], strict=True))
    seed = choose.kept("Seed", list(runs), "seed", width=160)
    after = frames.answers(shown.store, runs[seed], target)
    if after.empty:
        st.caption("Only the scores of this seed are recorded: choose another seed.")
        return
    gained, lost = transfer.flips(after, frames.answers(shown.store, runs[seed], target, alone=True))
    st.markdown(
        f"Of **{len(after)}** test examples, **{len(gained)}** are answered better after "
        f"{page.plain(theme.titled(source))} and **{len(lost)}** worse than alone."
    )
    examples("Better with transfer", gained)
    examples("Worse with transfer", lost)
    with st.container(horizontal=True):
        to_page("compare", "Compare the runs of this pair", {"run": list(runs.values())})


def examples(title: str, rows: pd.DataFrame) -> None:
    st.markdown(f"**{title}**")
    if rows.empty:
        st.caption("None")
        return
    st.dataframe(rows.drop(columns=["example"]), hide_index=True, height=min(38 + 35 * len(rows), 300))


def look(shown: ShownExperiment) -> None:
    found = results.find(shown.store, shown.id)
    about = found["about"]
    tasks = about["tasks"]
    states = frames.states(shown.store, results.runs_in(shown.store, shown.id))
    going = control.going(shown.store, states)
    every = control.EVERY if going else None
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.header("All pairs", anchor=False)
        page.polled(matrix, every)(shown, tasks, going)
    with right:
        st.header("One pair", anchor=False)
        first = transfer.strongest(transfer.cells(results.pairs(shown.store, shown.id))) or tuple(tasks[:2])
        one, two = st.columns(2)
        with one:
            source = choose.kept("Source (learned first)", tasks, "source", default=first[0], write=theme.titled)
        with two:
            others = [task for task in tasks if task != source]
            target = choose.kept("Target (learned after)", others, "target", default=first[1], write=theme.titled)
        page.polled(cell, 3 * control.EVERY if going else None)(shown, source, target)
    flipped(shown, source, target)
    with st.expander("The same on the command line", icon=":material/terminal:"):
        st.code(commands.matrix(about, found["name"], default_home()), language=None, wrap_lines=True)


def printed_table() -> None:
    """The paper's Table 10 in the same figure."""
    with st.expander("The paper's Table 10 in the same figure", icon=":material/menu_book:"):
        table = printed.table10()
        page.draw(transfer_matrix, table, key="table10", table=table.drop(columns=["n", "clear", "learned"]))
        st.markdown(page.plain(printed.table10_said(table)))
        st.caption(page.plain(paper.ORIGIN))


def show() -> None:
    page.head(
        "Transfer",
        "Does a task become easier or harder when it is learned after another one? Each cell is a pair: the source is "
        "learned first, then the target. The target's test error is compared with its test error learned alone.",
        badges=["points of test error reduction, eq. 1"],
    )
    control.follow()
    found = choose.known_experiments(["matrix"])
    chosen = choose_matrix(found)
    if chosen == NEW:
        choose.forget("source", "target", "seed")
        compose()
    else:
        choose.forget("tasks", "method", "preset")
        look(found[chosen])
    printed_table()


with page.guard():
    show()
