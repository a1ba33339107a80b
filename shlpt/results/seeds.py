"""Runs that differ in their seed only. No torch."""

import pandas as pd

from shlpt.results import frames
from shlpt.store.store import Store

_SIBLINGS = """
    SELECT id FROM runs WHERE CASE WHEN json_valid(spec) THEN json_remove(spec, '$.seed') END =
      (SELECT json_remove(spec, '$.seed') FROM runs WHERE id=?) ORDER BY json_extract(spec, '$.seed')
"""


def siblings(store: Store, id: str) -> list[str]:
    """The run and those that differ from it in their seed only, by seed."""
    return [str(row["id"]) for row in store.rows(_SIBLINGS, (id,))]


def similarities(store: Store, id: str, task: str) -> pd.DataFrame:
    """[seed, earlier, alpha]: mean α over the training texts of a task, for each seed that has learned it."""
    lines = []
    for other in siblings(store, id):
        alpha, spec = frames.tensors(store, other, task).get("record.alpha"), frames.spec(store, other)
        if alpha is not None and alpha.size:
            means = zip(spec["tasks"], alpha.mean(0).tolist(), strict=False)
            lines += [(spec["seed"], earlier, value) for earlier, value in means]
    return pd.DataFrame(lines, columns=["seed", "earlier", "alpha"])
