"""Similarity of the task being learned to each earlier one, over the steps (the paper's Fig. 3)."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

COLUMNS = ["seed", "earlier", "step", "mean", "low", "high"]


def newest(frame: pd.DataFrame, task: str | None) -> tuple[pd.DataFrame, str]:
    """The rows of one task: the one asked for, or the last in the frame."""
    chosen = task if task is not None else (frame["task"].iloc[-1] if len(frame) else "")
    return frame[frame["task"] == chosen], chosen


def latest(frame: pd.DataFrame, task: str) -> pd.DataFrame:
    """[seed, earlier, alpha]: the mean α of each seed's last batch."""
    rows, _ = newest(frame, task)
    last = rows.sort_values("step", kind="stable").groupby(["seed", "earlier"], sort=False).tail(1)
    return last.rename(columns={"mean": "alpha"})[["seed", "earlier", "alpha"]]


def numbers(frame: pd.DataFrame, task: str | None = None) -> pd.DataFrame:
    """[seed, task, earlier, step, mean, low, high] of one task → the same, seed by seed: each can be
    certain of another task, and their mean would look like one undecided estimator."""
    rows, _ = newest(frame, task)
    return rows[COLUMNS].reset_index(drop=True) if len(rows) else pd.DataFrame(columns=COLUMNS)


def figure(
    frame: pd.DataFrame,
    threshold: float | None = None,
    n: int | None = None,
    *,
    task: str | None = None,
    dark: bool = False,
) -> go.Figure:
    """A curve per earlier task with the band over its texts, or a line for each seed; δ and 1/n as lines."""
    rows = numbers(frame, task)
    drawn = draw.base("similarity", "Step", "Similarity α (0 to 1)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No earlier task to compare with yet")
    several = rows["seed"].nunique() > 1
    for earlier, mine in rows.groupby("earlier", sort=False):
        name, style = theme.label(earlier), theme.task_style(earlier, dark)
        if several:
            draw.each_seed(drawn, mine, "step", "mean", name, style, "α = %{y:.3f} at step %{x}, seed %{customdata}")
        else:
            draw.line(drawn, mine, "step", name, style, hovertemplate="α = %{y:.3f} at step %{x}")
    if threshold is not None:
        draw.level(drawn, threshold, f"δ = {threshold:g}", dark, "dash")
    if n:
        draw.level(drawn, 1 / n, f"uniform 1/{n}", dark, place="bottom right")
    return drawn.update_yaxes(rangemode="tozero")


def alt(frame: pd.DataFrame, threshold: float | None = None, n: int | None = None, *, task: str | None = None) -> str:
    rows = numbers(frame, task)
    if rows.empty:
        return "Similarity to earlier tasks: there is no earlier task yet."
    last = latest(frame, newest(frame, task)[1]).groupby("earlier")["alpha"].agg(["min", "max"])
    limit = f"; the threshold is {threshold:g}" if threshold is not None else ""
    name = theme.titled(newest(frame, task)[1])
    top = last.sort_values("max", ascending=False).head(6).itertuples()
    said = ", ".join(f"{theme.titled(r.Index)} {_range(r.min, r.max)}" for r in top)
    return f"Similarity of {name} to {len(last)} earlier tasks at the last step: {said}{limit}."


def _range(low: float, high: float) -> str:
    return f"{low:.2f}" if high - low < 0.005 else f"{low:.2f} to {high:.2f}"
