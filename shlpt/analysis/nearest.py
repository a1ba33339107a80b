"""The nearest earlier task by α, and whether runs with other seeds find the same one. Pure. A frame has one row or more
per seed and earlier task: [seed, earlier, alpha]."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

SAME = 1e-6  # α this close are equal


@dataclass(frozen=True)
class Nearest:
    """The earlier task that is nearest in most seeds."""

    earlier: str
    agree: int  # seeds in which it is the nearest
    seeds: int


def by_seed(frame: pd.DataFrame) -> pd.DataFrame:
    """[seed, earlier]: the task with the highest mean α in each seed; no row where two have the highest."""
    means = frame.groupby(["seed", "earlier"], sort=False)["alpha"].mean().reset_index()
    highest = means[means["alpha"] >= means.groupby("seed")["alpha"].transform("max") - SAME]
    return highest.drop_duplicates("seed", keep=False)[["seed", "earlier"]].reset_index(drop=True)


def over_seeds(frame: pd.DataFrame) -> Nearest | None:
    """None where nothing can agree: no α yet, all equal, or only one earlier task."""
    found = by_seed(frame)["earlier"]
    if frame["earlier"].nunique() < 2 or found.empty:
        return None
    counts = found.value_counts(sort=False)  # in the order of the seeds, so that ties go to the first
    return Nearest(str(counts.idxmax()), int(counts.max()), frame["seed"].nunique())


def said(frame: pd.DataFrame, write: Callable[[str], str] = str) -> str:
    """A sentence to stand beside α; empty where nothing can agree. `write` gives a task's name as people read it."""
    nearest = over_seeds(frame)
    if nearest is None:
        return ""
    name = write(nearest.earlier)
    if nearest.seeds == 1:
        return f"Nearest task: {name}, in one seed; another seed may find another."
    return f"The same nearest task in {nearest.agree} of {nearest.seeds} seeds: {name}."
