"""Validation score of each task over its epochs."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[seed, task, epoch, validation] → [task, epoch, mean, low, high, seeds]."""
    return draw.mean_band(frame, ["task", "epoch"], "validation")


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A curve per task; several seeds are a mean with one standard deviation to each side."""
    rows = numbers(frame)
    drawn = draw.base("validation", "Epoch", "Validation score (%)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No epoch has ended yet")
    for task, mine in rows.groupby("task", sort=False):
        draw.line(
            drawn, mine, "epoch", theme.label(task), theme.task_style(task, dark),
            hovertemplate="%{y:.1%} after epoch %{x}",
        )  # fmt: skip
    return drawn.update_yaxes(tickformat=".0%", range=[-0.02, 1.02])


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Validation score over the epochs: no epoch has ended yet."
    best = rows.groupby("task", sort=False)["mean"].max()
    said = ", ".join(f"{theme.titled(t)} {v:.0%}" for t, v in list(best.items())[:6])
    return f"Validation score of {len(best)} tasks over at most {int(rows['epoch'].max())} epochs; best: {said}."
