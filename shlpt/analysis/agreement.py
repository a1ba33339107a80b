"""Does measured transfer follow declared relatedness? Pure."""

from collections.abc import Mapping, Sequence
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shlpt.analysis.points import signed
from shlpt.analysis.transfer import LEVEL
from shlpt.tasks.find import find_task, is_stored
from shlpt.tasks.pocket import axes, relation
from shlpt.tasks.task import Task

ROUNDS = 500
FEWEST = 4  # tasks needed for a bootstrap
NOTHING = 1e-9  # what rounding leaves of a variance of ranks
Numbers = NDArray[np.float64]


class Axis(TypedDict):
    """What an axis of declared relatedness says of measured transfer. None: not defined."""

    spearman: float | None
    ci95: list[float] | None
    beyond: float | None  # partial rank correlation: what the other axes do not say already
    beyond_ci95: list[float] | None


class Agreement(TypedDict):
    """Spearman's ρ over the pairs with its interval, and shares of clear pairs. None: not defined."""

    pairs: int
    spearman: float | None
    ci95: list[float] | None  # bootstrap over tasks
    axes: dict[str, Axis]  # texts, question, answers
    clear_with_sign: int  # clear pairs whose declared relatedness is not zero
    of_declared_sign: float | None  # share of these with the declared sign
    surely_positive: float | None  # shares of the pairs with at least two seeds
    surely_negative: float | None


Pair = tuple[str, str]
Shared = Mapping[Pair, Mapping[str, float]]


def declared(tasks: Sequence[str]) -> dict[Pair, float]:
    """The declared relatedness of every ordered pair of generated tasks."""
    return {(a.name, b.name): relation(a, b)[1] for a, b in _pairs(tasks)}


def shared(tasks: Sequence[str]) -> dict[Pair, dict[str, float]]:
    """The same by axis."""
    return {(a.name, b.name): axes(a, b) for a, b in _pairs(tasks)}


def _pairs(tasks: Sequence[str]) -> list[tuple[Task, Task]]:
    found = [find_task(name) for name in tasks if not is_stored(name)]
    return [(a, b) for a in found for b in found if a.name != b.name]


def agreement(
    table: pd.DataFrame, degrees: Mapping[Pair, float], by_axis: Shared | None = None, seed: int = 0
) -> Agreement:
    """`table` is the output of `transfer.cells`. The bootstrap draws tasks, not pairs, because pairs that share a task
    are not independent."""
    rows = [(c.source, c.target, c.value, degrees[c.source, c.target], c.clear) for c in table.itertuples()]
    value, degree = (np.asarray([row[k] for row in rows], dtype=float) for k in (2, 3))
    signed = [np.sign(v) == np.sign(d) for _, _, v, d, clear in rows if clear and d]
    tested = int(table["p"].notna().sum())
    sure = [(table["clear"] & (side * table["value"] > 0)).sum() for side in (1, -1)]
    positive, negative = (float(count / tested) if tested else None for count in sure)
    pairs = [(row[0], row[1]) for row in rows]
    drawn = _drawn(pairs, seed)
    return Agreement(
        pairs=len(rows),
        spearman=spearman(value, degree),
        ci95=_interval(correlations(value, degree, [], drawn)),
        axes=_axes(pairs, value, by_axis or {}, drawn),
        clear_with_sign=len(signed),
        of_declared_sign=float(np.mean(signed)) if signed else None,
        surely_positive=positive,
        surely_negative=negative,
    )


def _axes(pairs: Sequence[Pair], value: Numbers, by_axis: Shared, drawn: Numbers) -> dict[str, Axis]:
    names = list(by_axis[pairs[0]]) if pairs and by_axis else []
    columns = {name: np.asarray([by_axis[pair][name] for pair in pairs], dtype=float) for name in names}
    return {
        name: _axis(value, mine, [column for other, column in columns.items() if other != name], drawn)
        for name, mine in columns.items()
    }


def _axis(value: Numbers, mine: Numbers, others: Sequence[Numbers], drawn: Numbers) -> Axis:
    return Axis(
        spearman=spearman(value, mine),
        ci95=_interval(correlations(value, mine, [], drawn)),
        beyond=partial(value, mine, others),
        beyond_ci95=_interval(correlations(value, mine, others, drawn)),
    )


def spearman(a: Numbers, b: Numbers) -> float | None:
    """Rank correlation, ties share their mean rank; None if one side is constant."""
    return partial(a, b, [])


def partial(a: Numbers, b: Numbers, given: Sequence[Numbers]) -> float | None:
    """Rank correlation of what is left of both when `given` is accounted for; None if nothing is left of one."""
    if not len(a):
        return None
    (found,) = correlations(a, b, given, np.ones((1, len(a))))
    return None if np.isnan(found) else float(found)


