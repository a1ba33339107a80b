"""Tables that people bring as tasks: which column is what, splits without leaks, and what was found on the way."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

from shlpt.errors import UserError, unknown
from shlpt.tasks import shelf
from shlpt.tasks.reading import Table, read
from shlpt.tasks.shelf import SPLITS, Record
from shlpt.tasks.task import Example, Split

LABELS = ("label", "labels", "target", "class", "category", "sentiment", "topic", "answer", "gold_label", "y")
TEXTS: tuple[tuple[str, ...], ...] = (
    ("premise", "hypothesis"),
    ("sentence1", "sentence2"),
    ("question1", "question2"),
    ("text1", "text2"),
    ("question", "passage"),
    ("title", "content"),
    ("title", "text"),
    ("text",),
    ("sentence",),
    ("content",),
    ("review",),
)
SPLIT_COLUMNS = ("split", "fold", "part", "set")
SPLIT_NAMES: dict[str, Split] = {"train": "train", "training": "train", "test": "test"}
SPLIT_NAMES |= {"validation": "validation", "valid": "validation", "val": "validation", "dev": "validation"}
MOST_CLASSES = 200
LONGEST_LABEL = 100
VALIDATION_OF_ALL, TEST_OF_ALL = 0.2, 0.2  # shares of each class where no split is given
VALIDATION_OF_TRAIN = 0.25


@dataclass(frozen=True)
class Columns:
    """Which column is what."""

    text: tuple[str, ...]  # one, or several that stand one after the other with their names
    label: str
    split: str | None = None


@dataclass(frozen=True)
class Draft:
    """A task that is not stored yet, and what was found."""

    record: Record
    rows: dict[Split, list[Example]]
    labels: dict[str, str]  # label in the file → answer word
    found: dict[str, Any] = field(default_factory=dict)

    def store(self, home: Path) -> Path:
        return shelf.write(home, self.record, self.rows)

    def report(self) -> dict[str, Any]:
        """As a JSON document."""
        record = {key: getattr(self.record, key) for key in ("suite", "name", "groups", "metric", "about", "origin")}
        return record | {"name": self.record.title, "labels": self.labels} | self.found


def name_of(file: str) -> str:
    """A task's name from a file's: `agnews.train.csv` → `agnews`."""
    return Path(file).name.split(".")[0]


def read_all(paths: Mapping[Split, Path]) -> dict[Split, Table]:
    return {split: read(path) for split, path in paths.items()}


# --- columns ------------------------------------------------------------------------------
def detect(table: Table, text: Sequence[str] = (), label: str | None = None, split: str | None = None) -> Columns:
    """The columns that were named; for the rest those that are probably meant, by their names, else by what is in
    them."""
    names = {name.lower(): name for name in reversed(table.columns) if name not in text and name != split}
    marked = (names[key] for key in SPLIT_COLUMNS if key in names and _is_split(table.columns[names[key]]))
    split = split or next((name for name in marked if name != label), None)
    left = [name for name in table.columns if name not in text and name != split]
    label = label or next((names[key] for key in LABELS if names.get(key) in left), None) or _fewest(table, left)
    if text:
        return Columns(tuple(text), label, split)
    left = [name for name in left if name != label]
    if named := next((group for group in TEXTS if all(names.get(key) in left for key in group)), None):
        return Columns(tuple(names[key] for key in named), label, split)
    if not left:
        raise UserError(f"{table.name} has no column of text beside {label!r}: it needs texts and labels")
    return Columns((max(left, key=lambda name: sum(map(len, table.columns[name]))),), label, split)


def _is_split(values: Sequence[str]) -> bool:
    return {value.strip().lower() for value in values} <= set(SPLIT_NAMES)


def _fewest(table: Table, names: Sequence[str]) -> str:
    """The column with the fewest different values, if they can be classes."""
    counts = {name: len(set(table.columns[name])) for name in names}
    fit = {name: count for name, count in counts.items() if 2 <= count <= min(MOST_CLASSES, max(2, len(table) // 2))}
    if not fit or len(names) < 2:
        raise UserError(
            f"{table.name}: no column looks like labels: name it, as in --label COLUMN (columns: {', '.join(names)})"
        )
    return min(fit, key=lambda name: fit[name])


def _require_columns(table: Table, columns: Columns) -> None:
    for name in (*columns.text, columns.label, *([columns.split] if columns.split else [])):
        if name in table.left_out:
            raise UserError(
                f"{table.name}: the column {name!r} is not text: only texts, whole numbers and true/false are"
            )
        if name not in table.columns:
            raise UserError(f"{table.name}: {unknown('column', name, table.columns)}")
    if columns.label in columns.text:
        raise UserError(f"the column {columns.label!r} cannot be text and label at once")
    if not columns.text:
        raise UserError("no column of text was chosen")


# --- examples -----------------------------------------------------------------------------
Raw = tuple[str, str]  # text, label as in the file


def draft(
    name: str,
    tables: Mapping[Split, Table],
    columns: Columns,
    words: Mapping[str, str] | None = None,
    skip_empty: bool = False,
    suite: str = "own",
) -> Draft:
    """A task of these tables: {"train": …} alone is divided, by the split column if there is one."""
    shelf.check_name(name)
    found: dict[str, Any] = {}
    parts = _parts(tables, columns, skip_empty, found)
    labels = _labels([label for rows in parts.values() for _, label in rows], words or {}, columns.label)
    parts = _without_repeats(parts, found)
    divided = _divided(parts, found)
    groups = tuple(labels.values())
    rows = {split: [Example(text, labels[label], labels[label]) for text, label in divided[split]] for split in SPLITS}
    require_all_classes(rows, groups)
    lengths = [len(text.split()) for text, _ in divided["train"]]
    found["words"] = {"shortest": min(lengths), "median": median(lengths), "longest": max(lengths)}
    found["counts"] = {split: dict(Counter(e.group for e in rows[split])) for split in SPLITS}
    asked = " and ".join(columns.text)
    origin = ", ".join(dict.fromkeys(table.name for table in tables.values()))
    about = f"imported: {columns.label} of {asked}"
    record = Record(suite, name, groups, groups, family="own", about=about, origin=origin)
    return Draft(record, rows, labels, found)


def _parts(
    tables: Mapping[Split, Table], columns: Columns, skip_empty: bool, found: dict[str, Any]
) -> dict[Split, list[Raw]]:
    """(text, label) of each split that is given."""
    parts: dict[Split, list[Raw]] = {}
    empty: list[str] = []
    for split, table in tables.items():
        _require_columns(table, columns)
        texts = zip(*(table.columns[name] for name in columns.text), strict=True)
        given = table.columns[columns.split] if columns.split else [""] * len(table)
        for number, (cells, label, where) in enumerate(zip(texts, table.columns[columns.label], given, strict=True), 1):
            if not all(cell.strip() for cell in cells) or not label.strip():
                empty.append(f"{table.name}, row {number}")
                continue
            parts.setdefault(_split(table, where, number) if columns.split else split, []).append(
                (_joined(columns.text, cells), label.strip())
            )
    if empty and not skip_empty:
        raise UserError(
            f"{len(empty)} rows have an empty text or no label (the first: {empty[0]}): fill them in, or leave them "
            "out with --skip-empty"
        )
    found["empty"] = len(empty)
    if not any(parts.values()):
        raise UserError("no row has a text and a label")
    return parts


def _split(table: Table, value: str, number: int) -> Split:
    key = value.strip().lower()
    if key not in SPLIT_NAMES:
        raise UserError(f"{table.name}, row {number}: {unknown('split', value[:40], SPLIT_NAMES)}")
    return SPLIT_NAMES[key]


def _joined(names: Sequence[str], cells: Sequence[str]) -> str:
    """Several columns stand one after the other with their names, as in the code of the paper's authors."""
    if len(cells) == 1:
        return cells[0].strip()
    return " ".join(f"{name}: {cell.strip()}" for name, cell in zip(names, cells, strict=True))


