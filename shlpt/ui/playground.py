"""The relatedness playground: two tasks made of parts, and what learning one first does to the other."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import agreement, transfer
from shlpt.analysis.finding import ENOUGH
from shlpt.analysis.points import between, signed
from shlpt.plans import commands, estimate
from shlpt.plans.experiments import Experiment
from shlpt.plans.recorded import IN_MATRIX, SOURCE_SHOTS
from shlpt.plans.stages import plans_of
from shlpt.plots import curves, relating
from shlpt.queue.submit import start_race
from shlpt.results import findings, frames
from shlpt.results.recorded import recorded
from shlpt.store.store import Store, default_home
from shlpt.tasks.describe import MEANING, phrase, short_texts
from shlpt.tasks.find import find_task
from shlpt.tasks.grammar import DOMAINS, QUESTIONS, formats
from shlpt.tasks.pocket import axes, relation
from shlpt.ui import control, page
from shlpt.ui import finding as first
from shlpt.ui.choose import kept
from shlpt.ui.links import to_page
from shlpt.ui.live_plot import live_plot
from shlpt.ui.store import own

SEEDS = 3  # that one press trains
START = {"": ("price", "shop", "left-right"), "to_": ("price", "cafe", "bad-good")}
EVERY = 1.0


def handles(text: str, prefix: str) -> str:
    """Question, texts and answer words: the name of the task that they make. `prefix`: of the keys in the address."""
    question, texts, answers = START[prefix]
    with st.container(border=True):
        st.markdown(f"**{text}**")
        one, two, three = st.columns([2, 1, 1])
        name = kept(
            "Question",
            list(QUESTIONS),
            f"{prefix}question",
            default=question,
            write=lambda q: f"{q}: {QUESTIONS[q].asks}",
            where=one,
        )
        fit = [domain.name for domain in DOMAINS.values() if name in domain.questions]
        place = kept("Texts", fit, f"{prefix}texts", default=texts, write=_texts, where=two)
        ways = (1, -1) if QUESTIONS[name].cuts else (1,)  # names of topics have one order
        lists = list(dict.fromkeys("-".join(words[::way]) for words in formats(name, place) for way in ways))
        said = kept("Answers", lists, f"{prefix}answers", default=answers, where=three)
        task = find_task(f"ask:{name}/{place}/{said}")
        for example in short_texts(task):
            st.markdown(f"{page.plain(example.text)} → **{page.plain(example.target)}**")
        st.caption(page.plain(task.name))
    return task.name


def _texts(domain: str) -> str:
    return DOMAINS[domain].about.removeprefix("reviews: ")


def show() -> None:
    """Both tasks, what is declared of them, the button, and what was measured."""
    left, right = st.columns(2)
    with left:
        source = handles("Learned first (source)", "")
    with right:
        target = handles("Learned after it (target)", "to_")
    a, b = find_task(source), find_task(target)
    kind, degree = relation(a, b)
    parts = ", ".join(f"{name} {signed(value)}" for name, value in axes(a, b).items())
    st.markdown(
        f"Declared: **{kind} ({signed(degree, '+.2f')})**: {page.plain(MEANING.get(kind, ''))}. Shared by part, from "
        f"−1 to 1: {parts}."
    )
    measured = st.container()  # above the settings, which few change
    about = settings(source, target)
    if source == target:
        st.info("This is one task. Change a handle: a task is learned after another one.", icon=":material/swap_horiz:")
        return
    with measured, page.guard():
        going = _going(source, target, about)
        page.polled(panel, EVERY if going else None)(source, target, about, going)


def settings(source: str, target: str) -> dict[str, Any]:
    """How the pair is trained: as the recorded matrix, unless somebody changes it."""
    numbers = (
        ("Seeds", "count", 1, 10, SEEDS, "Each press trains this many new seeds and adds them"),
        ("Source examples", "source_shots", 1, 512, SOURCE_SHOTS, "Training examples of each answer of the source"),
        ("Target examples", "shots", 1, 512, int(IN_MATRIX["shots"]), "Training examples of each answer of the target"),
        ("Epochs", "epochs", 1, 100, 20, "Most passes over the examples; early stopping may end training before"),
    )
    found: dict[str, int] = {}
    unusual = any(f"pair_{key}" in st.query_params for _, key, *_ in numbers)
    with st.expander("How it is trained", icon=":material/tune:", expanded=unusual):
        for column, (text, key, low, high, usual, help) in zip(st.columns(len(numbers)), numbers, strict=True):
            look = {"key": f"pair_{key}", "bind": "query-params", "help": help}
            found[key] = int(column.number_input(text, low, high, usual, **look))
    changed = {"shots": found["shots"], "epochs": found["epochs"]}
    about = {"tasks": [source, target], "method": "continual", "settings": dict(IN_MATRIX) | changed}
    return about | {"source_shots": found["source_shots"], "count": found["count"]}


def experiment(store: Store, source: str, target: str, about: Mapping[str, Any], mine: pd.DataFrame) -> Experiment:
    """The pair with its next seeds."""
    name = f"{source} → {target}"
    return findings.once_more(store, about, [(source, target)], about["count"], name, mine["seed"])


def _mine(store: Store, source: str, target: str, about: Mapping[str, Any]) -> pd.DataFrame:
    return findings.of(findings.trained_pairs(store, about), [(source, target)])


def _going(source: str, target: str, about: Mapping[str, Any]) -> bool:
    store = own()
    return control.going(store, frames.states(store, _mine(store, source, target, about)["run"]))


def panel(source: str, target: str, about: Mapping[str, Any], was_going: bool) -> None:
    """The button, the pair's curves, and all pairs. Runs again while something trains."""
    store = own()
    every = findings.trained_pairs(store, about)
    mine = findings.of(every, [(source, target)])
    runs = list(mine["run"])
    states = frames.states(store, runs)
    going = control.going(store, states)
    press(store, experiment(store, source, target, about, mine), states, runs)
    table = transfer.described(transfer.cells(every))
    st.markdown(verdict(table, source, target, mine))
    left, right = st.columns(2)
    with left:
        st.markdown("**This pair**: validation after each epoch")
        epochs = frames.pair_epochs(store, runs)
        effect = transfer.cell(table, source, target)["verdict"]
        live_plot(curves.figure(epochs, effect=effect, dark=page.is_dark()), "pair", curves.alt(epochs, effect=effect))
    with right:
        st.markdown("**All pairs**: transfer against declared relatedness")
        pair = (source, target)
        points = behind(about), agreement.with_degrees(table)
        live_plot(relating.figure(*points, pair, dark=page.is_dark()), "relating", relating.alt(*points, pair))
    page.explain(
        "Pale: the recorded pairs, if they were trained with these settings. Large, with 95 % intervals: pairs that "
        "you have trained with them. A ring is around the pair above.",
        1,
    )
    if len(table):
        page.numbers(table.drop(columns=["clear", "learned"]))
    control.troubles(store, runs, states)
    if going != was_going:
        st.rerun()


