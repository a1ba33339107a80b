"""Output of the command line: one JSON document, CSV, or tables for people.

Results go to standard output, progress and messages to standard error.
"""

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from shlpt.errors import UserError
from shlpt.results.export import csv_text, word
from shlpt.store.store import clean

errors = Console(stderr=True, highlight=False)
Row = Mapping[str, Any]
LONGEST_WORD = 20  # longer words may be broken
WHOLE = 10_000  # columns: wide enough for every line


def show(rows: Sequence[Row], title: str, *, as_json: bool, as_csv: bool, document: Any = None) -> None:
    """Print rows in the requested form; `document` is the JSON if it holds more than the rows.

    Its `notes` are sentences that stand under the table.
    """
    if as_json:
        print(json.dumps(clean(rows if document is None else document), allow_nan=False, ensure_ascii=False))
    elif as_csv:
        write_csv(rows)
    else:
        print_table(rows, title)
        for note in document.get("notes", ()) if isinstance(document, Mapping) else ():
            print(note)


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserError(f"cannot write {path}: {error.strerror}") from None


def no_store(home: Any) -> str:
    return f"there are no results in {home} yet: train something first, or give another folder with --home"


def write_csv(rows: Sequence[Row]) -> None:
    sys.stdout.write(csv_text(rows))


def print_table(rows: Sequence[Row], title: str) -> None:
    """Wrap sentences in a terminal, and break words only if there is no other way; wrap nothing in a file."""
    console = Console(highlight=False)
    if not rows:
        console.print(f"{title}: none")
        return
    if not console.is_terminal:
        console.width = WHOLE
    table = _table(rows, title, whole_words=True)
    fits = console.measure(table, options=console.options.update(width=WHOLE)).minimum <= console.width
    console.print(table if fits else _table(rows, title, whole_words=False))


def _table(rows: Sequence[Row], title: str, whole_words: bool) -> Table:
    from rich.markup import escape

    table = Table(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        values = [row.get(name) for row in rows]
        words = [word for value in (name, *values) for word in _short(value).split()]
        is_number = all(isinstance(value, int | float | None) for value in values)
        table.add_column(
            name,
            overflow="fold",
            justify="right" if is_number else "left",
            min_width=min(max(map(len, words)), LONGEST_WORD) if whole_words else None,
        )
    for row in rows:
        table.add_row(*[escape(_short(row.get(name))) for name in names])
    return table


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value is None else word(value)


class Bar:
    """A progress bar on standard error, shown after two seconds."""

    def __init__(self, label: str, quiet: bool = False) -> None:
        self.begin, self.label = time.monotonic(), label
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=errors,
            transient=True,
            disable=quiet or not errors.is_terminal,
        )
        self.task = self.progress.add_task(label, total=1.0, visible=False)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, share: float, label: str | None = None) -> None:
        from rich.markup import escape

        visible = time.monotonic() - self.begin > 2
        self.progress.update(self.task, completed=share, visible=visible, description=escape(label or self.label))
