"""Is the threshold right? Similarity against measured transfer, the benefit of each δ, and the league of estimators."""

import math
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import calibration, cubes, vacuity
from shlpt.analysis.calibration import Calibrated, is_alpha
from shlpt.analysis.league import MEASURES, Judged, league
from shlpt.analysis.points import signed
from shlpt.catalog.estimators import ESTIMATORS
from shlpt.plans import commands
from shlpt.plots import league as ranking
from shlpt.plots import threshold
from shlpt.results.judging import Matter, matter
from shlpt.results.scores import with_delta
from shlpt.spec import RunSpec
from shlpt.store.store import default_home
from shlpt.ui import choose, page
from shlpt.ui.choose import ShownExperiment
from shlpt.ui.links import live_address, to_page
from shlpt.ui.live_plot import live_plot, prepared, with_line

WIDGET = "delta-of-"  # and the estimator: the key of the slider
MOST_WARNINGS = 6
CACHED: dict[str, Any] = {"max_entries": 24, "show_spinner": "Judging …"}


@st.cache_data(**CACHED)  # type: ignore[untyped-decorator]
def calibrated(pairs: pd.DataFrame, scores: pd.DataFrame, estimator: str) -> tuple[Calibrated, pd.DataFrame]:
    return calibration.calibrated(pairs, scores, estimator), cubes.means(pairs, scores)


@st.cache_data(**CACHED)  # type: ignore[untyped-decorator]
def judged(pairs: pd.DataFrame, scores: pd.DataFrame, seconds: dict[str, float]) -> list[Judged]:
    return league(pairs, scores, seconds)


@st.cache_data(**CACHED)  # type: ignore[untyped-decorator]
def by_earlier(pairs: pd.DataFrame, scores: pd.DataFrame, estimator: str) -> pd.DataFrame:
    return calibration.by_earlier(pairs, scores, estimator)


@st.cache_data(**CACHED)  # type: ignore[untyped-decorator]
def drawn_at(rows: pd.DataFrame, start: float, scale: str, dark: bool) -> dict[str, Any]:
    """The figure of the pairs, or without `scale` of the benefit, once for all δ: only its line moves."""
    drawn = (
        threshold.figure(rows, start, scale, dark=dark) if scale else threshold.figure_benefit(rows, start, dark=dark)
    )
    return prepared(drawn, f"threshold-{scale}")


# --- the threshold ------------------------------------------------------------------------
def place_of(grid: list[float], estimator: str, found: Calibrated) -> int:
    """The place of δ on the grid: from the slider, a drag, or the address; at first the recommended one."""
    widget = f"{WIDGET}{estimator}"
    asked = st.query_params.get("delta") if st.session_state.get("delta-estimator") in (None, estimator) else None
    st.session_state["delta-estimator"] = estimator
    if widget not in st.session_state:
        first = found.recommended["delta"]
        value = number(asked, grid)
        st.session_state[widget] = nearest(grid, value if value is not None else grid[-1] if first is None else first)
    at: int = st.select_slider(
        "Threshold δ",
        list(range(len(grid))),
        format_func=lambda place: f"{grid[place]:.3g}",
        key=widget,
        help="A source is similar if its score is above δ. Drag the line in the figure, or this slider. Nothing is "
        "retrained",
    )
    st.query_params["delta"] = f"{grid[at]:.4g}"
    return at


def move(grid: list[float], estimator: str, delta: float) -> None:
    """The line was dragged to δ."""
    st.session_state[f"{WIDGET}{estimator}"] = nearest(grid, delta)


def nearest(grid: list[float], value: float) -> int:
    return min(range(len(grid)), key=lambda place: abs(grid[place] - value))


