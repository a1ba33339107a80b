"""Declared relatedness of the tasks, pair by pair: known by construction, not measured."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import draw, theme
from shlpt.tasks.pocket import DEGREES, relation
from shlpt.tasks.task import Task

# A letter in each cell, because colour alone is not accessible to everyone.
LETTERS = {
    "same": "●",
    "same question and answers": "Q",
    "same question, other answer words": "W",
    "contrary": "C",
    "correlated question": "K",
    "unrelated": "",
    "other question, same texts": "T",
    "other question, same texts and answers": "X",
}


def numbers(tasks: Sequence[Task]) -> pd.DataFrame:
    """Every pair of the tasks → [a, b, relation, degree]."""
    rows = [(a.name, b.name, *relation(a, b)) for a in tasks for b in tasks]
    return pd.DataFrame(rows, columns=["a", "b", "relation", "degree"])


def figure(tasks: Sequence[Task], *, dark: bool = False) -> go.Figure:
    """A letter and a colour for each kind of relation; the legend lists those that occur."""
    names = [task.name for task in tasks]
    drawn = draw.base("relatedness", "Task", "Task", dark, max(320, 28 * len(names) + 240))
    if not names:
        return draw.say_empty(drawn, "No task is chosen")
    rows = numbers(tasks)
    wide = rows.pivot(index="a", columns="b", values="degree").loc[names, names]
    kinds = rows.pivot(index="a", columns="b", values="relation").loc[names, names]
    text = [
        [LETTERS.get(kind, signed(wide.iloc[i, k], "+.2f")) for k, kind in enumerate(kinds.iloc[i])]
        for i in range(len(names))
    ]
    hover = [
        [
            f"{theme.label(a)} and {theme.label(b)}<br>{kinds.loc[a, b]} ({signed(wide.loc[a, b], '+.2f')})"
            for b in names
        ]
        for a in names
    ]
    look = {"zmin": -1, "zmax": 1, "zmid": 0, "colorscale": theme.diverging(dark), "showscale": False}
    draw.heat(drawn, wide.to_numpy(float), text, hover, **look)
    draw.task_axes(drawn, names, names)
    _legend(drawn, [kind for kind in DEGREES if kind in set(rows["relation"])], dark)
    return drawn


def _legend(drawn: go.Figure, kinds: Sequence[str], dark: bool) -> None:
    """Traces without points, only for the legend."""
    scale = theme.diverging(dark)
    for kind in kinds:
        color = scale[round((DEGREES[kind] + 1) / 2 * (len(scale) - 1))][1]
        look = {"symbol": "square", "size": 14, "color": color, "line": {"color": theme.FAINT[dark], "width": 1}}
        letter = f"{LETTERS[kind]}  " if LETTERS[kind] else ""
        drawn.add_scatter(x=[None], y=[None], mode="markers", name=f"{letter}{kind}", marker=look, showlegend=True)
    drawn.update_layout(showlegend=bool(kinds), legend_itemclick=False, legend_itemdoubleclick=False)


def alt(tasks: Sequence[Task]) -> str:
    if not tasks:
        return "Declared relatedness: no task is chosen."
    rows = numbers(tasks)
    pairs = rows[rows["a"] < rows["b"]]["relation"].value_counts()
    said = ", ".join(f"{count} {kind}" for kind, count in pairs.items())
    return f"Declared relatedness of {len(tasks)} tasks{': ' + said + ' pairs' if said else ''}."
