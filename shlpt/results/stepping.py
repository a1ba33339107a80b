"""A stage of a stored run, stepped through one batch at a time from its initial prompt.

The state that the earlier tasks left is read from the store, and the training loop is driven by hand
(`training/stepping.py`). Steps are a function of the stage alone, so all visitors of a stage share one walk: each step
is taken once and kept as plain data, and what a visitor has is a number. The last few walks are kept for the process;
one that was dropped is walked again, with the same bits. Torch is loaded then."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from shlpt.analysis.steps import TRAINING, About, Ahead, Name, Step
from shlpt.catalog import METHODS
from shlpt.errors import UserError, unknown
from shlpt.plans.stages import Stage, stage_from
from shlpt.results import frames
from shlpt.results.backbones import loaded, using
from shlpt.results.weights import require_current
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks.find import is_given

if TYPE_CHECKING:
    from shlpt.backbone.t5 import Backbone
    from shlpt.training.stage import Workshop
    from shlpt.training.stepping import Stepper

KEPT = 6  # walks at a time
COMPARED = ("loss", "down", "hsc", "asc")

_STAGES = """
    SELECT s.key, s.task, s.parent, s.plan, s.state, s.record, p.state AS before,
      (SELECT a.sha256 FROM artifacts a WHERE a.owner=s.parent AND a.kind='tensors') AS given
    FROM run_stages r JOIN stages s ON s.key=r.stage LEFT JOIN stages p ON p.key=s.parent
    WHERE r.run=? AND r.alone=0 ORDER BY r.position
"""


class Walk:
    """The steps of a stage so far, and the way to further ones."""

    def __init__(self, key: str, stepper: Stepper, about: About) -> None:
        self.key, self.about, self._stepper = key, about, stepper
        self.first: Ahead | None = stepper.ahead
        self.taken: list[Step] = []

    def to(self, number: int) -> list[Step]:
        """The first steps, at most this many: fewer where training ends before."""
        with using:
            while len(self.taken) < number and (step := self._stepper.step()) is not None:
                self.taken.append(step)
        return self.taken[:number]

    def named(self, name: Name) -> About:
        """With the tasks' names as they are shown."""
        return replace(self.about, name=name)


def walk(store: Store, run: str, task: str, device: str = "cpu") -> Walk:
    """A stage of a run before its first step; a readable reason where it cannot be walked."""
    row = _stage(store, run, task)
    return _walk(store.home, run, row["key"], row["given"], device)


def tasks(store: Store, run: str) -> list[str]:
    """The tasks of a run that can be stepped through: what they start from is stored."""
    return [row["task"] for row in store.rows(_STAGES, (run,)) if not _refusal(row)]


def last_task(store: Store, run: str) -> str:
    """The last task of a run that can be stepped through; its last task, with its reason, if none can."""
    return (tasks(store, run) or frames.spec(store, run)["tasks"])[-1]


def in_run(store: Store, walked: Walk, steps: Sequence[Step]) -> str:
    """Whether these are the steps that the run took."""
    found = [apart for step in steps if (apart := apart_from_run(store, walked, step)) is not None]
    if not found:
        return "The run stored nothing of its steps to compare with." if steps else ""
    what = "this step" if len(found) == 1 else f"these {len(found)} steps"
    if max(found) == 0:
        return f"In the run {what} gave the same losses and α, to the last digit."
    return (
        f"In the run {what} gave the same losses and α but for {max(found):.1g}: other lanes beside it, or another "
        "machine, round differently."
    )


def apart_from_run(store: Store, walked: Walk, step: Step) -> float | None:
    """The largest difference of a step's losses and α from those that the run stored; None if it stored none."""
    kind = "step" if step.kind == TRAINING else "prepare"
    found = store.value(
        "SELECT payload FROM events WHERE stage=(SELECT id FROM stages WHERE key=?) AND kind=? "
        "AND json_extract(payload, '$.step')=?",
        (walked.key, kind, step.told["step"]),
    )
    if found is None:
        return None
    stored = json.loads(found)
    pairs = [(step.told[key], stored[key]) for key in COMPARED if key in step.told and key in stored]
    pairs += zip(step.told.get("alpha", ()), stored.get("alpha", ()), strict=True)
    return max(abs(one - two) for one, two in pairs)


