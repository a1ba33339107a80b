"""Learning curves of one task with and without transfer from an earlier one."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

WITH, ALONE = "with transfer", "alone"


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[which, epoch, validation] (and seed, if there are several) → [which, epoch, mean, low, high, seeds]."""
    return draw.mean_band(frame, ["which", "epoch"], "validation")


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Two curves; several seeds are drawn as mean ± one standard deviation."""
    rows = numbers(frame)
    alone = theme.Style(theme.FAINT[dark], "dash", "square")  # the yardstick
    other = theme.Style(theme.ACCENT[dark], "solid", "circle")
    styles = {which: alone if which == ALONE else other for which in rows["which"]}
    return draw.learning_curves("curves", rows, "which", theme.literal, styles, dark)


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Learning curves with and without transfer: no epoch has ended yet."
    best = rows.groupby("which", sort=False)["mean"].max()
    return f"Best validation score {', '.join(f'{which}: {value:.0%}' for which, value in best.items())}."
