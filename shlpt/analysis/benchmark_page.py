"""A benchmark beside the paper's table, as a Markdown section of docs/benchmarks.md. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from shlpt.analysis.points import NOTHING, difference, points, probability, signed, spread
from shlpt.catalog import METHODS
from shlpt.catalog.titles import title_of


def section(document: Mapping[str, Any]) -> str:
    """The output of `bench --beside-paper --json` as Markdown, the best method first."""
    beside, reference, sequences = document["beside_paper"], document["reference"], document["sequences"]
    acc = beside["metrics"]["acc"]
    printed = {row["method"]: row for row in acc["rows"]}
    rows = sorted(document["rows"], key=lambda row: -(row["acc"]["mean"] or 0))
    head = ["method", *(f"{name} ± sd [95 %]" for name in ("ACC", "BWT", "FWT"))]
    head += [f"minus {METHODS[reference].title} [95 %]", "p (Holm)"]
    head += ["our rank", "paper's ACC", "paper's rank", "trained parameters", "stored", "s per run"]
    by_sequence = [
        [METHODS[row["method"]].title, *(points(row["by_sequence"][name]["acc"]["mean"]) for name in sequences)]
        for row in rows
    ]
    settings = [[title_of(s["setting"]), str(s["ours"]), str(s["paper"])] for s in beside["settings"]]
    return "\n\n".join(
        [
            f"## {document['title']}",
            f"{document['runs']} runs: {len(rows)} methods, {len(sequences)} sequences, "
            f"{len(document['seeds'])} seeds.",
            table(head, [_line(row, printed[row["method"]], row["method"] == reference) for row in rows]),
            _agreement(acc),
            table(["ACC by sequence", *sequences], by_sequence),
            f"> {beside['about']}\n> {document['note']}",
            table(["setting that differs", "ours", "the paper's"], settings),
        ]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *rows])


def _line(row: Mapping[str, Any], printed: Mapping[str, Any], is_reference: bool) -> list[str]:
    apart = row["difference"] or {}
    return [
        METHODS[row["method"]].title,
        *(spread(row[metric]) for metric in ("acc", "bwt", "fwt")),
        "reference" if is_reference else difference(apart),
        "" if is_reference else probability(apart.get("p_holm")),
        _number(printed["our_rank"]),
        _number(printed["paper"]),
        _number(printed["paper_rank"]),
        _number(row["trainable"]),
        NOTHING if row["stored_bytes"] is None else f"{row['stored_bytes'] / 1024:,.0f} KB",
        NOTHING if row["seconds"] is None else f"{row['seconds']:.0f}",
    ]


def _number(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def _agreement(acc: Mapping[str, Any]) -> str:
    found, missing = acc["agreement"], ", ".join(acc["only_paper"]) or "none"
    said = f"Ranks are among the {found['n']} methods in both tables. Only in the paper: {missing}."
    if found["kendall"] is None:
        return said
    return (
        f"{said} Rank correlation: Kendall's τ {signed(found['kendall'], '.2f')} (p = {found['kendall_p']:.2f}), "
        f"Spearman's ρ {signed(found['spearman'], '.2f')}."
    )
