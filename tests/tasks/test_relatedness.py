"""Declared relatedness of pocket tasks."""

from functools import cache
from pathlib import Path

import pytest

from shlpt.tasks.find import draw, find_task
from shlpt.tasks.pocket import relation
from shlpt.tasks.task import Example, Split

ROOT = Path(__file__).resolve().parents[2]
GRADES = ("terrible", "bad", "middle", "good", "wonderful")
NLI = ("entailment", "neutral", "contradiction")
SIXTEEN = (
    "yelp",
    "amazon",
    "imdb",
    "sst2",
    "agnews",
    "yahoo",
    "dbpedia",
    "mnli",
    "cb",
    "rte",
    "qqp",
    "wic",
    "copa",
    "boolq",
    "multirc",
    "squad",
)
NAMES = (*SIXTEEN, "contrary:sst2", "dial:0.5", "dial:-1")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
of_every_task = pytest.mark.parametrize("name", NAMES)


@cache
def drawn(name: str, split: Split, per_group: int = 100, seed: int = 42) -> tuple[Example, ...]:
    return tuple(draw(find_task(name), split, per_group, seed))


def which(text: str, high: set[str], low: set[str]) -> str:
    """`high` or `low`, by the words of a hotel review; it never has words of both."""
    words = set(text.split())
    assert bool(words & high) != bool(words & low)
    return "high" if words & high else "low"


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
