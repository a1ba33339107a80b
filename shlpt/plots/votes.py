"""What a class answered to a question with options."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme
from shlpt.plots.claims import folded

COLUMNS = ["option", "count", "right"]


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """[option, count, right], the first option on top."""
    return rows[COLUMNS].reset_index(drop=True)


def figure(rows: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A bar for each option; the right one in the accent colour, and named."""
    found = numbers(rows)
    drawn = draw.base("votes", "Students", "Answer", dark, 110 + 56 * max(1, len(found))).update_layout(
        showlegend=False
    )
    if found.empty or not found["count"].sum():
        return draw.say_empty(drawn, "No code has been read yet")
    colors = [theme.ACCENT[dark] if right else theme.FAINT[dark] for right in found["right"]]
    said = [
        f"{count}{' · the result' if right else ''}"
        for count, right in zip(found["count"], found["right"], strict=True)
    ]
    drawn.add_bar(
        x=list(found["count"]),
        y=list(range(len(found))),
        orientation="h",
        marker_color=colors,
        text=said,
        textposition="auto",
        hoverinfo="skip",
    )
    drawn.update_yaxes(
        range=[len(found) - 0.5, -0.5], tickvals=list(range(len(found))), ticktext=[folded(o) for o in found["option"]]
    )
    return drawn.update_xaxes(rangemode="tozero", tickformat="d")


def alt(rows: pd.DataFrame) -> str:
    found = numbers(rows)
    if found.empty or not found["count"].sum():
        return "Answers of a class: no code has been read yet."
    said = ", ".join(
        f"{r.option}: {r.count_}{' (the result)' if r.right else ''}"
        for r in found.rename(columns={"count": "count_"}).itertuples()
    )
    return f"Answers of a class of {int(found['count'].sum())}. {said}."
