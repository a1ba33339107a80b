"""What becomes of α when the threshold is changed and everything is trained again: its distribution at each δ, and the
share of earlier tasks above it."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[value, q5, q50, q95, similar] in the order of δ."""
    return frame.sort_values("value").reset_index(drop=True)


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """α with the band of the middle 90 %; what lies above the dotted line is similar."""
    rows = numbers(frame)
    drawn = draw.base("sides", "Threshold δ", "α, and share of similar tasks", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No task with two earlier ones is trained yet")
    colors = theme.template(dark).layout.colorway
    band = rows.rename(columns={"q5": "low", "q50": "mean", "q95": "high"})
    alpha, share = theme.Style(colors[0], "solid", "circle"), theme.Style(colors[1], "dash", "square")
    draw.line(drawn, band, "value", "α, median", alpha, hovertemplate="δ = %{x:g}: median α %{y:.2f}<extra></extra>")
    similar = rows.assign(mean=rows["similar"], low=rows["similar"], high=rows["similar"])
    hover = "δ = %{x:g}: %{y:.0%} similar<extra></extra>"
    draw.line(drawn, similar, "value", "share of similar tasks", share, hovertemplate=hover)
    ends = [float(rows["value"].min()), min(1.0, float(rows["value"].max()))]
    line = {"color": theme.FAINT[dark], "dash": "dot"}
    drawn.add_scatter(x=ends, y=ends, mode="lines", name="α = δ", line=line, hoverinfo="skip")
    return drawn.update_yaxes(range=[-0.02, 1.02])


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "α by threshold: no task with two earlier ones is trained yet."
    said = ", ".join(f"{row.value:g}: {row.similar:.0%}" for row in rows.itertuples(index=False))
    return f"Share of earlier tasks that are similar, by threshold: {said}."
