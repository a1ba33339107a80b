"""The clearest pair of a matrix, from numbers known by hand; honest where nothing is clear."""

import pandas as pd
import pytest

from shlpt.analysis import finding, transfer
from shlpt.analysis.finding import Verdict, clearest

TABLE = """
    a t -20 -30 -10 1
    b t  15  12  18 1
    c t  90  60 120 0
    a u -50 -52 -48 1
    b u  30   2  58 1
    d v  70  60  80 1
"""


def cells(text: str) -> pd.DataFrame:
    """Source, target, value, interval, clear; ten seeds each."""
    rows = [line.split() for line in text.strip().splitlines()]
    lines = [(s, t, *map(float, numbers), 10, 0.01, 0.01, c == "1", True) for s, t, *numbers, c in rows]
    return pd.DataFrame(lines, columns=transfer.CELL)


def pairs(*rows: tuple[str, int, float, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [(source, "t", seed, score, alone) for source, seed, score, alone in rows],
        columns=["source", "target", "seed", "score", "alone"],
    )


def test_the_same_target_with_both_signs_is_the_finding() -> None:
    found = clearest(cells(TABLE))
    assert found is not None
    assert found.pairs == (("a", "t"), ("b", "t"))  # of t the weaker interval is 10 away from zero, of u only 2
    assert found.tasks == ("a", "b", "t")
    counts = transfer.counts(cells(TABLE))
    assert finding.headline(found, counts) == "What is learned first costs a task 20 points, or gains it 15"
    assert finding.statement(found, str.upper) == (
        "Learning A first costs T 20 points [10, 30]; learning B first gains it 15 points [12, 18] "
        "(95 % intervals, 10 seeds)."
    )


def test_without_such_a_target_it_is_the_one_effect_farthest_from_zero() -> None:
    found = clearest(cells("a t -20 -30 -10 1\n b u 15 12 18 1\n c u 90 60 120 0"))
    assert found is not None
    assert found.pairs == (("b", "u"),)
    counts = transfer.counts(cells(TABLE))
    assert finding.headline(found, counts) == "What is learned first gains a task 15 points"
    assert finding.statement(found) == "Learning b first gains u 15 points [12, 18] (95 % intervals, 10 seeds)."


def test_where_nothing_is_clear_the_headline_says_so() -> None:
    calm = cells(TABLE).assign(clear=False)
    assert clearest(calm) is None
    assert finding.headline(None, transfer.counts(calm)) == "No task clearly helps or harms another"
    assert clearest(cells(TABLE)[:0]) is None
    assert "Not measured" in finding.headline(None, transfer.counts(cells(TABLE)[:0]))


def test_fresh_seeds_agree_or_do_not() -> None:
    found = clearest(cells(TABLE))
    assert found is not None
    fresh = pairs(("a", 1, 0.5, 0.75), ("b", 1, 1.0, 0.75), ("a", 2, 0.5, 0.25), ("a", 3, 0.25, 0.5))
    harm, help = finding.repeats(found, fresh)
    assert (harm.agree, harm.seeds, harm.mean) == (2, 3, pytest.approx(-25 / 3))
    # Student's t with two degrees of freedom: 4.303 × 28.87 / √3 = 71.7 to both sides
    assert harm.said == "2 of 3 fresh seeds agree: −8 points (−80 to +63)"
    assert help.said == "1 of 1 fresh seed agrees: +25 points"
    assert finding.repeats(found, fresh[:0]) == []


def test_the_verdict_on_a_seed_tells_each_pair_as_soon_as_it_is_known() -> None:
    found = clearest(cells(TABLE))
    assert found is not None
    whole = pairs(("a", 1, 0.5, 0.75), ("b", 1, 1.0, 0.75), ("a", 2, 0.5, 0.75), ("b", 2, float("nan"), 0.75))
    assert finding.verdict(found, whole, 1) == Verdict("75% alone, 50% after a (−25), 100% after b (+25)", True)
    assert finding.verdict(found, whole, 2) == Verdict("75% alone, 50% after a (−25)", False)
    assert finding.verdict(found, whole[1:2], 1) == Verdict("75% alone, 100% after b (+25)", False)
    assert finding.verdict(found, whole[3:], 2) == Verdict("", False)
