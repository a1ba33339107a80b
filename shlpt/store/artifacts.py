"""Tensors in files that are written atomically and checked by their SHA-256. No torch.

    HOME/artifacts/<name>.safetensors

A file with a flipped bit would load without an error, so its hash is compared with the store's before use.
"""

import errno
import hashlib
import json
import os
import threading
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from shlpt.errors import UserError

Arrays = Mapping[str, "np.ndarray[Any, Any]"]
FOLDER = "artifacts"
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
PROBE = 64 * 1024  # bytes that a disk with room takes


class Damaged(UserError):
    """A file whose content has changed since it was written."""


class NotNow(UserError):
    """A write that may succeed later: training waits and retries."""


class DiskFull(NotNow):
    """No space left: nothing was written, and nothing is lost."""

    def __init__(self, home: Path, text: str) -> None:
        super().__init__(f"no space left on the disk of {home} ({text}): free some space; finished stages are kept")


def is_full(home: Path) -> bool:
    """Whether the disk is full, found by writing to it, because a quota may be exceeded while there is free space."""
    draft = home / f".room.{os.getpid()}.{threading.get_ident()}.tmp"
    try:
        try:
            with draft.open("wb") as file:
                file.write(b"\0" * PROBE)
                file.flush()
                os.fsync(file.fileno())
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        return error.errno in NO_ROOM
    return False


@dataclass(frozen=True)
class Artifact:
    file: str
    sha256: str
    bytes: int


def to_bytes(arrays: Arrays, about: Mapping[str, Any] | None = None) -> bytes:
    metadata = None if about is None else {"about": json.dumps(about, allow_nan=False)}
    return save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata)


def from_bytes(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    return load(data)


def about_of(data: bytes) -> dict[str, Any]:
    """The JSON that was written with the tensors."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    found: dict[str, Any] = json.loads(header["__metadata__"]["about"])
    return found


def write(home: Path, name: str, data: bytes) -> Artifact:
    """Write atomically: a reader sees the old file or the new one, also after a power failure."""
    path = home / FOLDER / f"{name}.safetensors"
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(exist_ok=True)
        try:
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        if os.name != "nt":  # Windows opens no folder
            handle = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise DiskFull(home, error.strerror or "") from None
        raise UserError(f"cannot write {path}: {error.strerror}; finished stages are kept") from None
    return Artifact(path.name, hashlib.sha256(data).hexdigest(), len(data))


def remove_others(home: Path, owners: Iterable[str], keep: Container[str]) -> None:
    """Delete files of these owners without a row, left by a worker killed between writing a file and its row."""
    for owner in owners:
        for path in (home / FOLDER).glob(f"{owner}.*"):
            if path.name not in keep:
                path.unlink(missing_ok=True)


def read(home: Path, file: str, sha256: str) -> bytes:
    path = home / FOLDER / file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Damaged(f"cannot read {path}: {error.strerror}. Train that run again with --fresh") from None
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Damaged(f"damaged file {path}: its checksum is wrong. Train that run again with --fresh")
    return data