def correlations(a: Numbers, b: Numbers, given: Sequence[Numbers], drawn: Numbers) -> Numbers:
    """The same for each round of a bootstrap that has drawn each place so many times [R,P]. NaN: not defined. All
    rounds at once, because a page waits for it."""
    ranks = np.stack([_ranks(column, drawn) for column in (a, b, *given)], axis=1)  # [R,2+G,P]
    size = drawn.sum(axis=1)[:, None]  # [R,1]
    weights = (drawn / np.maximum(size, 1))[:, None]  # [R,1,P]
    centred = ranks - (ranks * weights).sum(axis=2, keepdims=True)
    covariance = (centred * weights) @ centred.transpose(0, 2, 1)  # [R,2+G,2+G]
    known = covariance[:, :2, 2:] @ np.linalg.pinv(covariance[:, 2:, 2:], rcond=NOTHING, hermitian=True)
    left = covariance[:, :2, :2] - known @ covariance[:, 2:, :2]  # [R,2,2]
    spread = np.diagonal(left, axis1=1, axis2=2)  # [R,2]
    defined = (size[:, 0] >= 3 + len(given)) & (spread > NOTHING * size**2).all(axis=1)
    return np.where(defined, left[:, 0, 1] / np.sqrt(np.where(defined, spread.prod(axis=1), 1.0)), np.nan)


def _ranks(values: Numbers, drawn: Numbers) -> Numbers:
    """In each round, the mean rank [R,P] of what is drawn so many times [R,P]."""
    different, place = np.unique(values, return_inverse=True)
    count = drawn @ np.eye(len(different))[place]  # [R,U]
    ranks: Numbers = (np.cumsum(count, axis=1) - (count - 1) / 2)[:, place]
    return ranks


def _drawn(pairs: Sequence[Pair], seed: int) -> Numbers:
    """For each round of the bootstrap, how many times each pair is drawn [R,P]; no round with too few tasks."""
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    if len(names) < FEWEST:
        return np.zeros((0, len(pairs)))
    places = np.asarray([(names.index(a), names.index(b)) for a, b in pairs])
    rng = np.random.default_rng(seed)
    tasks = [rng.integers(len(names), size=len(names)) for _ in range(ROUNDS)]
    times = np.stack([np.bincount(drawn, minlength=len(names)) for drawn in tasks]).astype(float)  # [R,T]
    return times[:, places[:, 0]] * times[:, places[:, 1]]


def _interval(found: Numbers) -> list[float] | None:
    """95 % bootstrap interval; None with too few tasks, or if half of the rounds have no ρ."""
    defined = found[~np.isnan(found)]
    if not len(defined) or 2 * len(defined) < len(found):
        return None
    low, high = np.quantile(defined, [0.025, 0.975])
    return [float(low), float(high)]


def sentences(found: Agreement | None) -> list[str]:
    """The same in sentences."""
    if found is None:
        return ["Relatedness is declared for generated tasks only: measured transfer has nothing to be compared with."]
    if found["spearman"] is None:
        return ["Agreement with declared relatedness cannot be computed: too few pairs, or all are declared alike."]
    ends = _ends(found["ci95"]) + ", bootstrap over tasks" * (found["ci95"] is not None)
    said = [
        f"Declared relatedness and measured transfer: Spearman's ρ = {signed(found['spearman'], '+.2f')} over "
        f"{found['pairs']} pairs ({ends})."
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
    if by_axis := [_said(name, axis) for name, axis in found["axes"].items() if axis["spearman"] is not None]:
        said.append(f"Each axis by itself, and beyond the others: {'; '.join(by_axis)}.")
    return said


def _said(name: str, axis: Axis) -> str:
    rho, partial = axis["spearman"], axis["beyond"]
    assert rho is not None
    beyond = "not defined" if partial is None else f"{signed(partial, '+.2f')} ({_ends(axis['beyond_ci95'])})"
    return f"{name} {signed(rho, '+.2f')} ({_ends(axis['ci95'])}), beyond {beyond}"


def _ends(interval: Sequence[float] | None) -> str:
    if not interval:
        return "no interval: too few tasks"
    low, high = (signed(end, "+.2f") for end in interval)
    return f"95 %: {low} to {high}"


def of_tasks(table: pd.DataFrame, tasks: Sequence[str]) -> Agreement | None:
    """None for imported tasks: nobody has declared how they are related."""
    return None if any(map(is_stored, tasks)) else agreement(table, declared(tasks), shared(tasks))


def with_degrees(table: pd.DataFrame) -> pd.DataFrame:
    """Cells of generated tasks with the relation that is declared for them, and its degree."""
    stored = [is_stored(c.source) or is_stored(c.target) for c in table.itertuples()]
    kept = table[~pd.Series(stored, index=table.index, dtype=bool)]
    found = [relation(find_task(c.source), find_task(c.target)) for c in kept.itertuples()]
    return kept.assign(
        relation=pd.Series([name for name, _ in found], index=kept.index, dtype=object),
        degree=pd.Series([degree for _, degree in found], index=kept.index, dtype=float),
    )
