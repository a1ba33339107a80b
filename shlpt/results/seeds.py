"""Runs that differ in their seed only. No torch."""

import json
from collections.abc import Iterable

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


def every_alpha(store: Store, id: str, task: str) -> pd.DataFrame:
    """[seed, example, earlier, alpha]: α of every training text of a task, for each seed that has learned it. Where
    only scores are recorded, the mean α without an example."""
    found, means = text_alphas(store, siblings(store, id), task), similarities(store, id, task)
    rest = means[~means["seed"].isin(found["seed"].unique())].assign(example=None)
    return pd.concat([part for part in (found, rest) if len(part)] or [found], ignore_index=True)


def text_alphas(store: Store, ids: Iterable[str], task: str) -> pd.DataFrame:
    """[seed, example, earlier, alpha] of these runs; an example is its place among the training texts."""
    parts = [pd.DataFrame(columns=["seed", "example", "earlier", "alpha"])]
    for id in ids:
        alpha, spec = frames.tensors(store, id, task).get("record.alpha"), frames.spec(store, id)
        if alpha is not None and alpha.size:
            wide = pd.DataFrame(alpha, columns=spec["tasks"][: alpha.shape[1]]).rename_axis("example").reset_index()
            long = wide.melt("example", var_name="earlier", value_name="alpha").assign(seed=spec["seed"])
            parts.append(long[parts[0].columns])
    return pd.concat(parts[1:], ignore_index=True) if len(parts) > 1 else parts[0]


def similarities(store: Store, id: str, task: str) -> pd.DataFrame:
    """[seed, earlier, alpha]: mean α over the training texts of a task, for each seed that has learned it."""
    found = stage_alphas(store, siblings(store, id))
    return found[found["task"] == task][["seed", "earlier", "alpha"]].reset_index(drop=True)


def stage_alphas(store: Store, ids: Iterable[str]) -> pd.DataFrame:
    """[run, seed, task, earlier, alpha, spread]: mean α over the training texts of every stage with earlier tasks, and
    its standard deviation over them."""
    rows = store.rows(
        "SELECT r.run, u.spec, s.task, s.summary FROM json_each(?) j JOIN run_stages r ON r.run=j.value "
        "JOIN runs u ON u.id=r.run JOIN stages s ON s.key=r.stage WHERE r.alone=0 AND s.state='done' "
        "ORDER BY j.key, r.position",
        (json.dumps([*ids]),),
    )
    lines = []
    for row in rows:
        spec, summary = json.loads(row["spec"]), json.loads(row["summary"] or "{}")
        known = zip(spec["tasks"], summary.get("alpha", ()), summary.get("alpha_sd", ()), strict=False)
        lines += [(row["run"], spec["seed"], row["task"], *each) for each in known]
    return pd.DataFrame(lines, columns=["run", "seed", "task", "earlier", "alpha", "spread"])
