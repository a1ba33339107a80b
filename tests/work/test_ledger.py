"""What a worker writes: in order, with its claim, and patiently where the disk is full."""

import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from storing import SLOW, finished, group_rows, join, queued, spec_of, taken, until

from shlpt.queue import claims, control
from shlpt.queue.claims import Event, Fenced, Job
from shlpt.store import artifacts, tensors
from shlpt.store.artifacts import DiskFull
from shlpt.store.store import Locked, Store
from shlpt.work import ledger
from shlpt.work.conductor import GroupConductor
from shlpt.work.ledger import Ledger
from shlpt.work.meter import Meter
from shlpt.work.worker import Silent, Workshops, noting_interrupts, train_and_report, work

SPEC = spec_of(("sst2",))


@pytest.fixture
def held(store: Store) -> Iterator[tuple[Ledger, str]]:
    """A ledger of the only group, and the key of its only stage."""
    (plan,) = queued(store, SPEC)
    book = Ledger(store, taken(store, join(store)).claim)
    yield book, plan.stages[0].key
    book._over.set()
    book._thread.join()


def say(book: Ledger, key: str, *numbers: int) -> None:
    for number in numbers:
        book.emit(Event(key, number, "step", {"n": number}, 0.0))


def said(store: Store) -> list[int]:
    return [row["seq"] for row in store.rows("SELECT seq FROM events ORDER BY seq")]


def test_events_are_written_by_themselves(store: Store, held: tuple[Ledger, str]) -> None:
    say(*held, 0, 1, 2)
    until(lambda: said(store) == [0, 1, 2])


def test_what_must_not_be_lost_takes_all_earlier_events_with_it(store: Store, held: tuple[Ledger, str]) -> None:
    book, key = held
    say(book, key, 0, 1)
    book.checkpoint(b"place", {})
    assert said(store) == [0, 1]
    say(book, key, 2)
    book.finish(finished(key, {"sst2": [1.0]}), b"tensors")
    assert said(store) == [0, 1, 2]
    assert tensors.artifact_bytes(store, key, "tensors") == b"tensors"


def test_two_checkpoints_are_kept_in_two_files(store: Store, held: tuple[Ledger, str]) -> None:
    book, _ = held
    for number in range(4):
        book.checkpoint(b"%d" % number, {})
    rows = store.rows("SELECT kind, file, about FROM artifacts ORDER BY about")
    assert [row["about"] for row in rows] == ['{"number":3}', '{"number":4}']
    assert {row["file"] for row in rows} == {path.name for path in (store.home / "artifacts").iterdir()}


def test_a_stage_trained_again_leaves_one_file(store: Store, held: tuple[Ledger, str]) -> None:
    book, key = held
    book.finish(finished(key, {"sst2": [1.0]}, "the loss is nan"), b"bad")
    with store.write() as db:
        db.execute("UPDATE stages SET state='queued'")
        db.execute("UPDATE artifacts SET file='older.safetensors'")
    folder = store.home / "artifacts"
    (folder / f"{key}.{book.claim.mark}.safetensors").rename(folder / "older.safetensors")
    for _ in range(2):  # the second is said in vain
        book.finish(finished(key, {"sst2": [1.0]}), b"good")
    assert [path.read_bytes() for path in (store.home / "artifacts").iterdir()] == [b"good"]
    assert tensors.artifact_bytes(store, key, "tensors") == b"good"


# --- wishes -------------------------------------------------------------------------------
def test_a_wish_arrives_within_half_a_second(store: Store, held: tuple[Ledger, str]) -> None:
    begin = time.monotonic()
    control.pause(store, [SPEC.id])
    until(lambda: held[0].wish() == "pause")
    assert time.monotonic() - begin < 0.5 * SLOW


def test_a_step_is_taken_once(store: Store, held: tuple[Ledger, str]) -> None:
    book, _ = held
    control.step(store, [SPEC.id], "batch")
    until(lambda: book.wish() == "step batch")
    book.hold("running", "pause")
    assert book.wish() == group_rows(store)[0]["wish"] == "pause"
    time.sleep(0.5)
    assert book.wish() == "pause"


