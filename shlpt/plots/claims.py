"""What lessons claim: numbers with their intervals on one axis, and what somebody guessed before."""

import math
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import between, signed
from shlpt.plots import draw, theme

COLUMNS = ["label", "value", "low", "high", "says"]
HELPS, HARMS = 9, 1  # places in the diverging scale
FORMATS = {"points": "+.0f", "share": ".0%", "number": ".2f"}
ROW = 52  # pixels
WIDEST, AXIS = 20, 26  # letters in one line of a label and of the name of the axis, for phones
NEAR = 0.05  # of the axis: a number there would be crossed by the line at the limit


def numbers(rows: pd.DataFrame) -> pd.DataFrame:
    """[label, value, low, high, says], the first row on top."""
    return rows[COLUMNS].reset_index(drop=True)


def figure(
    rows: pd.DataFrame,
    axis: str,
    unit: str,
    than: float = 0.0,
    limit: str = "",
    guess: tuple[float, float] | None = None,
    *,
    dark: bool = False,
) -> go.Figure:
    """Dots with 95 % intervals; a dotted line at the limit. The guess is a band, or a line if its ends are one."""
    found = numbers(rows)
    drawn = draw.base("claims", folded(axis, AXIS), "Compared", dark, 130 + ROW * max(1, len(found)))
    drawn.update_layout(showlegend=False)
    if found.empty:
        return draw.say_empty(drawn, "Nothing is claimed here")
    low, high = span(found, than, guess)
    if guess is not None:
        _guessed(drawn, max(low, guess[0]), min(high, guess[1]), dark)
    drawn.add_vline(x=than, line={"color": theme.FAINT[dark], "dash": "dot", "width": 1.5})
    if limit:
        # The line ends above the words.
        ground: dict[str, Any] = {"bgcolor": theme.GROUND[dark], "borderpad": 1, "showarrow": False}
        side = (than - low) / (high - low)
        anchor = "right" if side > 0.75 else "left" if side < 0.25 else "center"  # inside the axes on a phone too
        ground |= {"x": than, "y": 0, "yref": "paper", "xanchor": anchor, "yanchor": "bottom"}
        drawn.add_annotation(text=theme.literal(limit), **ground)
    form = FORMATS.get(unit, ".2f")
    for place, row in enumerate(found.itertuples()):
        drawn.add_scatter(
            x=[row.value],
            y=[place],
            error_x={
                "array": [row.high - row.value],
                "arrayminus": [row.value - row.low],
                "width": 6,
                "thickness": 2.5,
            },
            mode="markers+text",
            text=[signed(row.value, form)],
            textposition="top right" if abs(row.value - than) < NEAR * (high - low) else "top center",
            marker={"size": 12, "color": color(row.says, unit, dark)},
            error_x_color=color(row.says, unit, dark),
            hovertemplate=f"%{{x:{form}}}, 95 %: {signed(row.low, form)} to {signed(row.high, form)}<extra></extra>",
        )
    drawn.update_yaxes(
        range=[len(found) - 0.25, -0.6],
        tickvals=list(range(len(found))),
        ticktext=[folded(label) for label in found["label"]],
        showgrid=False,
        tickfont_color=theme.TEXT[dark],
    )
    return drawn.update_xaxes(range=[low, high], tickformat=form.lstrip("+"))  # zero has no sign


def color(says: str, unit: str, dark: bool) -> str:
    """Differences in points are blue where something helps and orange where it harms."""
    if says == "unclear":
        return theme.FAINT[dark]
    if unit != "points":
        return theme.ACCENT[dark]
    scale = theme.diverging(dark)
    return str(scale[HELPS if says == "above" else HARMS][1])


def span(found: pd.DataFrame, than: float, guess: tuple[float, float] | None) -> tuple[float, float]:
    """The axis: all intervals, the limit and the guess, with room on both sides."""
    ends = [*found["low"], *found["high"], than, *(end for end in guess or () if math.isfinite(end))]
    room = 0.12 * ((max(ends) - min(ends)) or 1.0)
    return min(ends) - room, max(ends) + room


def _guessed(drawn: go.Figure, low: float, high: float, dark: bool) -> None:
    mark: dict[str, Any] = {"color": theme.TEXT[dark], "width": 2, "dash": "dash"}
    if high > low:
        fill = theme.faded(theme.ACCENT[dark], 0.14)
        drawn.add_vrect(x0=low, x1=high, fillcolor=fill, line_width=0, layer="below")
    else:
        drawn.add_vline(x=low, line=mark)
    drawn.add_annotation(x=(low + high) / 2, y=1, yref="paper", yanchor="bottom", text="your guess", showarrow=False)


def folded(label: str, widest: int = WIDEST) -> str:
    """Several lines where one is long."""
    words, lines = theme.literal(label, theme.LONGEST).split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > widest and lines[-1]:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def alt(
    rows: pd.DataFrame,
    axis: str,
    unit: str,
    than: float = 0.0,
    limit: str = "",
    guess: tuple[float, float] | None = None,
) -> str:
    found, form = numbers(rows), FORMATS.get(unit, ".2f")
    if found.empty:
        return f"{axis}: nothing is claimed here."
    said = "; ".join(f"{r.label}: {signed(r.value, form)} {between((r.low, r.high), form)}" for r in found.itertuples())
    return f"{axis}, with 95 % intervals. {said}."
