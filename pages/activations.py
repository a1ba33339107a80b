"""Similarity of the decoder's activations under the prompts of different tasks: maps, layers, neurons."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import activations
from shlpt.analysis.points import signed
from shlpt.catalog import METHODS
from shlpt.plans import commands
from shlpt.plots import activation_map as plot
from shlpt.plots import neurons as neuron_plot
from shlpt.plots import theme
from shlpt.results import frames, twins
from shlpt.store.store import default_home
from shlpt.ui import control, page
from shlpt.ui.choose import kept, pick_run
from shlpt.ui.store import Shown, known_runs, label, shown

MEASURES = {"cosine": "Cosine similarity", "jaccard": "Jaccard index of signs"}
ORDERS = {"difference": "difference", "active": "activity"}
NONE = "none"


def suits(line: dict[str, Any]) -> bool:
    return METHODS[line["method"]].keeps_prompts and len(line["tasks"]) > 1


def opening() -> Callable[[dict[str, Any]], bool]:
    """Runs to open the page with: finished, with ASC, and with a stored twin without ASC."""
    frame, stores = known_runs()
    lines = [line for line in frame.to_dict("records") if line["state"] == "done" and METHODS[line["method"]].alpha]
    specs = {line["id"]: frames.spec(stores[line["recorded"]], line["id"]) for line in lines if suits(line)}
    found = {
        id
        for id, spec in specs.items()
        if spec["settings"].get(twins.ASC) and twins.twin(spec, [(k, s) for k, s in specs.items() if k != id])
    }
    return lambda line: line["id"] in found


def choose_other(run: Shown, spec: dict[str, Any]) -> Shown | None:
    """A second run for comparison (default: the same run with or without ASC)."""
    frame, stores = known_runs()
    lines = {
        line["id"]: line
        for line in frame.to_dict("records")
        if line["id"] != run.id
        and suits(line)
        and len(set(line["tasks"]) & set(spec["tasks"])) > 1
        and (line["backbone"], line["weights"]) == (spec["backbone"], spec["weights"])  # the same texts are probed
    }
    specs = {id: frames.spec(stores[line["recorded"]], id) for id, line in lines.items()}
    default = twins.twin(spec, specs.items()) or NONE

    def named(id: str) -> str:
        without = specs[id]["settings"].get(twins.ASC) == 0
        return label(lines[id]) + (" · without ASC" if without else "")

    chosen = kept(
        "Compare with",
        [NONE, *lines],
        "other",
        default=default,
        kind="run",
        write=lambda id: "nothing" if id == NONE else named(id),
        help="Runs that share at least two tasks with this one. Default: the same run without ASC, if it is stored",
    )
    if default == NONE and twins.ASC in spec["settings"]:
        how = "with" if spec["settings"][twins.ASC] == 0 else "without"
        with st.expander(f"The same run {how} ASC is not stored yet. To train it:", icon=":material/terminal:"):
            st.code(commands.runs([twins.other_way(spec)], default_home()), language=None, wrap_lines=True)
    return None if chosen == NONE else shown(chosen)


def options(layers: int) -> tuple[int, str]:
    """Decoder layer and measure."""
    names = [str(number) for number in range(1, layers + 1)]
    with st.container(horizontal=True):
        layer = kept(
            "Decoder layer",
            names,
            "layer",
            default=names[-1],
            segments=True,
            help="SHLPT's contrastive losses use the last layer",
        )
        measure = kept(
            "Measure",
            list(MEASURES),
            "measure",
            default="cosine",
            write=MEASURES.__getitem__,
            segments=True,
            help="Cosine compares how strongly neurons are active; Jaccard compares only which ones are active",
        )
    return int(layer), measure


def draw(place: Any, title: str, matrix: Any, tasks: tuple[str, ...], measure: str, key: str, minus: bool) -> None:
    with place:
        st.markdown(f"**{title}**")
        table = pd.DataFrame(matrix, columns=map(theme.titled, tasks))
        table.insert(0, "task", list(map(theme.titled, tasks)))
        page.draw(plot, matrix, tasks, measure=measure, difference=minus, key=key, table=table)


def name_of(run: Shown, spec: dict[str, Any]) -> str:
    """A run in a map's title."""
    weight = spec["settings"].get(twins.ASC)
    asc = "" if weight is None else " with ASC" if weight > 0 else " without ASC"
    return f"{METHODS[run.line['method']].title}{asc} · {run.id[:7]}"


def maps(run: Shown, spec: dict[str, Any], probe: dict[str, Any], other: Shown | None) -> int:
    layer, measure = options(activations.layers(probe))
    mine = twins.activation_map(probe, layer, measure)
    if other is None:
        left, told_in = st.columns([3, 2], vertical_alignment="center")
        draw(left, name_of(run, spec), mine.matrix, mine.tasks, measure, "mine", False)
    else:
        against = twins.activation_map(frames.probe(other.store, other.id), layer, measure)
        change = twins.minus(mine, against)
        few = len(mine.tasks) <= 5
        places = st.columns(3) if few else [*st.columns(2), st.container()]
        draw(places[0], name_of(run, spec), mine.matrix, mine.tasks, measure, "mine", False)
        theirs = frames.spec(other.store, other.id)
        draw(places[1], name_of(other, theirs), against.matrix, against.tasks, measure, "theirs", False)
        draw(places[2], "First minus second", change.matrix, change.tasks, measure, "change", True)
        st.info(told(mine, against, change), icon=":material/compare_arrows:")
        told_in = st.container()
    with told_in:
        page.explain(
            "Activation states of the decoder's neurons at the first position, on a fixed batch of texts, under each "
            "task's prompt. 1 means that two prompts activate the same neurons. Most pairs lie far above 0, because "
            "many neurons respond to the text under any prompt. The loss of eq. 11 leaves these neurons out; this map "
            "does not.",
            11,
        )
    return layer