def number(text: str | None, grid: list[float]) -> float | None:
    """A δ of the address; a warning if it is none."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    reach = (grid[-1] - grid[0]) / len(grid)
    if not grid[0] - reach <= value <= grid[-1] + reach:
        message = f"δ = {text}; here it goes from {signed(grid[0], '.3g')} to {signed(grid[-1], '.3g')}"
        st.warning(f"{choose.NOT_HERE}: {page.plain(message)}", icon=":material/link_off:")
        return None
    return value


def cost_weight() -> float:
    weight: float = st.slider(
        "Cost of a wrong “similar”",
        0.0,
        1.0,
        0.5,
        0.05,
        key="cost",
        bind="query-params",
        help="A pair called similar that does not help costs this much, a pair called dissimilar that helps costs the "
        "rest of 1",
    )
    return weight


def figure(shown: ShownExperiment, given: Matter, estimator: str, found: Calibrated, means: pd.DataFrame) -> None:
    """The engineer's figure. Only this part runs again when the line is moved."""
    grid = [float(value) for value in found.rows["delta"]]
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    with right:
        weight = cost_weight()
    with left:
        at = place_of(grid, estimator, found)
    delta, row = grid[at], found.rows.iloc[at]
    costs = calibration.cost(found.rows, weight)
    known = zip(means["source"], means["target"], strict=True)
    named = means.assign(relation=[given.relations.get(pair, "not declared") for pair in known])
    scale = "Similarity α" if is_alpha(estimator) else f"Score: {titled(estimator)}"
    said = threshold.alt(named, delta, scale)
    drawn = with_line(drawn_at(named, grid[0], scale, page.is_dark()), float(f"{delta:.3g}"))
    live_plot(drawn, "threshold", said, on_move=partial(move, grid, estimator))
    numbers(row, costs.iloc[at], float(found.rows["delta"].iloc[int(costs.to_numpy().argmin())]))
    page.explain(
        "Each point is a pair: mean over the seeds, with 95 % intervals of both. Colour: declared relatedness. The "
        "line is δ; drag it. Right of it a source counts as similar, left of it as dissimilar."
    )
    if estimator == "oracle":
        st.caption("Over all seeds both axes are the same mean. It is judged seed by seed, with other seeds' transfer.")
    page.numbers(named)
    if is_alpha(estimator):
        page.warn(vacuity.of_pairs(delta, given.scores_of(estimator))[:MOST_WARNINGS])
    left, right = st.columns(2, gap="large")
    with left:
        drawn = with_line(drawn_at(found.rows, grid[0], "", page.is_dark()), float(f"{delta:.3g}"))
        live_plot(drawn, "benefit", threshold.alt_benefit(found.rows, delta))
        page.numbers(found.rows)
        page.explain(calibration.ESTIMATE)
    with right:
        train(shown, given, estimator, delta, means)


def numbers(row: pd.Series, costs: float, cheapest: float) -> None:
    """The two sides and what they are worth."""
    with st.container(horizontal=True):
        page.metric(
            "“Similar” was right",
            percent(row["right_similar"]),
            "Of the cells (pair and seed) above δ: how many help",
            f"{row['similar']:.0%} of the cells",
        )
        page.metric(
            "“Dissimilar” was right",
            percent(row["right_dissimilar"]),
            "Of the cells up to δ: how many do not help",
            f"{1 - row['similar']:.0%} of the cells",
        )
        ends = "no interval" if math.isnan(row["low"]) else f"95 %: {signed(row['low'])} to {signed(row['high'])}"
        page.metric(
            "Over nobody similar",
            f"{signed(row['benefit'])} points",
            f"{calibration.ESTIMATE} This δ was not chosen on other targets",
            ends,
        )
        page.metric(
            "Over everybody similar",
            f"{signed(row['over_everybody'])} points",
            "The same, against δ = 0",
            "against δ = 0",
        )
        about = "Weighted share of wrong cells; the slider sets the weight"
        page.metric("Cost of mistakes", f"{costs:.3f}", about, f"lowest at δ = {signed(cheapest, '.3g')}")


def percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.0%}"


def train(shown: ShownExperiment, given: Matter, estimator: str, delta: float, means: pd.DataFrame) -> None:
    """A run with this δ, or with these pairs."""
    st.markdown("**Train with this δ**")
    page.badge("not retrained", "orange")
    if is_alpha(estimator):
        specs = with_delta(shown.store, shown.id, estimator, round(delta, 4))
        what = "SHLPT on the tasks of this matrix, with this δ."
    else:
        common = {key: given.about[key] for key in commands.COMMON if key in given.about}
        settings = {**common.pop("settings", {}), "similar_pairs": cubes.similar_pairs(means, delta)}
        tasks, seeds = given.about["tasks"], given.about["seeds"]
        specs = [RunSpec.make(tasks, "oracle_partition", seed=k, settings=settings, **common) for k in seeds]
        what = f"SHLPT's δ acts on α, not on {titled(estimator)}. So the partition is given: pairs above δ are similar."
    st.caption(f"{what} The numbers here are estimates from runs that were trained with another δ or with none.")
    to_page("live", "Train with this δ", live_address(specs), help="Opens the form with these settings")
    with st.expander("The same on the command line", icon=":material/terminal:"):
        st.code(commands.runs(specs, default_home()), language=None, wrap_lines=True)


# --- the recommendation -------------------------------------------------------------------
def recommendation(found: Calibrated, estimator: str) -> None:
    said = page.plain(calibration.said(found.recommended))
    if found.recommended["evidence"]:
        st.success(said, icon=":material/check:")
    else:
        st.info(said, icon=":material/horizontal_rule:")
    for note in found.notes:
        st.caption(page.plain(note))


def levels(given: Matter, estimator: str, scores: pd.DataFrame) -> None:
    """The recommended δ by number of earlier tasks."""
    rows = by_earlier(given.pairs, scores, estimator)
    if rows.empty:
        return
    st.header("By number of earlier tasks", anchor="earlier")
    st.dataframe(rows, hide_index=True, column_config=LEVELS, height="content")
    page.explain(
        "α is a softmax: with n earlier tasks its uniform level is 1/n, so one δ means another thing at each n.", 4
    )


