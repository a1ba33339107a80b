"""A curve that somebody draws before seeing it, and the recorded one over it."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

COLUMNS = ["x", "mean", "low", "high"]


def numbers(truth: pd.DataFrame) -> pd.DataFrame:
    """[x, mean, low, high] of the recorded curve."""
    return truth[COLUMNS].reset_index(drop=True)


def figure(
    truth: pd.DataFrame,
    places: Sequence[float],
    guess: Sequence[float],
    given: int = 0,
    x: str = "",
    y: str = "",
    span: tuple[float, float] = (0.0, 1.0),
    ticks: Sequence[str] = (),
    share: bool = True,
    revealed: bool = True,
    others: Sequence[Sequence[float]] = (),
    *,
    dark: bool = False,
) -> go.Figure:
    """The first trace is the guess, so that a script can redraw it. Its first `given` places are recorded ones. Before
    the curve is revealed only these are shown. `others` are guesses of a class."""
    rows = numbers(truth)
    drawn = draw.base("guess", x, y, dark)
    if rows.empty:
        return draw.say_empty(drawn, "This curve is not recorded")
    known = known_at(rows, places[:given])
    form = ".0%" if share else ".2f"
    for line in others:
        drawn.add_scatter(
            x=list(places),
            y=[*known, *line],
            mode="lines",
            line={"color": theme.FAINT[dark], "width": 1},
            opacity=0.5,
            hoverinfo="skip",
            showlegend=False,
        )
    guessed = go.Scatter(
        x=list(places),
        y=[*known, *guess] if len(guess) else [],
        name="your guess",
        showlegend=bool(len(guess)),
        mode="lines+markers",
        line={"color": theme.TEXT[dark], "dash": "dash", "width": 2},
        marker={"size": 13, "color": theme.GROUND[dark], "line": {"color": theme.TEXT[dark], "width": 2}},
        hovertemplate=f"your guess: %{{y:{form}}}<extra></extra>",
    )
    drawn.add_trace(guessed)
    drawn.data = (drawn.data[-1], *drawn.data[:-1])
    style = theme.Style(theme.ACCENT[dark], "solid", "circle")
    if revealed:
        draw.line(drawn, rows, "x", "recorded", style, hovertemplate=f"recorded: %{{y:{form}}}")
    elif given:
        drawn.add_scatter(
            x=list(places[:given]),
            y=known,
            name="recorded",
            mode="markers",
            marker={"size": 13, "color": style.color},
            hovertemplate=f"recorded: %{{y:{form}}}",
        )
    first, last = min(places[0], rows["x"].min()), max(places[-1], rows["x"].max())
    room = 0.04 * (last - first)
    drawn.update_xaxes(range=[first - room, last + room])
    if ticks:
        drawn.update_xaxes(tickvals=list(range(len(ticks))), ticktext=[theme.literal(name) for name in ticks])
    above = 0.04 * (span[1] - span[0])  # so that a mark at an end is whole
    return drawn.update_yaxes(range=[span[0] - above, span[1] + above], tickformat=form)


def known_at(rows: pd.DataFrame, places: Sequence[float]) -> list[float]:
    """The recorded values at some places: of the nearest x."""
    return [float(rows["mean"].iloc[int((rows["x"] - place).abs().argmin())]) for place in places]


def alt(
    truth: pd.DataFrame,
    places: Sequence[float],
    guess: Sequence[float],
    given: int = 0,
    x: str = "",
    y: str = "",
    span: tuple[float, float] = (0.0, 1.0),
    ticks: Sequence[str] = (),
    share: bool = True,
    revealed: bool = True,
    others: Sequence[Sequence[float]] = (),
) -> str:
    rows, form = numbers(truth), ".0%" if share else ".2f"
    if rows.empty:
        return f"{y}: this curve is not recorded."
    known = known_at(rows, places)

    def named(place: int) -> str:
        return ticks[int(places[place])] if ticks else f"{x.lower()} {places[place]:g}"

    def said(values: Sequence[float], begin: int) -> str:
        return ", ".join(f"{value:{form}} {named(place)}" for place, value in enumerate(values, begin))

    guessed = f" Your guess: {said(guess, given)}." if len(guess) else ""
    if revealed:
        return f"{y}. Recorded: {said(known, 0)}.{guessed}"
    return f"{y}, to be drawn." + f" Recorded: {said(known[:given], 0)}." * bool(given) + guessed
