"""Prompts that were trained elsewhere, one file a prompt in HOME/prompts. `prompts/NAME` is a task that is not trained:
its prompt is there, and its texts are those of a known task.

A file is safetensors with one tensor [L,d]; its header says the rest. Files are named as those of stored tasks are.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

from shlpt.errors import UserError, unknown
from shlpt.tasks import shelf
from shlpt.tasks.shelf import Gone, hashed

SUITE = "prompts"
FOLDER = "prompts"
TENSOR = "prompt"
KIND = "imported prompt"
Floats = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Given:
    """A prompt that was trained elsewhere."""

    name: str
    task: str  # the task that it answers, by its whole name
    backbone: str  # digest of the weights that it was trained on
    length: int
    width: int
    digest: str
    origin: str = ""  # where it came from, in words

    @property
    def title(self) -> str:
        return f"{SUITE}/{self.name}"


def digest_of(tensor: Floats) -> str:
    """A hash of the numbers, which is part of the key of every stage that begins with them."""
    return hashed(np.ascontiguousarray(tensor, np.float32).tobytes())


def write(home: Path, tensor: Floats, name: str, task: str, backbone: str, origin: str = "") -> Given:
    """Store a prompt [L,d]. A name that is taken by another prompt is refused."""
    name = shelf.check_name(name)
    tensor = np.ascontiguousarray(tensor, np.float32)
    length, width = tensor.shape
    made = Given(name, task, backbone, length, width, digest_of(tensor), origin)
    data = save({TENSOR: tensor}, {"given": json.dumps(vars(made), ensure_ascii=False)})
    path = home / FOLDER / f"{hashed(name.encode())}-{hashed(data)}.safetensors"
    there = _file(home, name)
    if there is not None and there != path:
        raise UserError(
            f"there is a prompt {made.title} with other numbers, or for another task: choose another --name, or remove "
            f"that one first with `python -m shlpt tasks remove {made.title}`"
        )
    if there is None:
        shelf.save(path, data)
    return made


def stored(home: Path) -> list[Given]:
    found = (_record(path) for path in (home / FOLDER).glob("*-*.safetensors"))
    return sorted(found, key=lambda given: (given.name.lower(), given.name))


def find(name: str, home: Path | None) -> Given:
    if home is None:
        raise UserError(f"the prompt {SUITE}/{name} is imported: name the folder of results that it is in")
    return _record(_require(home, name))


def read(name: str, home: Path) -> Floats:
    """[L,d], as it was imported."""
    path = _require(home, name)
    return _content(path)


def remove(home: Path, name: str) -> Given:
    path = _require(home, name)
    record = _record(path)
    path.unlink()
    return record


def _file(home: Path, name: str) -> Path | None:
    return next(iter(sorted((home / FOLDER).glob(f"{hashed(name.encode())}-*.safetensors"))), None)


def _require(home: Path, name: str) -> Path:
    path = _file(home, name)
    if path is None:
        names = [given.name for given in stored(home)]
        hint = f" ({unknown('prompt', name, names)})" if names else ""
        raise Gone(f"no prompt {SUITE}/{name} in {home}: import it with `python -m shlpt import FOLDER`{hint}")
    return path


@lru_cache(64)  # the name of a file says its content
def _record(path: Path) -> Given:
    try:
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        return Given(**json.loads(header["__metadata__"]["given"]))
    except FileNotFoundError:
        raise Gone(f"the file of an imported prompt was removed: {path}") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise shelf.damaged(path, error, KIND) from None


@lru_cache(16)
def _content(path: Path) -> Floats:
    found: Floats = load(shelf.whole(path, KIND))[TENSOR]
    return found
