"""The tables of the paper, as printed there: read from data/paper, never computed.

The numbers are from T5-large on the real data sets. The pocket tasks share only the names, so the paper's numbers and
ours cannot be compared directly; whatever shows them also shows ORIGIN.

Each row of a file is one printed cell. Methods, sequences, tasks and metrics have the names of this project; F1 is the
paper's normalised F1. Empty means that the paper prints nothing there. `aggregate` marks printed averages, which have
no sequence or task. `ablation` is the part that SHLPT lacks, `losses` the losses added to prompt tuning.
"""

import csv
import re
from pathlib import Path

from shlpt.errors import UserError, unknown

FOLDER = Path(__file__).resolve().parents[1] / "data" / "paper"
ORIGIN = "These numbers are the paper's (T5-large, the real data sets), not ours."
REMEDY = "restore it with `git checkout -- data/paper`"
NUMBERS = ("value", "spread", "threshold")

Row = dict[str, str | float | None]

_CAPTIONS = {
    "table1": "few-shot accuracy on a target task after a source task, with two kinds of transfer and without",
    "table2": "mean accuracy after the last task: Standard CL and Large Number of Tasks, three orders each",
    "table3": "mean score after the last task: the three sequences of the Negative Transfer Benchmark",
    "table4": "ablations: SHLPT without one of its parts",
    "table5": "harmful pairs of tasks: prompt transfer from the source against the two contrastive losses",
    "table6": "SHLPT on three tasks in different orders",
    "table10": "score on each target task when its prompt starts from that of each source task",
    "table11": "SHLPT on order1 with seven thresholds δ",
    "table12": "standard deviations of Table 2, over three seeds",
    "table13": "standard deviations of Table 3, over three seeds",
    "table14": "standard deviations of Table 4, over three seeds",
    "table15": "backward and forward transfer, averaged over the three orders of each benchmark",
}
_BY_SEQUENCE = (("method",), ("sequence", "aggregate", "benchmark"))
_Names = tuple[str, ...]
_LAYOUT: dict[str, tuple[_Names, _Names]] = {  # columns that make up a row of the printed table, and a column
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
    """Names and captions of the tables, in the paper's order."""
    return dict(_CAPTIONS)


def find_table(text: str) -> str:
    """The name of a table however it is written: `2`, `table2`, `Table 2`."""
    found = re.fullmatch(r"\s*(?:table)?[\s_-]*0*([0-9]+)\s*", text, re.IGNORECASE)
    name = f"table{found[1]}" if found else text
    if name not in _CAPTIONS:
        raise _unknown(text)
    return name


def _unknown(text: str) -> UserError:
    """Lists the known tables in numeric order; sorted by letters, table10 would come before table2."""
    hint = str(unknown("table", text, _CAPTIONS)).partition("Known:")[0]
    return UserError(f"{hint}Known: {', '.join(_CAPTIONS)}")


def read(table: str) -> list[Row]:
    """The printed cells of a table in the paper's order; numbers as numbers, None where nothing is printed."""
    path = FOLDER / f"{find_table(table)}.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [{key: _cell(key, text) for key, text in row.items()} for row in csv.DictReader(file)]
    except (OSError, ValueError, AttributeError) as error:  # missing file, not a number, or a row of the wrong length
        raise UserError(f"cannot read {path}: {error}; {REMEDY}") from None


def _cell(key: str, text: str) -> str | float | None:
    if not text.strip():
        return None
    return float(text) if key in NUMBERS else text


def as_printed(row: Row) -> dict[str, str | None]:
    """A row with its numbers as the paper prints them, with two decimals."""
    return {key: f"{value:.2f}" if isinstance(value, float) else value for key, value in row.items()}


def wide(table: str) -> list[dict[str, str | None]]:
    """A table in the paper's layout: a row per method (or source, or ablation), standard deviations after ±."""
    lines, columns = _LAYOUT[find_table(table)]
    found: dict[tuple[str | None, ...], dict[str, str | None]] = {}
    for row in map(as_printed, read(table)):
        line = {name: row[name] for name in lines}
        # the name of a sequence implies its benchmark, an average needs both
        named = ("sequence",) if row.get("sequence") and "sequence" in columns else columns
        label = " ".join(text for name in named if (text := row[name]))
        found.setdefault(tuple(line.values()), line)[label] = _printed(row)
    return list(found.values())


def _printed(row: dict[str, str | None]) -> str | None:
    value, spread = row.get("value"), row.get("spread")
    return f"{value or ''} ± {spread}".strip() if spread else value
