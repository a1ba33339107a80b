"""Methods side by side: each metric, and each task, with its interval."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from shlpt.catalog import METHODS
from shlpt.plots import draw, theme

UNITS = {"acc": "ACC (%)", "bwt": "BWT (points)", "fwt": "FWT (points)"}


def written(side: str) -> str:
    """A side for axes, legends and hovers."""
    return theme.literal(theme.side(side))


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[method, metric or task, mean, low, high] without the rows that have no mean; shares become percent."""
    rows = frame.dropna(subset=["mean"]).reset_index(drop=True)
    return rows.assign(**{name: rows[name].astype(float) * 100 for name in ("mean", "low", "high")})


def figure(frame: pd.DataFrame, metric: str = "acc", *, dark: bool = False) -> go.Figure:
    """A dot with its interval for each method, of one metric: ACC would hide FWT on a common axis."""
    rows = numbers(frame)
    methods = list(dict.fromkeys(rows["method"]))
    look, rows = styles(methods, dark), rows[rows["metric"] == metric]
    drawn = draw.base(f"compare {metric}", UNITS.get(metric, metric), "Method", dark, max(220, 30 * len(methods) + 90))
    if rows.empty:
        return draw.say_empty(drawn.update_layout(showlegend=False), "No finished run to compare yet")
    for method, mine in rows.groupby("method", sort=False):
        style = look[method]
        drawn.add_scatter(
            x=list(mine["mean"]),
            y=[methods.index(method)],
            mode="markers",
            name=written(method),
            marker={"color": style.color, "size": 10, "symbol": style.marker},
            error_x=_whiskers(mine),
            hovertemplate="%{fullData.name}: %{x:.1f}<extra></extra>",
        )
    if metric != "acc":
        drawn.add_vline(x=0, line={"color": theme.FAINT[dark], "width": 1})
    drawn.update_yaxes(
        tickvals=list(range(len(methods))), ticktext=[written(m) for m in methods], range=[len(methods) - 0.5, -0.5]
    )
    return drawn.update_xaxes(nticks=6).update_layout(showlegend=False)


def _whiskers(rows: pd.DataFrame, **more: object) -> dict[str, object]:
    """The interval as plotly's error bars: lengths to both sides. A single seed has none."""
    up, down = (
        [None if pd.isna(v) else v for v in lengths]
        for lengths in (rows["high"] - rows["mean"], rows["mean"] - rows["low"])
    )
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "width": 4, **more}


def alt(frame: pd.DataFrame, metric: str = "acc", *, ranked: bool = True) -> str:
    """`ranked`: says who is highest; otherwise the range alone."""
    rows = numbers(frame)
    rows, name = rows[rows["metric"] == metric], UNITS.get(metric, metric)
    if rows.empty:
        return f"{name} of methods side by side: no finished run yet."
    said = f"{rows['method'].nunique()} methods side by side: {name}"
    if not ranked:
        return f"{said} from {rows['mean'].min():.1f} to {rows['mean'].max():.1f}."
    best = rows.loc[rows["mean"].idxmax()]
    return f"{said} is highest for {theme.side(best['method'])} at {best['mean']:.1f}."


def styles(names: Sequence[str], dark: bool = False) -> dict[str, theme.Style]:
    """A method keeps its colour; other names get the unused colours in order, so that no two look the same."""
    taken = {name for name in names if name in METHODS}
    free = [name for name in METHODS if name not in taken] or list(METHODS)
    others = [name for name in names if name not in taken]
    found = {name: theme.method_style(free[place % len(free)], dark) for place, name in enumerate(others)}
    return found | {name: theme.method_style(name, dark) for name in taken}


def figure_tasks(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A group of bars per task, one bar per method, with intervals."""
    rows = numbers(frame)
    drawn = draw.base("compare tasks", "Task", "Score (%)", dark, 420)
    if rows.empty:
        return draw.say_empty(drawn, "No finished run to compare yet")
    look = styles(list(dict.fromkeys(rows["method"])), dark)
    for method, mine in rows.groupby("method", sort=False):
        style = look[method]
        drawn.add_bar(
            x=[theme.label(t) for t in mine["task"]],
            y=list(mine["mean"]),
            name=written(method),
            marker={"color": style.color, "line": {"color": theme.GROUND[dark], "width": 1}},
            error_y=_whiskers(mine, color=theme.TEXT[dark]),
            hovertemplate="%{x}: %{y:.1f} %",
        )
    return drawn.update_layout(barmode="group", bargap=0.25).update_yaxes(rangemode="tozero")


def alt_tasks(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Scores by task: no finished run yet."
    means = rows.groupby("method", sort=False)["mean"].mean()
    said = ", ".join(f"{theme.side(m)} {v:.1f} %" for m, v in list(means.items())[:6])
    return f"Scores of {rows['method'].nunique()} methods on {rows['task'].nunique()} tasks; on average: {said}."


def numbers_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """[method, epoch, validation] (and seed) of one task → [method, epoch, mean, low, high, seeds]."""
    return draw.mean_band(frame, ["method", "epoch"], "validation")


def figure_curves(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A learning curve per method; several seeds are drawn as mean ± one standard deviation."""
    rows = numbers_curves(frame)
    look = styles(list(dict.fromkeys(rows["method"])), dark)
    return draw.learning_curves("compare curves", rows, "method", written, look, dark)


def alt_curves(frame: pd.DataFrame) -> str:
    rows = numbers_curves(frame)
    if rows.empty:
        return "Learning curves side by side: no epoch has ended yet."
    best = rows.groupby("method", sort=False)["mean"].max()
    said = ", ".join(f"{theme.side(method)}: {value:.0%}" for method, value in list(best.items())[:6])
    return f"Learning curves of {len(best)} methods; best validation score {said}."
