"""Is a worker alive? Told by a file lock on this machine, and by a counter that must move; never by a clock.

A worker holds a lock on HOME/workers/<id>.lock; the kernel drops it when the process ends, however
it ends. A worker of another machine, or one that hangs, is told by its beat: dead is one whose counter
has not moved for STALE seconds on the observer's own monotonic clock.
"""

from __future__ import annotations

import fcntl
import os
import socket
import time
from pathlib import Path
from typing import IO

from shlpt.errors import UserError
from shlpt.runs.store import Store

STALE = 20.0


def lock_file(home: Path, worker: str) -> Path:
    return home / "workers" / f"{worker}.lock"


def hold(home: Path, worker: str) -> IO[str]:
    """The lock of a living worker; let go of it by closing it, or by dying."""
    path = lock_file(home, worker)
    try:
        path.parent.mkdir(exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise UserError(f"cannot write to {home}: {error.strerror}. Choose a folder with --home") from None
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return file


def holds(home: Path, worker: str) -> bool:
    """Whether some process of this machine holds the worker's lock."""
    try:
        file = lock_file(home, worker).open("r")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


class Observer:
    """Watches the beats of workers for as long as it lives."""

    def __init__(self, store: Store, stale: float = STALE) -> None:
        self.store, self.stale = store, stale
        self.seen: dict[str, tuple[int, float]] = {}  # worker -> beat, when it was first seen at that

    def alive(self, worker: str | None) -> bool:
        row = self.store.row("SELECT host, beat FROM workers WHERE id=?", (worker,))
        if row is None or worker is None:
            return False
        if row["host"] == socket.gethostname() and not holds(self.store.home, worker):
            return False
        beat, since = self.seen.get(worker, (-1, 0.0))
        if beat != row["beat"]:
            self.seen[worker] = (row["beat"], time.monotonic())
            return True
        return time.monotonic() - since < self.stale


def living(store: Store) -> list[str]:
    """Workers that live, as far as can be said at once."""
    observer = Observer(store)
    return [row["id"] for row in store.rows("SELECT id FROM workers") if observer.alive(row["id"])]


def new_name() -> str:
    return f"w{os.getpid():x}-{os.urandom(3).hex()}"
