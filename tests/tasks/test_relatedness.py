"""Declared relatedness of pocket tasks."""

import pytest

from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import relation


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("yelp", "amazon", ("same rule and labels", 0.9)),
        ("mnli", "cb", ("same rule and labels", 0.9)),
        ("yelp", "sst2", ("same rule, other label words", 0.5)),
        ("agnews", "dbpedia", ("same rule, other label words", 0.5)),
        ("mnli", "rte", ("same rule, other label words", 0.5)),
        ("agnews", "rte", ("same domain, other rule", 0.25)),
        ("yahoo", "qqp", ("same domain, other rule", 0.25)),
        ("yahoo", "rte", ("unrelated", 0.0)),
        ("yelp", "dial:0.5", ("unrelated", 0.0)),
        ("sst2", "contrary:sst2", ("contrary", -1.0)),
    ],
)
def test_a_pair_is_related_as_its_rules_and_texts_are(one: str, other: str, expected: tuple[str, float]) -> None:
    assert relation(find_task(one), find_task(other)) == expected


@pytest.mark.parametrize(
    ("one", "other", "degree"),
    [("dial:1", "dial:0.5", 0.5), ("dial:0.5", "dial:-0.5", 0.5), ("dial:0", "dial:1", 0), ("dial:0", "dial:-1", 0)],
)
def test_two_tasks_of_the_dial_are_related_by_the_cosine_of_their_angle(one: str, other: str, degree: float) -> None:
    """±0.5 are at 60° and 120°, so 60° apart; 0 is at a right angle to both ends."""
    assert relation(find_task(one), find_task(other))[1] == pytest.approx(degree, abs=1e-9)
