"""Is a worker alive? Decided by a file lock on this machine and by a heartbeat counter elsewhere, never by comparing
clocks. A worker locks HOME/workers/<id>.lock; the system releases it when the process ends. At each heartbeat the
worker writes the machine's monotonic time into that file, so that a hanging worker is noticed. A worker of another
machine is dead if its counter has not moved for STALE seconds of the observer's monotonic clock."""

import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

from shlpt.errors import UserError
from shlpt.store import locks
from shlpt.store.locks import Lock
from shlpt.store.store import Store

STALE = 20.0
LOOK_SECONDS = 0.1
STARTING = "starting"  # lock of a worker before it registers
_SEEN: dict[tuple[str, str], tuple[int, float, bool]] = {}  # home, worker -> beat, its time, whether it has moved


def lock_file(home: Path, worker: str) -> Path:
    return home / "workers" / f"{worker}.lock"


def hold(home: Path, worker: str) -> Lock:
    """The lock of a living worker, released by closing it or by the end of the process."""
    path = lock_file(home, worker)
    try:
        path.parent.mkdir(exist_ok=True)
        return locks.hold(path)
    except BlockingIOError:
        raise
    except OSError as error:
        raise UserError(f"cannot write to {home}: {error.strerror}. Choose a folder with --home") from None


def holds(home: Path, worker: str) -> bool:
    """Whether a process of this machine holds the worker's lock."""
    return locks.held(lock_file(home, worker))


def mark(lock: Lock) -> None:
    """Write the monotonic time, which all processes of a machine share, into the lock file."""
    locks.say(lock, f"{time.monotonic():020.3f}")


def _since_marked(home: Path, worker: str) -> float | None:
    """Seconds since the last mark in a lock file of this machine, if known."""
    try:
        return time.monotonic() - float(locks.said(lock_file(home, worker)))
    except (OSError, ValueError):
        return None


class Observer:
    """Watches the heartbeats of workers. All observers of a process share their observations."""

    def __init__(self, store: Store, stale: float = STALE) -> None:
        self.store, self.stale = store, stale

    def alive(self, worker: str | None) -> bool:
        """Without waiting; a worker that may be alive counts as alive."""
        return self.certain(worker) is not False

    def certain(self, worker: str | None) -> bool | None:
        """None if undecided: the first look at a worker of another machine."""
        row = self.store.row("SELECT host, beat FROM workers WHERE id=?", (worker,))
        if row is None or worker is None:
            return False
        if row["host"] == socket.gethostname():
            if not holds(self.store.home, worker):
                return False
            passed = _since_marked(self.store.home, worker)
            if passed is not None:
                return passed < self.stale
        now, key = time.monotonic(), (str(self.store.home.resolve()), worker)
        beat, since, moved = _SEEN.get(key, (row["beat"], now, False))
        if beat != row["beat"]:
            since, moved = now, True
        _SEEN[key] = (row["beat"], since, moved)
        if now - since >= self.stale:
            return False
        return True if moved else None


def settled(store: Store, workers: Iterable[str], seconds: float = STALE + 1.0) -> set[str]:
    """The workers that are certainly alive, after watching each heartbeat for up to `seconds`."""
    observer, watched, end = Observer(store), list(workers), time.monotonic() + seconds
    while True:
        found = {worker: observer.certain(worker) for worker in watched}
        if None not in found.values() or time.monotonic() >= end:
            return {worker for worker, alive in found.items() if alive}
        time.sleep(LOOK_SECONDS)


def serves(device: str) -> bool:
    """Whether a worker on `device` trains all queued runs, not only those of one command."""
    return not device.startswith(("run:", "ray:"))


def living(store: Store) -> list[str]:
    """Workers that seem alive, without waiting."""
    observer = Observer(store)
    return [row["id"] for row in store.rows("SELECT id FROM workers") if observer.alive(row["id"])]


def new_name() -> str:
    return f"w{os.getpid():x}-{os.urandom(3).hex()}"


def expected(store: Store) -> bool:
    """Whether a worker is alive or starting, so that queued runs will be trained."""
    return bool(living(store)) or holds(store.home, STARTING)
