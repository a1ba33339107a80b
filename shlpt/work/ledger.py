"""Writes of a worker about its lane group: events in batches from a thread, the rest at once. No torch. On a full disk,
or if another program has locked the store, the ledger waits, says so, and drops nothing."""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from shlpt.errors import UserError
from shlpt.queue import claims
from shlpt.queue.claims import Claim, Event, Fenced, Finished, guarded
from shlpt.store import artifacts, tensors
from shlpt.store.artifacts import DiskFull, NotNow
from shlpt.store.store import Store, to_json

EVENT_SECONDS = 0.25  # between batches of events
POLL_SECONDS = 0.2  # between checks for requests
RESERVE = 256 * 1024  # bytes kept free, so that a full disk can still be told
Found = TypeVar("Found")


class Recorder(Protocol):
    """What a group in training reports to, on this machine or over a network."""

    interrupted: bool  # somebody pressed Ctrl-C: nothing is waited for any more

    def begin(self, made: Mapping[str, Any], warnings: Sequence[str], since: Mapping[str, int]) -> None:
        """The fingerprint, warnings for the user, and the number of the first event that each stage repeats."""
        ...

    def emit(self, event: Event) -> None: ...

    def wish(self) -> str:
        """The newest request of a user; raises Fenced if another worker holds the group."""
        ...

    def hold(self, state: str, wish: str | None = None) -> None:
        """Set the group's state; `wish` replaces the request that was seen, unless there is a newer one."""
        ...

    def checkpoint(self, data: bytes, about: Mapping[str, Any], patient: bool = True) -> None:
        """Save a checkpoint and keep the one before. If not `patient`, raises NotNow on a full disk."""
        ...

    def finish(self, done: Finished, tensors: bytes) -> None: ...

    def close(self, state: str = "", note: str = "") -> None:
        """Give the group back in a state, by default the one that was requested."""
        ...


