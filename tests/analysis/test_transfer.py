"""Cells of a transfer matrix, against numbers worked out by hand."""

import math
from typing import Any

import numpy as np
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


def test_a_verdict_follows_what_is_clear() -> None:
    table = transfer.described(transfer.cells(FOUND)).set_index(["source", "target"])
    assert table.loc[("yelp", "sst2"), "verdict"] == transfer.UNCLEAR
    assert table.loc[("cb", "rte"), "verdict"] == "harms"
    assert "one seed" in table.loc[("sst2", "yelp"), "verdict"]
    assert transfer.verdict(1.0, 3, True) == "helps"
    assert transfer.verdict(1.0, 3, False) == transfer.UNCLEAR


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


# --- more than chance ---------------------------------------------------------------------
def test_verdicts_are_corrected_for_the_number_of_cells() -> None:
    """Two seeds, differences 9 and 11: t = 10 with one degree of freedom, p = 2/π·atan(1/10) = .0635: unclear.
    Three seeds, 10, 11, 12: t = 11/(1/√3) = 19.05 with two, p = 1 − t/√(t²+2) = .00274; of three cells q is .0082."""
    rows = [("a", "b", 1, 0.59, 0.5), ("a", "b", 2, 0.61, 0.5)]
    rows += [("b", "c", s, 0.5, 0.5 + 0.01 * d) for s, d in enumerate((10, 11, 12))]
    rows += [("c", "a", s, 0.5 + d, 0.5) for s, d in enumerate((0.3, -0.3, 0.0))]  # p = 1
    table = transfer.cells(pairs(*rows)).set_index("source")
    assert list(table["p"]) == pytest.approx([2 / math.pi * math.atan(0.1), 0.002744, 1.0], abs=1e-5)
    assert list(table["q"]) == pytest.approx([1.5 * 2 / math.pi * math.atan(0.1), 3 * 0.002744, 1.0], abs=1e-4)
    assert list(table["clear"]) == [False, True, False]


def test_a_cell_that_is_clear_alone_may_be_unclear_among_many() -> None:
    """t = 4.6 with two degrees of freedom: p = .044, its own interval is above zero, and 20 cells make q = .88."""
    one = [("s", "t0", seed, 0.5 + d, 0.5) for seed, d in enumerate((0.07, 0.1, 0.145))]
    none = [("s", f"t{k}", seed, 0.5 + d, 0.5) for k in range(1, 20) for seed, d in enumerate((0.1, -0.1, 0.01))]
    alone, among = transfer.cells(pairs(*one)), transfer.cells(pairs(*one, *none))
    assert (alone["low"][0] > 0, alone["clear"][0]) == (True, True)
    assert (among["low"][0] > 0, among["clear"][0]) == (True, False)
    assert transfer.described(among)["verdict"][0] == transfer.UNCLEAR


def test_where_all_seeds_differ_by_the_same_amount_the_signs_decide() -> None:
    rows = [("a", "b", s, 1.0, 0.5) for s in range(8)] + [("b", "a", s, 0.5, 0.5) for s in range(8)]
    rows += [("a", "c", s, 1.0, 0.5) for s in range(3)]
    table = transfer.cells(pairs(*rows))
    assert list(table["p"]) == [2 / 2**8, 1.0, 0.25]
    assert list(table["clear"]) == [True, False, False]


@pytest.mark.parametrize(("tests", "found"), [(0, 0.0), (1, 0.05), (2, 0.05 + 0.05**2)])
def test_what_chance_alone_would_give(tests: int, found: float) -> None:
    """One test: α. Two: one of them with (1−α)α, both with α²."""
    assert transfer.discoveries_by_chance(tests) == pytest.approx(found)


def test_what_chance_alone_would_give_is_what_a_simulation_gives() -> None:
    rng = np.random.default_rng(0)
    p = np.sort(rng.uniform(size=(40_000, 30)), axis=1)
    below = p <= 0.05 * np.arange(1, 31) / 30
    discoveries = np.where(below.any(axis=1), 30 - np.argmax(below[:, ::-1], axis=1), 0)
    assert transfer.discoveries_by_chance(30) == pytest.approx(discoveries.mean(), abs=0.004)
    assert transfer.discoveries_by_chance(2450) < 0.06


