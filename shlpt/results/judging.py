"""What the threshold page and command judge: the transfer of a matrix and the scores of its pairs. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis.transfer import gains
from shlpt.errors import UserError
from shlpt.results.experiments import find, pairs
from shlpt.store.store import Store
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import relation


@dataclass(frozen=True)
class Matter:
    about: Mapping[str, Any]  # of the matrix
    pairs: pd.DataFrame  # [source, target, seed, transfer]
    scores: pd.DataFrame  # [estimator, source, target, seed, score, earlier]
    seconds: Mapping[str, float]
    relations: Mapping[tuple[str, str], str]  # declared, in words


def matter(store: Store, id: str) -> Matter:
    about = find(store, id)["about"]
    found = gains(pairs(store, id))
    relations, declared = _declared(about["tasks"], about.get("suite", "pocket"))
    scores = pd.concat([declared, _oracle(found), _random(found)], ignore_index=True)
    return Matter(about, found, scores.assign(earlier=np.nan), {}, relations)


def _declared(tasks: list[str], suite: str) -> tuple[dict[tuple[str, str], str], pd.DataFrame]:
    words, lines = {}, []
    try:
        known = [find_task(name, suite) for name in tasks]
        for a in known:
            for b in known:
                if a.name != b.name:
                    kind, degree = relation(a, b)
                    words[a.name, b.name] = kind
                    lines.append(("declared", a.name, b.name, np.nan, degree))
    except UserError:  # tasks of the user's own declare nothing
        return {}, pd.DataFrame(columns=["estimator", "source", "target", "seed", "score"])
    return words, pd.DataFrame(lines, columns=["estimator", "source", "target", "seed", "score"])


def _oracle(found: pd.DataFrame) -> pd.DataFrame:
    """The mean over the other seeds."""
    by = found.groupby(["source", "target"])["transfer"]
    total, count = by.transform("sum"), by.transform("count")
    known = found["transfer"].notna()
    others = (total - found["transfer"]) / (count - 1).where(count > 1)
    return found[["source", "target", "seed"]].assign(estimator="oracle", score=others.where(known))


def _random(found: pd.DataFrame) -> pd.DataFrame:
    score = np.random.default_rng(0).random(len(found))
    return found[["source", "target", "seed"]].assign(estimator="random", score=score)
