"""A run as it is at this moment: its stations, the newest step, a few texts with their answers. No torch."""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from shlpt.analysis.doctor import majority
from shlpt.analysis.metrics import varied
from shlpt.analysis.mixing import Followed, followed, followed_alpha
from shlpt.catalog import METHODS
from shlpt.results import frames
from shlpt.store.store import Store

SHOWN = 5  # texts
LONGEST = 160  # letters of a text

_STAGES = """
    SELECT r.run, r.alone, r.position, s.id, s.key, s.task, s.state, s.method, s.steps, s.summary,
      g.state AS group_state, (SELECT mean FROM scores WHERE stage=s.id AND task=s.task) AS score
    FROM json_each(?) j JOIN run_stages r ON r.run=j.value JOIN stages s ON s.key=r.stage JOIN groups g ON g.key=s.grp
    ORDER BY r.position, j.key
"""


def stations(store: Store, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The tasks of runs over the same sequence: [task, state, step, steps, epoch, validation, has_overlap, score].
    States: done, training, waiting, paused, stopped, failed. Scores are means over the seeds that have one."""
    rows = store.rows(_STAGES, (json.dumps([*ids]),))
    path = [row for row in rows if not row["alone"]]
    return [
        _station(store, task, [row for row in path if row["task"] == task])
        for task in dict.fromkeys(row["task"] for row in path)
    ]


def references(store: Store, ids: Sequence[str]) -> dict[str, Any]:
    """The tasks learned alone for comparison: [done, count, task]; `task` is the one in training."""
    rows = [row for row in store.rows(_STAGES, (json.dumps([*ids]),)) if row["alone"]]
    now = next((row["task"] for row in rows if _state(row) == "training"), None)
    return {"done": sum(row["state"] == "done" for row in rows), "count": len(rows), "task": now}


def _station(store: Store, task: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    states = [_state(row) for row in rows]
    order = ("failed", "training", "paused", "stopped", "waiting", "done")
    state = next(name for name in order if name in states)
    newest = [last(store, row["id"], "step") for row in rows]
    epochs = [found for row in rows if (found := last(store, row["id"], "epoch"))]
    scores = [row["score"] for row in rows if row["score"] is not None and row["state"] == "done"]
    return {
        "task": task,
        "state": state,
        "step": max((found.get("step", 0) for found in newest), default=0),
        "steps": rows[0]["steps"],
        "epoch": max((found["epoch"] + 1 for found in newest if found), default=0),
        "validation": float(np.mean([found["validation"] for found in epochs])) if epochs else None,
        "has_overlap": any("overlap" in found for found in epochs),
        "score": float(np.mean(scores)) if scores else None,
    }


def _state(row: Mapping[str, Any]) -> str:
    if row["state"] != "queued":
        return str(row["state"])
    return {"running": "training", "queued": "waiting"}.get(row["group_state"], str(row["group_state"]))


def last(store: Store, stage: int, kind: str) -> dict[str, Any]:
    """The newest event of a kind; empty before the first."""
    query = "SELECT payload FROM events WHERE stage=? AND kind=? ORDER BY seq DESC LIMIT 1"
    return dict(json.loads(store.value(query, (stage, kind)) or "{}"))


def now(store: Store, id: str, task: str) -> dict[str, Any]:
    """The newest step of a task: what is stored of it, and the settings that it is read with."""
    spec = frames.spec(store, id)
    place = spec["tasks"].index(task)
    row = store.row(
        "SELECT s.id, s.state, s.summary FROM run_stages r JOIN stages s ON s.key=r.stage "
        "WHERE r.run=? AND r.alone=0 AND r.position=?",
        (id, place),
    )
    assert row is not None
    settings, given = spec["settings"], METHODS[spec["method"]].alpha == "given"
    return {
        "run": id,
        "task": task,
        "tasks": spec["tasks"],
        "position": place,
        "method": spec["method"],
        "seed": spec["seed"],
        "earlier": spec["tasks"][:place],
        "step": last(store, row["id"], "step"),
        "is_done": row["state"] == "done",
        "threshold": 0.0 if given else settings.get("threshold"),
        "lends": settings.get("similar_transfer", True),
        "lambdas": {part: settings.get(f"lambda_{part}", 1.0) for part in ("hsc", "asc")},
        "cosine": settings.get("estimator_score") == "cosine",
        "epochs": settings["epochs"],
    }


def equations(store: Store, id: str, task: str) -> dict[str, Any]:
    """Equations 3 to 7 with the numbers of the newest step: of one text of its batch, or, where its scores are not
    stored, of the means over the batch. Empty without α."""
    return equations_of(store, now(store, id, task))


def equations_of(store: Store, found: Mapping[str, Any]) -> dict[str, Any]:
    """The same for any step, given as `now` gives the newest."""
    step, earlier = found["step"], found["earlier"]
    if "alpha" not in step:
        return {}
    delta, lends = float(found["threshold"] or 0.0), bool(found["lends"])
    text = ""
    if "scores" in step:
        rows = followed(earlier, step["scores"], step["temperature"], delta, lends, step.get("prior", ()))
        spec = frames.spec(store, found["run"])
        drawn = frames.examples_of(store, found["task"], "train", spec["training"]["shots"], spec["seed"])
        text = drawn.get(step["text"], frames.LOST).text
    else:
        rows = followed_alpha(earlier, step["alpha"], delta, lends)
    return {
        "step": step["step"],
        "text": text[:LONGEST],
        "temperature": step.get("temperature"),
        "threshold": delta,
        "none": max(0.0, 1 - sum(one.alpha for one in rows)),
        "rows": [_row(one, mean) for one, mean in zip(rows, step["alpha"], strict=True)],
    }


def _row(one: Followed, mean: float) -> dict[str, Any]:
    return {**vars(one), "mean": mean}


# --- texts --------------------------------------------------------------------------------
def texts(store: Store, id: str, task: str) -> list[dict[str, Any]]:
    """A few texts of a task with what is answered: validation texts, with right or wrong for each epoch (`course`), or
    test texts of a stage that did not tell. `right` is None before the first epoch; empty if nothing is recorded."""
    spec = frames.spec(store, id)
    row = store.row(
        "SELECT s.key, s.state, s.summary FROM run_stages r JOIN stages s ON s.key=r.stage "
        "WHERE r.run=? AND r.alone=0 AND r.position=?",
        (id, spec["tasks"].index(task)),
    )
    assert row is not None
    told = {found["epoch"]: found["answers"] for found in frames.epochs_of(store, row["key"]) if "answers" in found}
    if not told and row["state"] != "queued":
        return _tested(store, id, task)
    drawn = _validation(store, spec, task)
    if not told:
        every = [*drawn.values()]
        return [_line(every[row], "…", None, []) for row in varied([one.target for one in every], SHOWN)]
    best = json.loads(row["summary"] or "{}").get("best_epoch")  # of the prompt that is kept
    course: dict[str, list[bool]] = {}
    for answers in told.values():
        for example, _, right in answers:
            course.setdefault(example, []).append(bool(right))
    newest = told.get(best, told[max(told)])
    words = {one.target for one in drawn.values()}
    return [_line(drawn.get(e, frames.LOST), _begun(said, words), bool(right), course[e]) for e, said, right in newest]


def _begun(answer: str, words: Collection[str]) -> str:
    """Of a wrong answer only its beginning is told: `not…` where an answer word goes on after it."""
    goes_on = answer and answer not in words and any(word.startswith(answer) for word in words)
    return f"{answer}…" if goes_on else answer


def _line(example: Any, answer: str, right: bool | None, course: list[bool]) -> dict[str, Any]:
    same = {"text": example.text[:LONGEST], "target": example.target}
    return same | {"answer": answer, "right": right, "course": course}


def _validation(store: Store, spec: Mapping[str, Any], task: str) -> dict[str, Any]:
    tasks = spec["tasks"]
    names = tasks[: tasks.index(task) + 1] if METHODS[spec["method"]].validates_all else [task]
    found: dict[str, Any] = {}
    for name in names:
        found |= frames.examples_of(store, name, "validation", spec["training"]["validation_shots"], spec["seed"])
    return found


def _tested(store: Store, id: str, task: str) -> list[dict[str, Any]]:
    rows = frames.answers(store, id, task)
    shown = rows.iloc[varied([*rows["target"]], SHOWN)]
    return [_line(row, row.answer, row.score == 1, []) for row in shown.itertuples()]


def learned_from(store: Store, id: str, task: str, count: int = 3) -> dict[str, Any]:
    """A few of the texts that a task is learned from, and how many there are."""
    spec = frames.spec(store, id)
    found = [*frames.examples_of(store, task, "train", spec["training"]["shots"], spec["seed"]).values()]
    step = max(1, len(found) // count)
    return {"count": len(found), "texts": [(one.text[:LONGEST], one.target) for one in found[::step][:count]]}


def chance(store: Store, id: str, task: str) -> float | None:
    """The validation score of always giving the most frequent answer; None if its texts are not here any more."""
    drawn = _validation(store, frames.spec(store, id), task)
    return majority([one.target for one in drawn.values()]) or None


def moment(store: Store, ids: Sequence[str], task: str, shown: str | None = None) -> dict[str, Any]:
    """All of a run's view at this moment. With several seeds the newest step is that of the run `shown`."""
    id = shown or ids[0]
    step = now(store, id, task)
    return {
        "stations": stations(store, ids),
        "references": references(store, ids),
        "now": step,
        "equations": equations_of(store, step),
        "texts": texts(store, id, task),
        "learned_from": learned_from(store, id, task),
        "chance": chance(store, id, task),
        "seeds": len(ids),
    }


def in_short(store: Store, id: str) -> dict[str, Any]:
    """What a command says of this moment: the stations, and of the newest task the step, equations and answers."""
    found = stations(store, [id])
    task = newest(found)
    step = now(store, id, task)
    about = {"task": task, "step": step["step"], "equations": equations_of(store, step)}
    return {"stations": found, "now": about | {"texts": texts(store, id, task)}}


def newest(found: Sequence[Mapping[str, Any]]) -> str:
    """The task that is learned now, or was learned last."""
    begun = [one["task"] for one in found if one["state"] != "waiting" or one["step"]]
    return str(begun[-1] if begun else found[0]["task"])
