"""Tables of text from files that people bring: CSV, TSV, JSON lines, Parquet. What is too large is refused while it is
read and not after; texts, whole numbers and true/false are read, all else is left out and named."""

import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shlpt.errors import UserError
from shlpt.tasks import parquet

FILE_BYTES = 200 * 2**20
TEXT_BYTES, ROWS, COLUMNS = parquet.TEXT_BYTES, parquet.ROWS, parquet.COLUMNS
CELLS = 2_000_000
CELL = 100_000  # characters
LINE = 1_000_000
NAME = 100
KINDS = (".csv", ".tsv", ".jsonl", ".parquet")
ARCHIVES = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ\x00": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"%PDF": "a PDF",
}
KINDS_SAID = "CSV, TSV, JSON lines (.jsonl) and Parquet files"


Row = dict[str, str]


@dataclass(frozen=True)
class Table:
    """Columns of equal length. What was missing is an empty text."""

    name: str  # of the file
    columns: dict[str, list[str]]
    left_out: tuple[str, ...] = ()  # columns that are not text

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def read(path: Path, name: str = "") -> Table:
    """A file as a table. `name` is what it is called where it comes from, if `path` is only a copy."""
    name = name or path.name
    kind = Path(name).suffix.lower()
    try:
        with path.open("rb") as file:
            start = file.read(512)
        size = path.stat().st_size
    except OSError as error:
        raise UserError(f"cannot read {name}: {error.strerror}") from None
    _refuse_kind(name, kind, start, size)
    if kind == ".parquet":
        return _parquet(path, name)
    return _table(name, _streamed(path, name, kind))


