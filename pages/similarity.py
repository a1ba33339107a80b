"""Similarity of a task's texts to the earlier tasks: distribution, threshold, timeline, single texts."""

from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import nearest, vacuity
from shlpt.analysis import partition as at
from shlpt.analysis.points import signed
from shlpt.catalog import METHODS
from shlpt.catalog.titles import title_of, value_of
from shlpt.plans import commands
from shlpt.plots import alpha, alpha_text, partition, similarity, theme, words
from shlpt.results import frames, lens, seeds
from shlpt.results.record import OVER
from shlpt.store.store import default_home
from shlpt.ui import control, page, surgery
from shlpt.ui.choose import NOT_HERE, kept, pick_run
from shlpt.ui.live_plot import live_plot
from shlpt.ui.store import Shown


def suits(line: dict[str, Any]) -> bool:
    return METHODS[line["method"]].alpha is not None and len(line["tasks"]) > 1 and line["state"] == "done"


def instead(why: str) -> None:
    """Why there is no similarity to show, and what to do."""
    st.info(f"{why} Choose another run above, or train one:", icon=":material/info:")
    st.code(commands.demonstration(default_home()), language=None)


def choose_task(run: Shown, spec: dict[str, Any]) -> str:
    """A task with earlier tasks (default: the last one learned)."""
    stages = frames.stages(run.store, run.id)
    done = list(stages.loc[(stages["state"] == "done") & ~stages["alone"], "task"])
    later = spec["tasks"][1:]
    learned = [task for task in later if task in done]
    return kept(
        "Learned task",
        later,
        "task",
        default=(learned or later)[-1],
        write=theme.titled,
        kind="task of this run",
        help="Every task except the first has earlier tasks to compare with",
    )


# --- the threshold ------------------------------------------------------------------------
def threshold(run: Shown, trained: float) -> float:
    """δ from a slider that starts at the δ of the training."""
    end = max(trained, 1.0)
    if st.session_state.get("delta-of") not in (None, run.id):
        st.session_state["delta"] = trained
    st.session_state["delta-of"] = run.id
    check_delta(st.query_params.get("delta"), end)
    left, right = st.columns([4, 1], vertical_alignment="bottom")
    delta: float = left.slider(
        "Threshold δ",
        0.0,
        end,
        trained,
        0.005,
        format="%.3f",
        key="delta",
        bind="query-params",
        help="An earlier task is similar if α > δ (eq. 5). Moving δ divides the stored α again; nothing is retrained",
    )
    same = abs(delta - trained) < 1e-9
    right.badge("as trained" if same else "not retrained", color="green" if same else "orange")
    return delta


def check_delta(asked: str | None, end: float) -> None:
    """Warn of a δ outside the slider's range, which Streamlit silently ignores."""
    try:
        known = asked is None or 0 <= float(asked) <= end
    except ValueError:
        known = False
    if not known:
        message = page.plain(f"δ = {asked}; the slider goes from 0 to {end:g}, and α is never above 1")
        st.warning(f"{NOT_HERE}: {message}", icon=":material/link_off:")


def spread(run: Shown, frame: pd.DataFrame, every: pd.DataFrame, spec: dict[str, Any]) -> None:
    """Distribution of α and its partition by δ. Only this part is redrawn when the slider moves."""
    trained = float(spec["settings"].get("threshold", 0.0))
    delta = threshold(run, trained)
    st.info(at.summary(frame, delta), icon=":material/call_split:")
    page.warn(vacuity.warnings(delta, frame["earlier"].nunique(), every, theme.titled))
    left, right = st.columns([3, 2])
    with left:
        page.draw(alpha, frame, delta, key="spread", table=alpha.numbers(frame, delta))
    with right:
        st.dataframe(
            at.divide(frame, delta).assign(earlier=lambda rows: rows["earlier"].map(theme.titled)),
            hide_index=True,
            column_order=["earlier", "mean", "side", "lent"],
            column_config={
                "earlier": "earlier task",
                "mean": st.column_config.NumberColumn("mean α", format="%.3f"),
                "side": "at this δ",
                "lent": st.column_config.NumberColumn(
                    "weight",
                    format="percent",
                    help="Weight of its prompt in the stored mixture: mean over the texts (eq. 7)",
                ),
            },
        )
        n, many = frame["earlier"].nunique(), frame["example"].nunique()
        untrained = " At δ ≥ 1 no prompt is mixed in, so the estimator got no gradient." if trained >= 1 else ""
        page.explain(
            f"{many} training texts. The α of a text add up to 1, or to less if “none of them” is an alternative. "
            f"The uniform value for {n} earlier task{'s' if n > 1 else ''} is {1 / n:.3f}. "
            f"This run was trained with δ = {trained:g}; training with another δ would have given other α.{untrained}",
            5,
        )
    page.explain("Distribution of α over the training texts, each as last seen in training.", 4)