def test_a_newer_wish_is_not_overwritten(store: Store, held: tuple[Ledger, str]) -> None:
    book, _ = held
    control.step(store, [SPEC.id], "batch")
    until(lambda: book.wish() == "step batch")
    control.resume(store, [SPEC.id])
    book.hold("running", "pause")  # as it was decided before
    assert book.wish() == group_rows(store)[0]["wish"] == ""


# --- giving back --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wish", "state", "becomes"),
    [
        ("", "", "queued"),
        ("stop", "", "stopped"),
        ("pause", "", "paused"),
        ("step batch", "", "queued"),
        ("pause", "stopped", "stopped"),
        ("", "done", "done"),
        ("stop", "done", "done"),
    ],
)
def test_a_group_is_given_back_as_it_was_wished(
    store: Store, held: tuple[Ledger, str], wish: str, state: str, becomes: str
) -> None:
    book, key = held
    say(book, key, 0)
    with store.write() as db:
        db.execute("UPDATE groups SET wish=?", (wish,))
    until(lambda: book.wish() == wish)
    book.close(state)
    (row,) = group_rows(store)
    left = wish if wish.startswith("step") else ""  # nobody has taken it
    assert (row["state"], row["wish"], row["worker"]) == (becomes, left, None)
    assert said(store) == [0]


@pytest.mark.parametrize(
    ("before", "act", "becomes"),
    [("stop", control.resume, "queued"), ("", control.pause, "paused"), ("pause", control.stop, "stopped")],
)
def test_a_wish_that_comes_while_a_group_is_given_back_is_the_one_that_counts(
    store: Store, held: tuple[Ledger, str], before: str, act: Callable[..., None], becomes: str
) -> None:
    book, _ = held
    book._over.set()  # it looks no more
    book._thread.join()
    book._wish = before
    with store.write() as db:
        db.execute("UPDATE groups SET wish=?", (before,))
    act(store, [SPEC.id])
    book.close()
    assert (group_rows(store)[0]["state"], group_rows(store)[0]["wish"]) == (becomes, "")


def test_a_group_that_another_has_is_left_alone(store: Store, held: tuple[Ledger, str]) -> None:
    book, key = held
    claims.leave(store, "w1")
    taken(store, join(store, "w2"))
    say(book, key, 0)
    with pytest.raises(Fenced):
        book.finish(finished(key, {"sst2": [1.0]}), b"tensors")
    until(lambda: book._ended is not None)
    with pytest.raises(Fenced):
        book.wish()
    before = group_rows(store)
    book.close("failed", "whatever")
    assert group_rows(store) == before
    assert said(store) == []


def test_what_it_is_trained_with_is_written_and_warnings_stay(store: Store, held: tuple[Ledger, str]) -> None:
    book, key = held
    say(book, key, 0, 1, 2)
    book.checkpoint(b"", {})
    for _ in range(2):
        book.begin({"threads": 2}, ["one thing", "another"], {key: 1})
    assert said(store) == [0]
    assert store.value("SELECT made FROM groups") == '{"threads":2}'
    book.close("queued")
    taken(store, join(store, "w2"))
    assert group_rows(store)[0]["warnings"] == "one thing\nanother"


