"""α of one text, by earlier task, with its previous values, for example before the text was edited."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

COLUMNS = ["earlier", "alpha", "before"]


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[earlier, alpha, before] in the order of the tasks, so that bars do not move while a text is edited."""
    return frame.dropna(subset=["alpha"])[COLUMNS].reset_index(drop=True)


def figure(frame: pd.DataFrame, threshold: float, before: str = "before", *, dark: bool = False) -> go.Figure:
    """A bar per earlier task, a diamond at its previous value; the line is δ."""
    rows = numbers(frame)
    drawn = draw.base("alpha text", "α of this text (0 to 1)", "Earlier task", dark, max(230, 40 * len(rows) + 130))
    if rows.empty:
        return draw.say_empty(drawn, "There is no similarity for this text")
    places = list(range(len(rows)))
    drawn.add_bar(
        x=list(rows["alpha"]),
        y=places,
        orientation="h",
        name="now",
        showlegend=False,
        width=0.62,
        marker={"color": [theme.side_color(value > threshold, dark) for value in rows["alpha"]]},
        customdata=[theme.label(e) for e in rows["earlier"]],
        hovertemplate="%{customdata}: %{x:.4f}<extra></extra>",
    )
    end = max(1.0, threshold)  # the values have a column of their own, where nothing covers them
    drawn.add_scatter(
        x=[1.18 * end] * len(rows),
        y=places,
        text=[f"{v:.3f}" for v in rows["alpha"]],
        mode="text",
        textposition="middle left",
        hoverinfo="skip",
        showlegend=False,
    )
    if rows["before"].notna().any():
        edge = {"color": theme.TEXT[dark], "width": 2}
        drawn.add_scatter(
            x=[None if pd.isna(v) else v for v in rows["before"]],
            y=places,
            mode="markers",
            name=theme.literal(before),
            marker={"symbol": "diamond", "size": 10, "color": theme.GROUND[dark], "line": edge},
            hovertemplate=f"{theme.literal(before)}: %{{x:.4f}}<extra></extra>",
        )
    draw.threshold(drawn, threshold, dark)
    names = [theme.label(e) for e in rows["earlier"]]
    drawn.update_yaxes(tickvals=places, ticktext=names, showgrid=False, range=[len(rows) - 0.4, -0.6])
    drawn.update_xaxes(range=[0, 1.2 * end], tickvals=[0, 0.25, 0.5, 0.75, 1], tickformat=".2~f")
    return drawn.update_layout(legend={"y": -0.28, "yanchor": "top"}, margin_b=8)


def alt(frame: pd.DataFrame, threshold: float, before: str = "before") -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Similarity of a text: there is none."
    said = ", ".join(f"{theme.titled(r.earlier)} {r.alpha:.3f}" for r in list(rows.itertuples())[:6])
    change = (rows["alpha"] - rows["before"]).abs().max()
    moved = f"; the largest change from {before} is {change:.3f}" if pd.notna(change) else ""
    return f"Similarity of a text to {len(rows)} earlier tasks: {said}; the threshold is {threshold:g}{moved}."
