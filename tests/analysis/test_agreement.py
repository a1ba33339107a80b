"""Agreement of measured transfer with what is declared, against numbers worked out by hand."""

import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis import agreement as a
from shlpt.analysis.transfer import CELL, cells


def table(*rows: tuple[str, str, float, bool]) -> pd.DataFrame:
    """Cells of two seeds or more: source, target, value, whether it is clear."""
    full = [(s, t, v, v - 1, v + 1, 3, 0.01, 0.01, clear, True) for s, t, v, clear in rows]
    return pd.DataFrame(full, columns=CELL)


def test_spearman_shares_the_ranks_of_ties() -> None:
    """Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5, so ρ = √.9."""
    assert a.spearman(np.array([1.0, 5, 5, 9]), np.array([1.0, 2, 3, 4])) == pytest.approx(math.sqrt(0.9))
    assert a.spearman(np.array([3.0, 2, 1]), np.array([1.0, 2, 3])) == pytest.approx(-1)
    assert a.spearman(np.array([1.0, 2, 3]), np.array([0.0, 0, 0])) is None
    assert a.spearman(np.array([1.0, 2]), np.array([1.0, 2])) is None


def test_signs_and_shares_are_counted_by_hand() -> None:
    degrees = {("a", "b"): 0.9, ("b", "a"): 0.9, ("a", "c"): -1.0, ("c", "a"): -1.0, ("b", "c"): 0.0, ("c", "b"): 0.0}
    found = a.agreement(
        table(
            ("a", "b", 8.0, True),
            ("b", "a", 1.0, False),
            ("a", "c", -9.0, True),
            ("c", "a", 2.0, True),  # clear, and of the other sign
            ("b", "c", 4.0, True),  # declared zero: it has no sign
            ("c", "b", 0.0, False),
        ),
        degrees,
    )
    assert (found["pairs"], found["clear_with_sign"], found["of_declared_sign"]) == (6, 3, pytest.approx(2 / 3))
    assert (found["surely_positive"], found["surely_negative"]) == (pytest.approx(3 / 6), pytest.approx(1 / 6))
    assert found["ci95"] is None  # three tasks
    assert "67% have it" in a.sentences(found)[2]


def test_planted_agreement_has_an_interval_above_zero_and_noise_has_none() -> None:
    rng = np.random.default_rng(0)
    names = [f"t{k}" for k in range(10)]
    degrees = {pair: float(rng.choice([0.9, 0.5, 0.0, -1.0])) for pair in permutations(names, 2)}
    strong = a.agreement(table(*((s, t, 10 * d + 3 * rng.normal(), False) for (s, t), d in degrees.items())), degrees)
    assert strong["spearman"] is not None
    assert strong["ci95"] is not None
    assert 0.6 < strong["ci95"][0] < strong["spearman"] < strong["ci95"][1]
    assert a.sentences(strong)[0].endswith(", bootstrap over tasks).")
    assert a.sentences(strong)[0].count("bootstrap") == 1
    inside = 0
    for _ in range(20):
        noise = a.agreement(table(*((s, t, rng.normal(), False) for s, t in degrees)), degrees)
        assert noise["ci95"] is not None
        inside += noise["ci95"][0] <= 0 <= noise["ci95"][1]
    assert inside >= 18


def test_nothing_measured_is_said_in_words() -> None:
    found = a.agreement(cells(pd.DataFrame(columns=["source", "target", "seed", "score", "alone"])), {})
    assert (found["pairs"], found["spearman"], found["surely_positive"]) == (0, None, None)
    assert "cannot be computed" in a.sentences(found)[0]


def test_what_an_axis_says_beyond_the_others_is_worked_out_by_hand() -> None:
    """Of ranks 1 to 4 against (1, 3, 2, 4) nothing else is known: ρ = .8. Given the second itself, nothing is left."""
    one, two, flat = np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4]), np.zeros(4)
    assert a.partial(one, two, []) == pytest.approx(0.8)
    assert a.partial(one, two, [flat]) == pytest.approx(0.8)
    assert a.partial(one, two, [two + 1]) is None
    assert a.partial(one, flat, []) is None
    x, y, z = np.array([1.0, 2, 3, 4, 5]), np.array([2.0, 1, 4, 3, 5]), np.array([1.0, 3, 2, 5, 4])
    r = {key: np.corrcoef(*pair)[0, 1] for key, pair in {"xy": (x, y), "xz": (x, z), "yz": (y, z)}.items()}
    formula = (r["xy"] - r["xz"] * r["yz"]) / math.sqrt((1 - r["xz"] ** 2) * (1 - r["yz"] ** 2))
    assert a.partial(x, y, [z]) == pytest.approx(formula)


def test_the_axis_that_decides_is_found_and_one_that_only_goes_along_is_not() -> None:
    rng = np.random.default_rng(0)
    pairs = list(permutations([f"t{k}" for k in range(10)], 2))
    question = {pair: float(rng.integers(2)) for pair in pairs}
    shared = {
        pair: {"question": q, "texts": q if rng.random() < 0.8 else 1 - q, "answers": 0.0}
        for pair, q in question.items()
    }
    found = a.agreement(table(*((*p, 10 * question[p] + rng.normal(), False) for p in pairs)), question, shared)
    one, other, flat = (found["axes"][name] for name in ("question", "texts", "answers"))
    assert one["beyond"] is not None
    assert other["spearman"] is not None
    assert one["beyond"] > 0.6
    assert other["spearman"] > 0.3
    assert other["beyond_ci95"] is not None
    assert other["beyond_ci95"][0] < 0 < other["beyond_ci95"][1]
    assert (flat["spearman"], flat["beyond"]) == (None, None)
    said = a.sentences(found)[-1]
    assert said.startswith("Each axis by itself, and beyond the others: question +0.")
    assert "answers" not in said


def test_degrees_are_those_of_the_world() -> None:
    tasks, pair = ["sst2", "contrary:sst2"], ("sst2", "contrary:sst2")
    assert a.declared(tasks) == {pair: 0.4, pair[::-1]: 0.4}
    assert a.shared(tasks)[pair] == {"texts": 1.0, "question": 1.0, "answers": -1.0}


def test_cells_get_the_degree_that_is_declared_and_those_of_imported_tasks_are_left_out() -> None:
    table = pd.DataFrame(
        [("ask:price/cafe/bad-good", "ask:price/shop/bad-good"), ("own/mine", "sst2"), ("sst2", "imdb")],
        columns=["source", "target"],
    )
    found = a.with_degrees(table)
    assert list(found["degree"]) == [0.9, 0.7]
    assert list(found["relation"]) == ["same question and answers", "same question, other answer words"]
    assert list(a.with_degrees(table[:0]).columns) == ["source", "target", "relation", "degree"]
