"""The accuracy matrix: the score on every task after every task learned. It grows row by row."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from shlpt.plots import draw, theme


def numbers(a: npt.ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[n, n] or [seeds, n, n] with NaN where not measured → mean, standard deviation (0 for one seed), seeds."""
    stack = np.asarray(a, dtype=float)
    stack = stack[None] if stack.ndim == 2 else stack
    count = (~np.isnan(stack)).sum(0)
    total = np.nansum(stack, 0)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    squares = np.nansum((stack - mean) ** 2, 0)
    return mean, np.sqrt(squares / np.maximum(count - 1, 1)), count


def figure(a: npt.ArrayLike, tasks: Sequence[str], *, dark: bool = False) -> go.Figure:
    """Row: the task learned last; column: the task tested, in percent. Cells that are not measured stay empty."""
    mean, sd, count = numbers(a)
    drawn = draw.base("accuracy", "Score on task (%)", "After learning", dark, draw.cells(len(tasks)))
    if not count.any():
        return draw.say_empty(drawn.update_layout(showlegend=False), "No task has been learned yet")
    text = [["" if np.isnan(v) else f"{100 * v:.0f}" for v in row] for row in mean]
    hover = [
        [
            f"{theme.label(tasks[k])}: {100 * mean[i, k]:.1f} % ± {100 * sd[i, k]:.1f} over {count[i, k]} seeds"
            f"<br>after learning {theme.label(tasks[i])}"
            for k in range(len(tasks))
        ]
        for i in range(len(tasks))
    ]
    draw.heat(drawn, mean, text, hover, zmin=0, zmax=1, colorscale=theme.sequential(dark))
    draw.color_key(drawn, "Score", tickformat=".0%")
    draw.task_axes(drawn, tasks, tasks)
    return drawn


def alt(a: npt.ArrayLike, tasks: Sequence[str]) -> str:
    mean, _, count = numbers(a)
    learned = int((~np.isnan(mean)).any(1).sum())
    if not learned:
        return "Accuracy matrix: no task has been learned yet."
    last = mean[learned - 1]
    return (
        f"Accuracy matrix after {learned} of {len(tasks)} tasks, {count.max()} seeds: "
        f"the last row averages {100 * np.nanmean(last):.1f} %."
    )