# --- what it starts from ------------------------------------------------------------------
def _stage(store: Store, run: str, task: str) -> dict[str, Any]:
    spec, rows = frames.spec(store, run), store.rows(_STAGES, (run,))
    found = next((row for row in rows if row["task"] == task), None)
    if found is None:
        raise unknown("task of this run", task, spec["tasks"])
    require_current(store, {"id": run, "backbone": spec["backbone"]}, "its prompts belong to those weights")
    if why := _refusal(found):
        able = [row["task"] for row in rows if not _refusal(row)]
        instead = f"Of this run can be stepped through: {', '.join(able)}" if able else "Choose another run"
        raise UserError(f"{task} cannot be stepped through: {why}. {instead}")
    return dict(found)


def _refusal(row: dict[str, Any]) -> str:
    """Why a stage cannot be walked; empty if it can."""
    plan = json.loads(row["plan"])
    info = METHODS[plan["method"]]
    if is_given(row["task"]):
        return "its prompt was imported, not trained"
    if not info.shares_backbone:
        return f"{info.title} trains all weights of the model and has no prompt to watch"
    if row["parent"] is None or row["given"]:
        return ""
    before = plan["earlier"][-1]
    if row["before"] != "done":
        return f"it starts from the prompt of {before}, which is not trained yet"
    return f"it starts from the prompts of {', '.join(plan['earlier'])}, and those are not recorded with this run"


@lru_cache(maxsize=KEPT)
def _walk(home: Path, run: str, key: str, given: str | None, device: str) -> Walk:
    """Once for each content of what it starts from."""
    from shlpt.methods.base import State
    from shlpt.training.checkpoint import state_of
    from shlpt.training.stepping import Stepper

    store = Store(home)
    spec, row = frames.spec(store, run), store.row("SELECT * FROM stages WHERE key=?", (key,))
    assert row is not None
    stage = stage_from(json.loads(row["plan"]))
    made = json.loads(row["record"] or "{}").get("fingerprint", {})
    backbone = loaded(spec["backbone"], made.get("dtype") or _dtype(spec["dtype"], device), device)
    with using:
        state = state_of(artifact_bytes(store, stage.parent, "tensors"), backbone.device) if stage.parent else State()
        stepper = Stepper(_workshop(backbone, home), stage, state)
    found = Walk(key, stepper, _about(spec, stage))
    store.close()
    return found


def _dtype(asked: str, device: str) -> str:
    from shlpt.backbone.t5 import pick_device, pick_dtype

    return str(pick_dtype(asked, pick_device(device))).removeprefix("torch.")


@lru_cache(maxsize=2)
def _workshop(backbone: Backbone, home: Path) -> Workshop:
    """Encoded texts and views under frozen prompts, which stages of one backbone share within a limit of memory."""
    from shlpt.methods.views import Views
    from shlpt.training.stage import Workshop

    return Workshop(backbone, Views(backbone), home)


def _about(spec: dict[str, Any], stage: Stage) -> About:
    alpha = METHODS[stage.method].alpha
    delta = None if alpha is None else 0.0 if alpha == "given" else spec["settings"].get("threshold")
    settings = spec["settings"]
    pushes = bool(settings.get("lambda_hsc") or settings.get("lambda_asc"))
    return About(stage.task, stage.earlier, delta, alpha == "given", bool(settings.get("similar_transfer")), pushes)


# --- the path -----------------------------------------------------------------------------
def losses(walked: Walk, steps: Sequence[Step], seed: int = 0) -> pd.DataFrame:
    """Losses of the steps so far, as `frames.losses` has those of a run: parts times λ."""
    lines = []
    for step in steps:
        parts = step.before.parts if step.before else {}
        line = {"run": "", "seed": seed, "position": 0, "task": walked.about.task, "step": step.number, "epoch": 0}
        lines.append(line | {"loss": step.told["loss"]} | {part: parts.get(part) for part in ("down", "hsc", "asc")})
    columns = ["run", "seed", "position", "task", "step", "epoch", "loss", "down", "hsc", "asc"]
    return pd.DataFrame(lines, columns=columns).astype(dict.fromkeys(columns[6:], float))


def similarity(walked: Walk, steps: Sequence[Step], seed: int = 0) -> pd.DataFrame:
    """α of the steps so far, as `frames.similarity` has it."""
    keys = ("alpha", "alpha_low", "alpha_high", "dissimilar")
    columns = ["seed", "task", "step", "earlier", "mean", "low", "high", "dissimilar"]
    lines = [
        (seed, walked.about.task, step.number, *values)
        for step in steps
        if "alpha" in step.told
        for values in zip(walked.about.earlier, *(step.told[key] for key in keys), strict=True)
    ]
    return pd.DataFrame(lines, columns=columns)
