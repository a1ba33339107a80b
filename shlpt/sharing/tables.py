"""Results as a table to print: means with their intervals, for reports, LaTeX (booktabs) and CSV. No torch."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from shlpt.analysis import transfer
from shlpt.analysis.metrics import summary
from shlpt.analysis.points import NOTHING, points, spread
from shlpt.catalog import METHODS
from shlpt.catalog.titles import title_of
from shlpt.plots.theme import side, titled
from shlpt.results import experiments, frames
from shlpt.results.export import csv_text, rows_of_frame, word
from shlpt.results.listing import short
from shlpt.results.rows import ROWS, by_label
from shlpt.sharing.which import Which

SCORES = {"acc": "ACC (%)", "bwt": "BWT (points)", "fwt": "FWT (points)"}
GROUPED = ("methods", "sweep", "orders")  # experiments whose rows are means over the seeds of each label
CLEAR = "*"
OVER_SEEDS = "Mean ± standard deviation over the seeds and 95 % interval"
ABOUT = "Tasks of the suite pocket are stand-ins, not the data sets themselves"


def table(which: Which) -> pd.DataFrame:
    """The table of a run or an experiment, for people: scores in points, mean ± standard deviation over the seeds and
    95 % interval. Of a matrix a row per source and a column per target, ± half the interval; * is clear."""
    if which.experiment is None:
        return by_run(which)
    kind = which.experiment["kind"]
    if kind == "matrix":
        return _wide(transfer.cells(experiments.pairs(which.store, which.id)), which.experiment["about"]["tasks"])
    rows, document = ROWS[kind](which.store, which.id, False)
    if kind in GROUPED:
        rows = _grouped(document["rows"])
    return pd.DataFrame([{_title(key): value for key, value in row.items()} for row in rows])


def note(which: Which) -> str:
    """What the numbers of the table are."""
    if which.experiment is None:
        return "One seed: no interval"
    if which.experiment["kind"] == "matrix":
        return f"Transfer in points, source (row) to target (column): mean ± half of the 95 % interval; {CLEAR}: clear"
    return OVER_SEEDS


def sides(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The sides of a comparison (`analysis.compare.table`)."""
    lines = [
        {"name": side(row["name"]), "seeds": row["n"]} | {title: spread(row[key]) for key, title in SCORES.items()}
        for row in rows
    ]
    return pd.DataFrame(lines)


def csv(which: Which) -> str:
    """A column for each number, as the commands write it."""
    if which.experiment is None:
        return csv_text(short(rows_of_frame(frames.runs(which.store, which.runs))))
    rows, _ = ROWS[which.experiment["kind"]](which.store, which.id, True)
    return csv_text(rows)


def by_run(which: Which) -> pd.DataFrame:
    lines = []
    for row in rows_of_frame(frames.runs(which.store, which.runs)):
        about = {
            "method": METHODS[row["method"]].title,
            "tasks": " → ".join(map(titled, row["tasks"])),
            "seed": row["seed"],
        }
        scores = {title: points(row[key], "" if key == "acc" else "+") for key, title in SCORES.items()}
        lines.append(about | scores)
    return pd.DataFrame(lines)


def _title(key: str) -> str:
    return SCORES.get(key) or title_of(key)


def _grouped(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row per label, with the means over its seeds."""
    lines = []
    for named, members in by_label(rows):
        if "method" in named:
            named["method"] = METHODS[named["method"]].title
        found = {
            key: spread(summary([m[key] for m in members if m[key] is not None], share=key == "acc")) for key in SCORES
        }
        lines.append(named | found | {"seeds": len(members)})
    return lines


def _wide(cells: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    found = {(row["source"], row["target"]): row for row in rows_of_frame(cells)}
    lines = []
    for source in tasks:
        line = {target: _cell(found.get((source, target))) for target in tasks}
        lines.append({"source → target": titled(source)} | {titled(name): text for name, text in line.items()})
    return pd.DataFrame(lines)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return NOTHING
    half = "" if row["low"] is None else f" ± {(row['high'] - row['low']) / 2:.1f}"
    return f"{points(row['value'] / 100, '+')}{half}{CLEAR if row['clear'] else ''}"


# --- LaTeX ----------------------------------------------------------------------------------
_ESCAPED = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "±": "$\\pm$",
    "−": "$-$",
    "→": "$\\to$",
    "·": "$\\cdot$",
    "×": "$\\times$",
    "≤": "$\\leq$",
    "≥": "$\\geq$",
    "–": "--",
    "“": "``",
    "”": "''",
    "…": "\\ldots{}",
    "α": "$\\alpha$",
    "δ": "$\\delta$",
    "λ": "$\\lambda$",
    "τ": "$\\tau$",
    "ρ": "$\\rho$",
}
_TABLE = str.maketrans(_ESCAPED)


def escaped(text: str) -> str:
    """Anybody's text as LaTeX sets it, letter by letter, in one line."""
    return " ".join(text.split()).translate(_TABLE)


def latex(frame: pd.DataFrame, caption: str, origin: str = "") -> str:
    """A floating table with the rules of the package booktabs."""
    sides = "".join("r" if pd.api.types.is_numeric_dtype(frame[name]) else "l" for name in frame.columns)
    head = " & ".join(escaped(str(name)) for name in frame.columns)
    lines = [" & ".join(escaped(word(value)) for value in row.values()) for row in rows_of_frame(frame)]
    said = [f"% {' '.join(line.split())}" for line in ("needs \\usepackage{booktabs}", origin) if line]
    body = [
        f"{'{}' if line[:1] in ('[', '*') else ''}{line} \\\\" for line in lines
    ]  # else they belong to the \\ before
    begin = ["\\begin{table}", "\\centering", f"\\caption{{{escaped(caption)}}}", f"\\begin{{tabular}}{{{sides}}}"]
    rows = ["\\toprule", f"{head} \\\\", "\\midrule", *body, "\\bottomrule", "\\end{tabular}", "\\end{table}"]
    return "\n".join([*said, *begin, *rows]) + "\n"
