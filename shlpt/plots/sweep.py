"""Accuracy at each value of a swept setting: every seed, the mean with its interval, the paper's numbers beside."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from shlpt.catalog.titles import title_of
from shlpt.plots import draw, theme

PAPER = "the paper's (T5-large, the real data)"
COLUMNS = ["value", "mean", "low", "high", "seeds", "paper"]
Printed = Mapping[float, float]  # value -> percent


def numbers(frame: pd.DataFrame, setting: str, printed: Printed) -> pd.DataFrame:
    """[value, seed, acc] → [value, mean, low, high, seeds, paper] in percent: mean ± one standard deviation."""
    scores = 100 * frame["acc"].astype(float)
    rows = scores.groupby(frame["value"]).agg(["mean", "std", "count"]).reset_index().dropna(subset=["mean"])
    spread = rows["std"].fillna(0.0)
    rows = rows.assign(low=rows["mean"] - spread, high=rows["mean"] + spread, seeds=rows["count"])
    return rows.assign(paper=[printed.get(value) for value in rows["value"]]).astype({"paper": float})[COLUMNS]


def figure(frame: pd.DataFrame, setting: str, printed: Printed, *, dark: bool = False) -> go.Figure:
    rows = numbers(frame, setting, printed)
    drawn = draw.base("sweep", theme.literal(title_of(setting)), "ACC (%)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No value is finished yet")
    ours, theirs = theme.template(dark).layout.colorway[:2]
    style = theme.Style(ours, "solid", "circle")
    every = frame.dropna(subset=["acc"])
    draw.each_seed(drawn, every.assign(acc=100 * every["acc"].astype(float)), "value", "acc", "ours", style)
    draw.line(drawn, rows, "value", "ours", style, hovertemplate="%{x:g}: %{y:.1f}<extra></extra>")
    if (known := rows.dropna(subset=["paper"])).size:
        other = theme.Style(theirs, "dash", "square")
        paper = known.assign(mean=known["paper"], low=known["paper"], high=known["paper"])
        draw.line(drawn, paper, "value", PAPER, other, hovertemplate="%{x:g}: %{y:.1f}<extra></extra>")
    return drawn


def alt(frame: pd.DataFrame, setting: str, printed: Printed) -> str:
    rows = numbers(frame, setting, printed)
    if rows.empty:
        return f"ACC by {title_of(setting)}: no value is finished yet."
    said = ", ".join(f"{row.value:g}: {row.mean:.1f}" for row in rows.itertuples(index=False))
    return f"Mean ACC in percent by {title_of(setting)}: {said}."
