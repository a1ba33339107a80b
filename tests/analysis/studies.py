"""Simulated studies with known answers: measured transfer between tasks, and scores that know more or less of it."""

from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis.cubes import Cube, Floats

TASKS, SEEDS = 10, 10


def made(transfer: Floats, score: Floats) -> Cube:
    """[seeds, sources, targets] → a cube, without the diagonal."""
    known = np.isfinite(transfer) & np.isfinite(score) & ~np.eye(transfer.shape[1], dtype=bool)
    names = tuple(f"t{place}" for place in range(transfer.shape[1]))
    both = (np.where(known, values, np.nan) for values in (transfer, score))
    return Cube(names, tuple(range(len(transfer))), *both, ())


def study(rng: np.random.Generator, knows: float) -> Cube:
    """Sources, targets and pairs have effects of their own, and every seed has noise, of which a target's is the same
    for all sources. `knows`: correlation of the score with what makes pairs differ."""
    n, k = TASKS, SEEDS
    place = rng.normal(size=(n, 3))
    alike = place @ place.T / np.sqrt(3)
    effect = -2 + 3 * rng.normal(size=(n, 1)) + 3 * rng.normal(size=(1, n)) + 6 * alike + 4 * rng.normal(size=(n, n))
    transfer = effect + 8 * rng.normal(size=(k, n, n)) + 5 * rng.normal(size=(k, 1, n))
    own = 0.8 * rng.normal(size=(n, n)) + 0.6 * rng.normal(size=(k, n, n)) + 0.3 * rng.normal(size=(n, 1))
    return made(transfer, knows * alike + np.sqrt(1 - knows**2) * own)


def questions(rng: np.random.Generator, knows: bool, tasks: int = TASKS) -> Cube:
    """A world in which sources with the target's question help and others harm, more or less. A perfect score is the
    effect itself, a blind one noise."""
    same = np.arange(tasks)[:, None] % 2 == np.arange(tasks) % 2
    effect = np.where(same, 8.0, -8.0) + 5 * rng.normal(size=(tasks, tasks))
    transfer = effect + 10 * rng.normal(size=(SEEDS, tasks, tasks)) + 4 * rng.normal(size=(SEEDS, 1, tasks))
    return made(transfer, np.broadcast_to(effect, transfer.shape) if knows else rng.normal(size=transfer.shape))


def frames(found: Cube, estimator: str = "any") -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cube as the two frames it is read from."""
    lines: list[tuple[Any, ...]] = [
        (source, target, seed, found.transfer[k, s, t], found.score[k, s, t])
        for k, seed in enumerate(found.seeds)
        for s, source in enumerate(found.tasks)
        for t, target in enumerate(found.tasks)
        if s != t
    ]
    both = pd.DataFrame(lines, columns=["source", "target", "seed", "transfer", "score"])
    scores = both.drop(columns="transfer").assign(estimator=estimator)
    return both.drop(columns="score"), scores
