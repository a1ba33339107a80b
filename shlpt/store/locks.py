"""File locks that the system releases when a process ends. Checking a lock never makes taking it fail. The lock is on
the first byte of the file; a message of its holder follows."""

import os
import random
import sys
import time
from pathlib import Path
from typing import IO

Lock = IO[bytes]

if sys.platform == "win32":
    import msvcrt

    def _take(file: Lock) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _is_taken(file: Lock) -> bool:
        """Windows does not let other processes read a locked byte."""
        try:
            file.read(1)
        except PermissionError:
            return True
        return False

else:
    import fcntl

    def _flock(file: Lock, kind: int) -> bool:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _take(file: Lock) -> bool:
        """A check holds a shared lock for a moment, so try again unless the lock is held exclusively."""
        for _ in range(1000):
            if _flock(file, fcntl.LOCK_EX):
                return True
            if not _flock(file, fcntl.LOCK_SH):
                return False
            fcntl.flock(file, fcntl.LOCK_UN)
            time.sleep(random.uniform(0, 0.002))
        return False

    def _is_taken(file: Lock) -> bool:
        return not _flock(file, fcntl.LOCK_SH)


def hold(path: Path) -> Lock:
    """Take the lock until the file is closed; BlockingIOError if another process has it. Only the holder empties the
    file."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666), "r+b", buffering=0)
    if not _take(file):
        file.close()
        raise BlockingIOError(f"{path} is locked")
    file.write(b" ")
    file.truncate()
    return file


def held(path: Path) -> bool:
    """Whether a process of this machine holds the lock."""
    try:
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        return False
    with file:
        return _is_taken(file)


def say(file: Lock, text: str) -> None:
    """Replace the message; the writer need not hold the lock."""
    file.seek(1)
    file.write(text.encode())
    file.truncate()


def said(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        file.seek(1)
        return file.read().decode()