def stream(path: Path, head: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of a text file of any size. `head`: the columns of a CSV file whose first line is a row already."""
    kind = path.suffix.lower()
    if kind not in (".csv", ".tsv", ".jsonl"):
        raise UserError(f"cannot read {path.name} row by row: CSV, TSV and JSON lines can be")
    yield from _streamed(path, path.name, kind, head)


def _streamed(path: Path, name: str, kind: str, head: Sequence[str] = ()) -> Iterator[Row]:
    with _text(path, name) as file:
        yield from _json_lines(file, name) if kind == ".jsonl" else _separated(file, name, kind, head)


def _refuse_kind(name: str, kind: str, start: bytes, size: int) -> None:
    what = next((what for magic, what in ARCHIVES.items() if start.startswith(magic)), "")
    if what or start[257:262] == b"ustar":
        raise UserError(f"{name} is {what or 'a tar archive'}: unpack it, or save it as CSV. {KINDS_SAID} are read")
    if kind not in KINDS:
        raise UserError(f"cannot read {name}: {KINDS_SAID} are read, by the ending of the file's name")
    if not size:
        raise UserError(f"{name} is empty")
    if size > FILE_BYTES:
        raise UserError(
            f"{name} has {size / 2**20:,.0f} MB: at most {FILE_BYTES / 2**20:.0f} MB are read. Take a sample"
        )
    if (kind == ".parquet") != (start[:4] == b"PAR1"):
        raise UserError(f"{name} is {'no' if kind == '.parquet' else 'a'} Parquet file: check the ending of its name")
    if kind != ".parquet" and (b"\0" in start or start[:2] in (b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{name} is not a text in UTF-8: save it in UTF-8 (in a spreadsheet: CSV UTF-8)")


# --- rows ---------------------------------------------------------------------------------
class _Budget:
    """Counts what was read and refuses what is too much."""

    def __init__(self, name: str) -> None:
        self.name, self.rows, self.cells, self.bytes = name, 0, 0, 0

    def take(self, row: Iterable[str]) -> None:
        texts = list(row)
        self.rows, self.cells = self.rows + 1, self.cells + len(texts)
        try:
            self.bytes += sum(len(text.encode()) for text in texts)
        except UnicodeEncodeError:
            raise UserError(f"{self.name}, row {self.rows}: it has characters that are no text") from None
        if any("\0" in text for text in texts):
            raise UserError(f"{self.name}, row {self.rows}: it has a zero byte, so it is no text file")
        if max(map(len, texts), default=0) > CELL:
            raise UserError(
                f"{self.name}, row {self.rows}: a text has more than {CELL:,} characters: cut it, or leave it out"
            )
        for found, most, what in ((self.rows, ROWS, "rows"), (self.cells, CELLS, "cells")):
            if found > most:
                raise UserError(f"{self.name} has more than {most:,} {what}: take a sample of it")
        if self.bytes > TEXT_BYTES:
            raise UserError(f"{self.name} has more than {TEXT_BYTES / 2**20:.0f} MB of text: take a sample of it")


def _table(name: str, rows: Iterator[Row], left_out: Sequence[str] = ()) -> Table:
    """Rows as columns; a key that comes late is empty in the rows before it."""
    columns: dict[str, list[str]] = {}
    budget, count = _Budget(name), 0
    out = dict.fromkeys(left_out)
    for row in rows:
        budget.take(row.values())
        for key, value in row.items():
            if key not in columns:
                _check_key(name, key, len(columns))
                columns[key] = [""] * count
            columns[key].append(value)
        count += 1
        for column in columns.values():
            if len(column) < count:
                column.append("")
    if not count:
        raise UserError(f"{name} has no rows")
    return Table(name, columns, tuple(out))


def _check_key(name: str, key: str, before: int) -> None:
    if before >= COLUMNS:
        raise UserError(f"{name} has more than {COLUMNS} columns")
    if not key.strip() or len(key) > NAME:
        raise UserError(f"{name} has a column named {key[:40]!r}: give each a name of 1 to {NAME} characters")


@contextmanager
def _text(path: Path, name: str) -> Iterator[IO[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise UserError(
            f"{name} is not in UTF-8 (byte 0x{byte:02x}): save it in UTF-8 (in a spreadsheet: CSV UTF-8)"
        ) from None


def _separated(file: IO[str], name: str, kind: str, named: Sequence[str] = ()) -> Iterator[Row]:
    csv.field_size_limit(CELL)
    first = file.readline(LINE)
    file.seek(0)
    mark = "\t" if kind == ".tsv" else ";" if first.count(";") > first.count(",") else ","
    lines = csv.reader(file, delimiter=mark, strict=True)
    try:
        head = list(named) or [cell.strip() for cell in next(lines, [])]
        if double := {cell for cell in head if head.count(cell) > 1}:
            raise UserError(
                f"{name} has two columns named {sorted(double)[0][:40]!r}: the first line gives each its name"
            )
        for cell in head:
            _check_key(name, cell, len(head) - 1)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(head):
                raise UserError(
                    f"{name}, line {lines.line_num}: {len(cells)} cells, but the first line names {len(head)} columns: "
                    "put texts with commas or line breaks into quotes"
                )
            yield dict(zip(head, cells, strict=True))
    except csv.Error as error:
        raise UserError(f"{name}, line {lines.line_num}: {error}. Is a quote not closed?") from None


def _json_lines(file: IO[str], name: str) -> Iterator[Row]:
    number = 0
    while line := file.readline(LINE):
        number += 1
        if len(line) >= LINE:
            raise UserError(f"{name}, line {number}: more than {LINE:,} characters in one line")
        if line.strip():
            yield _object(line, name, number)


def _object(line: str, name: str, number: int) -> Row:
    """A line's object; what is nested is left out."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = str(error).split(":")[0] if isinstance(error, ValueError) else "nested too deeply"
        raise UserError(f"{name}, line {number}: no JSON object ({said}): write one object on each line") from None
    if not isinstance(found, dict):
        raise UserError(f'{name}, line {number}: no JSON object: write lines like {{"text": "…", "label": "…"}}')
    row: Row = {}
    for key, value in found.items():
        if isinstance(value, bool):
            row[key] = str(value).lower()
        elif isinstance(value, str | int | float):
            row[key] = str(value)
        elif value is None:
            row[key] = ""
    return row


def _parquet(path: Path, name: str) -> Table:
    """The rows come from another process, as JSON lines, so that a file can neither crash nor fill this one."""
    command = [sys.executable, "-P", parquet.__file__, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        found, refused = None, None
        try:
            if first := child.stdout.readline(LINE):
                found = _table(name, _json_lines(child.stdout, name), json.loads(first))
        except (UserError, UnicodeDecodeError) as error:
            refused = error
        child.stdout.close()  # a process that still writes ends
        reason = child.stderr.read(2000).strip()
    if child.returncode == parquet.REFUSED:
        raise UserError(f"{name} is not read: {reason}")
    if isinstance(refused, UserError) and child.returncode in (0, parquet.CLOSED):
        raise refused
    if child.returncode or found is None:
        raise UserError(f"{name} is damaged: it cannot be read as a Parquet file")
    return found
