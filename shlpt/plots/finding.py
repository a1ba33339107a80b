"""How one task is learned alone, after a task that helps it and after one that harms it: recorded, and trained now."""

from collections.abc import Callable

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

HEIGHT = 340
BEFORE = 0.6  # of the colour of a curve that stands behind one that is trained now
Write = Callable[[str], str]


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[effect, source, seed, epoch, validation] → mean over the seeds ± one standard deviation, by epoch."""
    return draw.mean_band(frame, ["effect", "source", "epoch"], "validation")


def figure(recorded: pd.DataFrame, now: pd.DataFrame, write: Write = str, *, dark: bool = False) -> go.Figure:
    """Both as `numbers` returns them. Blue helps, orange harms, grey is alone. What is trained now is drawn bold over
    what is recorded."""
    drawn = draw.base("finding", "Epoch", "Validation score (%)", dark, HEIGHT)
    if recorded.empty and now.empty:
        return draw.say_empty(drawn, "No epoch has ended yet")
    behind = {"mode": "lines", "opacity": BEFORE if len(now) else 1}
    bold = {"mode": "lines+markers", "marker_size": 8, "line_width": 3.5, "showlegend": recorded.empty}
    for frame, look, when in ((recorded, behind, ""), (now, bold, ", now")):
        rows = frame.assign(low=frame["low"].clip(lower=0), high=frame["high"].clip(upper=1))
        for (effect, source), mine in rows.groupby(["effect", "source"], sort=False):
            dash = "solid" if source else "dash"
            style = theme.Style(theme.effect_color(str(effect), dark), dash, "circle")
            name = _name(str(effect), str(source), write) + when
            draw.line(drawn, mine, "epoch", name, style, hovertemplate="%{y:.0%} after epoch %{x}")
            drawn.data[-1].update(look)
    last = max(frame["epoch"].max() for frame in (recorded, now) if len(frame))
    drawn.update_layout(legend={"font": {"size": 13}})
    return drawn.update_yaxes(tickformat=".0%", range=[-0.02, 1.04]).update_xaxes(range=[0.5, last + 0.5])


def _name(effect: str, source: str, write: Write) -> str:
    return theme.literal(f"after {write(source)}" if source else effect, theme.LONGEST)


def alt(recorded: pd.DataFrame, now: pd.DataFrame, write: Write = str) -> str:
    said = []
    for frame, what in ((recorded, "recorded"), (now, "now")):
        last = frame.sort_values("epoch").groupby(["effect", "source"], sort=False).last()
        said += [
            f"{_name(str(effect), str(source), write)} {row['mean']:.0%} ({what})"
            for (effect, source), row in last.iterrows()
        ]
    if not said:
        return "How a task is learned after others: no epoch has ended yet."
    return f"Validation score after the last epoch: {', '.join(said)}."
