"""The paper's Table 10 as printed, and what the size of its test sets supports."""

import pytest

from shlpt.analysis.printed import examples_of, table10, table10_said


def test_the_printed_transfer_with_intervals_from_the_test_sets_by_hand() -> None:
    table = table10()
    assert len(table) == 90
    assert int((table["value"] < 0).sum()) == 39
    assert (examples_of("wic"), examples_of("qqp"), examples_of("squad")) == (200, 200, 400)
    row = table.iloc[0]
    error = (row["high"] - row["low"]) / (2 * 1.959964)
    alone, n = {"wic": 62.67, "multirc": 52.0}[row["target"]], examples_of(row["target"])
    score = alone + row["value"]
    assert error == pytest.approx((score * (100 - score) / n + alone * (100 - alone) / n) ** 0.5, rel=1e-6)


def test_the_sentence_says_what_the_table_can_and_cannot_show() -> None:
    table = table10()
    beyond = int(((table["low"] > 0) | (table["high"] < 0)).sum())
    assert 1 <= beyond <= 12
    said = table10_said(table)
    assert f"39 are below zero. By the size of the test sets {beyond} of them differ" in said
    assert "4.5 would by chance" in said
    assert "cannot show the sign of a single pair" in said
