"""One finding, made again with a click; the idea in one picture; the recorded matrix; where to go on."""

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from shlpt.analysis import compare as side_by_side
from shlpt.analysis import finding, headlines, transfer
from shlpt.catalog import METHODS
from shlpt.plans import commands
from shlpt.plots import transfer_matrix
from shlpt.queue.submit import again
from shlpt.results import experiments, frames, seeds
from shlpt.results.recorded import recorded
from shlpt.results.weights import OLDER
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.sequences import SEQUENCES
from shlpt.ui import control, page, picture
from shlpt.ui import finding as first
from shlpt.ui.finding import Known
from shlpt.ui.links import to_page
from shlpt.ui.store import own

LAST = SEQUENCES["demo"][-1]


def demonstration() -> None:
    """Train the demonstration, once more if it was trained before, and go to the Live page."""
    left, right = st.columns([1, 2], vertical_alignment="center")
    if left.button("Run the demonstration now", icon=":material/play_arrow:", key="demo-now"):
        with page.guard():
            store = own()
            control.start(store, again(store, [RunSpec.make(SEQUENCES["demo"])], same=True))
    right.caption(
        "Learns four tasks in a row with the small embedded language model: under a minute on a laptop, without "
        "internet. You watch it on the Live page."
    )


def matrix(seen: Known) -> None:
    tasks = seen.about["tasks"]
    st.header(transfer.headline(seen.counts), anchor=False)
    table = seen.table.drop(columns=["clear", "learned"])
    page.draw(transfer_matrix, seen.table, tasks, key="overview-transfer", table=table)
    st.markdown(transfer.sentence(seen.counts))
    page.explain(
        "The target's prompt (column) starts from the source's prompt (row). Below zero the target is learned worse "
        "than alone: negative transfer, which SHLPT is meant to avoid.",
        1,
    )
    run = frames.run(recorded() or Store(), seen.pairs["run"].iloc[0])
    settings(seen.line["name"], METHODS["continual"].title, seen.pairs["seed"], run)


def settings(name: str, what: str, of_seeds: Iterable[int], run: Mapping[str, Any]) -> None:
    preset = commands.asked(RunSpec.model_validate(run["spec"])).get("preset", "quick")
    said = sorted(set(of_seeds))
    named = f"seed{'s' * (len(said) != 1)} {', '.join(map(str, said))}"
    if run["older"]:
        page.badge(OLDER, "orange")
    st.caption(page.plain(f"Recorded · {name} · {what} · preset {preset} · {named}"))


@st.cache_resource(max_entries=2, show_spinner=False)  # type: ignore[untyped-decorator]
def said_further(home: str, changed: int) -> list[tuple[str, str, str, Mapping[str, Any]]]:
    """What else is recorded, each in a sentence, with the page that has all of it. Shared by all visitors."""
    store = Store(home)
    said: list[tuple[str, str, str, Mapping[str, Any]]] = []
    if found := experiments.of_kind(store, "methods", sequence="demo"):
        runs = [record for _, record in experiments.labelled(store, found["id"])]
        sides = side_by_side.sides(runs, [METHODS[run["method"]].title for run in runs])
        said.append((headlines.methods(sides, "the demonstration"), "compare", "Methods side by side", {}))
        shlpt = [run["id"] for run in runs if run["method"] == "shlpt"]
        if shlpt:
            alphas = headlines.similar(seeds.similarities(store, shlpt[0], LAST), LAST)
            said.append((alphas, "live", "Its curves", {"runs": shlpt[0]}))
    if found := experiments.of_kind(store, "headroom"):
        lines = headlines.streams(experiments.results(store, found["id"]).to_dict("records"))
        said.append((headlines.starts(lines), "runs", "All recorded runs", {}))
    store.close()
    return said


def further(store: Store) -> None:
    if not (said := said_further(*first.version(store))):
        return
    st.header("What else is recorded", anchor=False)
    for column, (text, target, label, address) in zip(st.columns(len(said)), said, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(page.plain(text))
            to_page(target, label, address)


def show() -> None:
    store = recorded()
    seen = first.known(store) if store else None
    st.title(finding.headline(seen.found, seen.counts) if seen else "Do tasks help each other? Not measured yet")
    if seen and seen.found:
        first.show(seen.found, seen)
    st.header("The idea", anchor=False)
    st.markdown(
        "A frozen language model learns one task after another, with one *soft prompt* for each task. **SHLPT** mixes "
        "the prompts of similar earlier tasks into the new prompt, and pushes it away from those of dissimilar tasks."
    )
    st.html(picture.html(page.is_dark()))
    demonstration()
    if store is None or seen is None:
        st.info("The recorded results are missing. Restore them with `git checkout -- data/recorded`.")
    else:
        matrix(seen)
        further(store)
    st.caption(
        "All tasks are generated stand-ins named after real data sets: pocket/agnews is not AG News. The recorded "
        "results were trained by this program."
    )


with page.guard():
    show()
