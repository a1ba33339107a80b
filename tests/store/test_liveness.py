"""Alive is who holds the lock and whose counter moves; what the clock says does not matter."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from storing import join, join_elsewhere

from shlpt.errors import UserError
from shlpt.queue import claims
from shlpt.store import liveness
from shlpt.store.liveness import Observer, hold, holds, living, settled
from shlpt.store.store import Store


def in_a_child(act: Callable[[], None]) -> int:
    """A process that does something, says so, and stays until it is killed."""
    ready, says = os.pipe()
    pid = os.fork()
    if not pid:
        act()
        os.write(says, b".")
        time.sleep(60)
        os._exit(0)
    assert os.read(ready, 1) == b"."
    return pid


def test_a_lock_ends_with_its_process_however_it_ends(tmp_path: Path) -> None:
    kept = []
    pid = in_a_child(lambda: kept.append(hold(tmp_path, "w")))
    assert holds(tmp_path, "w")
    with pytest.raises(BlockingIOError):
        hold(tmp_path, "w")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert not holds(tmp_path, "w")
    assert not holds(tmp_path, "never")


def test_a_worker_of_this_machine_is_dead_as_soon_as_its_lock_is_gone(store: Store) -> None:
    lock = hold(store.home, "w")
    claims.register(store, "w", "cpu")
    assert living(store) == ["w"]
    lock.close()
    assert living(store) == []
    assert not Observer(store).alive("unknown")
    assert not Observer(store).alive(None)


@pytest.mark.parametrize("here", [True, False])
def test_a_worker_whose_counter_stands_still_is_dead_after_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch, here: bool
) -> None:
    """Of another machine, or one that hangs on this one."""
    if here:
        lock = hold(store.home, "w")
        claims.register(store, "w", "cpu")
        assert not lock.closed
    else:
        join_elsewhere(store, "w")
    now = [100.0]
    monkeypatch.setattr(liveness.time, "monotonic", lambda: now[0])
    observer = Observer(store, stale=20)
    assert observer.alive("w")
    now[0] += 19
    assert observer.alive("w")
    claims.beat(store, "w")
    now[0] += 19
    assert observer.alive("w")
    now[0] += 21
    assert not observer.alive("w")
    claims.beat(store, "w")
    assert observer.alive("w")


@pytest.mark.parametrize("jump", [-1e9, 1e9])
def test_setting_the_clock_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch, jump: float) -> None:
    join_elsewhere(store, "w")
    observer = Observer(store)
    assert observer.alive("w")
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    assert observer.alive("w")
    assert living(store) == ["w"]


def test_who_hangs_on_this_machine_is_told_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look, as in each command."""
    join(store, "w")
    assert Observer(store).certain("w") is True
    later = time.monotonic() + liveness.STALE + 1
    monkeypatch.setattr(liveness.time, "monotonic", lambda: later)
    assert Observer(store).certain("w") is False
    assert living(store) == []


def test_who_looks_again_sees_a_worker_of_another_machine_die(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    join_elsewhere(store, "w")
    assert (living(store), Observer(store).certain("w")) == (["w"], None)
    later = time.monotonic() + liveness.STALE + 1
    monkeypatch.setattr(liveness.time, "monotonic", lambda: later)
    assert living(store) == []


def test_watching_ends_with_a_beat_or_after_a_while(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    now, looks = [time.monotonic()], [0]

    def sleep(seconds: float) -> None:
        now[0] += seconds
        looks[0] += 1
        if looks[0] % 5 == 0:
            claims.beat(store, "beats")

    monkeypatch.setattr(liveness.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(liveness.time, "sleep", sleep)
    for worker in ("beats", "silent"):
        join_elsewhere(store, worker)
    assert settled(store, ["beats"]) == {"beats"}
    assert looks == [5]
    assert settled(store, ["beats", "silent", "unknown"]) == {"beats"}
    assert looks[0] * liveness.LOOK_SECONDS == pytest.approx(liveness.STALE, abs=1)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "workers").write_text("in the way")
    with pytest.raises(UserError, match="cannot write to"):
        hold(tmp_path, "w")


def test_names_differ() -> None:
    assert len({liveness.new_name() for _ in range(100)}) == 100
