"""The same tasks in several orders: does the order matter, and what of it? Pure.

A frame has a row per run and place: [order, seed, position, task, before, learned, final], in shares from 0 to 1.
`before` is the task learned just before, empty for the first; `learned` the score right after learning a task, `final`
the one after the whole sequence."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import fdtrc

from shlpt.analysis.metrics import summary

Floats = NDArray[np.float64]
COLUMNS = ["order", "seed", "position", "task", "before", "learned", "final"]
SHUFFLES = 400
FACTORS = {"position": ["position"], "task before it": ["task", "before"]}


def places(runs: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """From the records of finished runs."""
    lines = []
    for run in runs:
        tasks, matrix = run["tasks"], run["matrix"]
        order = " ".join(tasks)
        for place, task in enumerate(tasks):
            before = tasks[place - 1] if place else ""
            lines.append((order, run["seed"], place + 1, task, before, matrix[place][place], matrix[-1][place]))
    return pd.DataFrame(lines, columns=COLUMNS).astype({"learned": float, "final": float}).dropna(subset=["final"])


def by_position(frame: pd.DataFrame, fair: bool = True) -> pd.DataFrame:
    """[which, position, mean, low, high, seeds] for `learned` and `final`, with intervals over the seeds. `fair`: each
    task against its own mean, so that easy tasks do not make a position look good; needs several orders."""
    lines = []
    for which in ("learned", "final"):
        ease = frame.groupby("task")[which].transform("mean") - frame[which].mean() if fair else 0.0
        level = frame[which] - ease
        means = frame.assign(level=level).groupby(["position", "seed"])["level"].mean()
        for position, values in means.groupby("position"):
            found: Any = summary(list(values))
            low, high = found["ci95"] or (np.nan, np.nan)
            lines.append((which, int(position), found["mean"], low, high, found["n"]))
    return pd.DataFrame(lines, columns=["which", "position", "mean", "low", "high", "seeds"])


# --- how much the order matters -----------------------------------------------------------
class Spread(TypedDict):
    """How far apart the orders are in ACC. None: not defined."""

    orders: int
    seeds: int
    reach: float | None  # highest minus lowest mean over the seeds, in points
    share: float | None  # of the variance between runs with the seed's mean taken off: what the orders explain
    p: float | None  # F test: chance of orders as far apart if the order did not matter


def spread(frame: pd.DataFrame) -> Spread:
    """Two-way analysis of variance without interaction: orders × seeds."""
    acc = frame.groupby(["order", "seed"])["final"].mean().unstack("seed").dropna()
    orders, seeds = acc.shape
    found = Spread(orders=orders, seeds=seeds, reach=None, share=None, p=None)
    if orders < 2:
        return found
    values: Floats = acc.to_numpy(dtype=float)
    means = values.mean(1)
    found["reach"] = float(100 * np.ptp(means))
    if seeds < 2:
        return found
    left = values - means[:, None] - values.mean(0) + values.mean()
    free = (orders - 1) * (seeds - 1)
    noise = float((left**2).sum()) / free
    between = seeds * float(((means - means.mean()) ** 2).sum()) / (orders - 1)
    if noise + between <= 1e-12:  # all runs are equally good
        return found
    component = max(0.0, (between - noise) / seeds)
    found["share"] = component / (component + noise)
    found["p"] = float(fdtrc(orders - 1, free, between / noise)) if noise > 0 else 0.0
    return found


# --- what of it ---------------------------------------------------------------------------
class Explained(TypedDict):
    """Share of the variance of a task's scores over the orders that a factor explains."""

    factor: str
    share: float | None
    by_chance: float | None  # mean share if scores are shuffled among the orders of the same task and seed
    p: float | None


def explained(frame: pd.DataFrame, seed: int = 0) -> list[Explained]:
    """Scores right after learning, each against the mean of its task and seed. A factor with many values explains much
    by chance alone, so the share stands beside what shuffled scores give."""
    level = (frame["learned"] - frame.groupby(["task", "seed"])["learned"].transform("mean")).to_numpy(dtype=float)
    if frame["order"].nunique() < 2 or not (level**2).sum() > 1e-12:
        return [Explained(factor=name, share=None, by_chance=None, p=None) for name in FACTORS]
    cells = list(frame.groupby(["task", "seed"]).indices.values())
    rng, shuffled = np.random.default_rng(seed), []
    for _ in range(SHUFFLES):
        other = level.copy()
        for at in cells:
            other[at] = level[rng.permutation(at)]
        shuffled.append(other)
    found = []
    for name, columns in FACTORS.items():
        group = frame.groupby(columns).ngroup().to_numpy()
        share, chance = _share(level, group), np.array([_share(other, group) for other in shuffled])
        p = float((1 + (chance >= share - 1e-12).sum()) / (1 + SHUFFLES))
        found.append(Explained(factor=name, share=share, by_chance=float(chance.mean()), p=p))
    return found


def _share(level: Floats, group: NDArray[np.intp]) -> float:
    """R² of the group means."""
    count = np.bincount(group)
    means = np.bincount(group, level) / np.maximum(count, 1)
    return float((count * means**2).sum() / (level**2).sum())


def sentences(frame: pd.DataFrame) -> list[str]:
    """What the orders say, and what they do not."""
    found = spread(frame)
    if found["reach"] is None:
        return ["There is one finished order: two are needed to compare."]
    said = [f"The best and the worst of {found['orders']} orders are {found['reach']:.1f} points of ACC apart."]
    if found["seeds"] < 2:
        return [*said, "With one seed this cannot be told from chance: the same order differs between seeds too."]
    if found["share"] is None or found["p"] is None:
        return [*said, "All runs are equally good."]
    verdict = "more than chance gives" if found["p"] < 0.05 else "no more than chance gives"
    said.append(
        f"The order explains {found['share']:.0%} of the variance between runs, {verdict} (F test over "
        f"{found['seeds']} seeds, p {_probability(found['p'])})."
    )
    parts = [part for part in explained(frame) if part["share"] is not None]
    for part in parts:
        assert part["share"] is not None
        assert part["by_chance"] is not None
        assert part["p"] is not None
        said.append(
            f"Of a task's scores over the orders, the {part['factor']} explains {part['share']:.0%}; shuffled scores "
            f"give {part['by_chance']:.0%} (p {_probability(part['p'])})."
        )
    return said


def _probability(p: float) -> str:
    return "< .001" if p < 0.001 else f"= {p:.3f}".replace("0.", ".", 1)
