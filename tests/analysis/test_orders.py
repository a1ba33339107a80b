"""How much the order matters: known answers, and pure noise."""

from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis import orders

TASKS = ("a", "b", "c")
EASE = {"a": 0.9, "b": 0.6, "c": 0.7}


def runs(effect: Any, seeds: int = 4, noise: float = 0.0, luck: float = 0.0) -> list[dict[str, Any]]:
    """Every order; `effect` of (position from 0, task, task before) on the score, noise by cell and by seed."""
    rng, found = np.random.default_rng(2), []
    for seed in range(seeds):
        lucky = rng.normal(0, luck) if luck else 0.0
        for order in permutations(TASKS):
            final = [
                EASE[task] + effect(k, task, order[k - 1] if k else "") + lucky + rng.normal(0, noise or 1e-9)
                for k, task in enumerate(order)
            ]
            found.append({"tasks": order, "seed": seed, "matrix": [final] * 3})
    return found


def test_places_are_read_from_the_matrix_of_a_run() -> None:
    run = {"tasks": ["a", "b"], "seed": 1, "matrix": [[0.9, None], [0.7, 0.8]]}
    open_one = {"tasks": ["b", "a"], "seed": 1, "matrix": [[0.5, None], [None, None]]}
    frame = orders.places([run, open_one])
    assert frame.to_dict("list") == {
        "order": ["a b"] * 2,
        "seed": [1, 1],
        "position": [1, 2],
        "task": ["a", "b"],
        "before": ["", "a"],
        "learned": [0.9, 0.8],
        "final": [0.7, 0.8],
    }


def test_a_position_is_judged_without_the_ease_of_its_tasks() -> None:
    frame = orders.places(runs(lambda k, task, before: 0.02 * k, noise=0.01))
    found = orders.by_position(frame[frame["order"] != "a b c"]).query("which == 'final'").set_index("position")
    plain = frame[frame["order"] != "a b c"].groupby("position")["final"].mean()
    steps = found["mean"].diff().dropna()
    assert steps.to_list() == pytest.approx([0.02, 0.02], abs=0.006)
    assert abs(plain.diff().iloc[1] - 0.02) > 0.02  # what it would be: order a b c is missing
    assert (found["low"] < found["mean"]).all()
    assert (found["seeds"] == 4).all()
    assert orders.by_position(frame[frame["seed"] == 0])["low"].isna().all()


def test_the_spread_of_orders_against_noise() -> None:
    """The same order is good in every seed, or it is chance; what seeds have in common does not count."""
    real = orders.spread(orders.places(runs(lambda k, task, before: 0.1 * (before == "b"), noise=0.01, luck=0.2)))
    assert real["share"] is not None
    assert real["p"] is not None
    assert (real["orders"], real["seeds"]) == (6, 4)
    assert real["reach"] == pytest.approx(100 * 0.1 / 3, abs=1.5)
    assert real["share"] > 0.8
    assert real["p"] < 0.001
    false = [
        orders.spread(
            orders.places(
                [
                    {**run, "matrix": [list(np.random.default_rng(s * 99 + n).normal(0.7, 0.1, 3))] * 3}
                    for n, run in enumerate(runs(lambda *_: 0.0))
                ]
            )
        )["p"]
        for s in range(40)
    ]
    assert np.mean([p < 0.05 for p in false if p is not None]) <= 0.15


def test_what_explains_the_spread_is_named_beside_what_chance_gives() -> None:
    of = {
        part["factor"]: part
        for part in orders.explained(orders.places(runs(lambda k, task, before: 0.1 * (before == "b"), noise=0.02)))
    }
    by_before, by_position = of["task before it"], of["position"]
    assert by_before["share"] is not None
    assert by_before["by_chance"] is not None
    assert by_position["share"] is not None
    assert by_before["share"] > 0.8 > 0.5 > by_before["by_chance"] > 0
    assert by_before["share"] > by_position["share"]
    assert by_before["p"] == pytest.approx(1 / (1 + orders.SHUFFLES))
    noise = orders.explained(orders.places(runs(lambda *_: 0.0, noise=0.1)))
    assert all(part["p"] is not None and part["p"] > 0.01 for part in noise)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([], "There is one finished order"),
        (runs(lambda *_: 0.0)[:1], "There is one finished order"),
        (runs(lambda k, *_: 0.1 * k, seeds=1), "With one seed this cannot be told from chance"),
        ([{**run, "matrix": [[0.5] * 3] * 3} for run in runs(lambda *_: 0.0)], "All runs are equally good."),
        (runs(lambda k, t, b: 0.1 * (b == "b"), noise=0.01), "more than chance gives"),
        (runs(lambda *_: 0.0, noise=0.1), "no more than chance gives"),
    ],
)
def test_sentences_claim_no_more_than_there_is(found: list[dict[str, Any]], said: str) -> None:
    text = " ".join(orders.sentences(orders.places(found)))
    assert said in text
    assert "nan" not in text


def test_explained_of_equal_scores_is_not_defined() -> None:
    equal = pd.concat([orders.places(runs(lambda *_: 0.0))]).assign(learned=0.5)
    assert [part["share"] for part in orders.explained(equal)] == [None, None]
