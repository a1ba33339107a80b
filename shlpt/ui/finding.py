"""The finding of the recorded matrix with its curves and texts, and the same pairs trained again before one's eyes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import finding, transfer
from shlpt.analysis.finding import Finding
from shlpt.analysis.headlines import BUILT
from shlpt.plans import commands
from shlpt.plans.experiments import Experiment
from shlpt.plots import finding as plot
from shlpt.queue.submit import start_race
from shlpt.results import experiments, findings, frames
from shlpt.results.record import GOING
from shlpt.store.store import FILE, Store, default_home
from shlpt.tasks.describe import MEANING, phrase, short_texts
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import relation
from shlpt.ui import control, page
from shlpt.ui.links import playground_address, to_page
from shlpt.ui.live_plot import live_plot, prepared
from shlpt.ui.store import own

NAME = "seen again"  # of the experiment that the presses make
EVERY = 1.5  # seconds between looks while it trains: they take the cores that it trains on
COLORS = {finding.HELPS: "blue", finding.HARMS: "orange"}


@dataclass(frozen=True)
class Known:
    """The recorded matrix, and what it says."""

    line: Mapping[str, Any]
    pairs: pd.DataFrame
    table: pd.DataFrame
    counts: transfer.Counts
    found: Finding | None
    seeds: int  # of the recorded curves
    curves: pd.DataFrame  # as `plots.finding.numbers` returns them

    @property
    def about(self) -> Mapping[str, Any]:
        about: Mapping[str, Any] = self.line["about"]
        return about


def known(store: Store) -> Known | None:
    """What the newest recorded matrix says; None without one."""
    return _known(*version(store))


def version(store: Store) -> tuple[str, int]:
    """What is kept of recorded results belongs to this."""
    return str(store.home), (store.home / FILE).stat().st_mtime_ns


@st.cache_resource(max_entries=2, show_spinner=False)  # type: ignore[untyped-decorator]
def _known(home: str, changed: int) -> Known | None:
    """Shared by all visitors; recorded results never change while the app runs."""
    store = Store(home)
    line = experiments.of_kind(store, "matrix")
    if line is None:
        return None
    pairs = experiments.pairs(store, line["id"])
    table = transfer.cells(pairs)
    found = finding.clearest(table)
    curves = findings.curves(store, found, pairs) if found else pd.DataFrame(columns=findings.CURVES)
    store.close()
    seeds = curves["seed"].nunique()
    return Known(line, pairs, table, transfer.counts(table), found, seeds, plot.numbers(curves))


def show(found: Finding, seen: Known) -> None:
    """The statement, the button with the curves, and beside them the texts."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.markdown(finding.statement(found, _bold))
        st.caption(BUILT)
        going = _going(found, seen.about)
        page.polled(panel, EVERY if going else None)(found, seen, going)
    with right:
        texts(found)


def _bold(name: str) -> str:
    return f"**{page.plain(phrase(name))}**"


def _plain(name: str) -> str:
    return page.plain(phrase(name))


def _mine(store: Store, found: Finding, about: Mapping[str, Any]) -> pd.DataFrame:
    return findings.of(findings.trained_pairs(store, about), found.pairs)


def _going(found: Finding, about: Mapping[str, Any]) -> bool:
    with page.guard():
        store = own()
        return control.going(store, frames.states(store, _mine(store, found, about)["run"]))
    return False


def panel(found: Finding, seen: Known, was_going: bool) -> None:
    """The button, what it does at the moment, and the curves. Runs again while something trains."""
    store = own()
    mine = _mine(store, found, seen.about)
    runs = list(mine["run"])
    states = frames.states(store, runs)
    going = control.going(store, states)
    made = again(store, found, seen, mine)
    press(store, made, mine, states)
    newest = mine[mine["seed"] == mine["seed"].max()]
    said(store, found, mine, newest, states)
    now = plot.numbers(findings.curves(store, found, newest))
    live_plot(*_drawn(seen.curves, now, page.is_dark()))
    control.troubles(store, runs, states)
    beneath(store, found, seen, mine, made)
    if going != was_going:
        st.rerun()  # more looks, or no more; the verdict is there already


