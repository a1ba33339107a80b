"""What a sweep of δ does to α and to the sides, by hand."""

import pandas as pd
import pytest

from shlpt.analysis import orders, sweeps


def alphas(*rows: tuple[float, int, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["value", "seed", "task", "earlier", "alpha"])


FOUND = alphas(
    *[(delta, seed, "c", "a", 0.7) for delta in (0.1, 0.4) for seed in (1, 2, 3)],
    *[(delta, seed, "c", "b", 0.3) for delta in (0.1, 0.4) for seed in (1, 2, 3)],
    *[(delta, seed, "b", "a", 1.0) for delta in (0.1, 0.4) for seed in (1, 2, 3)],
)


def test_who_changes_side_is_named() -> None:
    first, second = sweeps.by_value(FOUND)
    assert (first["similar"], second["similar"]) == (1.0, pytest.approx(2 / 3))
    assert (first["changed"], second["changed"]) == ([], ["b for c"])
    rows = sweeps.sides(FOUND).set_index(["value", "task", "earlier"])
    assert rows.loc[(0.4, "c", "b"), "similar"] == 0
    assert (rows["seeds"] == 3).all()
    assert sweeps.sentences(FOUND, [0.8, 0.81])[:1] == ["From the value before to 0.4 change side: b for c."]
    assert "within 1.0 points" in sweeps.sentences(FOUND, [0.8, 0.81, None])[-1]


def test_the_distribution_leaves_out_what_is_always_one() -> None:
    found = sweeps.distribution(FOUND)
    assert found["value"].to_list() == [0.1, 0.4]
    assert (found["pairs"] == 6).all()
    assert found["q50"].to_list() == pytest.approx([0.5, 0.5])
    assert found["q95"].max() < 1


def test_a_threshold_that_decides_nothing_is_called_so() -> None:
    said = " ".join(sweeps.sentences(FOUND[FOUND["earlier"] == "a"], [0.8, 0.8]))
    assert "decides nothing" in said
    assert "(100%) is similar at every value" in said
    assert sweeps.sentences(FOUND.iloc[:0], []) == ["There is no α yet: no task with an earlier one is trained."]


def test_positions_of_each_value_are_not_levelled() -> None:
    """There is one order, so a position is a task, and its ease stays in."""
    runs = [
        (value, orders.places([{"tasks": ["a", "b"], "seed": seed, "matrix": [[0.9, None], [0.8, value]]}]))
        for value in (0.1, 0.4)
        for seed in (1, 2)
    ]
    found = sweeps.by_position(pd.concat([frame.assign(value=value) for value, frame in runs]))
    final = found[found["which"] == "final"].set_index(["value", "position"])["mean"]
    assert final.to_dict() == {(0.1, 1): 0.8, (0.1, 2): 0.1, (0.4, 1): 0.8, (0.4, 2): 0.4}
