"""The command `paper`: what the paper's tables print."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest

from shlpt import paper
from shlpt.cli.main import main

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


def outcome(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


def test_the_command_lists_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("paper", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["origin"] == paper.ORIGIN
    assert {row["name"]: row["about"] for row in found["tables"]} == paper.tables()


@of_every_table
def test_the_command_gives_a_table_as_json(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("paper", name.removeprefix("table"), "--json") == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["origin"], found["table"], found["about"]) == (paper.ORIGIN, name, paper.tables()[name])
    assert found["rows"] == paper.read(name)
    assert said.err == ""


@of_every_table
def test_the_command_gives_the_file_as_csv(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("paper", name, "--csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows == [row | {"origin": paper.ORIGIN} for row in cells(name)]


def test_the_command_lays_a_table_out_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("paper", "Table 10") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["multirc", "59.33", "–", "86.33", "77.00", "87.67", "88.22", "64.73", "74.13", "58.00", "45.47"] in lines


@pytest.mark.parametrize("table", ["", *NAMES])
@pytest.mark.parametrize("form", ["", "--json", "--csv"])
def test_every_output_says_whose_numbers_these_are(table: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("paper", *filter(None, (table, form))) == 0
    assert paper.ORIGIN in capsys.readouterr().out
    assert all(part in paper.ORIGIN for part in ("the paper's", "T5-large", "real data sets", "not ours"))


@pytest.mark.parametrize("form", ["", "--json", "--csv"])
def test_an_unknown_table_ends_with_the_users_mistake(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("paper", "tabel2", *filter(None, (form,))) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: unknown table 'tabel2': did you mean 'table2'? Known: table1, ")
    assert said.out == ""
