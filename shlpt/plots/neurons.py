"""How often neurons are active under two tasks' prompts."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme


def numbers(frame: pd.DataFrame, most: int = 12) -> pd.DataFrame:
    """[neuron, first, second, …] → the first rows, without those that have a missing value."""
    return frame.dropna(subset=["first", "second"]).head(most).reset_index(drop=True)


def figure(frame: pd.DataFrame, first: str, second: str, most: int = 12, *, dark: bool = False) -> go.Figure:
    """Two bars per neuron: the share of texts that activate it under each prompt."""
    rows = numbers(frame, most)
    drawn = draw.base("neurons", "Neuron", "Texts that activate it", dark, 360)
    if rows.empty:
        return draw.say_empty(drawn, "No activation states are stored yet")
    names = [str(n) for n in rows["neuron"]]
    for column, task, pattern in (("first", first, ""), ("second", second, "/")):
        drawn.add_bar(
            x=names,
            y=list(rows[column]),
            name=theme.label(task),
            marker={
                "color": theme.task_style(task, dark).color,
                "pattern": {"shape": pattern if first == second else "", "size": 5},
            },
            customdata=[theme.label(task)] * len(names),
            hovertemplate="neuron %{x}<br>%{customdata}: %{y:.0%} of the texts<extra></extra>",
        )
    drawn.update_xaxes(type="category", showgrid=False)
    return drawn.update_yaxes(range=[0, 1.02], tickformat=".0%").update_layout(barmode="group", bargap=0.25)


def alt(frame: pd.DataFrame, first: str, second: str, most: int = 12) -> str:
    rows = numbers(frame, most)
    if rows.empty:
        return "How often neurons are active: no activation states are stored yet."
    top = rows.iloc[0]
    return (
        f"Share of texts that activate each of {len(rows)} neurons: the first is neuron {top['neuron']:.0f}, with "
        f"{top['first']:.0%} under {theme.titled(first)} and {top['second']:.0%} under {theme.titled(second)}."
    )