def simulated(rng: np.random.Generator, effect: dict[tuple[int, int], float], tasks: int = 6, seeds: int = 10) -> Any:
    """Scores as runs give them: what a target scores alone is shared by all its sources."""
    alone = 0.7 + 0.05 * rng.standard_normal((tasks, seeds))
    return pairs(
        *(
            (f"t{s}", f"t{t}", k, alone[t, k] + effect.get((s, t), 0.0) + 0.05 * rng.standard_normal(), alone[t, k])
            for s in range(tasks)
            for t in range(tasks)
            if s != t
            for k in range(seeds)
        )
    )


def test_in_noise_at_most_one_matrix_in_twenty_has_a_clear_cell() -> None:
    """Where nothing is there, every discovery is false, so that the rate is the share of matrices with any."""
    rng = np.random.default_rng(1)
    clear = [int(transfer.cells(simulated(rng, {}))["clear"].sum()) for _ in range(200)]
    assert np.mean([found > 0 for found in clear]) <= 0.05


def test_planted_effects_are_found_and_few_others() -> None:
    rng = np.random.default_rng(2)
    planted = {(0, 1): 0.1, (1, 0): 0.1, (2, 3): -0.1, (4, 5): -0.1, (5, 0): 0.1}
    found, false = [], []
    for _ in range(20):
        table = transfer.cells(simulated(rng, planted))
        clear = table[table["clear"]]
        right = [planted.get((int(c.source[1:]), int(c.target[1:])), 0.0) * c.value > 0 for c in clear.itertuples()]
        found.append(sum(right) / len(planted))
        false.append(1 - np.mean(right))
    assert np.mean(found) > 0.9
    assert np.mean(false) <= 0.05


def test_the_sentence_says_what_is_clear_and_what_chance_would_give() -> None:
    table = transfer.cells(simulated(np.random.default_rng(3), {(0, 1): 0.3, (2, 3): -0.3}))
    found = transfer.counts(table)
    assert {key: found[key] for key in ("tested", "clear", "helps", "harms")} == {  # type: ignore[literal-required]
        "tested": 30,
        "clear": 2,
        "helps": 1,
        "harms": 1,
    }
    assert transfer.sentence(found) == (
        "2 of 30 pairs are clear; fewer than 1 would be expected by chance. Verdicts are corrected for 30 pairs (false "
        "discovery rate 5%); without the correction 1.5 would be expected."
    )
    assert transfer.headline(found) == "Some tasks help each other, some do harm"


def test_the_headline_follows_the_data() -> None:
    nothing = transfer.counts(transfer.cells(FOUND[:0]))
    assert "Not measured yet" in transfer.headline(nothing)
    assert "nothing is claimed" in transfer.sentence(nothing)
    noise = transfer.counts(transfer.cells(simulated(np.random.default_rng(4), {})))
    assert transfer.headline(noise) == "No task clearly helps or harms another"
    assert transfer.sentence(noise).startswith("None of 30 pairs is clear")
    harm = transfer.counts(transfer.cells(simulated(np.random.default_rng(5), {(0, 1): -0.3})))
    assert transfer.headline(harm) == "Some tasks harm each other; no clear help"
    assert transfer.sentence(harm).startswith("1 of 30 pairs is clear")


def test_nothing_is_claimed_of_a_target_that_is_not_above_chance() -> None:
    rows = [("a", "b", seed, 0.5 + seed / 1000, 0.3, 64, 0.5) for seed in range(5)]
    rows += [("b", "a", seed, 0.9 + seed / 1000, 0.3, 64, 0.5) for seed in range(5)]
    pairs = pd.DataFrame(rows, columns=["source", "target", "seed", "score", "alone", "count", "chance"])
    found = transfer.described(transfer.cells(pairs)).set_index("target")
    assert found["q"].max() < 0.05  # both differences are sure
    assert dict(found["verdict"]) == {"b": transfer.NOT_LEARNED, "a": "helps"}
    assert dict(found["clear"]) == {"b": False, "a": True}
    assert transfer.cell(transfer.cells(pairs), "a", "b")["verdict"] == transfer.NOT_LEARNED
