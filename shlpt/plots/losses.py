"""Losses by part over the steps: the loss of the task and the two contrastive losses."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

NAMES = {"loss": "total", "down": "task (down)", "hsc": "λ1 · hidden states (HSC)", "asc": "λ2 · activations (ASC)"}
WHOLE = 8  # steps up to which each one has its tick
COLUMNS = ["part", "task", "x", "mean", "low", "high", "seeds"]


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[seed, task, step, epoch, loss, down, hsc, asc] → [part, task, x, mean, low, high, seeds]. Tasks follow each
    other along x. A part that is NaN throughout is absent."""
    if frame.empty:
        return pd.DataFrame(columns=COLUMNS)
    ranges = frame.groupby("task", sort=False)["step"].agg(["min", "max"])
    before = (ranges["max"] - ranges["min"] + 1).cumsum().shift(fill_value=0)
    placed = frame.assign(x=frame["step"] + frame["task"].map(before - ranges["min"] + 1))
    parts = [draw.mean_band(placed, ["task", "x"], part).assign(part=part) for part in NAMES if part in placed]
    kept = [rows for rows in parts if len(rows)]
    return pd.concat(kept, ignore_index=True)[COLUMNS] if kept else pd.DataFrame(columns=COLUMNS)


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """One curve per part; several seeds are drawn as mean ± one standard deviation."""
    rows = numbers(frame)
    drawn = draw.base("losses", "Step", "Loss (batch mean)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No step has been trained yet")
    for part, name in NAMES.items():
        mine = rows[rows["part"] == part].sort_values("x")
        if mine.empty:
            continue
        style = theme.Style(theme.part_color(part, dark), "dot" if part == "loss" else "solid", "circle")
        draw.line(
            drawn,
            mine,
            "x",
            name,
            style,
            customdata=[theme.label(t) for t in mine["task"]],
            hovertemplate="%{y:.3f} at step %{x}<br>%{customdata}",
        )
    if rows["x"].max() <= WHOLE:
        drawn.update_xaxes(dtick=1)
    starts = rows.groupby("task", sort=False)["x"].min()
    for task, start in starts.items() if 1 < len(starts) <= 8 else ():
        drawn.add_vline(
            x=start - 0.5,
            line={"color": theme.GRID[dark], "width": 1},
            annotation_position="top right",
            annotation_text=theme.label(task) if len(starts) <= 3 else " ",
            annotation_font_size=11,
        )
    return drawn.update_yaxes(range=[min(0.0, float(rows["low"].min())), 1.15 * float(rows["high"].max())])


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Losses by part over the steps: no step has been trained yet."
    last = {part: mine.sort_values("x")["mean"].iloc[-1] for part, mine in rows.groupby("part", sort=False)}
    said = ", ".join(f"{NAMES[part]} {value:.3f}" for part, value in last.items())
    return f"Losses by part over {int(rows['x'].max())} steps; the last values are {said}."
