"""The recorded results that come with the program, a store under data/recorded. No torch. Only `python -m shlpt record`
writes it. Its ids begin with another letter than the visitor's: the same run trained here is a run of its own."""

from functools import lru_cache
from pathlib import Path

from shlpt.errors import UserError
from shlpt.store.store import Store

HOME = Path(__file__).resolve().parents[2] / "data" / "recorded"


HEAVY = ("extra.weights.", "extra.fisher.")  # a whole model for every task, which no page reads
MARK = "c"  # where an id of the visitor's store has r (a run), and before its x (an experiment)


def mark(copy: Store) -> None:
    """Give the runs and experiments of a copy the ids of recorded ones."""
    with copy.write() as db:  # first what was measured of them, which names them
        kind = "substr(kind, 1, length(kind) - 13) || ? || substr(kind, -12)"
        db.execute(f"UPDATE artifacts SET kind={kind} WHERE substr(kind, -13) IN (SELECT id FROM runs)", (MARK,))
        db.execute("UPDATE artifacts SET owner=? || owner WHERE owner IN (SELECT id FROM experiments)", (MARK,))
        for table, column in (("runs", "id"), ("run_stages", "run"), ("experiment_runs", "run")):
            db.execute(f"UPDATE {table} SET {column}=? || substr({column}, 2) WHERE {column} LIKE 'r%'", (MARK,))
        for table, column in (("experiments", "id"), ("experiment_runs", "experiment")):
            db.execute(f"UPDATE {table} SET {column}=? || {column} WHERE {column} LIKE 'x%'", (MARK,))


def recorded() -> Store | None:
    """The store of recorded results; None if its file was removed. Pages ask for it many times."""
    try:
        file = Store(HOME).file.stat()
    except FileNotFoundError:
        return None
    return _opened(HOME, file.st_ino, file.st_mtime_ns)


@lru_cache(maxsize=1)
def _opened(home: Path, _file: int, _changed: int) -> Store:
    return Store(home).open()


def refuse_recorded(id: str) -> None:
    """Recorded runs never change."""
    found = recorded() if id.startswith(MARK) else None
    if found is not None and found.value("SELECT 1 FROM runs WHERE substr(id, 1, ?)=?", (len(id), id)):
        raise UserError(f"run {id} came with the program and cannot be changed: `runs again {id}` trains it here")