LEVELS: dict[str, Any] = {
    "earlier": "earlier tasks",
    "delta": st.column_config.NumberColumn("δ", format="%.2f", help="best on average over the targets"),
    "low": st.column_config.NumberColumn("from", format="%.2f", help="lower end of the 95 % interval"),
    "high": st.column_config.NumberColumn("to", format="%.2f", help="upper end of the 95 % interval"),
    "of_uniform": st.column_config.NumberColumn("δ · n", format="%.2f", help="as a multiple of the uniform level 1/n"),
    "evidence": st.column_config.CheckboxColumn("evidence"),
    "said": "on targets that did not choose it",
}


# --- the league ---------------------------------------------------------------------------
def table(rows: list[Judged]) -> pd.DataFrame:
    lines: list[dict[str, Any]] = []
    for row in rows:
        numbers: Any = row
        measures = {MEASURES[name][0]: cubes.written(numbers[name]) for name in MEASURES}
        rest = {"seconds a pair": row["seconds"], "remarks": " ".join(row["notes"])}
        lines.append({"estimator": titled(row["estimator"])} | measures | rest)
    return pd.DataFrame(lines)


def show_league(given: Matter) -> None:
    st.header("League of estimators", anchor="league")
    rows = judged(given.pairs, given.scores, dict(given.seconds))
    measure = choose.kept(
        "Measure", list(MEASURES), "measure", kind="measure", write=lambda name: MEASURES[name][0], segments=True
    )
    left, right = st.columns([2, 3], gap="large")
    with left:
        frame = ranking.rows_of(rows, list(MEASURES))
        frame["estimator"] = frame["estimator"].map(titled)
        title, about = MEASURES[measure]
        page.draw(ranking, frame, measure, title, key="league")
        page.explain(f"{title}: {about}. Lines: 95 % intervals over tasks and seeds.")
    with right:
        st.dataframe(table(rows), hide_index=True, height="content", column_config=SECONDS)
        helping = next((row["helping"] for row in rows if row["helping"] is not None), None)
        base = "" if helping is None else f" {helping:.0%} of the cells help, which is the PR area of a random order."
        page.explain(
            "Scores of a seed are judged by the transfer measured with the same seed; the oracle takes it from the "
            f"other seeds. An α is compared as a multiple of its uniform level 1/n.{base}"
        )


SECONDS: dict[str, Any] = {"seconds a pair": st.column_config.NumberColumn(format="%.2g")}


def titled(estimator: str) -> str:
    return ESTIMATORS[estimator].title


def lacking(given: Matter, shown: ShownExperiment) -> None:
    """How to get the scores that are not there."""
    missing = [name for name in ESTIMATORS if name not in given.seconds]
    if not missing:
        return
    st.caption(
        f"Not computed for this matrix: {', '.join(map(titled, missing))}."
        + " Its prompts are needed." * shown.is_recorded
    )
    if not shown.is_recorded:
        learned = any(is_alpha(name) for name in missing)
        lines = [commands.alphas(shown.id, default_home())] * learned + [commands.threshold(shown.id, default_home())]
        with st.expander("Compute them with these commands", icon=":material/terminal:"):
            st.code("\n".join(lines), language=None, wrap_lines=True)


# --- the page -----------------------------------------------------------------------------
def show() -> None:
    page.head(
        "Threshold",
        "Is δ right? Which tasks really help which, whether a similarity agrees with that, and which threshold the "
        "measured transfer supports.",
        badges=["measured transfer, nothing retrained"],
    )
    known = choose.known_experiments(["matrix"])
    if not known:
        st.info("This needs a matrix of measured transfer. Train one on the Transfer page.", icon=":material/info:")
        to_page("transfer", "Transfer")
        return
    left, right = st.columns([3, 2])
    with left:
        chosen = choose.kept("Matrix", list(known), "matrix", kind="matrix", write=lambda id: choose.titled(known[id]))
    given = matter(known[chosen].store, chosen)
    estimators = list(dict.fromkeys(given.scores["estimator"]))
    with right:
        varied = [name for name in ("alpha", "declared") if given.scores_of(name)["score"].nunique() > 1]
        usual = (varied or estimators)[0]
        estimator = choose.kept("Similarity by", estimators, "estimator", default=usual, kind="estimator", write=titled)
    st.caption(page.plain(f"{titled(estimator)}: {ESTIMATORS[estimator].about}. Costs: {ESTIMATORS[estimator].cost}."))
    lacking(given, known[chosen])
    scores = given.scores_of(estimator)
    found, means = calibrated(given.pairs, scores, estimator)
    recommendation(found, estimator)
    if len(found.rows):
        page.again(figure)(known[chosen], given, estimator, found, means)
        levels(given, estimator, scores)
    show_league(given)


with page.guard():
    show()
