"""A matrix of transfer with one cell that somebody fills in before seeing it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import draw, theme
from shlpt.plots.transfer_matrix import numbers as laid_out

UNKNOWN = "?"


def numbers(frame: pd.DataFrame, tasks: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """[source, target, value, clear] → names, values [source, target], which of them are clear."""
    return laid_out(frame, tasks)


def figure(
    frame: pd.DataFrame,
    tasks: Sequence[str],
    source: str,
    target: str,
    guess: float | None = None,
    end: float = 60.0,
    revealed: bool = True,
    *,
    dark: bool = False,
) -> go.Figure:
    """The first trace has the cells; the guess stands in its own until the recorded value is revealed."""
    names, value, clear = numbers(frame, tasks)
    side = draw.cells(len(names)) + 30 * len(names)
    drawn = draw.base("cell", "Target task (learned after)", "Source task (learned first)", dark, side)
    if np.isnan(value).all():
        return draw.say_empty(drawn.update_layout(showlegend=False), "No pair of tasks has been trained yet")
    at = names.index(source), names.index(target)
    if not revealed:
        value[at] = np.nan if guess is None else guess
    text = [[_said(v, sure) for v, sure in zip(*rows, strict=True)] for rows in zip(value, clear, strict=True)]
    if not revealed:
        text[at[0]][at[1]] = UNKNOWN if guess is None else f"{written(guess)} {UNKNOWN}"
    elif guess is not None:
        text[at[0]][at[1]] += f"<br>(you: {written(guess)})"
    hover = [
        [f"{theme.label(s)} → {theme.label(t)}<br>{text[i][j]}" for j, t in enumerate(names)]
        for i, s in enumerate(names)
    ]
    span = {"zmin": -end, "zmax": end, "zmid": 0}
    draw.heat(drawn, value, text, hover, colorscale=theme.diverging(dark), **span)
    draw.color_key(drawn, "Gain in points (in brackets: unclear)")
    draw.task_axes(drawn, names, names)
    drawn.update_xaxes(ticktext=[_folded(name) for name in names], tickangle=0)
    drawn.update_yaxes(ticktext=[_folded(name) for name in names])
    if not revealed and guess is None:  # a text needs a value, which the cell has not
        drawn.add_annotation(x=at[1], y=at[0], text=UNKNOWN, showarrow=False, font_size=26)
    edge = {"color": theme.TEXT[dark], "width": 3}
    drawn.add_shape(type="rect", x0=at[1] - 0.5, x1=at[1] + 0.5, y0=at[0] - 0.5, y1=at[0] + 0.5, line=edge)
    return drawn


def _said(value: float, clear: bool) -> str:
    if np.isnan(value):
        return ""
    return written(value) if clear else f"({written(value)})"


def _folded(task: str) -> str:
    """A question, its texts and its words in two lines, for phones."""
    whole = theme.label(task).removeprefix("ask:")
    return "<br>".join(whole.rsplit("/", 1)) if task.startswith("ask:") else whole


def written(value: float) -> str:
    return signed(value, "+.0f")


def alt(
    frame: pd.DataFrame,
    tasks: Sequence[str],
    source: str,
    target: str,
    guess: float | None = None,
    end: float = 60.0,
    revealed: bool = True,
) -> str:
    names, value, _ = numbers(frame, tasks)
    if np.isnan(value).all():
        return "Transfer between pairs of tasks: no pair has been trained yet."
    pair = f"{theme.titled(source)} → {theme.titled(target)}"
    cells = [
        f"{theme.titled(s)} → {theme.titled(t)} {written(value[i, j])}"
        for i, s in enumerate(names)
        for j, t in enumerate(names)
        if not np.isnan(value[i, j]) and (s, t) != (source, target)
    ]
    mine = value[names.index(source), names.index(target)]
    said = f"; {pair} {written(mine)}" if revealed and not np.isnan(mine) else f"; to be guessed: {pair}"
    guessed = "" if guess is None else f" Your guess: {written(guess)}."
    return f"Gain from the source in points: {', '.join(cells)}{said}.{guessed}"
