"""Headroom: differences, intervals and needed seeds, against numbers worked out by hand or taken from tables."""

import numpy as np
import pytest

from shlpt.analysis import headroom
from shlpt.plans.headroom import METHODS


def rows(**scores: list[float | None]) -> list[dict[str, object]]:
    return [
        {"condition": name, "sequence": "demo", "seed": seed, "acc": acc}
        for name, found in scores.items()
        for seed, acc in enumerate(found)
    ]


def gauged(**scores: list[float | None]) -> dict[str, object]:
    return headroom.gauge(headroom.by_condition(rows(**scores)))


def note(**scores: list[float | None]) -> str:
    (found,) = headroom.gauge(headroom.by_condition(rows(**scores)))["notes"]
    return str(found)


def test_a_difference_by_hand() -> None:
    """Differences 4, 6, 8 points: mean 6, sd 2, half width 4.3027 · 2/√3 = 4.968."""
    found = headroom.against(
        {"declared": {1: 0.84, 2: 0.86, 3: 0.88}, "random": {3: 0.8, 2: 0.8, 1: 0.8}}, "declared", "random"
    )
    assert (found["n"], found["clear"]) == (3, True)
    assert found["difference"] == pytest.approx(0.06)
    assert found["sd"] == pytest.approx(0.02)
    assert found["ci95"] == pytest.approx([0.06 - 0.04968, 0.06 + 0.04968], abs=1e-5)


@pytest.mark.parametrize(("effect", "seeds"), [(0.5, 34), (0.8, 15), (1.0, 10), (0.3, 90)])
def test_needed_seeds_are_those_of_the_tables(effect: float, seeds: int) -> None:
    """Paired t test, 80 % power at 5 %, effect in standard deviations (Cohen's tables and G*Power)."""
    assert headroom.seeds_needed(1.0, effect) == pytest.approx(seeds, abs=1)
    assert headroom.seeds_needed(3.0, -3 * effect) == headroom.seeds_needed(1.0, effect)


def test_with_the_needed_seeds_a_difference_is_seen_four_times_in_five() -> None:
    m = headroom.seeds_needed(0.04, 0.03)
    assert m is not None
    drawn = np.random.default_rng(0).normal(0.03, 0.04, size=(400, m))
    seen = [
        headroom.against({"a": dict(enumerate(row)), "b": dict.fromkeys(range(m), 0.0)}, "a", "b")["clear"]
        for row in drawn
    ]
    assert np.mean(seen) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(
    ("sd", "apart", "seeds"), [(1.0, 0.0, None), (1.0, 0.001, None), (0.0, 0.1, 2), (0.0, 0.0, None)]
)
def test_nothing_is_divided_by_zero(sd: float, apart: float, seeds: int | None) -> None:
    assert headroom.seeds_needed(sd, apart) == seeds


def test_what_is_missing_is_said_in_words() -> None:
    assert "not measured yet" in note(random=[None], declared=[0.5])
    assert "Without a second seed" in note(random=[0.5], declared=[0.6])
    assert "Nothing varies" in note(random=[0.5, 0.6], declared=[0.5, 0.6])
    assert headroom.gauge({})["notes"] == ["No oracle was measured."]
    assert headroom.gauge({})["tells_apart"] is False
    assert headroom.rows(headroom.gauge({}))[0]["points"] == "–"


def test_where_the_interval_contains_zero_the_needed_seeds_are_said() -> None:
    """Differences +2, −2, +3 points: mean 1, sd √7 = 2.6458; Cohen's d .378 needs 57, 5 points (d 1.89) need 5."""
    found = gauged(random=[0.5, 0.5, 0.5], declared=[0.52, 0.48, 0.53])
    assert found["tells_apart"] is False
    said = note(random=[0.5, 0.5, 0.5], declared=[0.52, 0.48, 0.53])
    assert (
        "Methods cannot be distinguished here with 3 seeds; about 57 would be needed for the measured difference"
        in said
    )
    assert "about 5 for 5.0 points" in said
    assert "between seeds stays at 2.6 points" in said


def test_a_seed_that_lacks_a_sequence_is_left_out() -> None:
    table = [
        {"condition": "few", "sequence": name, "seed": seed, "acc": acc}
        for name, seed, acc in (("a", 1, 0.5), ("b", 1, 0.7), ("a", 2, 0.5), ("b", 2, float("nan")))
    ]
    assert headroom.by_condition(table) == {"few": {1: pytest.approx(0.6), 2: None}}
    stream = [row | {"sequence": "stream_words", "last": row["acc"] / 2} for row in table if row["sequence"] == "a"]
    assert headroom.by_condition(stream) == {"few": {1: 0.25, 2: 0.25}}
    assert headroom.by_condition(table, "a") == {"few": {1: 0.5, 2: 0.5}}


def test_conditions_are_those_that_are_planned() -> None:
    assert list(METHODS) == list(headroom.CONDITIONS)
