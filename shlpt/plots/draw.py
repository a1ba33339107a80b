"""Shared parts of figures: messages for empty figures, lines with bands, heat maps of tasks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import theme


def base(name: str, x: str, y: str, dark: bool, height: int = theme.HEIGHT) -> go.Figure:
    """A figure with its axes named. `uirevision` keeps zoom and legend while numbers come in."""
    figure = go.Figure()
    figure.update_layout(
        template=theme.template(dark),
        height=height,
        uirevision=name,
        xaxis_title_text=x,
        yaxis_title_text=y,
        showlegend=True,
    )
    return figure


def say_empty(figure: go.Figure, message: str) -> go.Figure:
    """An empty figure keeps its axis titles and says in the middle what is missing."""
    figure.update_xaxes(showticklabels=False, showgrid=False, range=[0, 1])
    figure.update_yaxes(showticklabels=False, showgrid=False, range=[0, 1])
    figure.add_annotation(text=message, x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False, font={"size": 15})
    return figure


def _several(frame: pd.DataFrame) -> bool:
    return "seed" in frame and frame["seed"].nunique() > 1


def carried(frame: pd.DataFrame, by: Sequence[str], values: Sequence[str]) -> pd.DataFrame:
    """A value of each seed at every x (the last of `by`): after its end a seed keeps its last value. Otherwise the mean
    would jump whenever a seed stops early."""
    if not _several(frame):
        return frame
    *groups, x = by
    number = frame.groupby(groups, sort=False).ngroup() if groups else 0
    numbered = frame.assign(group=number)
    wide = numbered.groupby(["group", x, "seed"])[list(values)].mean().unstack("seed")
    rows = wide.groupby(level="group").ffill().stack("seed", future_stack=True).dropna().reset_index()
    names = numbered.drop_duplicates("group").set_index("group")[groups]
    return rows.join(names, on="group").drop(columns="group")


def mean_band(frame: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """Mean over the seeds ± one standard deviation, without NaN (not measured)."""
    columns = [*by, "mean", "low", "high", "seeds"]
    measured = frame[value].notna().to_numpy(dtype=bool)
    if not measured.any():
        return pd.DataFrame(columns=columns)
    if not _several(frame):
        keys = {name: frame[name].array[measured] for name in by}
        if len(set(zip(*keys.values(), strict=True))) == measured.sum():  # nothing to average, which takes 7 ms
            only = frame[value].array[measured]
            return pd.DataFrame(keys | {"mean": only, "low": only, "high": only, "seeds": 1})
    present = carried(frame[measured], by, [value])
    found = present.groupby(list(by), sort=False)[value].agg(["mean", "std", "count"]).reset_index()
    spread = found["std"].fillna(0.0)
    return found.assign(low=found["mean"] - spread, high=found["mean"] + spread, seeds=found["count"])[columns]


def line(figure: go.Figure, rows: pd.DataFrame, x: str, name: str, style: theme.Style, **more: Any) -> None:
    """One curve: columns x, mean, low, high. A band of width 0 is not drawn."""
    rows = rows.sort_values(x)
    if (rows["high"] > rows["low"]).any():
        figure.add_scatter(
            x=[*rows[x], *rows[x][::-1]],
            y=[*rows["high"], *rows["low"][::-1]],
            fill="toself",
            fillcolor=theme.faded(style.color),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
        )
    few = len(rows) <= 40
    figure.add_scatter(
        x=list(rows[x]),
        y=list(rows["mean"]),
        name=name,
        legendgroup=name,
        mode="lines+markers" if few else "lines",
        line={"color": style.color, "dash": style.dash, "width": 2},
        marker={"symbol": style.marker, "size": 7, "color": style.color},
        **more,
    )


def each_seed(
    figure: go.Figure, rows: pd.DataFrame, x: str, y: str, name: str, style: theme.Style, hover: str = ""
) -> None:
    """A line for each seed, for seeds that differ so much that a mean with a band would hide it. Without `hover` they
    stand behind a mean, which names them."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    seeds: list[float | None] = []
    for seed, mine in rows.sort_values(x).groupby("seed"):
        xs += [*mine[x], None]
        ys += [*mine[y], None]
        seeds += [seed] * (len(mine) + 1)
    look = {"color": style.color, "dash": style.dash, "width": 1.6}
    shown = {"hovertemplate": hover} if hover else {"hoverinfo": "skip", "showlegend": False}
    more = {"name": name, "legendgroup": name, "line": look, "customdata": seeds, **shown}
    figure.add_scatter(x=xs, y=ys, mode="lines", opacity=0.85, **more)