def _labels(labels: Sequence[str], words: Mapping[str, str], column: str) -> dict[str, str]:
    """Each label and the word that answers it: itself, or what was chosen."""
    raw = sorted(set(labels), key=lambda text: (not text.isdecimal(), int(text) if text.isdecimal() else 0, text))
    if len(raw) < 2:
        raise UserError(f"all rows have the same label {raw[0][:40]!r} in column {column!r}: a task needs two classes")
    if len(raw) > MOST_CLASSES or max(map(len, raw)) > LONGEST_LABEL:
        raise UserError(
            f"column {column!r} has {len(raw):,} different values, the longest of {max(map(len, raw)):,} characters: "
            f"it holds no labels. Choose another column with --label (at most {MOST_CLASSES} classes)"
        )
    for name in words:
        if name not in raw:
            raise unknown("label", name, raw)
    found = {label: " ".join(words.get(label, label).split()) for label in raw}
    for word in found.values():
        if not word or len(word) > LONGEST_LABEL:
            raise UserError(f"the answer word {word[:40]!r} cannot be used: it has 1 to {LONGEST_LABEL} characters")
    spoken = Counter(word.lower() for word in found.values())
    if double := [word for word, count in spoken.items() if count > 1]:
        raise UserError(f"two labels have the answer word {double[0]!r}, and answers could not be told apart")
    return found