def press(store: Store, made: Experiment, states: dict[str, int], runs: list[str]) -> None:
    """Train new seeds of the pair, or go on with what was stopped."""
    with st.container(horizontal=True, vertical_alignment="center"):
        control.train_or_stop(store, runs, states, "pair", "Train this pair", lambda: start_race(store, made))
        if not control.going(store, states):
            cost = estimate.estimate(store, plans_of(made.specs, home=store.home))
            st.caption(f"about {estimate.duration(cost.seconds)}", width="content", help=cost.source)
        with st.popover("Command", type="tertiary", help="The same on the command line"):
            st.code(commands.matrix(made.about, made.name, default_home()), language=None, wrap_lines=True)
    if made.joins:
        to_page("transfer", "Seed by seed, with the answers that changed", {"matrix": made.joins})


def verdict(table: pd.DataFrame, source: str, target: str, mine: pd.DataFrame) -> str:
    """What the seeds of the chosen pair say so far."""
    found = transfer.cell(table, source, target)
    waiting = int(mine["score"].isna().sum() + (mine["score"].notna() & mine["alone"].isna()).sum())
    if not len(mine):
        return "Not trained yet. Does the first task help the second, or harm it? Guess before you press."
    if not found["n"]:
        return f"{waiting} seed{'s' * (waiting != 1)} to come."
    interval = f" {between((found['low'], found['high']))}" if found["n"] >= ENOUGH else ""
    seeds = f"{found['n']} seed{'s' * (found['n'] != 1)}" + f", {waiting} to come" * bool(waiting)
    first_said = f"Learning {page.plain(phrase(source))} first changes {page.plain(phrase(target))} by "
    return f"{first_said}**{signed(found['value'])} points{page.plain(interval)}** ({seeds}): **{found['verdict']}**."


def behind(about: Mapping[str, Any]) -> pd.DataFrame:
    """The recorded pairs, if they were trained as these are; else none."""
    store = recorded()
    seen = first.known(store) if store else None
    table = seen.table if seen and findings.recipe(seen.about) == findings.recipe(about) else transfer.cells(NONE)
    return agreement.with_degrees(table)


NONE = pd.DataFrame(columns=["source", "target", "seed", "score", "alone"])
