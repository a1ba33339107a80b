"""Stored tasks: imported texts, one file a task in HOME/tasks. The other suites than the generated one live here.

A file's first line says what the task is, every other line is an example. Its name is made of two hashes, of the task's
name and of the content: a name that people choose never becomes a path, and other texts are another file. A file is
written to a draft, flushed and renamed, and its hash is checked before it is used.
"""

import hashlib
import json
import os
import re
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import zip_longest
from pathlib import Path
from random import Random
from typing import Any

from shlpt.errors import UserError, unknown
from shlpt.tasks.task import Example, Metric, Split, Task

SUITES = ("own", "paper")
FOLDER = "tasks"
LONGEST_NAME = 40
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Rows = Mapping[Split, Sequence[Example]]


class Gone(UserError):
    """A stored task that is not there, or not any more."""


@dataclass(frozen=True)
class Record:
    """What a stored task is: the first line of its file."""

    suite: str
    name: str
    labels: tuple[str, ...]  # empty where the answer is free text
    groups: tuple[str, ...]
    metric: Metric = "accuracy"
    family: str = ""
    about: str = ""
    origin: str = ""  # the files or the data set that it was made from
    takes_all: bool = False  # a draw of more examples than there are takes all of them, as the paper's authors do
    times: int = 1  # examples of a class where others have one
    counts: Mapping[str, Mapping[str, int]] | None = None  # split → class → examples

    @property
    def title(self) -> str:
        return f"{self.suite}/{self.name}"

    def most(self, split: Split) -> int:
        """Examples of each class that a split has at least."""
        return min((self.counts or {}).get(split, {}).values(), default=0)


def check_name(name: str) -> str:
    """A name that can stand in a list, in an address and before @."""
    name = unicodedata.normalize("NFC", name.strip())
    if not re.fullmatch(rf"\w[\w.-]{{0,{LONGEST_NAME - 1}}}", name):
        raise UserError(
            f"task name {name[:60]!r} cannot be used: give one of letters, digits, - _ and . that begins with a letter "
            f"or digit and has at most {LONGEST_NAME} characters, for example --name reviews"
        )
    return name


def hashed(data: bytes) -> str:
    return hashlib.blake2s(data, digest_size=8).hexdigest()


def _key(suite: str, name: str) -> str:
    return hashed(f"{suite}/{name}".encode())


# --- writing ------------------------------------------------------------------------------
def write(home: Path, record: Record, rows: Rows) -> Path:
    """Store a task. A name that is taken by other texts is refused."""
    check_name(record.name)
    counts = {split: dict.fromkeys(record.groups, 0) for split in SPLITS}
    for split in SPLITS:
        for example in rows[split]:
            counts[split][example.group] += 1
    first = vars(record) | {"counts": counts}
    lines = [_line(first)]
    lines += [_line([split, e.group, e.target, e.text]) for split in SPLITS for e in rows[split]]
    data = b"".join(lines)
    path = home / FOLDER / f"{_key(record.suite, record.name)}-{hashed(data)}.jsonl"
    there = _file(home, record.suite, record.name)
    if there is not None and there != path:
        raise UserError(
            f"there is a task {record.title} with other texts: choose another name, or remove that one first with "
            f"`python -m shlpt tasks remove {record.title}`"
        )
    if there is None:
        save(path, data)
    return path


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def save(path: Path, data: bytes) -> None:
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink()
        raise UserError(f"cannot write to {path.parent}: {error.strerror}. Choose a folder with --home") from None


def remove(home: Path, name: str, suite: str = "own") -> Record:
    """Delete a stored task's file."""
    path = _require(home, suite, name)
    record = _first(path)
    path.unlink()
    return record


# --- reading ------------------------------------------------------------------------------
def stored(home: Path, suite: str | None = None) -> list[Record]:
    """All stored tasks, by suite and name. Only the first line of each file is read."""
    found = [_first(path) for path in (home / FOLDER).glob("*-*.jsonl")]
    return sorted((r for r in found if suite in (None, r.suite)), key=lambda r: (r.suite, r.name.lower(), r.name))


def find(name: str, suite: str, home: Path | None) -> Task:
    """A stored task. `home` is the folder of the store that it is used in."""
    if home is None:
        raise UserError(f"task {suite}/{name} is imported: name the folder of results that it is in")
    path = _require(home, suite, name)
    record = _first(path)
    return Task(
        name=record.title,
        family=record.family,
        labels=record.labels,
        groups=record.groups,
        metric=record.metric,
        domain=record.title,
        suite=suite,
        about=record.about,
        answers=record.labels,
        draw=partial(_draw, path, record),
    )


def record_of(name: str, suite: str, home: Path) -> Record:
    return _first(_require(home, suite, name))


def _file(home: Path, suite: str, name: str) -> Path | None:
    return next(iter(sorted((home / FOLDER).glob(f"{_key(suite, name)}-*.jsonl"))), None)


def _require(home: Path, suite: str, name: str) -> Path:
    path = _file(home, suite, name)
    if path is not None:
        return path
    get = "import its file again with `python -m shlpt tasks add`"
    if suite == "paper":
        get = f"get it with `python -m shlpt tasks fetch {name}`"
    names = [record.name for record in stored(home, suite)]
    hint = f" ({unknown('task', name, names)})" if names else ""
    raise Gone(f"no task {suite}/{name} in {home}: {get}{hint}")


def _first(path: Path) -> Record:
    try:
        with path.open("rb") as file:
            found = json.loads(file.readline())
        return Record(**found | {key: tuple(found[key]) for key in ("labels", "groups")})
    except FileNotFoundError:
        raise Gone(f"the file of a stored task was removed: {path}") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise damaged(path, error) from None


def damaged(path: Path, error: object, kind: str = "stored task") -> UserError:
    return UserError(f"{kind} damaged: {path} ({error}); delete this file and import the {kind.split()[1]} again")


def whole(path: Path, kind: str) -> bytes:
    """The content of a file, which is as its name says."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Gone(f"cannot read the {kind} {path}: {error.strerror}") from None
    if hashed(data) != path.stem.rpartition("-")[2]:
        raise damaged(path, "its content has changed", kind)
    return data


@lru_cache(16)  # the name of a file says its content
def _examples(path: Path) -> dict[tuple[str, str], list[Example]]:
    """(split, class) → examples, in the order of the file."""
    found: dict[tuple[str, str], list[Example]] = {}
    for line in whole(path, "stored task").splitlines()[1:]:
        split, group, target, text = json.loads(line)
        found.setdefault((split, group), []).append(Example(text, target, group))
    return found


def _draw(path: Path, record: Record, split: Split, per_group: int, seed: int) -> list[Example]:
    """`per_group` examples of each class, shuffled; shorter draws begin longer ones."""
    examples, columns = _examples(path), []
    per_group *= record.times
    for group in record.groups:
        column = list(examples.get((split, group), []))
        if len(column) < per_group and not record.takes_all:
            setting = {"train": "shots", "validation": "validation_shots", "test": "test_shots"}[split]
            raise ValueError(
                f"task {record.title} has {len(column)} {split} examples of the class {group!r}, and {per_group} were "
                f"asked for: set {setting} to at most {record.most(split)}, or import more"
            )
        Random(f"{record.title}/{split}/{group}/{seed}").shuffle(column)
        columns.append(column[:per_group])
    rng = Random(f"{record.title}/{split}/order/{seed}")
    rows: list[Example] = []
    for row in zip_longest(*columns):
        there = [example for example in row if example is not None]
        rows += rng.sample(there, len(there))
    return rows
