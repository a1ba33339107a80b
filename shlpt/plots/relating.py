"""Measured transfer against declared relatedness, a point for each pair: recorded ones are pale."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import draw, theme

PALE = 0.35
COLUMNS = ["source", "target", "relation", "degree", "value", "low", "high", "n"]


def numbers(recorded: pd.DataFrame, mine: pd.DataFrame) -> pd.DataFrame:
    """Cells of both kinds in one table, with whose they are."""
    parts = [frame[COLUMNS].assign(whose=whose) for frame, whose in ((recorded, "recorded"), (mine, "yours"))]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def figure(
    recorded: pd.DataFrame, mine: pd.DataFrame, chosen: tuple[str, str] = ("", ""), *, dark: bool = False
) -> go.Figure:
    """Blue helps, orange harms; a ring is around the chosen pair."""
    rows = numbers(recorded, mine)
    drawn = draw.base("relating", "Declared relatedness", "Test error reduction (points)", dark)
    if rows.empty:
        return draw.say_empty(drawn, "No pair has been trained yet")
    for whose, some in rows.groupby("whose", sort=False):
        own = whose == "yours"
        colors = [theme.effect_color("helps" if value > 0 else "harms", dark) for value in some["value"]]
        ring = [3 if own and pair == chosen else 0 for pair in zip(some["source"], some["target"], strict=True)]
        marker = {"size": 13 if own else 8, "color": colors, "opacity": 1 if own else PALE}
        drawn.add_scatter(
            x=list(some["degree"]),
            y=list(some["value"]),
            mode="markers",
            name=str(whose),
            marker=marker | {"line": {"color": theme.TEXT[dark], "width": ring}},
            error_y=_bars(some, dark) if own else None,
            customdata=[_hover(row) for row in some.itertuples()],
            hovertemplate="%{customdata}<extra></extra>",
        )
    drawn.add_hline(y=0, line={"color": theme.FAINT[dark], "dash": "dot", "width": 1.5})
    return drawn.update_xaxes(range=[-1.08, 1.08], tickformat="+.1f").update_layout(showlegend=False)


def _bars(rows: pd.DataFrame, dark: bool) -> dict[str, object]:
    """The 95 % interval of each pair; none with one seed."""
    up, down = (rows["high"] - rows["value"]).fillna(0), (rows["value"] - rows["low"]).fillna(0)
    line = {"color": theme.FAINT[dark], "thickness": 1.5, "width": 5}
    return {"type": "data", "array": list(up), "arrayminus": list(down), "symmetric": False} | line


def _hover(cell: Any) -> str:
    pair = f"{theme.label(cell.source)} → {theme.label(cell.target)}"
    said = f"{pair}<br>{theme.literal(cell.relation)} ({signed(cell.degree, '+.2f')})<br>{signed(cell.value)} points"
    if pd.isna(cell.low):
        return f"{said}, one seed: nothing is claimed"
    return f"{said}, 95 %: {signed(cell.low)} to {signed(cell.high)}, {cell.n} seeds"


def alt(recorded: pd.DataFrame, mine: pd.DataFrame, chosen: tuple[str, str] = ("", "")) -> str:
    rows = numbers(recorded, mine)
    if rows.empty:
        return "Transfer against declared relatedness: no pair has been trained yet."
    own = rows[(rows["source"] == chosen[0]) & (rows["target"] == chosen[1]) & (rows["whose"] == "yours")]
    said = f" The chosen pair: {signed(own['value'].iloc[0])} points." if len(own) else ""
    count = int((rows["whose"] == "yours").sum())
    return (
        f"Transfer against declared relatedness: {len(rows) - count} recorded pairs, {count} of your own, from "
        f"{signed(rows['value'].min())} to {signed(rows['value'].max())} points.{said}"
    )
