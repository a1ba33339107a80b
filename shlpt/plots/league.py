"""The estimators of similarity side by side: one measure of each, with its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

CHANCE = {"roc": 0.5, "spearman": 0.0}


def numbers(frame: pd.DataFrame, measure: str) -> pd.DataFrame:
    """[estimator, measure, value, low, high] of one measure, without those that have no value."""
    rows = frame[(frame["measure"] == measure) & frame["value"].notna()] if len(frame) else frame
    return rows.reset_index(drop=True)


def rows_of(table: Sequence[Mapping[str, Any]], measures: Sequence[str]) -> pd.DataFrame:
    """The league as rows for the figure."""
    lines = [
        (row["estimator"], measure, row[measure]["value"], *(row[measure]["ci95"] or (None, None)))
        for row in table
        for measure in measures
    ]
    return pd.DataFrame(lines, columns=["estimator", "measure", "value", "low", "high"]).astype(
        dict.fromkeys(["value", "low", "high"], float)
    )


def figure(frame: pd.DataFrame, measure: str, title: str, *, dark: bool = False) -> go.Figure:
    """A point and its interval for each estimator, the first at the top."""
    rows = numbers(frame, measure)
    drawn = draw.base("league", title, "Estimator", dark, max(240, 30 * len(rows) + 110))
    if rows.empty:
        return draw.say_empty(drawn, "No estimator can be judged by this measure")
    color = theme.ACCENT[dark]
    up, down = ((rows[end] - rows["value"]).abs().fillna(0).tolist() for end in ("high", "low"))
    drawn.add_scatter(
        x=rows["value"].tolist(),
        y=list(range(len(rows))),
        error_x={"type": "data", "symmetric": False, "array": up, "arrayminus": down, "color": color, "thickness": 2},
        mode="markers",
        marker={"size": 10, "color": color},
        customdata=[theme.literal(name) for name in rows["estimator"]],
        hovertemplate="%{customdata}: %{x:.3g}<extra></extra>",
        showlegend=False,
    )
    names = [theme.literal(name) for name in rows["estimator"]]
    drawn.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, autorange="reversed")
    if measure in CHANCE:
        line = {"color": theme.FAINT[dark], "dash": "dot", "width": 1.5}
        drawn.add_vline(x=CHANCE[measure], line=line, annotation_text="chance", annotation_position="top")
    return drawn.update_layout(showlegend=False)


def alt(frame: pd.DataFrame, measure: str, title: str) -> str:
    rows = numbers(frame, measure)
    if rows.empty:
        return f"{title} of the estimators: none can be judged."
    said = ", ".join(f"{name} {value:.2f}" for name, value in zip(rows["estimator"], rows["value"], strict=True))
    return f"{title} of {len(rows)} estimators: {said}."
