"""The paper's numbers: copied without a slip, as far as the paper's own sums can tell, and shown as the paper's.

Printed averages are held against what they average, cells that two tables print are held against each other, and a
sample of cells against the page. Where the paper does not agree with itself, the exception is named with both numbers.
"""

from __future__ import annotations

import csv
import re
from decimal import Decimal
from pathlib import Path

import pytest

from shlpt import paper
from shlpt.catalog import METHODS
from shlpt.cli.main import main
from shlpt.errors import UserError
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.sequences import SEQUENCES

NAMES = ["table1", "table2", "table3", "table4", "table5", "table6", *(f"table{n}" for n in range(10, 16))]
of_every_table = pytest.mark.parametrize("name", NAMES)
LARGE = "Large Number of Tasks"
COMPARED = ["finetune", "ewc", "replay", "per_task", "l2p", "coda", "progressive", "shlpt"]
ABLATIONS = ["ASE", "ASC", "HSC", "STT", "ASC+HSC", "none"]
HALF = Decimal("0.005")  # what rounding to two decimals can hide


def cells(name: str) -> list[dict[str, str]]:
    """The file as text: sums of printed decimals must not depend on binary fractions."""
    with (paper.FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pick(name: str, **wanted: str) -> list[dict[str, str]]:
    return [row for row in cells(name) if all(row[key] == text for key, text in wanted.items())]


def one(name: str, column: str = "value", **wanted: str) -> Decimal:
    (row,) = pick(name, **wanted)
    return Decimal(row[column])


def mean(numbers: list[Decimal]) -> Decimal:
    return sum(numbers, Decimal(0)) / len(numbers)


def outcome(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


# --- the files ----------------------------------------------------------------------------
def test_there_is_a_file_a_table_and_nothing_else() -> None:
    assert list(paper.tables()) == NAMES
    assert sorted(file.name for file in paper.FOLDER.iterdir()) == sorted(f"{name}.csv" for name in NAMES)


@of_every_table
def test_a_table_is_tidy(name: str) -> None:
    """Its own name in every row, no cell twice, numbers with two decimals, names that the project knows."""
    rows = cells(name)
    assert {row["table"] for row in rows} == {name}
    keys = [tuple(text for column, text in row.items() if column not in ("value", "spread")) for row in rows]
    assert len(set(keys)) == len(keys)
    numbers = [row[column] for row in rows for column in paper.NUMBERS if row.get(column)]
    assert [text for text in numbers if not re.fullmatch(r"-?\d+\.\d\d", text)] == []
    known: dict[str, set[str]] = {
        "method": {*METHODS},
        "sequence": {*SEQUENCES, ""},
        "source": {*TASKS, ""},
        "target": {*TASKS, ""},
        "metric": {"accuracy", "f1", "acc", "bwt", "fwt"},
        "aggregate": {"", "average"},
        "ablation": {*ABLATIONS},
        "losses": {"", "HSC", "ASC", "ASC+HSC"},
        "benchmark": {"Standard CL", LARGE, "Negative Transfer", ""},
    }
    assert {column: {row[column] for row in rows} - names for column, names in known.items() if column in rows[0]} == {
        column: set() for column in known if column in rows[0]
    }


@pytest.mark.parametrize(
    ("name", "count", "total"),
    [
        ("table1", 28, "2137.85"),
        ("table2", 64, "4302.77"),
        ("table3", 32, "2276.82"),
        ("table4", 30, "2385.30"),
        ("table5", 41, "3511.46"),
        ("table6", 9, "729.03"),
        ("table10", 110, "7076.05"),
        ("table11", 7, "561.04"),
        ("table12", 64, "118.52"),
        ("table13", 32, "79.94"),
        ("table14", 30, "22.15"),
        ("table15", 42, "-319.84"),
    ],
)
def test_every_printed_cell_is_there(name: str, count: int, total: str) -> None:
    """The total of all numbers is no number of the paper: it is here so that no cell changes unnoticed."""
    rows = cells(name)
    numbers = [Decimal(row[column]) for row in rows for column in ("value", "spread") if row.get(column)]
    columns = sum(column in rows[0] for column in ("value", "spread"))
    assert len(rows) == count
    assert len(numbers) == count * columns - (10 if name == "table10" else 0)
    assert str(sum(numbers, Decimal(0))) == total


@pytest.mark.parametrize(
    ("name", "where", "value", "spread"),
    [
        ("table1", {"target": "agnews", "source": "yahoo", "method": "continual"}, "86.83", "2.24"),
        ("table1", {"target": "amazon", "source": "dbpedia", "method": "progressive"}, "48.67", "3.70"),
        ("table1", {"target": "dbpedia", "method": "per_task"}, "97.86", "0.50"),
        ("table2", {"method": "ewc", "sequence": "order4"}, "49.70", "9.44"),
        ("table2", {"method": "coda", "sequence": "order5"}, "77.02", "0.01"),
        ("table3", {"method": "replay", "sequence": "negative2"}, "66.26", "5.37"),
        ("table3", {"method": "finetune", "sequence": "negative3"}, "22.95", "9.44"),
        ("table4", {"ablation": "ASC+HSC", "sequence": "negative1"}, "81.06", "1.36"),
        ("table4", {"ablation": "ASE", "sequence": "order1"}, "80.15", "1.68"),
        ("table11", {"threshold": "0.15"}, "79.57", "0.25"),
    ],
)
def test_a_cell_with_its_spread_is_as_printed(name: str, where: dict[str, str], value: str, spread: str) -> None:
    (row,) = pick(name, **where)
    assert (row["value"], row["spread"]) == (value, spread)


@pytest.mark.parametrize(
    ("name", "where", "value"),
    [
        ("table5", {"target": "cb", "source": "squad", "losses": "HSC"}, "92.26"),
        ("table5", {"target": "qqp", "source": "copa", "losses": "ASC+HSC"}, "86.67"),
        ("table10", {"target": "amazon", "source": "multirc"}, "45.47"),
        ("table10", {"target": "cb", "source": "yelp"}, "91.67"),
        ("table10", {"target": "yelp", "source": "amazon"}, "61.07"),
        ("table10", {"target": "wic", "source": "mnli"}, "59.67"),
        ("table15", {"method": "ewc", "benchmark": "Negative Transfer", "metric": "bwt"}, "-13.30"),
        ("table15", {"method": "coda", "benchmark": LARGE, "metric": "fwt"}, "0.56"),
    ],
)
def test_a_cell_is_as_printed(name: str, where: dict[str, str], value: str) -> None:
    assert [row["value"] for row in pick(name, **where)] == [value]


# --- averages -----------------------------------------------------------------------------
LINES = [
    *(("table2", {"method": m, "benchmark": b}, 3) for m in COMPARED for b in ("Standard CL", LARGE)),
    *(("table3", {"method": m}, 3) for m in COMPARED),
    *(("table4", {"ablation": a}, 4) for a in ABLATIONS),
]
EXCEPTIONS: dict[tuple[str, ...], tuple[str, str]] = {
    ("table2", "coda", "Standard CL"): ("77.6767", "77.67")  # (77.01 + 80.16 + 75.86) / 3, and as printed
}


@pytest.mark.parametrize(("name", "where", "count"), LINES, ids=lambda part: str(part))
def test_a_printed_average_is_the_mean_of_its_line(name: str, where: dict[str, str], count: int) -> None:
    """Within rounding: except for CODA-Prompt on Standard CL, which is cut off rather than rounded."""
    parts = [Decimal(row["value"]) for row in pick(name, aggregate="", **where)]
    printed, found = one(name, aggregate="average", **where), mean(parts)
    assert len(parts) == count
    exception = EXCEPTIONS.get((name, *where.values()))
    if exception:
        assert (f"{found:.4f}", str(printed)) == exception
        assert abs(found - printed) > HALF
    else:
        assert abs(found - printed) <= HALF


@pytest.mark.parametrize(("name", "where", "count"), LINES, ids=lambda part: str(part))
def test_the_spread_of_an_average_is_no_larger_than_the_mean_spread(
    name: str, where: dict[str, str], count: int
) -> None:
    """Deviations of a mean over seeds cannot exceed the mean of the deviations: a slip in a spread would show."""
    parts = [Decimal(row["spread"]) for row in pick(name, aggregate="", **where)]
    assert one(name, "spread", aggregate="average", **where) <= mean(parts) + 2 * HALF
    assert len(parts) == count


@pytest.mark.parametrize("losses", ["HSC", "ASC", "ASC+HSC"])
def test_the_averages_of_the_losses_on_harmful_pairs(losses: str) -> None:
    parts = [Decimal(row["value"]) for row in pick("table5", losses=losses, aggregate="")]
    assert len(parts) == 8
    assert abs(mean(parts) - one("table5", losses=losses, aggregate="average")) <= HALF


def test_the_averages_without_the_losses_on_harmful_pairs() -> None:
    """A target's score alone is printed once for its two pairs, so each counts alike."""
    moved = [Decimal(row["value"]) for row in pick("table5", method="continual", aggregate="")]
    alone = [Decimal(row["value"]) for row in pick("table5", method="per_task", aggregate="")]
    assert (len(moved), len(alone)) == (8, 4)
    assert abs(mean(moved) - one("table5", method="continual", aggregate="average")) <= HALF
    assert abs(mean(alone) - one("table5", method="per_task", aggregate="average")) <= HALF


# --- what two tables print ----------------------------------------------------------------
def test_shlpt_on_order1_is_the_same_in_three_tables() -> None:
    found = [
        *pick("table2", method="shlpt", sequence="order1"),
        *pick("table4", ablation="none", sequence="order1"),
        *pick("table11", threshold="0.06"),
    ]
    assert [(row["value"], row["spread"]) for row in found] == [("80.21", "0.37")] * 3
    assert max(Decimal(row["value"]) for row in cells("table11")) == Decimal("80.21")


@pytest.mark.parametrize("ablation", ["none", "STT"])
def test_without_similar_tasks_the_negative_sequences_are_those_of_shlpt(ablation: str) -> None:
    whole = pick("table3", method="shlpt", aggregate="")
    found = pick("table4", ablation=ablation, benchmark="Negative Transfer")
    assert [(r["sequence"], r["value"], r["spread"]) for r in found] == [
        (r["sequence"], r["value"], r["spread"]) for r in whole
    ]


@pytest.mark.parametrize(("name", "spreads"), [("table2", "table12"), ("table3", "table13"), ("table4", "table14")])
def test_spreads_beside_the_values_are_those_of_their_own_table(name: str, spreads: str) -> None:
    beside = [{column: text for column, text in row.items() if column not in ("table", "value")} for row in cells(name)]
    own = [{column: text for column, text in row.items() if column != "table"} for row in cells(spreads)]
    assert own == beside


def test_harmful_pairs_are_those_of_the_transfer_matrix_and_all_harm() -> None:
    """COPA is a source of two pairs and no row of Table 10; everything else is printed in both."""
    pairs = pick("table5", method="continual", aggregate="")
    shared = [row for row in pairs if row["source"] != "copa"]
    assert (len(pairs), len(shared)) == (8, 6)
    for row in shared:
        assert Decimal(row["value"]) == one("table10", source=row["source"], target=row["target"])
    alone = {row["target"]: Decimal(row["value"]) for row in pick("table5", method="per_task", aggregate="")}
    assert alone == {target: one("table10", source="", target=target) for target in alone}
    assert all(Decimal(row["value"]) < alone[row["target"]] for row in pairs)


# --- the transfer matrix ------------------------------------------------------------------
def gains() -> dict[tuple[str, str], Decimal]:
    """Score after starting from a source's prompt, less the score alone."""
    alone = {row["target"]: Decimal(row["value"]) for row in pick("table10", source="")}
    rows = [row for row in cells("table10") if row["source"] and row["value"]]
    return {(row["source"], row["target"]): Decimal(row["value"]) - alone[row["target"]] for row in rows}


def test_only_the_diagonal_of_the_transfer_matrix_is_empty() -> None:
    empty = [(row["source"], row["target"]) for row in cells("table10") if not row["value"]]
    tasks = {row["target"] for row in cells("table10")}
    assert len(tasks) == 10
    assert sorted(empty) == sorted((task, task) for task in tasks)
    assert [row for row in paper.read("table10") if row["value"] is None and row["source"] != row["target"]] == []


def test_how_many_pairs_help_and_how_many_harm() -> None:
    found = list(gains().values())
    assert (len(found), sum(g < 0 for g in found), sum(g > 0 for g in found)) == (90, 39, 44)
    assert found.count(Decimal(0)) == 7


def test_the_gains_that_the_text_of_the_paper_names() -> None:
    assert gains()["yahoo", "rte"] == Decimal("-5.34")
    assert gains()["amazon", "yelp"] == Decimal("2.40")
    assert gains()["cb", "qqp"] > 0
    assert gains()["multirc", "rte"] < 0


def test_two_pairs_of_the_negative_sequences_help_and_three_do_neither() -> None:
    """The text wants harm from all earlier tasks; the matrix disagrees for these."""
    found = gains()
    pairs = {
        pair
        for name in ("negative1", "negative2", "negative3")
        for pair in ((a, b) for i, b in enumerate(SEQUENCES[name]) for a in SEQUENCES[name][:i])
    }
    assert pairs <= set(found)
    assert {pair: str(found[pair]) for pair in pairs if found[pair] > 0} == {
        ("qqp", "mnli"): "0.20",
        ("qqp", "squad"): "1.26",
    }
    assert {pair for pair in pairs if found[pair] == 0} == {("rte", "qqp"), ("qqp", "cb"), ("squad", "wic")}


# --- transfer over a sequence -------------------------------------------------------------
def test_only_methods_that_train_weights_forget() -> None:
    for row in pick("table15", metric="bwt"):
        value = Decimal(row["value"])
        assert value < 0 if row["method"] in ("finetune", "ewc", "replay") else value == 0


def test_only_shlpt_transfers_forward_everywhere() -> None:
    helped = [(row["method"], row["benchmark"]) for row in pick("table15", metric="fwt") if Decimal(row["value"]) > 0]
    assert sorted(helped) == [("coda", LARGE), *(("shlpt", b) for b in (LARGE, "Negative Transfer", "Standard CL"))]


@pytest.mark.parametrize("method", ["l2p", "coda", "progressive", "shlpt"])
def test_forward_transfer_has_the_sign_of_the_gap_to_prompts_alone(method: str) -> None:
    """Sign only: FWT is not the gap times n / (n − 1), as it would be with these prompts as "alone" (see below)."""
    for row in pick("table15", metric="fwt", method=method):
        gap = gap_to_alone(method, row["benchmark"])
        assert (gap > 0) == (Decimal(row["value"]) > 0)


def gap_to_alone(method: str, benchmark: str) -> Decimal:
    name = "table3" if benchmark == "Negative Transfer" else "table2"
    own, alone = (one(name, method=m, benchmark=benchmark, aggregate="average") for m in (method, "per_task"))
    return own - alone


@pytest.mark.parametrize(
    ("benchmark", "tasks", "expected", "printed"),
    [("Standard CL", 4, "2.37", "1.36"), (LARGE, 15, "2.12", "1.45"), ("Negative Transfer", 5, "0.79", "0.99")],
)
def test_forward_transfer_of_shlpt_is_measured_against_something_else_than_table_2_and_3(
    benchmark: str, tasks: int, expected: str, printed: str
) -> None:
    """Nothing is forgotten and the first task is learned alone, so n / (n − 1) of the gap is what one would expect."""
    found = gap_to_alone("shlpt", benchmark) * tasks / (tasks - 1)
    assert f"{found:.2f}" == expected
    assert one("table15", method="shlpt", benchmark=benchmark, metric="fwt") == Decimal(printed)


# --- reading ------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["2", "table2", "Table 2", " TABLE 2 ", "table-2", "02"])
def test_a_table_is_found_however_it_is_written(text: str) -> None:
    assert paper.find_table(text) == "table2"
    assert paper.read(text) == paper.read("table2")


@pytest.mark.parametrize("text", ["7", "table16", "", "two", "2.5", "../table2", "²"])
def test_an_unknown_table_is_answered_with_the_known_ones(text: str) -> None:
    with pytest.raises(UserError, match=r"unknown table .*Known: table1, table2, .*, table10, .*, table15$"):
        paper.read(text)


def test_rows_have_numbers_and_none() -> None:
    row = next(row for row in paper.read("2") if row["method"] == "per_task" and row["aggregate"])
    assert row == {
        "table": "table2",
        "method": "per_task",
        "benchmark": "Standard CL",
        "sequence": None,
        "aggregate": "average",
        "metric": "acc",
        "value": 78.5,
        "spread": 2.2,
    }
    assert (paper.as_printed(row)["value"], paper.as_printed(row)["sequence"]) == ("78.50", None)


@of_every_table
def test_the_wide_form_has_every_cell_once(name: str) -> None:
    found = [line[label] for line in paper.wide(name) for label in line if label not in paper._LAYOUT[name][0]]
    both = [" ± ".join(t for t in (r.get("value"), r.get("spread")) if t) for r in cells(name)]
    assert [text or "" for text in found if text != ""] == [
        text if "value" in row else f"± {text}" for text, row in zip(both, cells(name), strict=True)
    ]


@pytest.mark.parametrize("content", [None, "table,value\ntable2,many\n", "table,value\ntable2\n", "table\na,b\n"])
def test_a_broken_file_is_answered_with_the_way_back(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "FOLDER", tmp_path)
    if content is not None:
        (tmp_path / "table2.csv").write_text(content)
    with pytest.raises(UserError, match=r"table2\.csv.*git checkout -- data/paper"):
        paper.read("2")