# --- the timeline -------------------------------------------------------------------------
def timeline(run: Shown, task: str, spec: dict[str, Any]) -> None:
    """Mean α and partition over the steps; updates itself during training."""
    running = run.line["state"] not in OVER
    at_first = progress(run)

    def panel() -> None:
        if running and progress(run) != at_first:  # a task is learned, or the run has ended
            st.rerun()
        frame = frames.similarity(run.store, [run.id])
        mine = frame[frame["task"] == task]
        if mine.empty:
            st.info("No step of this task has been trained yet.", icon=":material/hourglass_empty:")
            return
        delta, n = float(spec["settings"].get("threshold", 0.0)), mine["earlier"].nunique()
        dark = page.is_dark()
        left, right = st.columns(2)
        with left:
            live_plot(
                similarity.figure(frame, delta, n, task=task, dark=dark),
                "timeline",
                similarity.alt(frame, delta, n, task=task),
            )
        with right:
            live_plot(partition.figure(frame, task=task, dark=dark), "sides", partition.alt(frame, task=task))
        page.numbers(mine.drop(columns=["run", "position", "task"]))
        page.explain(
            "First figure: mean α of each batch, with the range over its texts. Second figure: which earlier tasks "
            "count as similar, and how often that changes (flips). Both use the δ of the training.",
            5,
        )

    page.polled(panel, 2.0 if running else None)()


def progress(run: Shown) -> tuple[str, ...]:
    """The states of the run's stages: the page is redrawn when they change."""
    return tuple(frames.stages(run.store, run.id)["state"])


# --- one text -----------------------------------------------------------------------------
def cards(rows: pd.DataFrame, which: str) -> None:
    """Texts, shown literally, with their distance."""
    st.markdown(f"**{which.capitalize()} texts by α**")
    for row in rows[rows["which"] == which].itertuples():
        with st.container(border=True):
            st.text(row.text)
            with st.container(horizontal=True):
                st.badge(page.plain(row.target), color="gray")
                st.badge(f"distance {row.distance:.2g}", color="blue")


def one_text(run: Shown, task: str, frame: pd.DataFrame, delta: float) -> None:
    """One training or typed text: its α, its neighbours and its most important words."""
    texts = frame.drop_duplicates("example").set_index("example")
    example = kept(
        "Training text",
        list(texts.index),
        "example",
        write=lambda id: " ".join(texts.loc[id, "text"].split())[:110],
        kind="training text",
    )
    near = at.neighbours(frame, example)
    left, right = st.columns(2)
    with left:
        cards(near, at.NEAR)
    with right:
        cards(near, at.FAR)
    page.explain("Training texts whose α are nearest to and farthest from those of this text (Euclidean distance).")
    stored = frame[frame["example"] == example].set_index("earlier")["alpha"]
    st.subheader("Edit the text and see α change", anchor="edit")
    with page.guard():
        lens.source(run.store, run.id, task)  # raises UserError without an estimator
        edited(run, task, texts.loc[example, "text"], stored, delta)


def text_to_read(original: str) -> str:
    """The chosen text or its edited version, which is kept in the address."""
    if st.session_state.get("text-of") != original:
        asked = st.query_params.get("text") if "text-of" not in st.session_state else None
        st.session_state["text-edited"] = asked or original
        st.session_state["text-of"] = original
    elif "text-edited" not in st.session_state:  # back from another page
        st.session_state["text-edited"] = original
    text = st.text_area(
        "Text", key="text-edited", max_chars=2000, height=110, help="Press Ctrl + Enter to compute α of the edited text"
    )
    if text == original:
        st.query_params.pop("text", None)
    else:
        st.query_params["text"] = text
    return text


