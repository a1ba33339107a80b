"""How alike the prompts of the tasks make the decoder work: heat maps with and without ASC, layers, neurons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import activations
from shlpt.catalog import METHODS
from shlpt.plots import activation_map as plot
from shlpt.plots import neurons as neuron_plot
from shlpt.plots import theme
from shlpt.results import frames, twins
from shlpt.ui import page
from shlpt.ui.choose import kept, pick_run
from shlpt.ui.store import Shown, known_runs, label, shown

COMMAND = "python -m shlpt run --sequence demo --method shlpt"
MEASURES = {"cosine": "Cosine of states", "jaccard": "Jaccard of signs"}
ORDERS = {"difference": "differ most", "active": "are active most often"}
NONE = "none"


def suits(line: dict[str, Any]) -> bool:
    return METHODS[line["method"]].keeps_prompts and len(line["tasks"]) > 1


def opening() -> Callable[[dict[str, Any]], bool]:
    """The page opens with a finished run that there is another without ASC to hold against."""
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
    """A run to hold against this one: by default the same with (or without) ASC."""
    frame, stores = known_runs()
    lines = {
        line["id"]: line
        for line in frame.to_dict("records")
        if line["id"] != run.id and suits(line) and len(set(line["tasks"]) & set(spec["tasks"])) > 1
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
        help="Runs that have learned at least two of the same tasks. At first: the same run without ASC, if there is "
        "one",
    )
    if default == NONE and twins.ASC in spec["settings"]:
        with st.expander("There is no such run without ASC yet. Train it:", icon=":material/terminal:"):
            st.code(twins.twin_command(spec), language="bash")
    return None if chosen == NONE else shown(chosen)


def options(layers: int) -> tuple[int, str]:
    """Decoder layer and measure, side by side."""
    names = [str(number) for number in range(1, layers + 1)]
    with st.container(horizontal=True):
        layer = kept(
            "Decoder layer",
            names,
            "layer",
            default=names[-1],
            segments=True,
            help="The losses of SHLPT look at the last layer",
        )
        measure = kept(
            "Measure",
            list(MEASURES),
            "measure",
            default="cosine",
            write=MEASURES.__getitem__,
            segments=True,
            help="Cosine compares how strongly neurons answer; Jaccard only which ones answer at all",
        )
    return int(layer), measure


def draw(place: Any, title: str, matrix: Any, tasks: tuple[str, ...], measure: str, key: str, minus: bool) -> None:
    with place:
        st.markdown(f"**{title}**")
        table = pd.DataFrame(matrix, columns=map(theme.titled, tasks))
        table.insert(0, "task", list(map(theme.titled, tasks)))
        page.chart(
            plot.figure(matrix, tasks, measure=measure, difference=minus, dark=page.is_dark()),
            plot.alt(matrix, tasks, measure=measure, difference=minus),
            table,
            key,
        )


def name_of(run: Shown, spec: dict[str, Any]) -> str:
    """A run in the title of a map."""
    weight = spec["settings"].get(twins.ASC)
    asc = "" if weight is None else " with ASC" if weight > 0 else " without ASC"
    return f"{page.plain(run.line['method'])}{asc} · {run.id[:7]}"


def maps(run: Shown, spec: dict[str, Any], probe: dict[str, Any], other: Shown | None) -> int:
    layer, measure = options(activations.layers(probe))
    mine = twins.activation_map(probe, layer, measure)
    if other is None:
        draw(st.container(width=660), name_of(run, spec), mine.matrix, mine.tasks, measure, "mine", False)
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
    page.explain(
        "The states of the decoder's neurons at its first position, on a fixed batch of texts, under the prompt of "
        "each task. 1 means that two prompts make the same neurons answer. Pairs lie far above 0, because many neurons "
        "answer to the text whatever the prompt; the loss of eq. 11 leaves those out, this map does not.",
        11,
    )
    return layer


def told(mine: twins.Map, against: twins.Map, change: twins.Difference) -> str:
    """The difference in a sentence."""
    one, two = plot.numbers(mine.only(change.tasks)), plot.numbers(against.only(change.tasks))
    return (
        f"Pairs average {one['mean']:.3f} in the first run and {two['mean']:.3f} in the second: a difference of "
        f"{one['mean'] - two['mean']:+.3f}. It is one run against one run; other seeds show what is chance."
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
                "active", format="percent", help="share of neurons that a text activates"
            ),
        },
    )


def which_neurons(probe: dict[str, Any], layer: int) -> None:
    st.header("Which neurons", anchor="neurons")
    tasks = list(probe)
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    first = kept("Prompt of", tasks, "a", write=theme.titled, kind="learned task", where=left)
    second = kept("and of", tasks, "b", default=tasks[-1], write=theme.titled, kind="learned task", where=middle)
    by = kept(
        "Neurons that", list(ORDERS), "by", default="difference", write=ORDERS.__getitem__, where=right, segments=True
    )
    rows = twins.neurons(probe, layer, first, second, by)
    one, two = theme.titled(first), theme.titled(second)
    table = rows.rename(
        columns={
            "first": f"texts under {one}",
            "second": f"texts under {two} ",
            "first_mean": f"mean state under {one}",
            "second_mean": f"mean state under {two} ",
        }
    )
    page.chart(
        neuron_plot.figure(rows, first, second, dark=page.is_dark()),
        neuron_plot.alt(rows, first, second),
        table,
        "neurons",
    )
    page.explain(
        f"Of the {len(rows)} neurons of decoder layer {layer}: the share of the fixed texts that activate each (its "
        "state is positive) under the two prompts. The table has them all.",
        10,
    )


def show() -> None:
    page.head(
        "Activations",
        "Whether the prompts of two tasks make the same neurons work. Where they do, learning one can "
        "harm the other; SHLPT pushes dissimilar tasks apart (ASC, Fig. 4 of the paper).",
    )
    run = pick_run(suits=opening())
    if run is None:
        st.code(COMMAND, language="bash")
        return
    spec, probe = frames.spec(run.store, run.id), frames.probe(run.store, run.id)
    if not METHODS[spec["method"]].keeps_prompts:
        st.info(
            f"{page.plain(spec['method'])} trains the weights and keeps no prompt for each task, so there is "
            "nothing to hold side by side. Choose a run of a method with prompts above, or train one:",
            icon=":material/info:",
        )
        st.code(COMMAND, language="bash")
        return
    if not probe:
        st.info(
            "No task of this run is learned yet: its activation states are stored at the end of each task.",
            icon=":material/hourglass_empty:",
        )
        return
    badges(run, spec, probe)
    if len(probe) == 1:
        st.info(
            "One task is learned in this run, so there is no pair to compare; below are its neurons. Choose a run "
            "with several tasks above for the map.",
            icon=":material/info:",
        )
        layer, other = activations.layers(probe), None
    else:
        other = choose_other(run, spec)
        if other is not None and not frames.probe(other.store, other.id):
            st.info("The second run has learned nothing yet.", icon=":material/hourglass_empty:")
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
        page.badge(f"{len(next(iter(probe.values())))} texts looked at")


with page.guard():
    show()
