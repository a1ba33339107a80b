"""Overlap of the activation states under the prompt being learned with those under each earlier prompt."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme
from shlpt.plots.similarity import newest


def numbers(frame: pd.DataFrame, task: str | None = None) -> pd.DataFrame:
    """[seed, task, earlier, epoch, overlap] of one task → [earlier, epoch, mean, low, high, seeds]."""
    return draw.mean_band(newest(frame, task)[0], ["earlier", "epoch"], "overlap")


def figure(frame: pd.DataFrame, *, task: str | None = None, dark: bool = False) -> go.Figure:
    """A curve per earlier task; several seeds are drawn as mean ± one standard deviation."""
    rows = numbers(frame, task)
    drawn = draw.base("overlap", "Epoch", "Overlap (cosine similarity)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No earlier prompt to compare with yet")
    for earlier, mine in rows.groupby("earlier", sort=False):
        draw.line(
            drawn,
            mine,
            "epoch",
            theme.label(earlier),
            theme.task_style(earlier, dark),
            hovertemplate="cosine %{y:.3f} after epoch %{x}",
        )
    return drawn


def alt(frame: pd.DataFrame, *, task: str | None = None) -> str:
    rows = numbers(frame, task)
    if rows.empty:
        return "Overlap of activation states: there is no earlier prompt yet."
    last = rows.sort_values("epoch").groupby("earlier", sort=False)["mean"].last()
    said = ", ".join(f"{theme.titled(e)} {v:.2f}" for e, v in list(last.items())[:6])
    return f"Cosine similarity of activation states with {len(last)} earlier prompts after the last epoch: {said}."
