"""Similarity α by example: its distribution over the examples, and the values of one example."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

COLUMNS = ["earlier", "mean", "median", "similar", "examples"]


def numbers(frame: pd.DataFrame, threshold: float) -> pd.DataFrame:
    """[example, earlier, alpha] → by earlier task: mean, median, share of examples with α > δ, examples."""
    rows = frame.dropna(subset=["alpha"])
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    grouped = rows.assign(above=rows["alpha"] > threshold).groupby("earlier", sort=False)
    found = grouped.agg(
        mean=("alpha", "mean"), median=("alpha", "median"), similar=("above", "mean"), examples=("alpha", "size")
    )
    return found.reset_index()[COLUMNS]


def figure(frame: pd.DataFrame, threshold: float, *, dark: bool = False) -> go.Figure:
    """A violin per earlier task with a dot for each example; to the right of the line δ they count as similar. Green
    where the mean does, else purple."""
    rows = numbers(frame, threshold)
    height = max(240, 64 * len(rows) + 110)
    drawn = draw.base("alpha", "α of an example (0 to 1)", "Earlier task", dark, height)
    if rows.empty:
        return draw.say_empty(drawn, "No similarity was stored for this task: it had no earlier task")
    for row in rows.itertuples():
        color = theme.side_color(row.mean > threshold, dark)
        name = f"{theme.label(row.earlier)}<br>{row.similar:.0%} similar"
        drawn.add_violin(
            x=list(frame.loc[frame["earlier"] == row.earlier, "alpha"].dropna()),
            name=name,
            orientation="h",
            line={"color": color, "width": 1.5},
            fillcolor=theme.faded(color, 0.35),
            points="all",
            pointpos=0,
            jitter=0.7,
            marker={"color": color, "size": 4, "opacity": 0.45},
            meanline_visible=True,
            spanmode="hard",
            hoveron="violins+points",
            hoverinfo="x+name",
        )
    draw.threshold(drawn, threshold, dark)
    drawn.update_yaxes(autorange="reversed")
    return drawn.update_xaxes(rangemode="tozero").update_layout(showlegend=False)


def alt(frame: pd.DataFrame, threshold: float) -> str:
    rows = numbers(frame, threshold)
    if rows.empty:
        return "Distribution of the similarity: none was stored."
    said = ", ".join(f"{theme.titled(r.earlier)} {r.similar:.0%}" for r in list(rows.itertuples())[:6])
    return f"Share of {int(rows['examples'].max())} examples above the threshold {threshold:g}, by task: {said}."
