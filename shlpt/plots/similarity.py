"""Similarity of the task being learned to each earlier one, over the steps (the paper's Fig. 3)."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

COLUMNS = ["earlier", "step", "mean", "low", "high"]


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
    """[seed, task, earlier, step, mean, low, high] of one task → the mean over the seeds, with the range of all seeds.
    Each seed can be certain of another task. The mean alone would then look like one undecided estimator."""
    rows, _ = newest(frame, task)
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    by = ["earlier", "step"]
    whole = draw.carried(rows, by, ["mean", "low", "high"]).groupby(by, sort=False)
    return whole.agg({"mean": "mean", "low": "min", "high": "max"}).reset_index()[COLUMNS]


def figure(
    frame: pd.DataFrame,
    threshold: float | None = None,
    n: int | None = None,
    *,
    task: str | None = None,
    dark: bool = False,
) -> go.Figure:
    """A curve per earlier task with the band over its texts, or a thin line for each seed; δ and 1/n as lines."""
    rows, (all_rows, _) = numbers(frame, task), newest(frame, task)
    several = all_rows["seed"].nunique() > 1
    drawn = draw.base("similarity", "Step", "Similarity α (0 to 1)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No earlier task to compare with yet")
    for earlier, mine in rows.groupby("earlier", sort=False):
        name, style = theme.label(earlier), theme.task_style(earlier, dark)
        if several:
            draw.each_seed(drawn, all_rows[all_rows["earlier"] == earlier], "step", "mean", name, style)
            mine = mine.assign(low=mine["mean"], high=mine["mean"])
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
    last = rows.sort_values("step").groupby("earlier")["mean"].last().sort_values(ascending=False)
    limit = f"; the threshold is {threshold:g}" if threshold is not None else ""
    name = theme.titled(newest(frame, task)[1])
    said = ", ".join(f"{theme.titled(e)} {v:.2f}" for e, v in list(last.items())[:6])
    return f"Similarity of {name} to {len(last)} earlier tasks at the last step: {said}{limit}."
