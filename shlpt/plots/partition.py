"""Which earlier tasks are similar and which dissimilar while a task is learned, and how often that flips."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from shlpt.plots import draw, theme
from shlpt.plots.similarity import newest


def numbers(frame: pd.DataFrame, task: str | None = None) -> pd.DataFrame:
    """[seed, task, earlier, step, dissimilar] of one task → [earlier, step, dissimilar], the mean over the seeds."""
    rows, _ = newest(frame, task)
    if rows.empty:
        return pd.DataFrame(columns=["earlier", "step", "dissimilar"])
    by = ["earlier", "step"]
    return draw.carried(rows, by, ["dissimilar"]).groupby(by, sort=False)["dissimilar"].mean().reset_index()


def flips(frame: pd.DataFrame, task: str | None = None) -> dict[str, list[int]]:
    """How often each earlier task changed sides, in each seed."""
    rows, _ = newest(frame, task)
    last = rows.groupby(["earlier", "seed"], sort=False)["flips"].max()
    return {str(name): [int(count) for count in mine] for name, mine in last.groupby("earlier", sort=False)}


def counted(counts: Sequence[int]) -> str:
    """`3`, or `0 to 5` where seeds differ: they may be certain of different tasks, so their mean says nothing."""
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"


def figure(frame: pd.DataFrame, *, task: str | None = None, dark: bool = False) -> go.Figure:
    """A row per earlier task: green where it is similar, purple where it is dissimilar."""
    rows = numbers(frame, task)
    names = list(dict.fromkeys(rows["earlier"]))
    drawn = draw.base("partition", "Step", "Earlier task (flips)", dark, max(220, 32 * len(names) + 150))
    if rows.empty:
        return draw.say_empty(drawn, "No earlier task to compare with yet")
    table = rows.pivot(index="earlier", columns="step", values="dissimilar").loc[names]
    turned = flips(frame, task)
    drawn.add_heatmap(
        z=table.to_numpy().tolist(),
        x=list(table.columns),
        y=list(range(len(names))),
        zmin=0,
        zmax=1,
        colorscale=[[1 - at, color] for at, color in reversed(theme.sides(dark))],
        ygap=3,
        customdata=[[theme.label(n)] * len(table.columns) for n in names],
        hovertemplate="%{customdata}<br>dissimilar: %{z:.0%} at step %{x}<extra></extra>",
    )
    seeds = max(map(len, turned.values()))
    whose = "the batch" if seeds == 1 else f"the batches of {seeds} seeds"
    key = {"tickvals": [0.08, 0.92], "ticktext": ["0 %: similar", "100 %"]}
    draw.color_key(drawn, f"Dissimilar share of {whose}", **key)
    ticks = [f"{theme.label(name)} ({counted(turned[name])})" for name in names]
    drawn.update_yaxes(tickvals=list(range(len(names))), ticktext=ticks, autorange="reversed", showgrid=False)
    return drawn.update_layout(showlegend=False)


def alt(frame: pd.DataFrame, *, task: str | None = None) -> str:
    rows = numbers(frame, task)
    if rows.empty:
        return "Partition into similar and dissimilar tasks: there is no earlier task yet."
    last = rows.sort_values("step").groupby("earlier", sort=False)["dissimilar"].last()
    away = [name for name, share in last.items() if share >= 0.5]
    return (
        f"Of {len(last)} earlier tasks {len(away)} are dissimilar at the last step"
        f"{': ' + draw.listed(away) if away else ''}; "
        f"sides changed {sum(map(sum, flips(frame, task).values()))} times in all."
    )
