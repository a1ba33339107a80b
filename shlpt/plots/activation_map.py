"""Similarity of the activation states under the tasks' prompts, pair by pair (the paper's Fig. 4)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from shlpt.plots import draw, theme

MEASURES = {"cosine": "cosine similarity of activation states", "jaccard": "Jaccard index of activation signs"}


def numbers(matrix: npt.ArrayLike) -> dict[str, float]:
    """Mean, least and greatest of the pairs off the diagonal; NaN where there are none."""
    square = np.asarray(matrix, dtype=float)
    pairs = square[~np.eye(len(square), dtype=bool)] if square.size else square.ravel()
    pairs = pairs[~np.isnan(pairs)]
    if not pairs.size:
        return {"mean": np.nan, "low": np.nan, "high": np.nan}
    return {"mean": float(pairs.mean()), "low": float(pairs.min()), "high": float(pairs.max())}


def figure(
    matrix: npt.ArrayLike,
    tasks: Sequence[str],
    *,
    measure: str = "cosine",
    difference: bool = False,
    dark: bool = False,
) -> go.Figure:
    """Tasks by tasks. `difference`: the matrix is one minus another, and its colours diverge at zero."""
    z = np.asarray(matrix, dtype=float)
    name = f"Difference in {MEASURES[measure]}" if difference else MEASURES[measure]
    drawn = draw.base("activations", "Prompt of task", "Prompt of task", dark, draw.cells(len(tasks)))
    if not z.size or np.isnan(z).all():
        return draw.say_empty(drawn.update_layout(showlegend=False), "No activation states are stored yet")
    sign = "+" if difference else ""
    text = [["" if np.isnan(v) else f"{v:{sign}.2f}" for v in row] for row in z]
    hover = [
        [f"{theme.label(a)} and {theme.label(b)}<br>{name}: {z[i, k]:{sign}.3f}" for k, b in enumerate(tasks)]
        for i, a in enumerate(tasks)
    ]
    look: dict[str, Any] = {"colorscale": theme.sequential(dark), "zmin": min(0.0, float(np.nanmin(z))), "zmax": 1}
    if difference:
        end = max(0.01, float(np.nanmax(np.abs(z))))
        look = {"colorscale": theme.diverging(dark), "zmin": -end, "zmax": end, "zmid": 0}
    draw.heat(drawn, z, text, hover, **look)
    draw.color_key(drawn, name.replace(" in ", " in<br>"))
    draw.task_axes(drawn, tasks, tasks)
    return drawn


def alt(matrix: npt.ArrayLike, tasks: Sequence[str], *, measure: str = "cosine", difference: bool = False) -> str:
    found = numbers(matrix)
    if np.isnan(found["mean"]):
        return "Similarity of activation states, pair by pair: no states are stored yet."
    what = f"{'difference in ' if difference else ''}{MEASURES[measure]}"
    return (
        f"Heat map of {len(tasks)} tasks, {what}: pairs average {found['mean']:.2f}, "
        f"from {found['low']:.2f} to {found['high']:.2f}."
    )