def _without_repeats(parts: Mapping[Split, list[Raw]], found: dict[str, Any]) -> dict[Split, list[Raw]]:
    """Each text once and in one split. A text with two labels says nothing and is left out; one that is in training and
    in test is taken from training."""
    labels: dict[str, set[str]] = {}
    for rows in parts.values():
        for text, label in rows:
            labels.setdefault(text, set()).add(label)
    kept: dict[Split, list[Raw]] = {}
    seen: set[str] = set()
    found |= {"duplicates": 0, "leaks": 0, "contradictions": sum(len(one) > 1 for one in labels.values())}
    for split in [split for split in reversed(SPLITS) if split in parts]:  # test first
        mine: dict[str, str] = {}
        for text, label in parts[split]:
            if len(labels[text]) > 1:
                continue
            if text in mine:
                found["duplicates"] += 1
            elif text in seen:
                found["leaks"] += 1
            else:
                mine[text] = label
        seen |= set(mine)
        kept[split] = list(mine.items())
    return kept


def _divided(parts: Mapping[Split, list[Raw]], found: dict[str, Any]) -> dict[Split, list[Raw]]:
    """All three splits: those that are missing are cut from the training examples, by a hash of the text."""
    given = {split: list(rows) for split, rows in parts.items()}
    if "train" not in given:
        raise UserError("no row is for training: the split column needs rows with train")
    if "validation" in given and "test" not in given:  # as the paper does with data sets without a public test set
        given["test"] = given.pop("validation")
        found["splits"] = "the validation examples are the test set, and validation is a part of training"
    if "test" in given and "validation" in given:
        found["splits"] = "as given"
        return given
    if "test" in given:
        found.setdefault("splits", f"test as given, validation is {VALIDATION_OF_TRAIN:.0%} of training")
        validation, train = cut(given["train"], VALIDATION_OF_TRAIN)
        return given | {"train": train, "validation": validation}
    found["splits"] = f"{TEST_OF_ALL:.0%} of each class for test and {VALIDATION_OF_ALL:.0%} for validation"
    test, rest = cut(given["train"], TEST_OF_ALL)
    validation, train = cut(rest, VALIDATION_OF_ALL / (1 - TEST_OF_ALL))
    return {"train": train, "validation": validation, "test": test}


Row = TypeVar("Row", bound=tuple[Any, ...])


def cut(rows: Sequence[Row], share: float) -> tuple[list[Row], list[Row]]:
    """A share of each class, at least one example, and the rest, of rows that begin with text and label. The same texts
    are cut off whatever their order."""
    classes: dict[str, list[Row]] = {}
    for row in rows:
        classes.setdefault(row[1], []).append(row)
    taken: set[str] = set()
    for members in classes.values():
        count = max(1, round(share * len(members)))
        ranked = sorted(members, key=lambda row: hashlib.blake2s(row[0].encode(), digest_size=8).digest())
        taken |= {row[0] for row in ranked[:count]}
    return [row for row in rows if row[0] in taken], [row for row in rows if row[0] not in taken]


def require_all_classes(rows: Mapping[Split, Sequence[Example]], groups: Sequence[str]) -> None:
    for split in SPLITS:
        there = {example.group for example in rows[split]}
        if missing := [group for group in groups if group not in there]:
            raise UserError(
                f"the class {missing[0]!r} has no {split} example: bring more of it, or leave its rows out. Each class "
                "needs examples for training, validation and test"
            )


def said(found: Mapping[str, Any]) -> list[str]:
    """What was found, in sentences; nothing about what is as it should be."""
    lines = [f"Splits: {found['splits']}."]
    for key, text in (
        ("empty", "rows without text or label were left out"),
        ("duplicates", "rows repeated a text with the same label and were left out"),
        ("contradictions", "texts had more than one label and were left out"),
        ("leaks", "training texts were in the test or validation set too and were left out of training"),
    ):
        if found[key]:
            lines.append(f"{found[key]} {text}.")
    return lines
