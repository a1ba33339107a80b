"""Which words of a text raise or lower its similarity to an earlier task: gradient × input."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.analysis.points import signed
from shlpt.plots import draw, theme

COLUMNS = ["place", "word", "weight"]
MOST = 12


def numbers(frame: pd.DataFrame, earlier: str, most: int = MOST) -> pd.DataFrame:
    """[place, word, earlier, weight] → the words that matter most for one earlier task, strongest first."""
    mine = frame[frame["earlier"] == earlier].dropna(subset=["weight"])
    order = mine["weight"].abs().sort_values(ascending=False, kind="stable").index
    return mine.loc[order[:most], COLUMNS].reset_index(drop=True)


def figure(frame: pd.DataFrame, earlier: str, most: int = MOST, *, dark: bool = False) -> go.Figure:
    """A bar per word: green raises α, purple lowers it."""
    rows = numbers(frame, earlier, most)
    height = max(230, 28 * max(len(rows), min(most, 6)) + 110)
    drawn = draw.base("words", "Effect on the log-odds of α", "Word", dark, height)
    if rows.empty or not rows["weight"].abs().max():
        return draw.say_empty(drawn, "No word changes this α; it is the same for every text")
    places = list(range(len(rows)))
    drawn.add_bar(
        x=list(rows["weight"]),
        y=places,
        orientation="h",
        width=0.7,
        marker={"color": [theme.side_color(v > 0, dark) for v in rows["weight"]]},
        customdata=[[theme.literal(r.word), r.place + 1] for r in rows.itertuples()],
        hovertemplate="%{customdata[0]} (word %{customdata[1]}): %{x:+.4f}<extra></extra>",
    )
    drawn.add_vline(x=0, line={"color": theme.FAINT[dark], "width": 1})
    drawn.update_yaxes(
        tickvals=places, ticktext=_names(rows), showgrid=False, range=[max(len(rows), min(most, 6)) - 0.5, -0.5]
    )
    end = 1.08 * float(rows["weight"].abs().max())
    return drawn.update_xaxes(range=[-end, end], nticks=5, exponentformat="e").update_layout(showlegend=False)


def _names(rows: pd.DataFrame) -> list[str]:
    """Words for the axis; a word that occurs twice also has its place in the text."""
    twice = rows["word"].duplicated(keep=False)
    return [
        theme.literal(word, 18) + (f" ({place + 1})" if again else "")
        for word, place, again in zip(rows["word"], rows["place"], twice, strict=True)
    ]


def alt(frame: pd.DataFrame, earlier: str, most: int = MOST) -> str:
    rows = numbers(frame, earlier, most)
    if rows.empty or not rows["weight"].abs().max():
        return f"Words that change the similarity to {theme.titled(earlier)}: none."
    said = ", ".join(f"{theme.literal(r.word, 18)} {signed(r.weight, '+.3f')}" for r in list(rows.itertuples())[:5])
    return f"Words that most raise (+) or lower (−) the similarity to {theme.titled(earlier)}: {said}."