class Ledger:
    """A Recorder that writes to the store."""

    def __init__(self, store: Store, claim: Claim) -> None:
        self.store, self.claim, self.interrupted = store, claim, False
        self._events: list[Event] = []
        self._lock = threading.RLock()  # one writer at a time, so that events stay in order
        self._ended: Exception | None = None  # why the thread looks no more: another worker has the group
        self._full: NotNow | None = None  # what is waited for
        self._told, self._state = False, "running"
        self._number = self._last_checkpoint()
        self._wish = claims.wish_of(store, claim)
        with suppress(DiskFull):
            self._reserve()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write_and_look, name=f"ledger {claim.group}", daemon=True)
        self._thread.start()

    # --- from the training thread ---------------------------------------------------------
    def begin(self, made: Mapping[str, Any], warnings: Sequence[str], since: Mapping[str, int]) -> None:
        def write(db: sqlite3.Connection) -> None:
            for stage, count in since.items():
                claims.forget_events(db, stage, count)
            db.execute("UPDATE groups SET made=? WHERE key=?", (to_json(made), self.claim.group))
            for text in warnings:
                claims.add_warning(db, self.claim.group, text)

        self._patiently(lambda: self._flush(write))

    def emit(self, event: Event) -> None:
        self._events.append(event)

    def wish(self) -> str:
        if self._ended is not None:
            raise self._ended
        if self._full is not None:
            self._patiently(self._flush)
        return self._wish

    def hold(self, state: str, wish: str | None = None) -> None:
        seen, group = self._wish, self.claim.group

        def write(db: sqlite3.Connection) -> None:
            db.execute("UPDATE groups SET state=?, note='' WHERE key=?", (state, group))
            if wish is not None:
                db.execute("UPDATE groups SET wish=? WHERE key=? AND wish=?", (wish, group, seen))
                self._wish = db.execute("SELECT wish FROM groups WHERE key=?", (group,)).fetchone()[0]

        self._state = state
        self._patiently(lambda: self._flush(write))

    def checkpoint(self, data: bytes, about: Mapping[str, Any], patient: bool = True) -> None:
        self._number += 1
        group, number = self.claim.group, self._number
        kind = f"checkpoint.{number % 2}"

        def write() -> None:
            artifact = artifacts.write(self.store.home, f"{group}.{self.claim.mark}.{number}", data)
            self._replaced(lambda db: tensors.add_artifact(db, group, kind, artifact, {**about, "number": number}))

        if patient:
            self._patiently(write)
        else:
            write()

    def finish(self, done: Finished, tensors: bytes) -> None:
        def write() -> None:
            artifact = artifacts.write(self.store.home, f"{done.key}.{self.claim.mark}", tensors)
            self._replaced(lambda db: claims.finish_stage(db, done, artifact))

        self._patiently(write)

    def close(self, state: str = "", note: str = "") -> None:
        if state == "done":  # whatever it takes; one that leaves early is trained again from its last place anyway
            self._state = state
            self._patiently(self._flush)
            self._patiently(lambda: claims.release(self.store, self.claim, state))
        self._over.set()
        self._thread.join()
        with suppress(Fenced, NotNow):  # what cannot be given back is dead with this process, or claimed by it again
            with suppress(NotNow):
                self._flush()
            if state != "done":
                note = note or ("" if self._full is None else str(self._full))
                claims.release(self.store, self.claim, state, note)

    # --- writing --------------------------------------------------------------------------
    def _flush(self, write: Callable[[sqlite3.Connection], Found] | None = None, durable: bool = True) -> Found | None:
        """Write all events so far, and one more change, in one transaction."""
        with self._lock:
            count = len(self._events)
            with guarded(self.store, self.claim, durable) as db:
                claims.add_events(db, self._events[:count])
                found = write(db) if write is not None else None
            del self._events[:count]
        return found

    def _replaced(self, write: Callable[[sqlite3.Connection], str | None]) -> None:
        """Make a change, and delete the file that it replaces."""
        file = self._flush(write)
        if file is not None:
            (self.store.home / artifacts.FOLDER / file).unlink(missing_ok=True)

    def _patiently(self, act: Callable[[], Found]) -> Found:
        """Retry while the disk is full or the store locked; every `act` is idempotent."""
        while True:
            try:
                found = act()
                if self._full is not None:
                    self._go_on()
                return found
            except NotNow as error:
                self._say_full(error)
            if self._ended is not None:
                raise self._ended
            if self.interrupted:
                raise KeyboardInterrupt
            if self._wish in ("stop", "leave") or self._over.wait(POLL_SECONDS):
                raise self._full or NotNow("interrupted")

    def _say_full(self, error: NotNow) -> None:
        """Report a full disk; deleting the reserve makes the space for that."""
        self._full = error
        if isinstance(error, DiskFull):
            (self.store.home / ".reserve").unlink(missing_ok=True)
        if not self._told:
            with suppress(NotNow, Fenced), guarded(self.store, self.claim) as db:
                db.execute("UPDATE groups SET state='paused', note=? WHERE key=?", (str(error), self.claim.group))
                self._told = True

    def _go_on(self) -> None:
        self._reserve()
        with guarded(self.store, self.claim) as db:
            db.execute("UPDATE groups SET state=?, note='' WHERE key=?", (self._state, self.claim.group))
        self._full, self._told = None, False

    def _reserve(self) -> None:
        path = self.store.home / ".reserve"
        try:
            if not path.exists() or path.stat().st_size < RESERVE:
                path.write_bytes(b"\0" * RESERVE)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise DiskFull(self.store.home, error.strerror or "") from None

    # --- the thread -----------------------------------------------------------------------
    def _write_and_look(self) -> None:
        written = time.monotonic()
        while not self._over.wait(POLL_SECONDS):
            try:
                with self._lock:  # else a wish that has just been taken could be seen again
                    self._wish = claims.wish_of(self.store, self.claim)
                if self._events and self._full is None and time.monotonic() - written >= EVENT_SECONDS:
                    self._flush(durable=False)
                    written = time.monotonic()
            except DiskFull as error:
                self._say_full(error)
            except UserError:
                continue  # locked for long: the next look may succeed
            except Exception as error:
                self._ended = error
                break
        self.store.close()

    def _last_checkpoint(self) -> int:
        rows = self.store.rows("SELECT about FROM artifacts WHERE owner=?", (self.claim.group,))
        return max((json.loads(row["about"])["number"] for row in rows), default=0)