def edited(run: Shown, task: str, original: str, stored: pd.Series, delta: float) -> None:
    text = text_to_read(original)
    with st.spinner("Reading the text …", show_time=True):
        now = lens.read(run.store, run.id, task, text)
        stored_now = now if text == original else lens.read(run.store, run.id, task, original)
    if now.is_cut:
        st.warning(
            "The text exceeds the maximum length of the run, so its end was cut off.", icon=":material/content_cut:"
        )
    is_edited = text != original
    before = "before the edit" if is_edited else "as last seen in training"
    values = stored_now.alpha.set_index("earlier")["alpha"] if is_edited else stored
    rows = now.alpha.assign(before=now.alpha["earlier"].map(values))
    about = kept(
        "Words that matter for",
        list(rows["earlier"]),
        "about",
        write=theme.titled,
        kind="earlier task",
        default=rows.loc[rows["alpha"].idxmax(), "earlier"],
    )
    odds = rows.set_index("earlier")["odds"][about]
    left, right = st.columns(2)
    with left:
        page.draw(alpha_text, rows, delta, before, key="bars", table=rows)
        page.explain(
            "Bars: α from the stored estimator (best epoch). The α further up are from the last time the text was seen "
            "in training, so the two can differ. δ is that of the training.",
            4,
        )
    with right:
        page.draw(words, now.words, about, key="words", table=words.numbers(now.words, about, len(now.words)))
        page.explain(
            "Gradient × input: how much each word raises (green) or lowers (purple) the log-odds of α, log α/(1 − α), "
            f"now {signed(odds, '+.2f')}. Log-odds still change where α is close to 0 or 1. The estimator takes the "
            "maximum over the words (eq. 3), so only words that are largest in some dimension count.",
            3,
        )


# --- the page -----------------------------------------------------------------------------
def show() -> None:
    page.head(
        "Similarity",
        "How similar each text of a task is to the tasks learned before it, which tasks count as similar at a given "
        "threshold, and which words matter.",
    )
    control.follow()
    run = pick_run(suits=suits)
    if run is None:
        st.code(commands.demonstration(default_home()), language=None)
        return
    spec = frames.spec(run.store, run.id)
    if not METHODS[spec["method"]].alpha:
        instead(f"{METHODS[spec['method']].title} does not compute a similarity α to earlier tasks; SHLPT does.")
        return
    if len(spec["tasks"]) == 1:
        instead("This run has only one task, so there is no earlier task to compare with.")
        return
    task = choose_task(run, spec)
    badges(run, spec)
    frame = frames.alphas(run.store, run.id, task)
    st.header("Which tasks count as similar", anchor="threshold")
    if frame.empty:
        st.info(
            "The α of every text are stored when the task is finished. Until then, see the timeline below.",
            icon=":material/hourglass_empty:",
        )
    else:
        page.again(spread)(run, frame, seeds.every_alpha(run.store, run.id, task), spec)
        st.caption(page.plain(nearest.said(seeds.similarities(run.store, run.id, task), theme.titled)))
    st.header("During training", anchor="timeline")
    timeline(run, task, spec)
    if len(frame):
        surgery.show(run, task)
        st.header("One text", anchor="text")
        one_text(run, task, frame, float(spec["settings"].get("threshold", 0.0)))


def badges(run: Shown, spec: dict[str, Any]) -> None:
    """Source of the numbers and relevant settings."""
    with st.container(horizontal=True):
        if run.is_recorded:
            page.badge("recorded", "blue")
        page.badge(f"trained with δ = {spec['settings'].get('threshold', 0):g}")
        if METHODS[spec["method"]].alpha == "estimated":
            for name in ("estimator", "partition"):
                page.badge(f"{title_of(name)}: {value_of(name, spec['settings'][name])}")
        else:
            page.badge("partition given, not estimated")
        control.again([(run.store, run.id)], "similarity")


with page.guard():
    show()
