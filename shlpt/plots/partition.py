"""Which earlier tasks are similar and which dissimilar while a task is learned, and how often that flips."""

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


def flips(frame: pd.DataFrame, task: str | None = None) -> dict[str, float]:
    """How often each earlier task changed sides, averaged over the seeds."""
    rows, _ = newest(frame, task)
    last = rows.groupby(["earlier", "seed"], sort=False)["flips"].max()
    return {str(name): float(count) for name, count in last.groupby("earlier", sort=False).mean().items()}


def figure(frame: pd.DataFrame, *, task: str | None = None, dark: bool = False) -> go.Figure:
    """A row per earlier task: blue where it is dissimilar, orange where it is similar."""
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
        colorscale=[[1 - at, color] for at, color in reversed(theme.diverging(dark))],
        ygap=3,
        customdata=[[theme.label(n)] * len(table.columns) for n in names],
        hovertemplate="%{customdata}<br>dissimilar: %{z:.0%} at step %{x}<extra></extra>",
    )
    draw.color_key(drawn, "Share of the batch that is dissimilar", tickvals=[0, 1], ticktext=["0 %: similar", "100 %"])
    ticks = [f"{theme.label(name)} ({turned[name]:.3g})" for name in names]
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
        f"sides changed {sum(flips(frame, task).values()):g} times in all."
    )
