"""Figures of a run beside the cockpit: similarity, partition, overlap and scores over time."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from shlpt.analysis import nearest
from shlpt.catalog import METHODS
from shlpt.plots import accuracy_matrix, overlap, partition, similarity, theme, validation
from shlpt.ui import page
from shlpt.ui.choose import forget, kept
from shlpt.ui.live_plot import live_plot

TABLE = "stages"
PLOTS = {"similarity": similarity, "partition": partition, "overlap": overlap, "validation": validation}
PLOTS |= {"matrix": accuracy_matrix}
NEEDS = {"similarity": "similarity", "partition": "similarity", "overlap": "overlap"}  # figure -> frame
NEEDS |= {"validation": "epochs", TABLE: "stages"}
OF_A_TASK = ("similarity", "partition", "overlap")


def given(records: list[Any], name: str, task: str, rows: pd.DataFrame | None) -> tuple[Any, ...]:
    """What a figure draws."""
    tasks, settings = records[0]["tasks"], records[0]["settings"]
    if name == "matrix":
        return (np.array([record["matrix"] for record in records], dtype=float), tasks)
    if name == "similarity":
        return (rows, settings.get("threshold"), tasks.index(task))
    return (rows,)


SAYS: dict[str, tuple[str, str, int | None]] = {  # heading, what one sees, the paper's equation
    "similarity": (
        "Similarity to each earlier task",
        "Mean α over the batch with the range over its texts; with several seeds, one line per seed. Above δ the "
        "prompt of an earlier task is mixed in; below δ the new prompt is pushed away from it.",
        4,
    ),
    "partition": (
        "Similar and dissimilar tasks",
        "For each earlier task: the share of the batch for which it counts as dissimilar.",
        5,
    ),
    "overlap": (
        "Overlap of activation states",
        "Cosine similarity of the last decoder layer's activations with those under each earlier prompt, on texts of "
        "the new task. Lower means that the prompts activate different neurons.",
        10,
    ),
    "validation": (
        "Validation of each task",
        "Score on the validation set after each epoch; it decides early stopping.",
        None,
    ),
    "matrix": (
        "Accuracy matrix",
        "Row: the task learned last. Column: the task tested. A column that fades downwards shows forgetting.",
        None,
    ),
}


def choice(found: dict[str, Any], task: str) -> str:
    """Which figure is shown; those of similarity only for a task with α."""
    info, later = METHODS[found["records"][0]["method"]], task != found["records"][0]["tasks"][0]
    station = next(one for one in found["stations"] if one["task"] == task)
    names = ["similarity", "partition"] if info.alpha and later and station["step"] else []
    names += ["overlap"] if station["has_overlap"] else []
    key = "depth" if names else "more"  # what is chosen where there is no similarity is not kept for where there is
    forget(*{"depth", "more"} - {key})
    names += ["matrix", "validation", TABLE]
    titles = {name: said[0] for name, said in SAYS.items()} | {TABLE: "Stages"}
    return kept("More about this run", names, key, write=lambda name: titles[name], kind="figure", segments=True)


def show(name: str, task: str, rows: pd.DataFrame | None, drawn: tuple[dict[str, Any], str] | None) -> None:
    """One figure with its explanation, or the table of the stages."""
    if drawn is None:
        if rows is not None:
            st.dataframe(rows.drop(columns=["key"]), hide_index=True)
        return
    _, said, equation = SAYS[name]
    live_plot(drawn[0], key=f"live-{name}", alt=drawn[1])
    page.explain(said, equation)
    if name == "similarity":
        st.caption(page.plain(nearest.said(similarity.latest(rows, task), theme.titled)))
    if name == "partition":
        flips = partition.flips(rows, task).items()
        counted = ", ".join(f"{theme.titled(name)} {partition.counted(counts)}" for name, counts in flips)
        st.caption(page.plain(f"Flips so far: {counted or 'none'}"))
