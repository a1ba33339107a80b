"""Validation score of each task over its epochs."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[seed, task, epoch, validation] → [task, epoch, mean, low, high, seeds]."""
    return draw.mean_band(frame, ["task", "epoch"], "validation")


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """A curve per task; several seeds are drawn as mean ± one standard deviation."""
    rows = numbers(frame)
    styles = {task: theme.task_style(task, dark) for task in rows["task"]}
    return draw.learning_curves("validation", rows, "task", theme.label, styles, dark)


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Validation score over the epochs: no epoch has ended yet."
    best = rows.groupby("task", sort=False)["mean"].max()
    said = ", ".join(f"{theme.titled(t)} {v:.0%}" for t, v in list(best.items())[:6])
    return f"Validation score of {len(best)} tasks over at most {int(rows['epoch'].max())} epochs; best: {said}."
