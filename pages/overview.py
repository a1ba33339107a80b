"""The idea in one picture, recorded results, and a button for the demonstration."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import compare as side_by_side
from shlpt.analysis import headlines, transfer
from shlpt.catalog import METHODS
from shlpt.plans import commands
from shlpt.plans.recorded import SCORES_ONLY
from shlpt.plots import transfer_matrix
from shlpt.queue.submit import again
from shlpt.results import experiments, frames, seeds
from shlpt.results.recorded import recorded
from shlpt.results.weights import OLDER
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.sequences import SEQUENCES, about
from shlpt.ui import compose, control, metrics, page, picture, watch
from shlpt.ui.links import to_page
from shlpt.ui.live_plot import live_plot
from shlpt.ui.navigation import place
from shlpt.ui.store import own

LAST = SEQUENCES["demo"][-1]


def try_it() -> None:
    """Train the demonstration, once more if it was trained before, and go to the Live page."""
    left, right = st.columns([1, 2], vertical_alignment="center")
    if left.button("Run the demonstration now", type="primary", icon=":material/play_arrow:", key="demo-now"):
        with page.guard():
            store = own()
            control.start(store, again(store, [RunSpec.make(SEQUENCES["demo"])], same=True))
    right.caption(
        "Learns four tasks in a row with the small embedded language model: under a minute on a laptop, without "
        "internet. You watch it on the Live page. The run continues if you close the page."
    )


def transfer_between(store: Store) -> None:
    found = experiments.of_kind(store, "matrix")
    if found is None:
        return
    pairs = experiments.pairs(store, found["id"])
    table = transfer.cells(pairs)
    counts = transfer.counts(table)
    st.header(transfer.headline(counts), anchor=False)
    tasks = found["about"]["tasks"]
    page.draw(transfer_matrix, table, tasks, key="overview-transfer", table=table.drop(columns=["clear", "learned"]))
    st.markdown(transfer.sentence(counts))
    page.explain(
        "The target's prompt (column) starts from the source's prompt (row). Below zero the target is learned worse "
        "than alone: negative transfer, which SHLPT is meant to avoid.",
        1,
    )
    settings(found["name"], METHODS["continual"].title, pairs["seed"], frames.run(store, pairs["run"].iloc[0]))


def methods(store: Store) -> None:
    found = experiments.of_kind(store, "methods", sequence="demo")
    if found is None:
        return
    runs = [record for _, record in experiments.labelled(store, found["id"])]
    sides = side_by_side.sides(runs, [METHODS[run["method"]].title for run in runs])
    st.header(headlines.methods(sides, "the demonstration"), anchor=False)
    frame = side_by_side.metric_rows(sides)
    metrics.side_by_side(frame, "overview-methods")
    settings(found["name"], "several methods", [run["seed"] for run in runs], runs[0])


def similarity(store: Store) -> None:
    found = experiments.of_kind(store, "methods", sequence="demo")
    if found is None:
        return
    runs = [record for _, record in experiments.labelled(store, found["id"]) if record["method"] == "shlpt"]
    shown = [run for run in runs if run["note"] != SCORES_ONLY]
    if not shown:
        return
    ids = (shown[0]["id"],)
    over_seeds = seeds.similarities(store, ids[0], LAST)
    st.header(page.plain(headlines.similar(over_seeds, LAST)), anchor=False)
    figure, alt = watch.drawn(str(store.home), ids, frames.marker(store, ids), "similarity", LAST, page.is_dark())
    live_plot(figure, key="overview-similarity", alt=alt)
    page.explain(
        "Similarity of the demonstration's last task to each earlier task, step by step, for one seed. With another "
        "seed a different task can come out as the most similar.",
        4,
    )
    settings("demonstration", "SHLPT", [shown[0]["seed"]], shown[0])
    address = {"runs": ",".join(run["id"] for run in shown)}
    to_page("live", f"{len(shown)} seeds with their curves", address)


def streams(store: Store) -> None:
    found = experiments.of_kind(store, "headroom")
    if found is None:
        return
    lines = headlines.streams(experiments.results(store, found["id"]).to_dict("records"))
    st.header(page.plain(headlines.starts(lines)), anchor=False)
    columns = {"sequence": "sequence", "points": "oracle minus random (points)", "n": "seeds", "clear": "clear"}
    table = pd.DataFrame(lines)[list(columns)]
    table.insert(1, "its last task", [about(name) for name in table["sequence"]])
    st.dataframe(table.rename(columns=columns), hide_index=True, height="content")
    page.explain(
        "Sequences whose last task is related to an earlier one in a known way; the scores are those of the last task. "
        "Oracle: the similar tasks are given. "
        "Random: they are drawn. Where the interval contains zero, no method that finds similar tasks can do visibly "
        "better than another."
    )


def settings(name: str, what: str, of_seeds: Iterable[int], run: Mapping[str, Any]) -> None:
    preset = commands.asked(RunSpec.model_validate(run["spec"])).get("preset", "quick")
    said = sorted(set(of_seeds))
    named = f"seed{'s' * (len(said) != 1)} {', '.join(map(str, said))}"
    if run["older"]:
        page.badge(OLDER, "orange")
    st.caption(page.plain(f"Recorded · {name} · {what} · preset {preset} · {named}"))


page.head(
    "Similarity heuristic lifelong prompt tuning",
    "A frozen language model learns one task after another, with one soft prompt for each task. Prompts of similar "
    "earlier tasks are mixed into the new prompt; the new prompt is pushed away from those of dissimilar tasks.",
    badges=(compose.machine(), f"store {Store().home}"),
)
st.html(picture.html(page.is_dark()))
try_it()
st.info(headlines.BUILT, icon=":material/air:")
with page.guard():
    store = recorded()
    if store is None:
        st.info("The recorded results are missing. Restore them with `git checkout -- data/recorded`.")
    else:
        left, right = st.columns(2)
        with left:
            transfer_between(store)
        with right:
            similarity(store)
        methods(store)
        streams(store)
        st.caption(
            "All tasks are generated stand-ins named after real data sets: pocket/agnews is not AG News. The recorded "
            "results were trained by this program, with the settings named below each figure."
        )
st.header("Where to go", anchor=False)
for column, (target, title, said) in zip(
    st.columns(3),
    (
        ("live", "Explore", "Choose a sequence and a method, watch the training, pause it and step through it."),
        ("tasks", "Teach", "See the tasks and how they are related. Turn the relatedness dial of two tasks."),
        ("similarity", "Check a threshold", "See α of every text and move δ: does this threshold make sense?"),
    ),
    strict=True,
):
    with column.container(border=True):
        st.markdown(f"**{title}**")
        st.caption(said)
        st.page_link(place(target), label=f"{target.capitalize()} page", icon=":material/arrow_forward:")
