"""How long training takes here: what the store has measured, what runs would cost, what is left. No torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shlpt.plans.costs import LAPTOP_SECONDS_PER_STEP, effort
from shlpt.plans.stages import plans_of, steps_of
from shlpt.spec import RunSpec
from shlpt.store.find import next_edition
from shlpt.store.store import Store

LATEST = 20  # groups of a method that say how fast it is


@dataclass(frozen=True)
class Pace:
    """Seconds for the effort of one plain step, tests and early stopping included."""

    usual: float | None  # of all methods together; None where nothing was measured
    of: Mapping[str, float]  # of those that were trained here

    def seconds(self, work: Mapping[str, float]) -> float | None:
        """For so much effort of each method, one group after the other."""
        if self.usual is None:
            return None
        return round(sum(amount * self.of.get(method, self.usual) for method, amount in work.items()), 1)


def work_of(parts: Iterable[tuple[str, int, int]]) -> dict[str, float]:
    """Effort of each method in plain steps, from (method, earlier tasks, steps)."""
    work: dict[str, float] = defaultdict(float)
    for method, earlier, steps in parts:
        work[method] += steps * effort(method, earlier)
    return work


def measured(store: Store) -> Pace:
    """From the latest groups of each method."""
    rows = store.rows(
        "SELECT * FROM ("
        "  SELECT json_extract(plan, '$.method') AS method, sum(seconds) AS seconds, sum(steps) AS steps,"
        "  max(json_array_length(plan, '$.earlier')) AS earlier,"
        "  row_number() OVER (PARTITION BY json_extract(plan, '$.method') ORDER BY max(id) DESC) AS place"
        "  FROM stages WHERE state='done' GROUP BY grp"
        ") WHERE place <= ?",
        (LATEST,),
    )
    seconds: dict[str, float] = defaultdict(float)
    for row in rows:
        seconds[row["method"]] += row["seconds"]
    work = work_of((row["method"], row["earlier"], row["steps"]) for row in rows)
    if not work:
        return Pace(None, {})
    return Pace(sum(seconds.values()) / sum(work.values()), {method: seconds[method] / work[method] for method in work})


@dataclass(frozen=True)
class Estimate:
    stages: int  # to train, after reuse
    reused: int
    steps: int  # at most: early stopping makes them fewer
    seconds: float
    measured: bool  # by this store; otherwise a guess from the pace that was given

    @property
    def source(self) -> str:
        """What the seconds follow from, in words."""
        where = "measured here" if self.measured else "on a laptop; nothing was measured here yet"
        return f"Training steps times seconds a step, {where}"


def estimate(
    store: Store, specs: Sequence[RunSpec], plain_step: float = LAPTOP_SECONDS_PER_STEP, fresh: bool = False
) -> Estimate:
    """What runs would cost, before they start. `plain_step`: seconds, used where this store has measured nothing."""
    if fresh:
        edition = next_edition(store)
        specs = [spec.model_copy(update={"edition": edition}) for spec in specs]
    every = {s.key: s for plan in plans_of(specs) for s in (*plan.stages, *plan.alone)}
    done = "SELECT 1 FROM stages WHERE key=? AND state='done'"  # others may have planned a stage and not trained it
    todo = [stage for key, stage in every.items() if not store.value(done, (key,))]
    work = work_of((stage.method, len(stage.earlier), steps_of(stage)) for stage in todo)
    pace = measured(store)
    known = pace.usual is not None
    seconds = (pace if known else Pace(plain_step, {})).seconds(work) or 0.0
    return Estimate(len(todo), len(every) - len(todo), sum(map(steps_of, todo)), seconds, known)


def progress(store: Store, runs: Iterable[str]) -> dict[str, Any]:
    """Stages done of all, steps left, and seconds left as far as can be told."""
    stages = {
        row["key"]: row
        for run in runs
        for row in store.rows(
            "SELECT s.key, s.state, s.steps, json_extract(s.plan, '$.method') AS method, "
            "json_array_length(s.plan, '$.earlier') AS earlier "
            "FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run=?",
            (run,),
        )
    }
    left = [row for row in stages.values() if row["state"] == "queued"]
    work = work_of((row["method"], row["earlier"], row["steps"]) for row in left)
    return {
        "stages": len(stages),
        "done": len(stages) - len(left),
        "steps_left": sum(row["steps"] for row in left),
        "seconds_left": measured(store).seconds(work),
    }
