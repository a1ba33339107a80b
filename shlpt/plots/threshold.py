"""Similarity against measured transfer, pair by pair, with the threshold δ as a line; and the benefit of each δ."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import draw, theme
from shlpt.tasks.pocket import DEGREES

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star")


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[source, target, relation, score, score_low, score_high, transfer, low, high] without pairs that lack a mean."""
    return frame.dropna(subset=["score", "transfer"]).reset_index(drop=True)


def figure(frame: pd.DataFrame, delta: float, scale: str, *, dark: bool = False) -> go.Figure:
    """One point per pair, coloured by declared relatedness. The first shape is the line that can be dragged."""
    rows = numbers(frame)
    drawn = draw.base("threshold", scale, "Measured transfer (points)", dark, 470)
    if rows.empty:
        return draw.say_empty(drawn, "No pair has both a score and a measured transfer")
    draw.threshold(drawn, float(f"{delta:.3g}"), dark)
    kinds = [kind for kind in DEGREES if kind in set(rows["relation"])]
    kinds += [kind for kind in dict.fromkeys(rows["relation"]) if kind not in kinds]
    for kind in kinds:
        mine, style = rows[rows["relation"] == kind], _style(kind, dark)
        drawn.add_scatter(
            x=mine["score"].tolist(),
            y=mine["transfer"].tolist(),
            error_x=_reach(mine, "score", "score_low", "score_high", style["color"]),
            error_y=_reach(mine, "transfer", "low", "high", style["color"]),
            mode="markers",
            name=kind,
            marker=style | {"size": 9, "line": {"width": 1, "color": theme.TEXT[dark]}},
            customdata=[_hover(row) for row in mine.itertuples()],
            hovertemplate="%{customdata}<extra></extra>",
        )
    draw.level(drawn, 0, "as alone", dark, place="bottom right")
    draw.still(drawn, rows[["score", "score_low", "score_high"]], rows[["transfer", "low", "high"]])
    return drawn.update_layout(legend={"y": 1.08})


def _style(kind: str, dark: bool) -> dict[str, object]:
    scale, place = theme.diverging(dark), list(DEGREES).index(kind) if kind in DEGREES else 0
    color = scale[round((DEGREES.get(kind, 0) + 1) / 2 * (len(scale) - 1))][1]
    return {"color": color, "symbol": SYMBOLS[place % len(SYMBOLS)]}


def _reach(rows: pd.DataFrame, middle: str, low: str, high: str, color: object) -> dict[str, object]:
    """Bars to both ends of the interval; none where there is no interval."""
    up, down = ((end - rows[middle]).abs().fillna(0).tolist() for end in (rows[high], rows[low]))
    look = {"color": theme.faded(str(color), 0.45), "thickness": 1.2, "width": 0}
    return {"type": "data", "symmetric": False, "array": up, "arrayminus": down, **look}


def _hover(row: object) -> str:
    found = row._asdict()  # type: ignore[attr-defined]
    pair = f"{theme.label(found['source'])} → {theme.label(found['target'])}<br>{found['relation']}"
    return f"{pair}<br>score {_with(found, 'score', 'score_low', 'score_high', '.3g')}<br>transfer " + _with(
        found, "transfer", "low", "high", "+.1f"
    )


def _with(found: dict[str, float], middle: str, low: str, high: str, form: str) -> str:
    said = f"{found[middle]:{form}}"
    return said if np.isnan(found[low]) else f"{said} [{found[low]:{form}}, {found[high]:{form}}]"


def alt(frame: pd.DataFrame, delta: float, scale: str) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Similarity against measured transfer: no pair has both."
    above = rows["score"] > delta
    helps = rows["transfer"] > 0
    return (
        f"Similarity against measured transfer of {len(rows)} pairs. At δ = {signed(delta, '.3g')}, "
        f"{int(above.sum())} are "
        f"similar, of which {int((above & helps).sum())} help on average; of the {int((~above).sum())} dissimilar ones "
        f"{int((~above & helps).sum())} help."
    )


# --- the benefit of each δ ----------------------------------------------------------------
def numbers_benefit(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.dropna(subset=["benefit"]).reset_index(drop=True)


def figure_benefit(rows: pd.DataFrame, delta: float, *, dark: bool = False) -> go.Figure:
    """[delta, benefit, low, high] → the benefit over "nobody similar" with its interval. The first shape is δ."""
    found = numbers_benefit(rows)
    drawn = draw.base("benefit", "Threshold δ", "Benefit (points)", dark, 300)
    if found.empty:
        return draw.say_empty(drawn, "No δ can be judged on these pairs")
    curve = found.rename(columns={"benefit": "mean"})
    curve = curve.assign(low=curve["low"].fillna(curve["mean"]), high=curve["high"].fillna(curve["mean"]))
    style = theme.Style(theme.ACCENT[dark], "solid", "circle")
    draw.threshold(drawn, float(f"{delta:.3g}"), dark)
    draw.line(drawn, curve, "delta", "over nobody similar", style, hovertemplate="%{y:+.1f} points at δ = %{x:.3g}")
    draw.level(drawn, 0, "nobody similar", dark, place="bottom right")
    draw.level(drawn, float(found["benefit"].iloc[0]), "everybody similar", dark, "dash", "bottom left")
    draw.still(drawn, curve[["delta"]], curve[["mean", "low", "high"]].assign(zero=0.0))
    return drawn.update_layout(showlegend=False)


def alt_benefit(rows: pd.DataFrame, delta: float) -> str:
    found = numbers_benefit(rows)
    if found.empty:
        return "Benefit of each threshold: none can be judged."
    best = found.loc[found["benefit"].idxmax()]
    here = found.loc[(found["delta"] - delta).abs().idxmin()]
    return (
        f"Estimated benefit over nobody similar: {signed(here['benefit'])} points at δ = "
        f"{signed(delta, '.3g')}, at most {signed(best['benefit'])} at δ = {signed(best['delta'], '.3g')}, "
        f"{signed(found['benefit'].iloc[0])} with everybody similar."
    )