@st.cache_resource(max_entries=32, show_spinner=False)  # type: ignore[untyped-decorator]
def _drawn(recorded: pd.DataFrame, now: pd.DataFrame, dark: bool) -> tuple[dict[str, Any], str, str]:
    """Built again only with a new point: for most of a press the sources are learned, which are not drawn."""
    figure = plot.figure(recorded, now, write=phrase, dark=dark)
    return prepared(figure, "finding"), "finding", plot.alt(recorded, now, write=phrase)


def press(store: Store, made: Experiment, mine: pd.DataFrame, states: dict[str, int]) -> None:
    """Train the pairs with the next seed, or go on with what was stopped."""
    text = "See it happen now" if mine.empty else "Again, with a new seed"
    with st.container(horizontal=True, vertical_alignment="center"):
        control.train_or_stop(store, list(mine["run"]), states, "finding", text, lambda: start_race(store, made))


def again(store: Store, found: Finding, seen: Known, mine: pd.DataFrame) -> Experiment:
    """The pairs of the finding with a seed that neither the recorded results nor this store have."""
    return findings.once_more(store, seen.about, found.pairs, 1, NAME, [*seen.pairs["seed"], *mine["seed"]])


def said(store: Store, found: Finding, mine: pd.DataFrame, newest: pd.DataFrame, states: dict[str, int]) -> None:
    """One line: what the button does, what came out so far, and what is being learned."""
    if mine.empty:
        st.markdown(
            "Trains it on this machine with a fresh seed, in about 25 seconds, and goes on if you close the page."
        )
        return
    seed = int(newest["seed"].iloc[0])
    verdict = finding.verdict(found, newest, seed, _plain)
    told = f"**Seed {seed}, test texts:** {verdict.said}" if verdict.said else f"Seed {seed}"
    if verdict.whole:
        st.markdown(told)
        return
    left = findings.before(store, found, newest)
    if not any(states.get(state) for state in GOING):
        rest = "; the rest is" if verdict.said else " is"
        st.markdown(f"{told}{rest} {' and '.join(state for state in states if state != 'done')}.")
    elif verdict.said:
        after = " and ".join(_plain(source) for source in left)
        st.markdown(f"{told}; {f'still learning first {after}' if left else 'now the task after the other'}.")
    elif left:
        first = "; ".join(f"{_plain(source)}, epoch {epoch}" for source, epoch in left.items())
        st.markdown(f"{told}: learning first {first}. Then the task itself.")
    else:
        st.markdown(f"{told}: now the task itself, after each of the others.")


def beneath(store: Store, found: Finding, seen: Known, mine: pd.DataFrame, made: Experiment) -> None:
    """What the curves are, and what all presses say together."""
    done = finding.repeats(found, mine)
    with st.container(horizontal=True):
        for repeat in done:
            page.badge(f"{repeat.effect.kind}: {repeat.said}", COLORS[repeat.effect.kind])
    st.caption(
        f"Thin lines: recorded, mean of {seen.seeds} seed{'s' * (seen.seeds != 1)} ± one standard deviation. Bold, "
        "with dots: trained here. After early stopping a seed keeps its last value."
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if handles := playground_address(*found.pairs[0]):
            to_page("tasks", "Change one part of these tasks", handles)
        if len(mine):
            to_page("transfer", "Seed by seed", {"matrix": newest_experiment(store)})
        with st.popover("Command", type="tertiary", help="The same on the command line"):
            st.code(commands.matrix(made.about, NAME, default_home()), language=None, wrap_lines=True)


def newest_experiment(store: Store) -> str:
    return next((line["id"] for line in experiments.listed(store) if line["name"] == NAME), "")


# --- the texts ----------------------------------------------------------------------------
def texts(found: Finding) -> None:
    """What each of the tasks asks, with two texts: the same kind of text, another question."""
    target = find_task(found.target)
    st.caption("A text says several things. Only its answer tells which of them is asked.")
    card(found.target, "learned in the end", "gray", "")
    for effect in found.effects:
        kind, _ = relation(find_task(effect.source), target)
        card(effect.source, f"learned first: {effect.kind}", COLORS[effect.kind], MEANING.get(kind, kind))


def card(name: str, role: str, color: str, why: str) -> None:
    task = find_task(name)
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{_plain(name)}**", width="content")
            page.badge(role, color)
        for example in short_texts(task):
            st.markdown(f"{page.plain(example.text)} → **{page.plain(example.target)}**")
        st.caption(page.plain(f"{name}: {why}" if why else name))
