"""Accuracy by the position of a task in its sequence, over several orders."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

NAMES = {"learned": "right after learning", "final": "after the whole sequence"}


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[which, position, mean, low, high, seeds] (`analysis.orders.by_position`); without an interval its ends are the
    mean."""
    return frame.assign(low=frame["low"].fillna(frame["mean"]), high=frame["high"].fillna(frame["mean"]))


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    rows = numbers(frame)
    drawn = draw.base("positions", "Position in the sequence", "Accuracy (%)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No order is finished yet")
    colors = theme.template(dark).layout.colorway
    for place, (which, mine) in enumerate(rows.groupby("which", sort=False)):
        name = theme.literal(NAMES.get(which, which))
        look = theme.Style(colors[place], "solid" if which == "final" else "dash", theme.MARKS[place])
        draw.line(drawn, mine, "position", name, look, hovertemplate="position %{x}: %{y:.1%}")
    return drawn.update_xaxes(dtick=1).update_yaxes(tickformat=".0%")


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    rows = rows[rows["which"] == "final"]
    if rows.empty:
        return "Accuracy by position: no order is finished yet."
    said = ", ".join(f"{row.position}: {row.mean:.0%}" for row in rows.itertuples(index=False))
    return f"Accuracy after the whole sequence by position: {said}."
