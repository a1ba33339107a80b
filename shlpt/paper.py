"""What the paper's tables print: read from data/paper, never computed, never ours.

The numbers belong to T5-large on the real data sets. The pocket world only borrows those names, so a number of the
paper says nothing about a run here, nor the other way round; whatever shows one shows ORIGIN with it.

A file has one printed cell a row. Names are those of the project (methods, sequences, tasks, metrics; F1 is the
paper's normalised F1). Empty means that the paper prints nothing there. `aggregate` marks the averages as printed:
they have no sequence or task of their own. `ablation` is what SHLPT goes without, `losses` what prompt tuning is given.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

from shlpt.errors import UserError, unknown

FOLDER = Path(__file__).resolve().parents[1] / "data" / "paper"
ORIGIN = "These numbers are the paper's (T5-large, the real data sets), not ours."
REMEDY = "get it back with `git checkout -- data/paper`"
NUMBERS = ("value", "spread", "threshold")

Row = dict[str, str | float | None]

_CAPTIONS = {
    "table1": "few examples: accuracy on a task after another one was learned, by two ways of transfer and by none",
    "table2": "mean accuracy after the last task: Standard CL and Large Number of Tasks, three orders each",
    "table3": "mean score after the last task: the three sequences of the Negative Transfer Benchmark",
    "table4": "ablations: SHLPT without one of its parts",
    "table5": "pairs that harm each other: starting from the source's prompt against the two contrastive losses",
    "table6": "SHLPT on three tasks whose scores depend on the order",
    "table10": "score of each target task after starting from the prompt of each source task",
    "table11": "SHLPT on order1 with seven thresholds δ",
    "table12": "spreads of Table 2 (standard deviation over three seeds)",
    "table13": "spreads of Table 3 (standard deviation over three seeds)",
    "table14": "spreads of Table 4 (standard deviation over three seeds)",
    "table15": "backward and forward transfer, averaged over the three orders of each benchmark",
}
_BY_SEQUENCE = (("method",), ("sequence", "aggregate", "benchmark"))
_LAYOUT: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {  # what a line of the printed table is, and a column
    "table1": (("target", "source"), ("method",)),
    "table2": _BY_SEQUENCE,
    "table3": _BY_SEQUENCE,
    "table4": (("ablation",), ("sequence", "aggregate")),
    "table5": (("target", "source", "aggregate"), ("method", "losses")),
    "table6": (("sequence",), ("task",)),
    "table10": (("source",), ("target",)),
    "table11": (("threshold",), ("sequence",)),
    "table12": _BY_SEQUENCE,
    "table13": _BY_SEQUENCE,
    "table14": (("ablation",), ("sequence", "aggregate")),
    "table15": (("method",), ("benchmark", "metric")),
}


def tables() -> dict[str, str]:
    """The tables there are, in the paper's order, each with a line on what it holds."""
    return dict(_CAPTIONS)


def find_table(text: str) -> str:
    """The name of a table however it is written: `2`, `table2`, `Table 2`."""
    found = re.fullmatch(r"\s*(?:table)?[\s_-]*0*([0-9]+)\s*", text, re.IGNORECASE)
    name = f"table{found[1]}" if found else text
    if name not in _CAPTIONS:
        raise _unknown(text)
    return name


def _unknown(text: str) -> UserError:
    """Known tables as a reader counts them; by letters, table10 would come before table2."""
    hint = str(unknown("table", text, _CAPTIONS)).partition("Known:")[0]
    return UserError(f"{hint}Known: {', '.join(_CAPTIONS)}")


def read(table: str) -> list[Row]:
    """The printed cells of a table in the paper's order; numbers as numbers, None where nothing is printed."""
    path = FOLDER / f"{find_table(table)}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{key: _cell(key, text) for key, text in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, AttributeError) as error:  # missing; no number; a row too long or short
        raise UserError(f"cannot read {path}: {error}; {REMEDY}") from None


def _cell(key: str, text: str) -> str | float | None:
    if not text.strip():
        return None
    return float(text) if key in NUMBERS else text


def as_printed(row: Row) -> dict[str, str | None]:
    """A row with its numbers as the paper writes them, always with two decimals: 78.50, not 78.5."""
    return {key: f"{value:.2f}" if isinstance(value, float) else value for key, value in row.items()}


def wide(table: str) -> list[dict[str, str | None]]:
    """A table as the paper lays it out, for reading: a line a method (or source, or ablation), spreads after ±."""
    lines, columns = _LAYOUT[find_table(table)]
    found: dict[tuple[str | None, ...], dict[str, str | None]] = {}
    for row in map(as_printed, read(table)):
        line = {name: row[name] for name in lines}
        # order1 says which benchmark it belongs to, an average does not
        named = ("sequence",) if row.get("sequence") and "sequence" in columns else columns
        label = " ".join(text for name in named if (text := row[name]))
        found.setdefault(tuple(line.values()), line)[label] = _printed(row)
    return list(found.values())


def _printed(row: dict[str, str | None]) -> str | None:
    value, spread = row.get("value"), row.get("spread")
    return f"{value or ''} ± {spread}".strip() if spread else value
