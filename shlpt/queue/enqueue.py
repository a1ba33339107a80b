"""Write plans as rows that a worker can claim. Idempotent: a key is never planned twice. No torch."""

import sqlite3
import time
from collections.abc import Sequence

from shlpt.plans.stages import LaneGroup, RunPlan, every_stage, lane_groups, stage_json, steps_of
from shlpt.store.find import next_edition
from shlpt.store.store import Store, to_json


class Taken(Exception):
    """Another process has queued runs of this edition since they were planned."""


def enqueue(store: Store, plans: Sequence[RunPlan], width: int) -> None:
    """Plan runs: new stages form lane groups of their own, independent of other runs. The groups are fixed here and
    stored. Raises Taken if the edition of fresh runs is no longer the next one."""
    with store.write() as db:
        if (fresh := [plan.spec.edition for plan in plans if plan.fresh]) and {*fresh} != {next_edition(store)}:
            raise Taken
        known = "SELECT 1 FROM stages WHERE key=?"
        new = {key for key in every_stage(plans) if not store.value(known, (key,))}
        left = set(new)  # one backbone may go by two names
        alike: dict[tuple[str, str, str], list[RunPlan]] = {}
        for plan in plans:
            alike.setdefault((plan.spec.backbone, plan.spec.precision, plan.spec.device), []).append(plan)
        for (backbone, dtype, _), there in alike.items():
            for group in lane_groups(there, width, left):
                _add_group(db, group, backbone, dtype)
                left -= {stage.key for stage in group.stages}
        for plan in plans:
            _add_run(db, plan, new)
            new.difference_update(every_stage([plan]))  # already stored for the next plan


def _add_group(db: sqlite3.Connection, group: LaneGroup, backbone: str, dtype: str) -> None:
    method = group.stages[0].method
    row = (group.key, method, backbone, dtype)
    db.execute("INSERT INTO groups (key, method, backbone, dtype) VALUES (?,?,?,?)", row)
    db.executemany(
        "INSERT INTO stages (key, parent, task, method, plan, steps, grp) VALUES (?,?,?,?,?,?,?)",
        [(s.key, s.parent, s.task, s.method, to_json(stage_json(s)), steps_of(s), group.key) for s in group.stages],
    )


def _set_aside(db: sqlite3.Connection, id: str, weights: str) -> None:
    """A run that was made with other weights keeps its results, under an id of its own."""
    found = db.execute(
        "SELECT json_extract(s.plan, '$.backbone') FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run=?",
        (id,),
    ).fetchone()
    if found is None or found[0] == weights:
        return
    aside = f"{id}-{found[0][:6]}"
    for table, column in (("runs", "id"), ("run_stages", "run"), ("experiment_runs", "run")):
        if table != "experiment_runs":
            db.execute(f"DELETE FROM {table} WHERE {column}=?", (aside,))
        db.execute(f"UPDATE {table} SET {column}=? WHERE {column}=?", (aside, id))


def _add_run(db: sqlite3.Connection, plan: RunPlan, new: set[str]) -> None:
    """A run that is there gets what it lacks. Stages of other data or code take the place of older ones."""
    id = plan.spec.id
    _set_aside(db, id, plan.stages[0].backbone)
    row = (id, to_json(plan.spec.to_json()), time.time())
    db.execute("INSERT INTO runs (id, spec, created) VALUES (?,?,?) ON CONFLICT (id) DO NOTHING", row)
    order = "SELECT stage FROM run_stages WHERE run=? AND alone=? ORDER BY position"
    for alone, stages in ((0, plan.stages), (1, plan.alone)):
        before, after = [found[0] for found in db.execute(order, (id, alone))], [stage.key for stage in stages]
        if before == after or (alone and not after):
            continue
        db.execute("DELETE FROM run_stages WHERE run=? AND alone>=?", (id, alone))  # another path: alone is another too
        db.executemany(
            "INSERT INTO run_stages (run, alone, position, stage, reused) VALUES (?,?,?,?,?)",
            [(id, alone, position, key, key not in new) for position, key in enumerate(after)],
        )
        db.execute("UPDATE runs SET result=NULL WHERE id=?", (id,))