# --- a full disk --------------------------------------------------------------------------
class Full:
    """A disk without room for files until it is freed."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full, self.real = True, artifacts.write
        monkeypatch.setattr(ledger.artifacts, "write", self.write)

    def write(self, home: Path, name: str, data: bytes) -> artifacts.Artifact:
        if self.full:
            raise DiskFull(home, "No space left on device")
        return self.real(home, name, data)


def test_it_waits_for_room_says_so_and_goes_on(
    store: Store, held: tuple[Ledger, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    book, key = held
    disk = Full(store.home, monkeypatch)
    seen: list[tuple[str, str]] = []

    def freed(seconds: float | None = None) -> bool:
        row = group_rows(store)[0]
        seen.append((row["state"], row["note"]))
        disk.full = len(seen) < 3
        return False

    monkeypatch.setattr(book._over, "wait", freed)
    book.finish(finished(key, {"sst2": [1.0]}), b"tensors")
    assert {state for state, _ in seen} == {"paused"}
    assert all("no space left on the disk" in note for _, note in seen)
    row = group_rows(store)[0]
    assert (row["state"], row["note"]) == ("running", "")
    assert tensors.artifact_bytes(store, key, "tensors") == b"tensors"


def test_who_is_in_a_hurry_does_not_wait(
    store: Store, held: tuple[Ledger, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Full(store.home, monkeypatch)
    with pytest.raises(DiskFull):
        held[0].checkpoint(b"place", {}, patient=False)


def test_a_stop_ends_the_waiting(store: Store, held: tuple[Ledger, str], monkeypatch: pytest.MonkeyPatch) -> None:
    book, key = held
    Full(store.home, monkeypatch)
    control.stop(store, [SPEC.id])
    with pytest.raises(DiskFull):
        book.finish(finished(key, {"sst2": [1.0]}), b"tensors")
    book.close()
    row = group_rows(store)[0]
    assert row["state"] == "stopped"
    assert "no space left on the disk" in row["note"]
    control.resume(store, [SPEC.id])
    assert (group_rows(store)[0]["state"], group_rows(store)[0]["note"]) == ("queued", "")


def test_ctrl_c_ends_the_waiting(store: Store, held: tuple[Ledger, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one, although it is only noted while a group trains."""
    book, key = held
    Full(store.home, monkeypatch)
    looks = iter(range(3))

    def wait(seconds: float | None = None) -> bool:
        look = next(looks)
        if not look:
            signal.raise_signal(signal.SIGINT)
        return look == 2  # an end all the same

    monkeypatch.setattr(book._over, "wait", wait)
    conductor = GroupConductor(book, [key], {key: 0}, Meter({key: 0.0}))
    with pytest.raises(KeyboardInterrupt), noting_interrupts(conductor):
        book.finish(finished(key, {"sst2": [1.0]}), b"tensors")
    assert next(looks) == 1


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_who_leaves_on_a_full_disk_leaves_and_the_group_is_free(
    store: Store, held: tuple[Ledger, str], monkeypatch: pytest.MonkeyPatch, end: type[BaseException]
) -> None:
    book, _ = held

    def ready() -> Job:
        raise end

    with monkeypatch.context() as patch:
        patch.setattr(claims, "release", lambda *_: (_ for _ in ()).throw(DiskFull(store.home, "")))
        with pytest.raises(end):
            train_and_report(book, ready, Workshops("cpu"), Silent())
    for state in ("running", "paused"):  # as it was left, by a worker that lives on when there is room again
        with store.write() as db:
            db.execute("UPDATE groups SET state=?", (state,))
        assert taken(store, "w1").claim.number > book.claim.number


# --- a locked store -----------------------------------------------------------------------
def test_a_store_that_another_program_has_locked_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path, patience=0.02).open()
    (plan,) = queued(store, SPEC)
    key = plan.stages[0].key
    book = Ledger(store, taken(store, join(store)).claim)
    other = sqlite3.connect(store.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waits, wait = [0], book._over.wait
    trainer = threading.current_thread()

    def unlocked(seconds: float | None = None) -> bool:
        if threading.current_thread() is trainer:
            waits[0] += 1
            if waits[0] == 2:
                other.execute("ROLLBACK")
        return wait(seconds)

    monkeypatch.setattr(book._over, "wait", unlocked)
    book.finish(finished(key, {"sst2": [1.0]}), b"tensors")
    other.close()
    assert waits == [2]
    book.close("done")
    assert group_rows(store)[0]["state"] == "done"
    assert tensors.artifact_bytes(store, key, "tensors") == b"tensors"


def test_a_worker_waits_for_a_locked_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its groups, too."""
    looks = iter([Locked("locked"), DiskFull(store.home, ""), None])

    def claim(*_: object) -> None:
        if (error := next(looks)) is not None:
            raise error

    monkeypatch.setattr(claims, "claim", claim)
    assert work(store, device="cpu") == 0
    assert next(looks, "all") == "all"
