"""What the threshold page and command judge: the transfer of a matrix and the scores of its pairs. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from shlpt.analysis.transfer import gains
from shlpt.results.experiments import find, pairs
from shlpt.results.scores import readable
from shlpt.store.store import Store
from shlpt.tasks.find import find_task, is_stored
from shlpt.tasks.pocket import relation


@dataclass(frozen=True)
class Matter:
    about: Mapping[str, Any]  # of the matrix
    pairs: pd.DataFrame  # [source, target, seed, transfer]
    scores: pd.DataFrame  # [estimator, source, target, seed, score, earlier]
    seconds: Mapping[str, float]
    relations: Mapping[tuple[str, str], str]  # declared, in words

    def scores_of(self, estimator: str) -> pd.DataFrame:
        return self.scores[self.scores["estimator"] == estimator]


def matter(store: Store, id: str) -> Matter:
    about = find(store, id)["about"]
    found = gains(pairs(store, id))
    scored = readable(store, id)
    return Matter(about, found, scored.frame, scored.seconds, _relations(about["tasks"]))


def _relations(names: list[str]) -> dict[tuple[str, str], str]:
    """Of imported tasks nobody has declared how they are related."""
    tasks = [find_task(name) for name in names if not is_stored(name)]
    return {(a.name, b.name): relation(a, b)[0] for a in tasks for b in tasks if a.name != b.name}
