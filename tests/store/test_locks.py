"""A lock is refused only where another holds it, and only the holder empties the file."""

import errno
import importlib.util
import os
import sys
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from shlpt.store import locks


def test_who_only_looks_makes_no_lock_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pages do that ask whether a worker is on its way: caught here in the middle of their look."""
    path, looking, look = tmp_path / "starting.lock", threading.Event(), locks._is_taken
    path.touch()

    def looks_slowly(file: locks.Lock) -> bool:
        found = look(file)
        looking.set()
        time.sleep(0.05)
        return found

    monkeypatch.setattr(locks, "_is_taken", looks_slowly)
    watching = [threading.Thread(target=locks.held, args=(path,)) for _ in range(2)]
    for thread in watching:
        thread.start()
    assert looking.wait(10)
    with locks.hold(path):
        assert locks.held(path)
    for thread in watching:
        thread.join()
    assert not locks.held(path)


def test_who_is_refused_leaves_what_was_said(tmp_path: Path) -> None:
    path = tmp_path / "starting.lock"
    with locks.hold(path) as held:
        locks.say(held, "stop")
        with pytest.raises(BlockingIOError):
            locks.hold(path)
        assert locks.said(path) == "stop"
    with locks.hold(path):  # the next one knows nothing of it
        assert locks.said(path) == ""


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The same module as Windows would load it, with what the documentation of `msvcrt.locking` promises.

    That Windows lets nobody read a locked byte is taken from there too: it cannot be tried here.
    """
    locked: set[int] = set()

    def locking(number: int, mode: int, count: int) -> None:
        assert (mode, count, os.lseek(number, 0, os.SEEK_CUR)) == (2, 1, 0)
        if (file := os.fstat(number).st_ino) in locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        locked.add(file)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    found = importlib.util.spec_from_file_location("locks_on_windows", locks.__file__)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    assert "fcntl" not in vars(module)
    return module


def test_on_windows_one_holds_and_what_is_said_is_not_in_the_locked_byte(windows: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "w.lock"
    with windows.hold(path) as held:
        with pytest.raises(BlockingIOError):
            windows.hold(path)
        windows.say(held, "12.5")
        assert windows.said(path) == "12.5"
        assert path.read_bytes()[:1] == b" "
    assert not windows.held(tmp_path / "never")
