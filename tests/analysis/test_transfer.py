"""Cells of a transfer matrix, against numbers worked out by hand."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from shlpt.analysis import transfer

NAN = math.nan


def pairs(*rows: tuple[str, str, int, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["source", "target", "seed", "score", "alone"])


FOUND = pairs(
    ("yelp", "sst2", 1, 0.9, 0.8),
    ("yelp", "sst2", 2, 0.7, 0.8),
    ("sst2", "yelp", 1, 0.5, 0.8),
    ("rte", "cb", 1, NAN, 0.5),
    ("cb", "rte", 1, 0.5, 0.6),
    ("cb", "rte", 2, 0.5, 0.62),
    ("cb", "rte", 3, 0.5, 0.61),
)


def test_cells_are_points_over_the_seeds() -> None:
    table = transfer.cells(FOUND).set_index(["source", "target"])
    assert table.loc[("yelp", "sst2"), "value"] == pytest.approx(0)
    assert table.loc[("cb", "rte"), "value"] == pytest.approx(-11)
    # sd 1 over √3, t of 97.5 % with two degrees of freedom is 4.3027
    assert table.loc[("cb", "rte"), "low"] == pytest.approx(-11 - 4.3027 / math.sqrt(3), abs=1e-3)
    assert ("rte", "cb") not in table.index
    found = transfer.cell(transfer.cells(FOUND), "rte", "cb")
    assert (found["n"], found["verdict"]) == (0, "not trained yet")
    assert math.isnan(found["value"])
    assert transfer.cell(transfer.cells(FOUND), "cb", "rte")["n"] == 3
    found = transfer.cells(FOUND[:0])
    assert list(found.columns) == transfer.CELL
    assert found.empty


def test_a_verdict_follows_the_interval() -> None:
    table = transfer.described(transfer.cells(FOUND)).set_index(["source", "target"])
    assert table.loc[("yelp", "sst2"), "verdict"] == transfer.UNSURE
    assert table.loc[("cb", "rte"), "verdict"] == "harms"
    assert "one seed" in table.loc[("sst2", "yelp"), "verdict"]
    assert transfer.verdict(0.5, 2.0, 1.0) == "helps"
    assert transfer.verdict(0.0, 0.0, 0.0) == transfer.UNSURE


def test_one_looks_first_at_harm_that_is_more_than_chance() -> None:
    assert transfer.strongest(transfer.cells(FOUND)) == ("cb", "rte")  # not the −30 points of one seed
    assert transfer.strongest(transfer.cells(FOUND[:3])) == ("sst2", "yelp")
    assert transfer.strongest(transfer.cells(FOUND[:0])) is None


def test_pairs_that_help_are_those_above_zero() -> None:
    better = pairs(("rte", "cb", 1, 0.9, 0.8), ("rte", "cb", 2, 0.75, 0.8), ("yelp", "cb", 1, 0.9, 0.8))
    assert transfer.helping(transfer.cells(pd.concat([FOUND, better]))) == "rte>cb,yelp>cb"
    assert transfer.helping(transfer.cells(FOUND)) == "none"  # zero is no help, and not a number is none either


def test_flips_are_gained_or_lost() -> None:
    columns = ["example", "text", "target", "answer", "score"]
    after = pd.DataFrame(
        [("a", "A", "x", "x", 1.0), ("b", "B", "x", "y", 0.0), ("c", "C", "x", "x", 1.0)], columns=columns
    )
    alone = pd.DataFrame(
        [("a", "A", "x", "y", 0.0), ("b", "B", "x", "x", 1.0), ("c", "C", "x", "x", 1.0)], columns=columns
    )
    gained, lost = transfer.flips(after, alone)
    assert gained.to_dict("records") == [
        {"example": "a", "text": "A", "target": "x", "alone": "y", "with transfer": "x"}
    ]
    assert list(lost["example"]) == ["b"]
    assert [len(frame) for frame in transfer.flips(after[:0], alone)] == [0, 0]


def test_the_wide_form_leaves_the_diagonal_and_what_is_missing_open() -> None:
    lines = transfer.wide(transfer.cells(FOUND), ["cb", "rte"])
    assert lines == [
        {"source": "cb", "cb": None, "rte": pytest.approx(-11)},
        {"source": "rte", "cb": None, "rte": None},
    ]
    table = transfer.cells(FOUND)
    assert transfer.wide(table, ["yelp", "sst2", "cb"]) == [
        {"source": "yelp", "yelp": None, "sst2": pytest.approx(0), "cb": None},
        {"source": "sst2", "yelp": pytest.approx(-30), "sst2": None, "cb": None},
        {"source": "cb", "yelp": None, "sst2": None, "cb": None},
    ]