def level(figure: go.Figure, y: float, name: str, dark: bool, dash: str = "dot", place: str = "top right") -> None:
    """A horizontal line with its name at one end, over the whole width. Plotly's own `add_hline` takes 14 ms."""
    above, side = place.split()
    line = {"color": theme.FAINT[dark], "dash": dash, "width": 1.5}
    figure.add_shape(type="line", xref="x domain", yref="y", x0=0, x1=1, y0=y, y1=y, line=line)
    figure.add_annotation(
        text=name,
        font_color=theme.TEXT[dark],
        showarrow=False,
        xref="x domain",
        x=1 if side == "right" else 0,
        xanchor=side,
        yref="y",
        y=y,
        yanchor="bottom" if above == "top" else "top",
    )


def still(figure: go.Figure, x: pd.DataFrame, y: pd.DataFrame) -> go.Figure:
    """Axes that show all of these values and are not worked out anew at each step of a line that is dragged."""
    for update, values in ((figure.update_xaxes, x), (figure.update_yaxes, y)):
        found = values.to_numpy(dtype=float)
        low, high = float(np.nanmin(found)), float(np.nanmax(found))
        reach = 0.05 * ((high - low) or abs(high) or 1.0)
        update(range=[low - reach, high + reach])
    return figure


def threshold(figure: go.Figure, delta: float, dark: bool) -> None:
    """A vertical line at δ."""
    figure.add_vline(
        x=delta,
        line={"color": theme.TEXT[dark], "dash": "dash", "width": 1.5},
        annotation_text=f"δ = {signed(delta, 'g')}",
        annotation_position="top",
    )


def learning_curves(
    name: str, rows: pd.DataFrame, by: str, write: Callable[[str], str], styles: Mapping[str, theme.Style], dark: bool
) -> go.Figure:
    """Validation scores over the epochs, a curve for each value of `by`."""
    drawn = base(name, "Epoch", "Validation score (%)", dark)
    if rows.empty:
        return say_empty(drawn, "No epoch has ended yet")
    rows = rows.assign(low=rows["low"].clip(lower=0), high=rows["high"].clip(upper=1))  # a score is never above 100 %
    for value, mine in rows.groupby(by, sort=False):
        line(drawn, mine, "epoch", write(value), styles[value], hovertemplate="%{y:.1%} after epoch %{x}")
    return drawn.update_yaxes(tickformat=".0%", range=[-0.02, 1.02])


def task_axes(figure: go.Figure, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Axes are numeric with task names as ticks, so that clicks give places and marks can lie inside a cell."""
    for update, names in ((figure.update_xaxes, columns), (figure.update_yaxes, rows)):
        update(tickvals=list(range(len(names))), ticktext=[theme.label(n) for n in names], showgrid=False)
    many = max(len(rows), len(columns)) > 8
    figure.update_xaxes(range=[-0.5, len(columns) - 0.5], tickangle=-90 if many else -45 if len(columns) > 3 else 0)
    figure.update_layout(xaxis_tickfont_size=11 if many else 13, yaxis_tickfont_size=11 if many else 13)
    figure.update_yaxes(range=[len(rows) - 0.5, -0.5])


def cells(rows: int) -> int:
    """Height of a heat map: cells big enough for their text, labels and colour bar beside."""
    return max(260, 32 * rows + 150)


def color_key(figure: go.Figure, title: str, **more: Any) -> None:
    """The colour bar of the last heat map, above it, to save width on a phone. It is placed relative to the figure:
    relative to the cells, plotly leaves a gap above it and draws the axis title over the ticks."""
    more_lines = title.count("<br>")
    below = 20 + 16 * more_lines
    name = {"text": title, "font_size": 12, "x": 0.5, "xref": "paper", "y": 1, "yanchor": "top"}
    figure.update_layout(title={**name, "pad_t": 2 + 12 * more_lines}, margin_t=below + 38)  # its top is its last line
    across = {"x": 0.47, "xanchor": "center", "xpad": 0, "len": 0.94, "orientation": "h"}
    down = {"y": 1 - below / figure.layout.height, "yref": "container", "yanchor": "top", "ypad": 0, "thickness": 10}
    figure.data[-1].colorbar = across | down | {"tickangle": 0, "nticks": 4} | more


def heat(figure: go.Figure, z: np.ndarray, text: list[list[str]], hover: list[list[str]], **more: Any) -> None:
    """Cells with their text; missing ones stay empty. `hover` is not escaped here."""
    figure.add_heatmap(
        z=[[None if np.isnan(v) else float(v) for v in row] for row in z],
        text=text,
        texttemplate="%{text}",
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
        **more,
    )
    figure.update_layout(showlegend=False)


def listed(names: Sequence[str], most: int = 6) -> str:
    """The first names, and how many more there are."""
    shown = [theme.titled(name) for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")
