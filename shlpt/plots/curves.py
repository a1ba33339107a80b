"""Learning curves of one task with and without transfer from an earlier one."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

WITH, ALONE = "with transfer", "alone"


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[which, epoch, validation] (and seed, if there are several) → [which, epoch, mean, low, high, seeds]."""
    return draw.mean_band(frame, ["which", "epoch"], "validation")


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Two curves; several seeds are a mean with one standard deviation to each side."""
    rows = numbers(frame)
    drawn = draw.base("curves", "Epoch", "Validation score (%)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No epoch has ended yet")
    colors = theme.template(dark).layout.colorway
    for place, (which, mine) in enumerate(rows.groupby("which", sort=False)):
        first = which == WITH or (which != ALONE and place % 2 == 0)
        style = theme.Style(colors[0 if first else 1], "solid" if first else "dash", "circle" if first else "square")
        draw.line(drawn, mine, "epoch", theme.literal(which), style, hovertemplate="%{y:.1%} after epoch %{x}")
    return drawn.update_yaxes(tickformat=".0%", range=[-0.02, 1.02])


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Learning curves with and without transfer: no epoch has ended yet."
    best = rows.groupby("which", sort=False)["mean"].max()
    return f"Best validation score {', '.join(f'{which}: {value:.0%}' for which, value in best.items())}."
