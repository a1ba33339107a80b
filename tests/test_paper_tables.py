"""The paper's numbers: copied without a slip, as far as the paper's own sums can tell, and shown as the paper's.

Printed averages are compared with what they average, cells in two tables with each other, and a sample of cells with
the page. Where the paper does not agree with itself, the exception is named with both numbers.
"""

import csv
import re
from decimal import Decimal
from pathlib import Path

import pytest

from shlpt import paper
from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.sequences import SEQUENCES

NAMES = ["table1", "table2", "table3", "table4", "table5", "table6", *(f"table{n}" for n in range(10, 16))]
of_every_table = pytest.mark.parametrize("name", NAMES)
LARGE = "Large Number of Tasks"
COMPARED = ["finetune", "ewc", "replay", "per_task", "l2p", "coda", "progressive", "shlpt"]
ABLATIONS = ["ASE", "ASC", "HSC", "STT", "ASC+HSC", "none"]
SCORES = ("value", "spread")
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


TOTALS = {"table1": (28, "2137.85"), "table2": (64, "4302.77"), "table3": (32, "2276.82"), "table4": (30, "2385.30")}
TOTALS |= {"table5": (41, "3511.46"), "table6": (9, "729.03"), "table10": (110, "7076.05"), "table11": (7, "561.04")}
TOTALS |= {"table12": (64, "118.52"), "table13": (32, "79.94"), "table14": (30, "22.15"), "table15": (42, "-319.84")}


def test_every_printed_cell_is_there() -> None:
    """The total of all numbers is no number of the paper: it is here so that no cell changes unnoticed."""
    for name, (count, total) in TOTALS.items():
        rows = cells(name)
        numbers = [Decimal(row[column]) for row in rows for column in SCORES if row.get(column)]
        columns = sum(column in rows[0] for column in SCORES)
        assert (len(rows), str(sum(numbers, Decimal(0)))) == (count, total), name
        assert len(numbers) == count * columns - (10 if name == "table10" else 0)


PRINTED = """
table1 target=agnews source=yahoo method=continual: 86.83 2.24
table1 target=amazon source=dbpedia method=progressive: 48.67 3.70
table1 target=dbpedia method=per_task: 97.86 0.50
table2 method=ewc sequence=order4: 49.70 9.44
table2 method=coda sequence=order5: 77.02 0.01
table3 method=replay sequence=negative2: 66.26 5.37
table3 method=finetune sequence=negative3: 22.95 9.44
table4 ablation=ASC+HSC sequence=negative1: 81.06 1.36
table4 ablation=ASE sequence=order1: 80.15 1.68
table11 threshold=0.15: 79.57 0.25
table5 target=cb source=squad losses=HSC: 92.26
table5 target=qqp source=copa losses=ASC+HSC: 86.67
table10 target=amazon source=multirc: 45.47
table10 target=cb source=yelp: 91.67
table10 target=yelp source=amazon: 61.07
table10 target=wic source=mnli: 59.67
table15 method=ewc benchmark=Negative_Transfer metric=bwt: -13.30
table15 method=coda benchmark=Large_Number_of_Tasks metric=fwt: 0.56
"""


@pytest.mark.parametrize("line", PRINTED.strip().splitlines())
def test_a_cell_is_as_printed(line: str) -> None:
    (name, *where), numbers = (part.split() for part in line.split(":"))
    (row,) = pick(name, **dict(pair.replace("_", " " if "benchmark" in pair else "_").split("=") for pair in where))
    assert [row[column] for column in SCORES if row.get(column)] == numbers


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
    rows = pick(name, aggregate="", **where)
    printed, found = one(name, aggregate="average", **where), mean([Decimal(row["value"]) for row in rows])
    assert len(rows) == count
    exception = EXCEPTIONS.get((name, *where.values()))
    assert exception in (None, (f"{found:.4f}", str(printed)))
    assert (abs(found - printed) > HALF) == bool(exception)
    # Deviations of a mean over seeds cannot exceed the mean of the deviations: a slip in a spread would show.
    spreads = [Decimal(row["spread"]) for row in rows]
    assert one(name, "spread", aggregate="average", **where) <= mean(spreads) + 2 * HALF


def test_the_averages_on_harmful_pairs() -> None:
    """A target's score alone is printed once for its two pairs, so each counts alike."""
    lines = [({"losses": losses}, 8) for losses in ("HSC", "ASC", "ASC+HSC")]
    for where, count in [*lines, ({"method": "continual"}, 8), ({"method": "per_task"}, 4)]:
        parts = [Decimal(row["value"]) for row in pick("table5", aggregate="", **where)]
        assert len(parts) == count
        assert abs(mean(parts) - one("table5", aggregate="average", **where)) <= HALF


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
def test_only_methods_that_train_weights_forget_and_only_shlpt_transfers_forward_everywhere() -> None:
    for row in pick("table15", metric="bwt"):
        value = Decimal(row["value"])
        assert value < 0 if row["method"] in ("finetune", "ewc", "replay") else value == 0
    helped = [(row["method"], row["benchmark"]) for row in pick("table15", metric="fwt") if Decimal(row["value"]) > 0]
    assert sorted(helped) == [("coda", LARGE), *(("shlpt", b) for b in (LARGE, "Negative Transfer", "Standard CL"))]


# --- reading ------------------------------------------------------------------------------
def test_a_table_is_found_however_it_is_written_and_else_answered_with_the_known_ones() -> None:
    for text in ("2", "table2", "Table 2", " TABLE 2 ", "table-2", "02"):
        assert paper.read(text) == paper.read(paper.find_table(text)) == paper.read("table2")
    for text in ("7", "table16", "", "two", "2.5", "../table2", "²"):
        with pytest.raises(UserError, match=r"unknown table .*Known: table1, table2, .*, table10, .*, table15$"):
            paper.read(text)


def test_rows_have_numbers_and_none() -> None:
    row = next(row for row in paper.read("2") if row["method"] == "per_task" and row["aggregate"])
    known = {"table": "table2", "method": "per_task", "benchmark": "Standard CL", "sequence": None}
    assert row == known | {"aggregate": "average", "metric": "acc", "value": 78.5, "spread": 2.2}
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
