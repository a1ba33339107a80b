"""Which tasks are mistaken for which if the task is not given."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme


def numbers(matrix: npt.ArrayLike, tasks: Sequence[str]) -> pd.DataFrame:
    """[task, chosen, share] of the mistakes, the most frequent first."""
    shares = np.asarray(matrix, dtype=float)
    pairs = [(tasks[i], tasks[k], float(shares[i, k])) for i, k in np.argwhere(shares > 0) if i != k]
    return pd.DataFrame(sorted(pairs, key=lambda pair: -pair[2]), columns=["task", "chosen", "share"])


def figure(matrix: npt.ArrayLike, tasks: Sequence[str], *, dark: bool = False) -> go.Figure:
    """Row: the task of the texts; column: the task whose prompt answers them, in percent of the row."""
    shares = np.asarray(matrix, dtype=float)
    drawn = draw.base("confusion", "Answered by the prompt of", "Texts of", dark, draw.cells(len(tasks)))
    if not shares.size or not shares.any():
        return draw.say_empty(drawn.update_layout(showlegend=False), "Not measured without the task yet")
    text = [["" if v == 0 else f"{100 * v:.0f}" for v in row] for row in shares]
    hover = [
        [
            f"{100 * shares[i, k]:.1f} % of the texts of {theme.label(a)}<br>by the prompt of {theme.label(b)}"
            for k, b in enumerate(tasks)
        ]
        for i, a in enumerate(tasks)
    ]
    draw.heat(drawn, shares, text, hover, zmin=0, zmax=1, colorscale=theme.sequential(dark))
    draw.color_key(drawn, "Share of the texts", tickformat=".0%")
    draw.task_axes(drawn, tasks, tasks)
    return drawn


def alt(matrix: npt.ArrayLike, tasks: Sequence[str]) -> str:
    shares = np.asarray(matrix, dtype=float)
    if not shares.size or not shares.any():
        return "Which tasks are mistaken for which: not measured without the task yet."
    right, mistakes = 100 * np.diag(shares).mean(), numbers(shares, tasks)
    said = f"Heat map of {len(tasks)} tasks: on average {right:.0f} % of a task's texts are answered by its own prompt"
    if mistakes.empty:
        return f"{said}."
    task, chosen, share = mistakes.iloc[0]
    return f"{said}; most often {theme.titled(task)} is mistaken for {theme.titled(chosen)} ({100 * share:.0f} %)."
