"""Declared relatedness of pocket tasks."""

import pytest

from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import DEGREES, axes, relation


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("yelp", "amazon", "same question and answers"),
        ("mnli", "cb", "same question and answers"),
        ("yelp", "sst2", "same question, other answer words"),
        ("agnews", "dbpedia", "same question, other answer words"),
        ("mnli", "rte", "same question, other answer words"),
        ("imdb", "ask:price/film/bad-good", "other question, same texts and answers"),
        ("sst2", "ask:price/film/bad-good", "other question, same texts"),
        ("yahoo", "rte", "unrelated"),
        ("yelp", "dial:0.5", "unrelated"),
        ("sst2", "contrary:sst2", "contrary"),
        ("ask:price/hotel/no-yes", "ask:price/hotel/yes-no", "contrary"),
        ("ask:price/hotel/no-yes", "ask:looks/hotel/no-yes", "correlated question"),
        ("ask:price/hotel/no-yes@8", "ask:price/hotel/no-yes@32", "same"),
    ],
)
def test_a_pair_is_related_as_its_parts_are(one: str, other: str, expected: str) -> None:
    assert relation(find_task(one), find_task(other)) == (expected, DEGREES[expected])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("ask:price/hotel/no-yes", "ask:price/shop/no-yes", {"texts": 0.5, "question": 1, "answers": 1}),
        ("ask:price/hotel/no-yes", "ask:price/hotel/yes-no", {"texts": 1, "question": 1, "answers": -1}),
        ("ask:price/hotel/no-yes", "ask:looks/hotel/up-down", {"texts": 1, "question": 0.5, "answers": 0}),
        ("ask:price/hotel/no-yes", "ask:told/story/no-yes", {"texts": 0, "question": 0, "answers": 1}),
        ("boolq", "multirc", {"texts": 0.5, "question": 1, "answers": 1}),
    ],
)
def test_axes_say_what_two_tasks_share(one: str, other: str, expected: dict[str, float]) -> None:
    assert axes(find_task(one), find_task(other)) == expected
    assert axes(find_task(other), find_task(one)) == expected


@pytest.mark.parametrize(
    ("one", "other", "degree"),
    [("dial:1", "dial:0.5", 0.5), ("dial:0.5", "dial:-0.5", 0.5), ("dial:0", "dial:1", 0), ("dial:0", "dial:-1", 0)],
)
def test_two_tasks_of_the_dial_are_related_by_the_cosine_of_their_angle(one: str, other: str, degree: float) -> None:
    """±0.5 are at 60° and 120°, so 60° apart; 0 is at a right angle to both ends."""
    assert relation(find_task(one), find_task(other))[1] == pytest.approx(degree, abs=1e-9)
