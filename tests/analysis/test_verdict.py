"""Whether the history helped a task, with numbers worked out by hand; where nothing can be said, that is said."""

import numpy as np
import pytest

from shlpt.analysis.verdict import AT_CHANCE, HARMS, HELPS, NO_ANSWERS, NO_REFERENCE, NOT_LEARNED, SAME, UNCLEAR, judge

NOTHING = np.empty((0, 0))


def answers(*right: int, of: int = 64) -> np.ndarray:
    """A row for each seed whose first texts are right."""
    return np.array([[1.0] * count + [0.0] * (of - count) for count in right])


def test_one_seed_is_judged_over_its_texts_and_says_so() -> None:
    """12 texts are right only after the history: McNemar's p is 2 / 2^12, the lowest share .025^(1/12) = .735."""
    found = judge("rte", answers(52), answers(40), 0.5)
    assert (found.outcome, found.difference, found.seeds, found.examples) == (HELPS, 12 / 64, 1, 64)
    assert found.p == pytest.approx(2 / 2**12)
    low = 12 / 64 * (2 * 0.025 ** (1 / 12) - 1)
    assert found.ci95 == pytest.approx([low, 12 / 64])
    assert found.sentence == (
        f"rte after this history 81%, alone 62%: +18.8 [+{100 * low:.1f}, +18.8] over its 64 test texts, the history "
        "helps with this seed; another seed may differ."
    )
    assert judge("rte", answers(40), answers(52), 0.5).outcome == HARMS
    few = judge("rte", answers(44), answers(42), 0.5)
    assert few.outcome == UNCLEAR
    assert few.sentence.endswith("over its 64 test texts, not clear with one seed.")


def test_several_seeds_are_judged_over_seeds_and_texts() -> None:
    """Every text gains 2 of 3 seeds alike: no spread over texts, seeds gain 0, 10 and 5 of 20."""
    found = judge("rte", answers(15, 20, 18, of=20), answers(15, 10, 13, of=20), 0.5)
    assert (found.seeds, found.difference) == (3, pytest.approx(15 / 60))
    assert found.outcome == UNCLEAR
    assert found.ci95 is not None
    assert found.ci95[0] < 0 < found.ci95[1]
    assert found.sentence.startswith("rte after this history 88%, alone 63%: +25.0 [−")
    assert found.sentence.endswith(", not clear with 3 seeds.")


def test_of_a_task_at_chance_nothing_is_claimed() -> None:
    """36 of 64 is not above chance (p = .19), 40 is (p = .03)."""
    found = judge("rte", answers(36), answers(20), 0.5, why="The doctor's sentence.")
    assert (found.outcome, found.difference, found.ci95) == (AT_CHANCE, None, None)
    assert found.sentence == (
        "rte after this history 56%, alone 31%: neither is above chance (50%), nothing is claimed."
    )
    assert found.why == "The doctor's sentence."
    assert judge("rte", answers(40), answers(20), 0.5).outcome == HELPS


def test_without_a_reference_it_says_what_is_missing() -> None:
    found = judge("rte", answers(48), NOTHING, 0.5, missing="It is trained last.")
    assert (found.outcome, found.after, found.alone) == (NO_REFERENCE, 0.75, None)
    assert found.sentence == "rte after this history 75%. It is trained last."
    assert judge("rte", answers(48), NOTHING).sentence.endswith("What it scores alone is not stored.")
    assert judge("rte", NOTHING, NOTHING).outcome == NOT_LEARNED


def test_the_same_answers_are_no_difference() -> None:
    found = judge("rte", answers(48), answers(48), 0.5)
    assert (found.outcome, found.difference) == (SAME, 0)
    assert found.sentence == "rte after this history 75%, alone 75%: 0.0, the same score on every text with one seed."


def test_where_only_means_are_recorded_the_seeds_decide() -> None:
    """Gains of 10, 12 and 14 points: 12 ± 4.303 · 2 / √3."""
    found = judge("rte", np.array([[0.8], [0.82], [0.84]]), np.array([[0.7]] * 3))
    assert (found.outcome, found.difference) == (HELPS, pytest.approx(0.12))
    assert found.ci95 == pytest.approx([0.12 - 4.3027 * 0.02 / 3**0.5, 0.12 + 4.3027 * 0.02 / 3**0.5], abs=1e-5)
    assert judge("rte", np.array([[0.8]]), np.array([[0.7]])).outcome == NO_ANSWERS
