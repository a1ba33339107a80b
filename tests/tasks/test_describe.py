"""Tasks as people see them: lengths, relations in words, the dial on texts."""

import pytest

from shlpt.tasks import describe
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import DEGREES, TASKS
from shlpt.tasks.task import Example, Task


def toy(rows: list[Example]) -> Task:
    return Task(name="toy", family="", labels=("a", "b"), groups=("a", "b"), draw=lambda *_: rows)


def test_lengths_count_words() -> None:
    rows = [Example("one", "a", "a"), Example("one two three", "b", "b"), Example("one two", "a", "a")]
    assert describe.lengths(toy(rows)) == describe.Lengths(1, 2, 3)


def test_examples_take_turns_between_the_classes() -> None:
    rows = [Example(f"t{i}", g, g) for i, g in enumerate("aabb")]
    assert [e.text for e in describe.one_of_each(toy(rows), "test", 3)] == ["t0", "t2", "t1"]
    assert len({e.group for e in describe.one_of_each(find_task("agnews"), "test", 4)}) == 4


def test_every_relation_is_explained() -> None:
    assert set(describe.MEANING) == set(DEGREES)
    assert [row["degree"] for row in describe.relations()] == sorted(DEGREES.values(), reverse=True)


def test_every_part_that_is_listed_makes_a_task() -> None:
    for row in describe.parts():
        for place in row["texts"]:
            for answers in row["answers"]:
                if answers != "the names of topics":
                    assert find_task(f"ask:{row['question']}/{place}/{answers}").rule == row["question"]


def test_a_task_of_free_text_has_no_contrary() -> None:
    assert [name for name in TASKS if describe.contrary_name(name) is None] == ["squad"]


@pytest.mark.parametrize(("degree", "share"), [(1.0, 1.0), (0.0, 0.5), (-1.0, 0.0), (0.5, 2 / 3)])
def test_agreement_is_the_angle_between_the_rules(degree: float, share: float) -> None:
    assert describe.agreement(degree) == pytest.approx(share)
    rows = describe.dialled(degree, 2000)
    assert sum(row.agree for row in rows) / len(rows) == pytest.approx(share, abs=0.03)


def test_the_dial_changes_answers_and_no_text() -> None:
    one, other = describe.dialled(1.0, 20), describe.dialled(-0.3, 20)
    assert [row.text for row in one] == [row.text for row in other]
    assert [row.source for row in one] == [row.target for row in one]
    assert any(not row.agree for row in other)


def test_choices_are_tasks_of_every_kind() -> None:
    found = describe.choices()
    assert len(set(found)) == len(found)
    assert {find_task(name).name for name in found} == set(found)
    assert {name.partition(":")[0] for name in found} >= {"yelp", "contrary", "dial", "ask"}


def test_a_phrase_says_what_is_asked_of_which_texts() -> None:
    assert describe.phrase("ask:price/cafe/bad-good@8") == "“is it cheap?” (cafe reviews)"
    assert describe.phrase("agnews") == "“what is it about?” (news items)"
    assert describe.phrase("own/mine") == "own/mine"
