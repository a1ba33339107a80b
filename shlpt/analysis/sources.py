"""Does α rank the source that is related before the others? Pure. A frame has one row per run, task learned and earlier
task: [run, seed, task, earlier, alpha, spread] (results/seeds.py)."""

from collections.abc import Mapping
from statistics import fmean
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from shlpt.analysis.metrics import summary
from shlpt.analysis.nearest import SAME

Degrees = Mapping[tuple[str, str], float]


class Ranking(TypedDict):
    """Means over seeds with their intervals, as `metrics.summary` gives them; n = 0 where nothing can be ranked."""

    stages: int  # in which one earlier task is more related than all others, and not all are
    first: dict[str, Any]  # share of these whose most related task has the highest α
    auc: dict[str, Any]  # area under the ROC curve of α against being related, within a stage
    spread: dict[str, Any]  # standard deviation of α over the texts


def ranking(frame: pd.DataFrame, degrees: Degrees) -> Ranking:
    """`degrees`: how related (source, target) are. Stages with one earlier task do not count."""
    first: dict[int, list[float]] = {}
    auc: dict[int, list[float]] = {}
    spread: dict[int, list[float]] = {}
    stages = 0
    for (_, seed, task), rows in frame.groupby(["run", "seed", "task"], sort=False):
        if len(rows) < 2:
            continue
        alpha = rows["alpha"].to_numpy(dtype=float)
        degree = np.array([degrees[earlier, task] for earlier in rows["earlier"]])
        spread.setdefault(seed, []).append(float(rows["spread"].mean()))
        area = roc_area(alpha, degree > 0)
        if area is None:
            continue
        auc.setdefault(seed, []).append(area)
        if (degree == degree.max()).sum() == 1:
            stages += 1
            highest = alpha >= alpha.max() - SAME
            first.setdefault(seed, []).append(float(highest[degree.argmax()] / highest.sum()))
    return Ranking(stages=stages, first=_over(first), auc=_over(auc), spread=_over(spread))


def _over(found: Mapping[int, list[float]]) -> dict[str, Any]:
    return dict(summary([fmean(values) for values in found.values()]))


def roc_area(score: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> float | None:
    """The probability that a right one scores higher than a wrong one; equal scores count half. None without both."""
    above, below = score[right], score[~right]
    if not len(above) or not len(below):
        return None
    apart = above[:, None] - below[None]
    return float(((apart > 0) + 0.5 * (apart == 0)).mean())
