"""Where results live: one SQLite file and the tensors beside it, under a home. No torch.

    HOME/shlpt.sqlite     runs, stages, events, scores, workers, experiments (see schema.py)
    HOME/artifacts/       tensors of finished stages, checkpoints of unfinished ones
    HOME/workers/         a lock and a log for each worker process

This file opens, checks and migrates. What is written is in enqueue.py, claims.py and control.py;
what is read, in queries.py.
"""

import json
import math
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from shlpt.errors import UserError
from shlpt.store.artifacts import DiskFull, NotNow, is_full
from shlpt.store.schema import APPLICATION, MIGRATIONS, VERSION

FILE = "shlpt.sqlite"
SAFE_WAL = (3, 51, 3)  # earlier libraries can corrupt a file that two connections write in WAL mode
BUSY_SECONDS = 20.0


class Locked(NotNow):
    """Another program has locked the file for longer than a short transaction takes."""


def default_home() -> Path:
    return Path(os.environ.get("SHLPT_HOME") or "runs")


class Store:
    """A store that is open. Each thread has its own connection."""

    def __init__(self, home: Path | str | None = None, patience: float | None = None) -> None:
        self.home = Path(home) if home else default_home()
        self.patience = BUSY_SECONDS if patience is None else patience  # seconds to wait where it is locked
        self._local = threading.local()

    @property
    def file(self) -> Path:
        return self.home / FILE

    def open(self) -> Self:
        """Create the file, or check that it is ours and migrate it to this version."""
        try:
            self.home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._cannot_write(error.strerror or "") from None
        with self._readable():
            if self.db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
                if not os.access(self.home, os.W_OK):
                    raise self._cannot_write("Permission denied")
                _migrate(self.db, self.file)
        return self

    def there(self) -> Self | None:
        """Open an existing store; None if there is none, and nothing is created."""
        return self.open() if self.file.exists() else None

    @property
    def db(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            with self._readable():
                found = _connect(self.file, self.patience)
            self._local.db = found
        return found

    def close(self) -> None:
        """Close this thread's connection."""
        found = getattr(self._local, "db", None)
        if found is not None:
            found.close()
            self._local.db = None

    @contextmanager
    def write(self, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """One short transaction. Not durable: safe from a killed process, not from a power cut."""
        db = self.db
        with self._readable():
            db.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        with self._readable():
            return [dict(row) for row in self.db.execute(query, values)]

    def row(self, query: str, values: Sequence[Any] = ()) -> dict[str, Any] | None:
        return next(iter(self.rows(query, values)), None)

    def value(self, query: str, values: Sequence[Any] = ()) -> Any:
        return next(iter((self.row(query, values) or {}).values()), None)

    # --- what can be wrong with a file ----------------------------------------------------
    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            readable = self._readable_error(error)
            if readable is None:  # our mistake
                raise
            raise readable from None

    def _readable_error(self, error: sqlite3.DatabaseError) -> UserError | None:
        text, code = str(error), getattr(error, "sqlite_errorcode", 0)
        match code & 0xFF:
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                return self._cannot_write(text)
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return Locked(f"{self.file} has been locked for over {self.patience:g} s by another program")
            case sqlite3.SQLITE_FULL:
                return DiskFull(self.home, text)
            case sqlite3.SQLITE_IOERR:  # also where there is no room, and over a quota
                if is_full(self.home):
                    return DiskFull(self.home, text)
                return UserError(f"cannot read or write {self.file} ({text}): check that its disk is there and sound")
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return UserError(f"{self.file} is not a store of shlpt, or is damaged ({text}): choose another --home")
        return None

    def _cannot_write(self, reason: str) -> UserError:
        return UserError(f"cannot write to {self.home}: {reason}. Choose a folder with --home")


def _connect(file: Path, patience: float) -> sqlite3.Connection:
    if file.is_dir():
        raise UserError(f"{file} is a folder, but should be the file of a store: choose another folder with --home")
    _look(file)
    db = sqlite3.connect(file, timeout=patience, isolation_level=None)
    db.row_factory = sqlite3.Row
    try:
        if _check(db, file):
            db.execute(f"PRAGMA journal_mode={'WAL' if sqlite3.sqlite_version_info >= SAFE_WAL else 'DELETE'}")
    except BaseException:
        db.close()
        raise
    return db


def _look(file: Path) -> None:
    """Check a file without changing it: normal opening merges a journal, even in a file that is not ours. SQLite does
    it, because closing a file that was opened otherwise drops the locks of all connections of this process."""
    if not file.exists():
        return
    with (
        suppress(sqlite3.DatabaseError),  # damaged, or just being written: for the connection that waits for locks
        closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db,
    ):
        _check(db, file)


def _check(db: sqlite3.Connection, file: Path) -> int:
    """The version of a store; 0 where there is nothing in it yet."""
    # Pages first: another process may be making the store, and marks it as ours with the first of them.
    marks = ("page_count", "application_id", "user_version")
    pages, application, version = (int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in marks)
    if pages and application != APPLICATION:
        raise UserError(f"{file} is a database of another program: choose another folder with --home")
    if version > VERSION:
        raise UserError(
            f"{file} was written by a newer version of shlpt (format {version}, this one reads {VERSION}): "
            "update shlpt or choose another folder with --home"
        )
    return version


def _migrate(db: sqlite3.Connection, file: Path) -> None:
    """Apply all missing migrations in one transaction, after a backup of the file."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version:
        with closing(sqlite3.connect(file.with_suffix(f".v{version}.sqlite"))) as copy:
            db.backup(copy)
    db.execute("BEGIN EXCLUSIVE")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]  # another process may have been faster
        for change in MIGRATIONS[version:]:
            for statement in filter(str.strip, change.split(";")):
                db.execute(statement)
        db.execute(f"PRAGMA user_version={VERSION}")
        db.execute(f"PRAGMA application_id={APPLICATION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


# --- values -------------------------------------------------------------------------------
def clean(value: Any) -> Any:
    """JSON has no NaN: what is missing becomes null."""
    if isinstance(value, Mapping):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_json(value: Any) -> str:
    return json.dumps(clean(value), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
