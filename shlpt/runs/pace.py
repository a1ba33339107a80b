"""How long training takes here: what the store has measured, what runs would cost, what is left. No torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shlpt.runs.enqueue import missing_stages, steps_of
from shlpt.runs.store import Store
from shlpt.runs.submit import plans_of
from shlpt.spec import RunSpec

LATEST = 20  # groups of a method that say how fast it is


@dataclass(frozen=True)
class Pace:
    """Seconds for each step that is planned, tests and early stopping included, of the methods trained here."""

    of: Mapping[str, float]
    usual: float | None  # of all of them; None where nothing was

    def seconds(self, steps: Mapping[str, int]) -> float | None:
        """For so many steps of each method, one group after the other."""
        if self.usual is None:
            return None
        return round(sum(count * self.of.get(method, self.usual) for method, count in steps.items()), 1)


def measured(store: Store) -> Pace:
    """From the latest groups of each method."""
    rows = store.rows(
        "SELECT method, sum(seconds) AS seconds, sum(planned) AS planned FROM ("
        "  SELECT json_extract(plan, '$.method') AS method, max(seconds) AS seconds, sum(steps) AS planned,"
        "  row_number() OVER (PARTITION BY json_extract(plan, '$.method') ORDER BY max(id) DESC) AS place"
        "  FROM stages WHERE state='done' GROUP BY grp"
        ") WHERE place <= ? GROUP BY method",
        (LATEST,),
    )
    planned = sum(row["planned"] for row in rows)
    usual = sum(row["seconds"] for row in rows) / planned if planned else None
    return Pace({row["method"]: row["seconds"] / row["planned"] for row in rows if row["planned"]}, usual)


@dataclass(frozen=True)
class Estimate:
    stages: int  # to train, after reuse
    reused: int
    steps: int  # at most: early stopping makes them fewer
    seconds: float | None  # None where nothing is known of this machine yet


def estimate(store: Store, specs: Sequence[RunSpec], seconds_per_step: float | None = None) -> Estimate:
    """What runs would cost, before they start. Seconds from what this store has measured, unless given."""
    plans = plans_of(specs)
    every = {s.key: s for plan in plans for s in (*plan.stages, *plan.alone)}
    todo = missing_stages(store, plans)
    steps: Counter[str] = Counter()
    for stage in todo:
        steps[stage.method] += steps_of(stage)
    pace = measured(store) if seconds_per_step is None else Pace({}, seconds_per_step)
    return Estimate(len(todo), len(every) - len(todo), steps.total(), pace.seconds(steps))


def progress(store: Store, runs: Iterable[str]) -> dict[str, Any]:
    """Stages done of all, steps left, and seconds left as far as can be told."""
    stages = {
        row["key"]: row
        for run in runs
        for row in store.rows(
            "SELECT s.key, s.state, s.steps, json_extract(s.plan, '$.method') AS method "
            "FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run=?",
            (run,),
        )
    }
    left: Counter[str] = Counter()
    waiting = [row for row in stages.values() if row["state"] == "queued"]
    for row in waiting:
        left[row["method"]] += row["steps"]
    return {
        "stages": len(stages), "done": len(stages) - len(waiting), "steps_left": left.total(),
        "seconds_left": measured(store).seconds(left),
    }  # fmt: skip
