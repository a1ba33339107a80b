"""Transfer between pairs of tasks: the effect of a source on the test error of a target (the paper's Fig. 1)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import draw, theme


def numbers(frame: pd.DataFrame, tasks: Sequence[str] | None = None) -> tuple[list[str], np.ndarray, np.ndarray]:
    """[source, target, value, clear] → names, values [source, target] (NaN: not there yet), which of them are clear."""
    names = list(tasks) if tasks is not None else list(dict.fromkeys([*frame["source"], *frame["target"]]))
    value = np.full((len(names), len(names)), np.nan)
    clear = np.zeros(value.shape, dtype=bool)
    for row in frame.itertuples():
        if row.source in names and row.target in names and not np.isnan(row.value):
            at = names.index(row.source), names.index(row.target)
            value[at], clear[at] = row.value, row.clear
    return names, value, clear


def figure(frame: pd.DataFrame, tasks: Sequence[str] | None = None, *, dark: bool = False) -> go.Figure:
    """Blue helps, orange harms, faded is unclear; empty cells are not trained yet."""
    names, value, clear = numbers(frame, tasks)
    height = draw.cells(len(names)) + 14 * len(names)  # room for a finger
    drawn = draw.base("transfer", "Target task (learned after)", "Source task (learned first)", dark, height)
    if np.isnan(value).all():
        return draw.say_empty(drawn.update_layout(showlegend=False), "No pair of tasks has been trained yet")
    end = max(1.0, float(np.nanmax(np.abs(value))))
    cells = {(r.source, r.target): r for r in frame.itertuples()}
    hover = [[_hover(s, t, cells.get((s, t))) for t in names] for s in names]
    scale = theme.diverging(dark)
    look = {"zmin": -end, "zmax": end, "zmid": 0, "colorscale": scale}
    # All cells lie below, which gives the key and the hover. Those with black letters, and those that are unclear and
    # pale, are painted over: letters of a heat map have one colour, or a grey of the library that is hard to read.
    white = clear & theme.white_letters(scale, np.nan_to_num(value) / (2 * end) + 0.5)
    draw.heat(drawn, value, _words(np.where(white, value, np.nan)), hover, textfont={"color": "#ffffff"}, **look)
    draw.color_key(drawn, f"Test error reduction (points)<br>{theme.FADED}")
    over = look | {"showscale": False}
    black = np.where(clear & ~white, value, np.nan)
    draw.heat(drawn, black, _words(black), hover, textfont={"color": "#000000"}, **over)
    unclear = np.where(clear, np.nan, value)
    over |= {"colorscale": theme.pale(scale, dark), "textfont": {"color": theme.FAINT[dark]}, "name": theme.FADED}
    draw.heat(drawn, unclear, _words(unclear), hover, **over)
    draw.task_axes(drawn, names, names)
    return drawn


def _words(value: np.ndarray) -> list[list[str]]:
    """Plain, since the figure fits the size of the letters to their number and would count markup."""
    return [["" if np.isnan(v) else signed(v) for v in row] for row in value]


def _hover(source: str, target: str, cell: Any) -> str:
    pair = f"{theme.label(source)} → {theme.label(target)}"
    if cell is None or np.isnan(cell.value):
        return pair
    said = f"{pair}<br>test error reduced by {signed(cell.value)} points"
    if np.isnan(cell.low):
        return f"{said}<br>one seed: nothing is claimed"
    verdict = "clear" if cell.clear else "unclear"
    return f"{said}<br>95 %: {signed(cell.low)} to {signed(cell.high)}<br>{verdict}, corrected p = {cell.q:.2g}"


def alt(frame: pd.DataFrame, tasks: Sequence[str] | None = None) -> str:
    names, value, clear = numbers(frame, tasks)
    there = ~np.isnan(value)
    if not there.any():
        return "Transfer between pairs of tasks: no pair has been trained yet."
    return (
        f"Transfer between {len(names)} tasks, {int(there.sum())} pairs: {int((clear & (value > 0)).sum())} help, "
        f"{int((clear & (value < 0)).sum())} harm, {int((there & ~clear).sum())} are unclear; "
        f"from {signed(np.nanmin(value))} to {signed(np.nanmax(value))} points of test error reduction."
    )
