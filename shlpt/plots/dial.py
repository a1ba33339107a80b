"""The relatedness dial: hotel reviews by comfort and bustle, and the decision lines of two tasks."""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import draw, theme
from shlpt.tasks.describe import Dialled, agreement

RADIUS = 1.4


def numbers(rows: Sequence[Dialled]) -> pd.DataFrame:
    """→ [comfort, bustle, source, target, agree]."""
    columns = ["comfort", "bustle", "source", "target", "agree"]
    return pd.DataFrame([[getattr(row, name) for name in columns] for row in rows], columns=columns)


def figure(rows: Sequence[Dialled], degree: float, *, dark: bool = False) -> go.Figure:
    """A mark per text; the vertical line is the rule of the first task, the rotated one that of the second."""
    frame = numbers(rows)
    drawn = draw.base("dial", "How comfortable (−1.4 to 1.4)", "How busy (−1.4 to 1.4)", dark, 420)
    if frame.empty:
        return draw.say_empty(drawn, "No text to show for this dial")
    for agree, name, mark in ((True, "same answer", "circle"), (False, "answers differ", "x")):
        mine = frame[frame["agree"] == agree]
        if len(mine):
            drawn.add_scatter(
                x=list(mine["comfort"]),
                y=list(mine["bustle"]),
                mode="markers",
                name=name,
                marker={"color": theme.side_color(agree, dark), "symbol": mark, "size": 8},
                customdata=[
                    f"at +1: {theme.literal(s)}, at {signed(degree, '+.2f')}: {theme.literal(t)}"
                    for s, t in zip(mine["source"], mine["target"], strict=True)
                ],
                hovertemplate="comfort %{x:.2f}, bustle %{y:.2f}<br>%{customdata}<extra></extra>",
            )
    across = math.sqrt(1 - degree * degree)
    for x, y, name, dash in (
        (0.0, RADIUS, "rule at +1", "solid"),
        (-across * RADIUS, degree * RADIUS, f"rule at {signed(degree, '+.2f')}", "dash"),
    ):
        drawn.add_scatter(
            x=[-x, x],
            y=[-y, y],
            mode="lines",
            name=name,
            hoverinfo="skip",
            line={"color": theme.TEXT[dark], "dash": dash, "width": 2},
        )
    drawn.update_xaxes(range=[-1.55, 1.55])
    return drawn.update_yaxes(range=[-1.55, 1.55], scaleanchor="x", constrain="domain")


def alt(rows: Sequence[Dialled], degree: float) -> str:
    if not rows:
        return "The relatedness dial: no text to show."
    alike = sum(row.agree for row in rows)
    return (
        f"{len(rows)} hotel reviews by comfort and bustle: the tasks at +1.00 and {signed(degree, '+.2f')} have the "
        f"same answer for {alike} of them, and for {agreement(degree):.0%} of all texts."
    )
