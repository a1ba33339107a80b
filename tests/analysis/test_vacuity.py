"""Where δ decides nothing, with α by hand: each warning where it belongs and nowhere else."""

import pandas as pd
import pytest

from shlpt.analysis.vacuity import of_pairs, of_sequence, warnings


def frame(*alpha: tuple[float, ...], seed: int = 1) -> pd.DataFrame:
    lines = [(seed, f"e{i}", "abc"[j], a) for i, row in enumerate(alpha) for j, a in enumerate(row)]
    return pd.DataFrame(lines, columns=["seed", "example", "earlier", "alpha"])


GOOD = frame((0.7, 0.2, 0.1), (0.5, 0.1, 0.4), (0.6, 0.3, 0.1))
SURE, EVEN = frame((0.999, 0.001), (0.001, 0.999)), frame((0.34, 0.33, 0.33), (0.33, 0.34, 0.33))
CASES = {
    "decides": (0.35, 3, GOOD, []),
    "below the uniform level": (0.3, 3, GOOD, ["below the uniform level 1/3 = 0.333"]),
    "all similar": (0.05, 3, GOOD, ["below the uniform level", "Every α is above"]),
    "all dissimilar": (0.8, 3, GOOD, ["No α is above"]),
    "above one": (1.5, 3, GOOD, ["α is never above 1"]),
    "one earlier task": (0.06, 1, frame((1.0,), (1.0,)), ["always 1, whatever the text"]),
    "certain": (0.6, 2, SURE, ["any δ between them", "entropy of α is zero"]),
    "undecided": (0.5, 3, EVEN, ["No α is above", "entropy of α is at its maximum", "within 0.01)"]),
    "the same for every text": (0.5, 3, frame((0.7, 0.2, 0.1), (0.69, 0.2, 0.11)), ["distinguishes tasks, not texts"]),
    "changes with the seed": (
        0.4,
        3,
        pd.concat([GOOD, GOOD.assign(seed=2), frame((0.1, 0.2, 0.7), (0.3, 0.1, 0.6), seed=3)]),
        ["a is the nearest in 2 of 3 seeds"],
    ),
    "not finite": (0.35, 3, frame((float("nan"), 0.2, 0.1), (0.5, 0.1, 0.4)), ["1 of 6 stored α are not finite"]),
    "none of them": (0.2, 2, frame((0.5, 0.1), (0.3, 0.1)), []),
    "one earlier task or none": (0.06, 1, frame((0.4,), (0.01,)), []),
    "surely none": (0.06, 1, frame((0.01,), (0.02,)), ["No α is above this δ"]),
    "nothing stored": (0.06, 4, GOOD[:0], ["below the uniform level 1/4"]),
}


@pytest.mark.parametrize("name", CASES)
def test_each_warning_by_hand(name: str) -> None:
    delta, earlier, alphas, expected = CASES[name]
    found = warnings(delta, earlier, alphas)
    assert len(found) == len(expected), found
    assert all(words in said for words, said in zip(expected, found, strict=True)), found


def test_at_a_glance_a_first_task_and_a_single_row_warn_of_nothing() -> None:
    assert warnings(0.5, 0) == []
    assert "At this δ it is dissimilar" in warnings(1.0, 1)[0]
    only = pd.DataFrame({"earlier": ["a", "b"], "alpha": [0.8, 0.2]})  # without seeds and texts
    assert warnings(0.6, 2, only) == []


def test_the_alpha_of_a_whole_matrix_are_told_by_their_number_of_earlier_tasks() -> None:
    one = [(seed, "a", "b", 1.0, 1) for seed in (1, 2)]
    two = [(1, "a", "c", 0.51, 2), (1, "b", "c", 0.49, 2), (2, "b", "a", 0.5, 2), (2, "c", "a", 0.5, 2)]
    three = [(1, name, "d", alpha, 3) for name, alpha in (("a", 0.8), ("b", 0.15), ("c", 0.05))]
    scores = pd.DataFrame([*one, *two, *three], columns=["seed", "source", "target", "score", "earlier"])
    found = of_pairs(0.4, scores)
    assert [said.split(":")[0] for said in found] == [
        "With one earlier task α is always 1, whatever the text",
        "With 2 earlier tasks δ = 0.4 is below the uniform level 1/n (0.5 for n = 2)",
        "With 2 earlier tasks",
        "With 2 earlier tasks",
    ]
    assert of_pairs(0.3, scores)[1].startswith(
        "With 2 to 3 earlier tasks δ = 0.3 is below the uniform level 1/n (0.333"
    )
    assert "Every α is above" in found[2]
    rest = scores.assign(score=scores["score"] / 2)  # as much for none of them
    assert [said.split(":")[0] for said in of_pairs(0.4, rest)] == ["With 1 earlier task", "With 2 to 3 earlier tasks"]
    assert "entropy of α is at its maximum" in found[3]


def test_before_training_a_sequence_says_what_follows_from_its_length() -> None:
    assert of_sequence(0.06, 1) == []
    assert len(of_sequence(0.06, 2)) == 1
    assert (
        "With 2 to 4 earlier tasks δ = 0.06 is below the uniform level 1/n (0.25 for n = 4)" in of_sequence(0.06, 5)[1]
    )
    assert "With 2 to 3 earlier" in of_sequence(0.3, 9)[1]
    assert len(of_sequence(0.6, 9)) == 1
    assert of_sequence(0.06, 5, none=True) == []
    assert (
        of_sequence(1.5, 5, none=True)
        == of_sequence(1.5, 5)
        == ["α is never above 1, so at δ = 1.5 every earlier task is dissimilar and no prompt is mixed in."]
    )
