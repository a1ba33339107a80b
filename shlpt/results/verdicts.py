"""What became of each task of a run after its history, against learning it alone. The same for pages, commands and
Python. No torch."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis import doctor
from shlpt.analysis.answers import Floats
from shlpt.analysis.doctor import majority
from shlpt.analysis.verdict import Verdict, judge
from shlpt.errors import UserError
from shlpt.plans.stages import plans_of
from shlpt.results import frames
from shlpt.results.health import facts_of
from shlpt.results.recorded import recorded
from shlpt.store.store import Store

Stored = tuple[Store, str]  # a stage by its key, and where it is
NO_HISTORY = "This method learns each task without a history: that is what it scores alone."
TRAINED_LAST = "What it scores alone is not known yet: that is trained last."
NOT_STORED = "What it scores alone is not stored: train per-task prompts with the same settings and seed to compare."
EPOCHS = ["which", "run", "seed", "task", "epoch", "validation"]


def verdicts(store: Store, ids: Sequence[str], only: str | None = None) -> list[Verdict]:
    """One for each task but the first, or for one of them, of runs over the same tasks that differ in their seed."""
    spec = frames.spec(store, ids[0])
    keys = {id: dict(zip(spec["tasks"], _path(store, id), strict=False)) for id in ids}
    references = {id: alone(store, id) for id in ids}
    return [_of_task(store, task, keys, references) for task in spec["tasks"][1:] if only in (None, task)]


def _of_task(
    store: Store, task: str, keys: dict[str, dict[str, str]], references: dict[str, dict[str, Stored]]
) -> Verdict:
    after = {id: found for id, mine in keys.items() if (found := _scores(store, mine[task], task)) is not None}
    known = {id: references[id][task] for id in after if task in references[id]}
    pairs = [(after[id], found) for id, where in known.items() if (found := _scores(*where, task)) is not None]
    targets: list[str] = next((found["targets"] for found in after.values() if found["targets"]), [])
    chance, why = majority(targets) if targets else None, _doctor(store, [keys[id][task] for id in after])
    itself = bool(known) and all(keys[id][task] == key for id, (_, key) in known.items())
    if itself or not pairs:
        missing = NO_HISTORY if itself else _missing(store, [*keys])
        return judge(task, _table(list(after.values())), np.empty((0, 0)), chance, missing, why)
    return judge(task, *_matched(pairs), chance, why=why)


def _path(store: Store, id: str) -> list[str]:
    rows = store.rows("SELECT stage FROM run_stages WHERE run=? AND alone=0 ORDER BY position", (id,))
    return [row["stage"] for row in rows]


def _doctor(store: Store, keys: Sequence[str]) -> str:
    """What is wrong with the first of these stages that is not as it should be."""
    for key in keys:
        facts = facts_of(store, key)
        if facts is not None and (found := doctor.diagnose(facts)):
            return f"{found.sentence} {found.advice[0].upper()}{found.advice[1:]}."
    return ""


def _missing(store: Store, ids: Sequence[str]) -> str:
    waits = store.value(
        "SELECT count(*) FROM json_each(?) j JOIN run_stages r ON r.run=j.value JOIN stages s ON s.key=r.stage "
        "WHERE r.alone=1 AND s.state='queued'",
        (json.dumps([*ids]),),
    )
    return TRAINED_LAST if waits else NOT_STORED


# --- the reference ------------------------------------------------------------------------
def alone(store: Store, id: str) -> dict[str, Stored]:
    """Each later task learned alone with the settings and the seed of this run: in its store, or among the recorded
    results, or, while it is trained, as far as it is."""
    rows = store.rows(
        "SELECT s.task, s.key FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run=? AND r.alone=1", (id,)
    )
    keys = {row["task"]: row["key"] for row in rows} or _planned(store, id)
    stores = [store, *([other] if (other := recorded()) is not None and other.home != store.home else [])]
    found = {}
    for task, key in keys.items():
        done = [where for where in stores if _state(where, key) == "done"]
        if done or _state(store, key):
            found[task] = (done[0] if done else store, key)
    return found


def _planned(store: Store, id: str) -> dict[str, str]:
    """The keys that the references would have, for a run that was trained without them."""
    try:
        spec = frames.run_spec(store, id)
        return {stage.task: stage.key for stage in plans_of([spec], home=store.home, device=spec.device)[0].alone}
    except (UserError, ValueError):  # its backbone or its texts are not here any more
        return {}


def said(found: Sequence[Verdict]) -> list[str]:
    """The sentences, with the doctor's where a task is not as it should be."""
    return [f"{one.sentence} {one.why}".strip() for one in found]


def _state(store: Store, key: str) -> str:
    return str(store.value("SELECT state FROM stages WHERE key=?", (key,)) or "")


WITH, ALONE, ITSELF = frames.WITH, frames.ALONE, frames.ITSELF


def beside_alone(store: Store, ids: Sequence[str], task: str) -> pd.DataFrame:
    """Validation of a task after each epoch: in these runs, and learned alone with the same seeds. There is nothing to
    compare the first task with, nor those of a method without history."""
    lines = []
    for id in ids:
        spec, references = frames.spec(store, id), alone(store, id)
        mine = _path(store, id)[spec["tasks"].index(task)]
        other = references.get(task)
        itself = task == spec["tasks"][0] or (other is not None and other[1] == mine)
        pairs = [(ITSELF if itself else WITH, (store, mine))]
        if other is not None and not itself:
            pairs.append((ALONE, other))
        for which, (where, key) in pairs:
            for payload in frames.epochs_of(where, key):
                line = {"which": which, "run": id, "seed": spec["seed"], "task": task}
                lines.append(line | {"epoch": payload["epoch"] + 1, "validation": payload["validation"]})
    return pd.DataFrame(lines, columns=EPOCHS)


# --- scores -------------------------------------------------------------------------------
def _scores(store: Store, key: str, task: str) -> dict[str, Any] | None:
    """Scores by example, or the mean alone where only that is recorded."""
    row = store.row(
        "SELECT mean, examples FROM scores WHERE stage=(SELECT id FROM stages WHERE key=? AND state='done') AND task=?",
        (key, task),
    )
    if row is None:
        return None
    found: dict[str, Any] = json.loads(row["examples"] or "{}") or {}
    scores = dict(zip(found.get("examples", ()), found.get("scores", ()), strict=True))
    return {"scores": scores, "mean": row["mean"], "targets": found.get("targets", [])}


def _table(found: Sequence[dict[str, Any]]) -> Floats:
    """[seeds, examples], or [seeds, 1] means where a seed has no answers."""
    if not found:
        return np.empty((0, 0))
    shared = [e for e in found[0]["scores"] if all(e in one["scores"] for one in found)]
    if not shared:
        return np.array([[one["mean"]] for one in found], dtype=float)
    return np.array([[one["scores"][e] for e in shared] for one in found], dtype=float)


def _matched(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> tuple[Floats, Floats]:
    """Both sides over the same seeds and examples."""
    both = _table([one for pair in pairs for one in pair])
    return both[0::2], both[1::2]
