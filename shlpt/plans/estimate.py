"""Estimates of parameters, bytes, memory and time, before and during training. No torch. Sizes follow from the
catalogue; a test compares them with measured costs (methods/costs.py). Time follows from measurements in this store.
Memory is a rough estimate."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from shlpt.backbone import files
from shlpt.catalog import METHODS, VIEW_CACHE, Size, backbones
from shlpt.errors import UserError
from shlpt.plans.stages import RunPlan, every_stage, steps_of
from shlpt.spec import RunSpec
from shlpt.store.store import Store

NUMBER = 4  # bytes in single precision
LANES = (1, 2, 4, 8, 16, 32)
LIBRARIES = 400 * 2**20  # torch, transformers and Python
LAPTOP_SECONDS_PER_STEP = 0.035  # a run's step at `quick` in lanes of four, with its share of validation and tests
LATEST = 20  # groups per method that the pace is measured on


# --- numbers and bytes --------------------------------------------------------------------
def _config(backbone: str) -> dict[str, Any] | None:
    """config.json and the number of weights; of one on the hub its published shape, None if that is not known."""
    folder = files.find(backbone)
    if folder is None:
        shape = backbones.SHAPES.get(backbone)
        return shape and shape | {"weights": backbones.weights(shape)}
    weights = sum(map(files.weights_in, folder.glob("*.safetensors")))
    return json.loads((folder / "config.json").read_text()) | {"weights": weights}


def heaviness(backbone: str) -> float:
    """How much longer a step takes than with the embedded backbone: as its layers have more parameters. 1 if nothing is
    known of it."""
    try:
        config, usual = _config(backbone), _config("pocket")
    except UserError:  # a folder that is gone
        return 1.0
    return backbones.in_layers(config) / backbones.in_layers(usual) if config and usual else 1.0


def needs(backbone: str) -> dict[str, Any]:
    """A backbone before it is loaded: parameters, memory for one run, seconds a step. None: not known."""
    config = _config(backbone)
    found = {"name": backbone, "parameters": config and config["weights"], "gated": None}
    if config is None:
        return found | {"memory_mb": None, "seconds_a_step": None}
    spec = RunSpec.make(["sst2"], "per_task", backbone=backbone)
    found |= {"gated": "gated" in config.get("feed_forward_proj", ""), "memory_mb": memory([spec], 1) // 2**20}
    return found | {"seconds_a_step": round(LAPTOP_SECONDS_PER_STEP * heaviness(backbone), 3)}


def sizes(spec: RunSpec) -> dict[str, Any]:
    """For the last task of a run: trainable parameters, bytes stored, and what is stored."""
    info, config = METHODS[spec.method], _config(spec.backbone) or {"d_model": 0, "weights": 0}
    size = Size(spec.training.prompt_length, config["d_model"], config["weights"], len(spec.tasks) - 1, spec.params)
    return {"trainable": info.trains(size), "kept_bytes": info.keeps(size) * NUMBER, "keeps": info.kept}


def memory(specs: Sequence[RunSpec], width: int) -> int:
    """Estimated memory of the training process in bytes, an upper bound."""
    spec, info = specs[0], METHODS[specs[0].method]
    config = _config(spec.backbone)
    if config is None:
        return LIBRARIES
    lanes = min(width, len(specs)) if info.shares_backbone else 1
    copies = 1 if info.shares_backbone else 6  # weights, gradients, two moments, best state
    layers = config["num_layers"] + config.get("num_decoder_layers", config["num_layers"])
    longest = spec.training.max_length if spec.device == "cuda" else min(spec.training.max_length, 128)
    tokens = longest + spec.training.prompt_length
    number = NUMBER if spec.precision == "float32" or not info.shares_backbone else NUMBER // 2
    per_token = layers * (8 * config["d_model"] + 2 * config["d_ff"] + 2 * config["num_heads"] * tokens) * number
    step = lanes * spec.training.batch_size * tokens * per_token
    views = min(VIEW_CACHE, 16 * step) if info.looks_at_views else 0
    return int(LIBRARIES + config["weights"] * number * copies + step + views)


def lanes_in(spec: RunSpec, room: int) -> int:
    """How many runs like this one train together in so many bytes: a power of two."""
    fitting = [lanes for lanes in LANES if memory([spec] * lanes, lanes) <= room]
    return max(fitting, default=1)


# --- time ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Pace:
    """Seconds per plain training step, tests and early stopping included."""

    usual: float | None  # over all methods; None if nothing was measured
    of: Mapping[str, float]  # by method, for methods trained here

    def seconds(self, work: Mapping[str, float]) -> float | None:
        """The time of this work, one group after the other."""
        if self.usual is None:
            return None
        return round(sum(amount * self.of.get(method, self.usual) for method, amount in work.items()), 1)


def work_of(parts: Iterable[tuple[str, int, float]]) -> dict[str, float]:
    """The work of each method, measured in plain steps, from (method, earlier tasks, steps)."""
    work: dict[str, float] = defaultdict(float)
    for method, earlier, steps in parts:
        work[method] += steps * METHODS[method].effort_after(earlier)
    return work


def measured(store: Store) -> Pace:
    """The pace of the latest groups of each method, as if the embedded backbone had trained them."""
    rows = store.rows(
        "SELECT * FROM ("
        "  SELECT json_extract(plan, '$.method') AS method, sum(seconds) AS seconds, sum(s.steps) AS steps,"
        "  max(json_array_length(plan, '$.earlier')) AS earlier, g.backbone,"
        "  row_number() OVER (PARTITION BY json_extract(plan, '$.method') ORDER BY max(s.id) DESC) AS place"
        "  FROM stages s JOIN groups g ON g.key=s.grp WHERE s.state='done' GROUP BY grp"
        ") WHERE place <= ?",
        (LATEST,),
    )
    seconds: dict[str, float] = defaultdict(float)
    for row in rows:
        seconds[row["method"]] += row["seconds"]
    heavy = cache(heaviness)
    work = work_of((row["method"], row["earlier"], row["steps"] * heavy(row["backbone"])) for row in rows)
    if not work:
        return Pace(None, {})
    return Pace(sum(seconds.values()) / sum(work.values()), {method: seconds[method] / work[method] for method in work})


@dataclass(frozen=True)
class Estimate:
    stages: int  # to train, after reuse
    reused: int
    steps: int  # without early stopping
    seconds: float
    measured: bool  # in this store; otherwise from `plain_step`

    @property
    def source(self) -> str:
        """Where the time comes from, in words."""
        where = "measured here" if self.measured else "on a laptop; nothing was measured here yet"
        return f"Training steps times seconds a step, {where}"


def estimate(store: Store, plans: Sequence[RunPlan], plain_step: float = LAPTOP_SECONDS_PER_STEP) -> Estimate:
    """The cost of runs before they start. `plain_step`: seconds per step if nothing has been measured here."""
    every = every_stage(plans)
    done = "SELECT 1 FROM stages WHERE key=? AND state='done'"  # a planned stage may be untrained
    todo = [stage for key, stage in every.items() if not store.value(done, (key,))]
    heavy, names = cache(heaviness), {key: plan.spec.backbone for plan in plans for key in every_stage([plan])}
    work = work_of((s.method, len(s.earlier), steps_of(s) * heavy(names[s.key])) for s in todo)
    pace = measured(store)
    known = pace.usual is not None
    seconds = (pace if known else Pace(plain_step, {})).seconds(work) or 0.0
    return Estimate(len(todo), len(every) - len(todo), sum(map(steps_of, todo)), seconds, known)


def progress(store: Store, runs: Iterable[str]) -> dict[str, Any]:
    """Stages in all and done, steps left, and seconds left if known."""
    stages = {
        row["key"]: row
        for run in runs
        for row in store.rows(
            "SELECT s.key, s.state, s.steps, json_extract(s.plan, '$.method') AS method, g.backbone, "
            "json_array_length(s.plan, '$.earlier') AS earlier "
            "FROM run_stages r JOIN stages s ON s.key=r.stage JOIN groups g ON g.key=s.grp WHERE r.run=?",
            (run,),
        )
    }
    left = [row for row in stages.values() if row["state"] == "queued"]
    heavy = cache(heaviness)
    work = work_of((row["method"], row["earlier"], row["steps"] * heavy(row["backbone"])) for row in left)
    return {
        "stages": len(stages),
        "done": len(stages) - len(left),
        "steps_left": sum(row["steps"] for row in left),
        "seconds_left": measured(store).seconds(work),
    }


def duration(seconds: float) -> str:
    """`45 s`, `3 min`, `2 h 10 min`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
