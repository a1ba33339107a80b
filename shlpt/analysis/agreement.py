"""Does measured transfer follow declared relatedness? Pure."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shlpt.analysis.transfer import LEVEL
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import relation

ROUNDS = 500
FEWEST = 4  # tasks needed for a bootstrap
Numbers = NDArray[np.float64]


class Agreement(TypedDict):
    """Spearman's ρ over the pairs with its interval, and shares of clear pairs. None: not defined."""

    pairs: int
    spearman: float | None
    ci95: list[float] | None  # bootstrap over tasks
    clear_with_sign: int  # clear pairs whose declared relatedness is not zero
    of_declared_sign: float | None  # share of these with the declared sign
    surely_positive: float | None  # shares of the pairs with at least two seeds
    surely_negative: float | None


def declared(tasks: Sequence[str], suite: str = "pocket") -> dict[tuple[str, str], float]:
    """The declared relatedness of every ordered pair."""
    found = [find_task(name, suite) for name in tasks]
    return {(a.name, b.name): relation(a, b)[1] for a in found for b in found if a.name != b.name}


def agreement(table: pd.DataFrame, degrees: Mapping[tuple[str, str], float], seed: int = 0) -> Agreement:
    """`table` is the output of `transfer.cells`. The bootstrap draws tasks, not pairs, because pairs that share a task
    are not independent."""
    rows = [(c.source, c.target, c.value, degrees[c.source, c.target], c.clear) for c in table.itertuples()]
    value, degree = (np.asarray([row[k] for row in rows], dtype=float) for k in (2, 3))
    signed = [np.sign(v) == np.sign(d) for _, _, v, d, clear in rows if clear and d]
    tested = int(table["p"].notna().sum())
    sure = [(table["clear"] & (side * table["value"] > 0)).sum() for side in (1, -1)]
    positive, negative = (float(count / tested) if tested else None for count in sure)
    return Agreement(
        pairs=len(rows),
        spearman=spearman(value, degree),
        ci95=_interval([(row[0], row[1]) for row in rows], value, degree, seed),
        clear_with_sign=len(signed),
        of_declared_sign=float(np.mean(signed)) if signed else None,
        surely_positive=positive,
        surely_negative=negative,
    )


def spearman(a: Numbers, b: Numbers) -> float | None:
    """Rank correlation, ties share their mean rank; None if one side is constant."""
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: Numbers) -> Numbers:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Numbers = (np.cumsum(count) - (count - 1) / 2)[place]
    return ranks


def _interval(pairs: Sequence[tuple[str, str]], value: Numbers, degree: Numbers, seed: int) -> list[float] | None:
    """95 % bootstrap interval; None with too few tasks, or if half of the draws have no ρ."""
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    if len(names) < FEWEST:
        return None
    places = np.asarray([(names.index(a), names.index(b)) for a, b in pairs])
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(ROUNDS):
        times = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        often = times[places[:, 0]] * times[places[:, 1]]
        found.append(spearman(np.repeat(value, often), np.repeat(degree, often)))
    defined = [rho for rho in found if rho is not None]
    if 2 * len(defined) < ROUNDS:
        return None
    low, high = np.quantile(defined, [0.025, 0.975])
    return [float(low), float(high)]


def sentences(found: Agreement) -> list[str]:
    """The same in sentences."""
    if found["spearman"] is None:
        return ["Agreement with declared relatedness cannot be computed: too few pairs, or all are declared alike."]
    interval = found["ci95"]
    ends = f"95 %: {interval[0]:+.2f} to {interval[1]:+.2f}" if interval else "no interval: too few tasks"
    ends += ", bootstrap over tasks" if interval else ""
    said = [
        f"Declared relatedness and measured transfer: Spearman's ρ = {found['spearman']:+.2f} over {found['pairs']} "
        f"pairs ({ends})."
    ]
    if found["surely_positive"] is not None and found["surely_negative"] is not None:
        said.append(
            f"Clearly positive: {found['surely_positive']:.0%} of the pairs; clearly negative: "
            f"{found['surely_negative']:.0%} (false discovery rate {LEVEL:.0%})."
        )
    if found["of_declared_sign"] is not None:
        said.append(
            f"Of {found['clear_with_sign']} clear pairs with a declared sign, {found['of_declared_sign']:.0%} have it."
        )
    return said


def of_tasks(table: pd.DataFrame, tasks: Sequence[str], suite: str = "pocket") -> Agreement:
    return agreement(table, declared(tasks, suite))
