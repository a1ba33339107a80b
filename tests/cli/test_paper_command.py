"""The command `paper`: what the paper's tables print."""

import csv
import io
import json

import pytest
from saying import outcome, refused, say

from shlpt import paper


def test_the_command_lists_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    found = say(capsys, "paper")
    assert found["origin"] == paper.ORIGIN
    assert {row["name"]: row["about"] for row in found["tables"]} == paper.tables()


def test_the_command_gives_every_table_as_json_and_its_file_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    for name, about in paper.tables().items():
        assert outcome("paper", name.removeprefix("table"), "--json") == 0
        said = capsys.readouterr()
        found = json.loads(said.out)
        assert (found["origin"], found["table"], found["about"]) == (paper.ORIGIN, name, about)
        assert (found["rows"], said.err) == (paper.read(name), "")
        assert outcome("paper", name, "--csv") == 0
        rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
        with (paper.FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert rows == [row | {"origin": paper.ORIGIN} for row in csv.DictReader(file)]


def test_the_command_lays_a_table_out_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("paper", "Table 10") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["multirc", "59.33", "–", "86.33", "77.00", "87.67", "88.22", "64.73", "74.13", "58.00", "45.47"] in lines


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv"]], ids=str)
def test_every_output_says_whose_numbers_these_are(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert all(part in paper.ORIGIN for part in ("the paper's", "T5-large", "real data sets", "not ours"))
    for table in ([], *([name] for name in paper.tables())):
        assert outcome("paper", *table, *form) == 0
        assert paper.ORIGIN in capsys.readouterr().out
    said = refused(capsys, "paper", "tabel2", *form)
    assert said.startswith("error: unknown table 'tabel2': did you mean 'table2'? Known: table1, ")