def told(mine: twins.Map, against: twins.Map, change: twins.Difference) -> str:
    """The difference in a sentence."""
    one, two = plot.numbers(mine.only(change.tasks)), plot.numbers(against.only(change.tasks))
    return (
        f"The mean over the pairs of tasks is {one['mean']:.3f} in the first run and {two['mean']:.3f} in the second: "
        f"a difference of {signed(one['mean'] - two['mean'], '+.3f')}. These are two single runs; only more seeds can "
        "tell whether the difference is chance."
    )


def by_layer(probe: dict[str, Any], other: Shown | None) -> None:
    st.header("By decoder layer", anchor="layers")
    rows, columns = activations.by_layer(probe).assign(run="first"), ["layer", "cosine", "jaccard", "active"]
    if other is not None:
        columns.insert(1, "run")
        rows = pd.concat([rows, activations.by_layer(frames.probe(other.store, other.id)).assign(run="second")])
    st.dataframe(
        rows.sort_values(["layer", "run"])[columns],
        hide_index=True,
        column_config={
            "cosine": st.column_config.NumberColumn("cosine", format="%.3f", help="mean over the pairs of tasks"),
            "jaccard": st.column_config.NumberColumn("Jaccard", format="%.3f", help="mean over the pairs of tasks"),
            "active": st.column_config.NumberColumn(
                "active", format="percent", help="mean share of neurons that a text activates"
            ),
        },
    )


def which_neurons(probe: dict[str, Any], layer: int) -> None:
    st.header("Which neurons", anchor="neurons")
    tasks = list(probe)
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    first = kept("First prompt", tasks, "a", write=theme.titled, kind="learned task", where=left)
    second = kept("Second prompt", tasks, "b", default=tasks[-1], write=theme.titled, kind="learned task", where=middle)
    by = kept(
        "Sort neurons by",
        list(ORDERS),
        "by",
        default="difference",
        write=ORDERS.__getitem__,
        where=right,
        segments=True,
    )
    rows = twins.neurons(probe, layer, first, second, by)
    one, two = theme.titled(first), theme.titled(second)
    titles = {"first": f"texts under {one}", "second": f"texts under {two} "}
    titles |= {"first_mean": f"mean state under {one}", "second_mean": f"mean state under {two} "}
    table = rows.rename(columns=titles)
    page.draw(neuron_plot, rows, first, second, key="neurons", table=table)
    page.explain(
        f"Share of the fixed texts that activate a neuron of decoder layer {layer} (its state is positive) under each "
        f"prompt. The table lists all {len(rows)} neurons.",
        10,
    )


def show() -> None:
    page.head(
        "Activations",
        "Do the prompts of two tasks activate the same neurons? If they do, learning one task can harm the other. "
        "SHLPT therefore pushes the activations of dissimilar tasks apart (ASC, Fig. 4 of the paper).",
    )
    control.follow()
    run = pick_run(suits=opening())
    if run is None:
        st.code(commands.demonstration(default_home()), language=None)
        return
    spec, probe = frames.spec(run.store, run.id), frames.probe(run.store, run.id)
    if not METHODS[spec["method"]].keeps_prompts:
        st.info(
            f"{METHODS[spec['method']].title} trains the weights and keeps no prompt for each task, so there are no "
            "prompts to compare. Choose a run of a prompt method above, or train one:",
            icon=":material/info:",
        )
        st.code(commands.demonstration(default_home()), language=None)
        return
    if not probe:
        st.info(
            "This run has not finished a task yet. Activation states are stored when a task is finished.",
            icon=":material/hourglass_empty:",
        )
        return
    badges(run, spec, probe)
    if len(probe) == 1:
        st.info(
            "This run has finished one task, so there is no pair to compare. Its neurons are shown below. Choose a "
            "run with several tasks above to see the map.",
            icon=":material/info:",
        )
        layer, other = activations.layers(probe), None
    else:
        other = choose_other(run, spec)
        if other is not None and not frames.probe(other.store, other.id):
            st.info("The second run has not finished a task yet.", icon=":material/hourglass_empty:")
            other = None
        layer = maps(run, spec, probe, other)
        by_layer(probe, other)
    which_neurons(probe, layer)


def badges(run: Shown, spec: dict[str, Any], probe: dict[str, Any]) -> None:
    with st.container(horizontal=True):
        if run.is_recorded:
            page.badge("recorded", "blue")
        if twins.ASC in spec["settings"]:
            page.badge(f"λ2 = {spec['settings'][twins.ASC]:g} (ASC)")
        page.badge(f"{len(probe)} of {len(spec['tasks'])} tasks learned")
        page.badge(f"{len(next(iter(probe.values())))} texts")
        control.again([(run.store, run.id)], "activations")


with page.guard():
    show()
