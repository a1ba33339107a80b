"""Transfer between pairs of tasks: the effect of a source on the test error of a target (the paper's Fig. 1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme


def numbers(frame: pd.DataFrame, tasks: Sequence[str] | None = None) -> tuple[list[str], np.ndarray, np.ndarray]:
    """[source, target, value, low, high] → names, values [source, target] (NaN: not there yet), which contain zero."""
    names = list(tasks) if tasks is not None else list(dict.fromkeys([*frame["source"], *frame["target"]]))
    value = np.full((len(names), len(names)), np.nan)
    zero = np.zeros(value.shape, dtype=bool)
    for row in frame.itertuples():
        if row.source in names and row.target in names and not np.isnan(row.value):
            at = names.index(row.source), names.index(row.target)
            value[at] = row.value
            zero[at] = row.low <= 0 <= row.high  # without an interval (NaN) nothing is claimed
    return names, value, zero


def figure(frame: pd.DataFrame, tasks: Sequence[str] | None = None, *, dark: bool = False) -> go.Figure:
    """Orange helps, blue harms, hatched is not distinguishable from zero; empty cells are not trained yet."""
    names, value, zero = numbers(frame, tasks)
    height = draw.cells(len(names), len(names)) + 14 * len(names)  # room for a finger
    drawn = draw.base("transfer", "Target task (learned after)", "Source task (learned first)", dark, height)
    if np.isnan(value).all():
        return draw.say_empty(drawn.update_layout(showlegend=False), "No pair of tasks has been trained yet")
    end = max(1.0, float(np.nanmax(np.abs(value))))
    bounds = {(r.source, r.target): (r.low, r.high) for r in frame.itertuples()}
    text = [["" if np.isnan(v) else f"{v:+.1f}" for v in row] for row in value]
    hover = [[_hover(s, t, value[i, k], bounds.get((s, t))) for k, t in enumerate(names)] for i, s in enumerate(names)]
    draw.heat(drawn, value, text, hover, zmin=-end, zmax=end, zmid=0, colorscale=theme.diverging(dark))
    draw.color_key(drawn, f"Test error reduction (points)<br>{theme.NOT_ZERO}")
    draw.task_axes(drawn, names, names)
    draw.hatch(drawn, [(int(i), int(k)) for i, k in zip(*np.nonzero(zero), strict=True)], dark)
    return drawn


def _hover(source: str, target: str, value: float, bounds: tuple[float, float] | None) -> str:
    pair = f"{theme.label(source)} → {theme.label(target)}"
    if bounds is None or np.isnan(value):
        return pair
    interval = "" if np.isnan(bounds[0]) else f"<br>interval {bounds[0]:+.1f} to {bounds[1]:+.1f}"
    return f"{pair}<br>test error reduced by {value:+.1f} points{interval}"


def alt(frame: pd.DataFrame, tasks: Sequence[str] | None = None) -> str:
    names, value, zero = numbers(frame, tasks)
    there = ~np.isnan(value)
    if not there.any():
        return "Transfer between pairs of tasks: no pair has been trained yet."
    sure = there & ~zero
    return (
        f"Transfer between {len(names)} tasks, {int(there.sum())} pairs: {int((sure & (value > 0)).sum())} help, "
        f"{int((sure & (value < 0)).sum())} harm, {int((there & zero).sum())} not distinguishable from zero; "
        f"from {np.nanmin(value):+.1f} to {np.nanmax(value):+.1f} points of test error reduction."
    )
