"""Start a worker that outlives the process that started it. No torch."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from shlpt.devices import workers_for
from shlpt.errors import UserError
from shlpt.store import liveness, locks
from shlpt.store.liveness import STARTING
from shlpt.store.store import Store

IDLE_SECONDS = 600  # how long a worker waits for more before it leaves: the next run then starts warm
BEAT_SECONDS = 3.0  # how long to watch for a sign of a worker on another machine; a second worker would do no harm
INHERITED = "SHLPT_STARTING"  # tells that worker which of its files holds the lock; Windows hands none on


def ensure_worker(store: Store, *, device: str = "auto", threads: int | None = None, count: int = 1) -> bool:
    """Start what is missing to `count` workers, unless no run is waiting, or a worker is starting; with several GPUs
    one for each. Returns whether one was started. A worker on another device does not count."""
    waiting = store.value(
        "SELECT count(*) FROM groups WHERE state='queued' OR (state='running' AND worker IS NOT NULL)"
    )
    busy = {row["worker"] for row in store.rows("SELECT worker FROM groups WHERE state='paused'")}  # with holding still
    rows = store.rows("SELECT id, device FROM workers")
    free = {row["id"] for row in rows if row["id"] not in busy and _fits(row["device"], device)}
    if not waiting or (missing := count - len(_alive(store, free))) <= 0:
        return False
    try:
        lock = liveness.hold(store.home, STARTING)
    except BlockingIOError:
        return False
    with lock:
        first, *others = workers_for(device) if count == 1 else [device] * missing
        start_worker(store, device=first, threads=threads, inherit=lock.fileno())
        for other in others:
            start_worker(store, device=other, threads=threads)
    return True


def _fits(device: str, asked: str) -> bool:
    return liveness.serves(device) and (asked in ("auto", device) or device.startswith(f"{asked}:"))


def _alive(store: Store, workers: set[str]) -> set[str]:
    observer = liveness.Observer(store)
    sure = {worker for worker in workers if observer.certain(worker)}
    return sure or liveness.settled(store, workers, BEAT_SECONDS)


def start_worker(
    store: Store,
    *,
    device: str = "auto",
    threads: int | None = None,
    idle_seconds: float = IDLE_SECONDS,
    inherit: int | None = None,
) -> subprocess.Popen[bytes]:
    """A process of its own session; what it says goes to HOME/workers/<name>.log."""
    log = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(2).hex()}.log"
    command = [sys.executable, "-m", "shlpt", "worker", "--home", str(store.home.resolve())]
    command += ["--device", device, "--idle", str(idle_seconds), "--log", log]
    if threads:
        command += ["--threads", str(threads)]
    environment = dict(os.environ)
    apart: dict[str, Any] = {"creationflags": 0x208}  # Windows: DETACHED_PROCESS and CREATE_NEW_PROCESS_GROUP
    if sys.platform != "win32":
        apart = {"start_new_session": True, "pass_fds": () if inherit is None else (inherit,)}
        environment |= {} if inherit is None else {INHERITED: str(inherit)}
    try:
        (store.home / "workers").mkdir(exist_ok=True)
        with (store.home / "workers" / log).open("wb") as file:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=_ROOT, env=environment, **apart
            )
    except OSError as error:
        raise UserError(f"cannot start a worker in {store.home}: {error.strerror}") from None


def turn_back(store: Store) -> bool:
    """Tell a worker that is on its way to leave as soon as it is there; whether there is one."""
    if not liveness.holds(store.home, STARTING):
        return False
    with liveness.lock_file(store.home, STARTING).open("r+b", buffering=0) as file:
        locks.say(file, "stop")
    return True


def started(home: Path) -> bool:
    """Release the start lock after a worker has registered. Returns whether the worker should stop."""
    inherited = os.environ.pop(INHERITED, "")
    if not inherited.isdecimal():
        return False
    stop = locks.said(liveness.lock_file(home, STARTING)) == "stop"
    os.close(int(inherited))
    return stop


_ROOT = Path(__file__).resolve().parents[2]
