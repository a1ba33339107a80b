"""Learning curves of one task with and without transfer from an earlier one."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

EFFECTS = ("helps", "harms")
WITH, ALONE = "with transfer", "alone"
WHOLE = 8  # epochs up to which each one has its tick


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[which, epoch, validation] (and seed, if there are several) → [which, epoch, mean, low, high, seeds]."""
    return draw.mean_band(frame, ["which", "epoch"], "validation")


def figure(frame: pd.DataFrame, *, effect: str = "", chance: float | None = None, dark: bool = False) -> go.Figure:
    """Two curves; several seeds are drawn as mean ± one standard deviation. The one with transfer has the colour of its
    effect, if it clearly helps or harms."""
    rows = numbers(frame)
    alone = theme.Style(theme.FAINT[dark], "dash", "square")  # the yardstick
    color = theme.effect_color(effect, dark) if effect in EFFECTS else theme.ACCENT[dark]
    other = theme.Style(color, "solid", "circle")
    styles = {which: alone if which == ALONE else other for which in rows["which"]}
    drawn = draw.learning_curves("curves", rows, "which", theme.literal, styles, dark)
    if chance is not None:  # known before the first epoch has ended
        drawn.update_yaxes(tickformat=".0%", range=[-0.02, 1.02], showticklabels=True, showgrid=True)
        drawn.update_annotations(y=0.8 if chance < 0.7 else 0.4)
        draw.level(drawn, chance, f"chance {chance:.0%}", dark, place="bottom right")
    if len(rows) and rows["epoch"].max() <= WHOLE:
        drawn.update_xaxes(dtick=1)
    return drawn


def alt(frame: pd.DataFrame, *, effect: str = "", chance: float | None = None) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Learning curves with and without transfer: no epoch has ended yet."
    limit = f"; chance: {chance:.0%}" if chance else ""
    best = rows.groupby("which", sort=False)["mean"].max()
    clear = f"; what is learned before {effect}" if effect in EFFECTS else ""
    return f"Best validation score {', '.join(f'{which}: {value:.0%}' for which, value in best.items())}{clear}{limit}."
