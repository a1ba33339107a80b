"""Runs by id, and which lane groups and runs belong together."""

import json
from collections.abc import Iterable

from shlpt.errors import NEAREST, UserError, unknown
from shlpt.store.store import Store


class Ambiguous(UserError):
    """More than one id begins like this."""


def find_run(store: Store, id: str) -> str:
    """An id, or the only one that begins so."""
    if store.value("SELECT 1 FROM runs WHERE id=?", (id,)):
        return id
    ids = [row["id"] for row in store.rows("SELECT id FROM runs")]
    begun = [known for known in ids if id and known.startswith(id)]
    if len(begun) == 1:
        return begun[0]
    if begun:
        some = ", ".join(begun[:NEAREST]) + ", …" * (len(begun) > NEAREST)
        raise Ambiguous(f"{id!r} matches {len(begun)} runs: {some}. Write more of the id")
    if not ids:
        raise UserError(f"unknown run {id!r}: there are no runs in {store.home} yet")
    raise unknown("run", id, ids)


def groups_of(store: Store, runs: Iterable[str]) -> dict[str, None]:
    """All lane groups in which stages of these runs train, in order."""
    found: dict[str, None] = {}
    for run in runs:
        rows = store.rows(
            "SELECT DISTINCT g.key, g.number FROM run_stages r JOIN stages s ON s.key=r.stage "
            "JOIN groups g ON g.key=s.grp WHERE r.run=? ORDER BY g.number",
            (run,),
        )
        found |= dict.fromkeys(row["key"] for row in rows)
    return found


def runs_of(store: Store, group: str) -> list[str]:
    """The runs that have a stage in a lane group."""
    query = "SELECT DISTINCT r.run FROM run_stages r JOIN stages s ON s.key=r.stage WHERE s.grp=?"
    return [row["run"] for row in store.rows(query, (group,))]


def next_edition(store: Store) -> int:
    """A new edition, which shares no stage with existing runs."""
    if not store.there():
        return 1
    specs = [json.loads(row["spec"]) for row in store.rows("SELECT spec FROM runs")]
    return 1 + max((spec.get("edition", 0) for spec in specs), default=0)
