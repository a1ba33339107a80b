"""How many answers become better and how many worse when earlier prompts have other weights."""

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme

ALL, OWN = "all", "own prompt alone"  # as `analysis.surgery` names them
CHOSEN = "chosen"  # the weights that somebody chose
KINDS = (("worse", -1), ("better", 1))


def written(without: str) -> str:
    """A row for axes and tables."""
    if without in (ALL, CHOSEN):
        return OWN if without == ALL else "weights chosen here"
    return f"without {theme.titled(without)}"


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """[without, better, worse, neither, before, after, …]; one earlier prompt taken out is all of them."""
    rows = frame.dropna(subset=["after"]).reset_index(drop=True)
    single = rows["without"].ne(ALL) & rows["without"].ne(CHOSEN)
    return rows[rows["without"] != ALL].reset_index(drop=True) if single.sum() == 1 else rows


def figure(frame: pd.DataFrame, *, dark: bool = False) -> go.Figure:
    """Bars to both sides of zero: answers that become worse to the left, better to the right."""
    rows = numbers(frame)
    height = max(220, 34 * len(rows) + 110)
    drawn = draw.base("surgery", "Test texts: worse ← 0 → better", "Prompt", dark, height)
    if rows.empty:
        return draw.say_empty(drawn, "No earlier prompt is in this prompt")
    names = [theme.literal(written(name), theme.LONGEST) for name in rows["without"]]
    scale = theme.diverging(dark)
    share = [f"{100 * a:.1f} % → {100 * b:.1f} %" for a, b in zip(rows["before"], rows["after"], strict=True)]
    for kind, sign in KINDS:
        drawn.add_bar(
            x=[sign * count for count in rows[kind]],
            y=list(range(len(rows))),
            name=kind,
            orientation="h",
            marker={"color": scale[5 + 3 * sign][1]},
            text=[str(count) if count else "" for count in rows[kind]],
            textposition="outside",
            cliponaxis=False,
            customdata=list(zip(names, rows[kind], share, strict=True)),
            hovertemplate=f"%{{customdata[0]}}<br>%{{customdata[1]}} {kind}, %{{customdata[2]}}<extra></extra>",
        )
    most = max(1, int(rows[["better", "worse"]].to_numpy().max()))
    drawn.add_vline(x=0, line={"color": theme.FAINT[dark], "width": 1})
    drawn.update_xaxes(range=[-1.4 * most, 1.4 * most], showticklabels=False)
    drawn.update_yaxes(tickvals=list(range(len(rows))), ticktext=names, range=[len(rows) - 0.5, -0.5])
    return drawn.update_layout(barmode="overlay", bargap=0.35)


def alt(frame: pd.DataFrame) -> str:
    rows = numbers(frame)
    if rows.empty:
        return "Answers that change with other weights of earlier prompts: no earlier prompt is in this prompt."
    said = "; ".join(
        f"{written(row.without)} {row.better} better and {row.worse} worse" for row in rows.itertuples(index=False)
    )
    return f"Test texts whose answer changes: {said}."
