"""One contract for all generated tasks, and the truth of what is declared about them."""

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from itertools import product
from math import acos, pi
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shlpt.analysis.metrics import tidy
from shlpt.errors import UserError
from shlpt.tasks import pocket
from shlpt.tasks import words as w
from shlpt.tasks.find import draw, find_task, probe_examples
from shlpt.tasks.pocket import DEGREES, PARTS, TASKS, dial_writer, part_of, relation, swapped
from shlpt.tasks.task import Example, Split

ROOT = Path(__file__).resolve().parents[2]
GRADES = ("terrible", "bad", "middle", "good", "wonderful")
NLI = ("entailment", "neutral", "contradiction")
SIXTEEN = tuple("yelp amazon imdb sst2 agnews yahoo dbpedia mnli cb rte qqp wic copa boolq multirc squad".split())
COMPOSED = (
    "ask:price/hotel/no-yes",
    "ask:speed/train/low-middle-high",
    "ask:hopes/film/one-two-three-four-five",
    "ask:aside/forum/health-sports",
    "ask:mood/quiz/up-down",
    "ask:contradicts/scene/left-right",
)
NAMES = (*SIXTEEN, *COMPOSED, "contrary:sst2", "dial:0.5", "dial:-1")
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
of_every_task = pytest.mark.parametrize("name", NAMES)


@cache
def drawn(name: str, split: Split, per_group: int = 100, seed: int = 42) -> tuple[Example, ...]:
    return tuple(draw(find_task(name), split, per_group, seed))


# --- the contract of a task ---------------------------------------------------------------
def test_the_pocket_world_stands_in_for_the_sixteen_data_sets() -> None:
    assert tuple(TASKS) == SIXTEEN
    assert len({task.standin_for for task in TASKS.values()}) == 16
    assert all(task.title == f"pocket/{name}" and task.about for name, task in TASKS.items())


@of_every_task
@pytest.mark.parametrize("split", SPLITS)
def test_a_hundred_examples_of_each_class_can_be_drawn(name: str, split: Split) -> None:
    task = find_task(name)
    assert Counter(e.group for e in drawn(name, split)) == dict.fromkeys(task.groups, 100)
    texts = Counter((e.group, e.text) for e in drawn(name, split))
    assert max(texts.values()) == 1


@of_every_task
def test_a_draw_is_the_same_on_every_call(name: str) -> None:
    assert draw(find_task(name), "train", 8, 7) == draw(find_task(name), "train", 8, 7)


def test_a_draw_is_the_same_in_another_process() -> None:
    code = (
        "import hashlib; from shlpt.tasks.find import draw, find_task\n"
        f"rows = [e.id for name in {NAMES} for e in draw(find_task(name), 'validation', 4, 3)]\n"
        "print(hashlib.sha256(' '.join(rows).encode()).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [e.id for name in NAMES for e in drawn(name, "validation", 4, 3)]
    assert there.stdout.strip() == hashlib.sha256(" ".join(here).encode()).hexdigest()


@of_every_task
def test_another_seed_draws_other_examples(name: str) -> None:
    assert {e.text for e in drawn(name, "train", 8, 1)} != {e.text for e in drawn(name, "train", 8, 2)}


@of_every_task
def test_a_shorter_draw_begins_a_longer_one(name: str) -> None:
    short, long = drawn(name, "train", 5), drawn(name, "train", 30)
    assert short == long[: len(short)]


@of_every_task
def test_examples_of_the_classes_take_turns(name: str) -> None:
    task = find_task(name)
    rows = drawn(name, "train", 30)
    turns = [rows[start : start + task.classes] for start in range(0, len(rows), task.classes)]
    assert all({e.group for e in turn} == set(task.groups) for turn in turns)
    assert len({tuple(e.group for e in turn) for turn in turns}) > 1


@of_every_task
def test_splits_share_no_text_and_none_is_in_the_pre_training(name: str) -> None:
    for split in SPLITS:
        assert {part_of(e.text) for e in drawn(name, split)} == {split}


@of_every_task
def test_texts_and_answers_are_readable_lines(name: str) -> None:
    for example in drawn(name, "train"):
        for text in (example.text, example.target):
            assert text.isascii()
            assert text.isprintable()
            assert text == " ".join(text.split()) != ""
            assert "{" not in text


@pytest.mark.parametrize("name", [name for name in NAMES if name != "squad"])
def test_targets_are_labels_of_the_task(name: str) -> None:
    task = find_task(name)
    assert task.groups == task.labels
    assert len({tidy(label) for label in task.labels}) == task.classes >= 2
    assert all(e.target == e.group for e in drawn(name, "test"))


@pytest.mark.parametrize("split", SPLITS)
def test_a_squad_answer_is_a_span_of_the_passage_or_there_is_none(split: Split) -> None:
    for example in drawn("squad", split):
        found = re.fullmatch(r"context: (.+) \. question: (.+ \?)", example.text)
        assert found
        passage, question = found.groups()
        asked = next(name for name in w.NAMES if name in question.split())
        if example.group == "unanswerable":
            assert example.target == "unanswerable"
            assert asked not in passage.split()
        else:
            told = next(line for line in passage.split(" . ") if line.startswith(f"{asked} "))
            assert example.target in told.split()


def test_a_boolq_answer_follows_from_the_story() -> None:
    forms = {"live in": "lives in", "work as a": "works as a", "own a": "owns a", "like": "likes"}
    for example in drawn("boolq", "test"):
        story, question = example.text.split(" question: does ")
        said = next(
            question.replace(f" {verb} ", f" {fact} ", 1) for verb, fact in forms.items() if f" {verb} " in question
        )
        told = said.removesuffix(" ?") in story.removesuffix(" .").split(" . ")
        assert example.target == ("true" if told else "false")


def test_an_example_is_known_by_its_text_and_its_target() -> None:
    one = Example("a line", "good", "good")
    assert one.id == Example("a line", "good", "other group").id
    assert len({one.id, Example("a line", "bad", "bad").id, Example("a line .", "good", "good").id}) == 3


# --- labels, metrics, families ------------------------------------------------------------
CLASSES = dict(
    zip(SIXTEEN, (5, 5, 2, 2, 4, 10, 14, 3, 3, 2, 2, 2, 2, 2, 2, 2), strict=True),
    **{"contrary:sst2": 2, "dial:0.5": 2, "dial:-1": 2},
)


@pytest.mark.parametrize(("name", "classes"), CLASSES.items())
def test_a_task_has_as_many_classes_as_its_data_set(name: str, classes: int) -> None:
    assert find_task(name).classes == classes
    assert find_task(name).chance == 1 / classes


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("yelp", GRADES),
        ("amazon", GRADES),
        ("imdb", ("bad", "good")),
        ("sst2", ("negative", "positive")),
        ("agnews", ("world", "sports", "business", "science")),
        ("mnli", NLI),
        ("cb", NLI),
        ("rte", ("entailment", "not_entailment")),
        ("qqp", ("not_duplicate", "duplicate")),
        ("wic", ("false", "true")),
        ("copa", ("choice1", "choice2")),
        ("boolq", ("false", "true")),
        ("multirc", ("false", "true")),
        ("squad", ()),
    ],
)
def test_labels_are_written_as_in_the_data_set(name: str, labels: tuple[str, ...]) -> None:
    assert find_task(name).labels == labels


@of_every_task
def test_spans_are_measured_by_f1_and_labels_by_accuracy(name: str) -> None:
    task = find_task(name)
    assert task.metric == ("f1" if name == "squad" else "accuracy")


# --- too many, unknown --------------------------------------------------------------------
@pytest.mark.parametrize(("name", "split"), [("wic", "train"), ("wic", "validation")])
def test_too_many_shots_are_answered_with_the_most_there_are(
    name: str, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pocket, "ENOUGH_REPEATS", 10)  # the last new texts take long to find
    task = find_task(name)
    with pytest.raises(UserError, match=rf"task '{name}' .* 10000 were asked for: ask for at most \d+$") as caught:
        draw(task, split, 10_000, 0)
    most = int(str(caught.value).rsplit(" ", 1)[1])
    assert len(draw(task, split, most, 0)) == most * task.classes
    with pytest.raises(UserError, match=f"ask for at most {most}$"):
        draw(task, split, most + 1, 0)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("yelpp", r"unknown task 'yelpp': did you mean 'yelp'\?"),
        ("SST2", r"did you mean 'sst2'\?"),
        ("", "unknown task ''"),
        ("contrary:sts2", r"unknown task 'sts2': did you mean 'sst2'\?"),
        ("contrary:squad", "'squad' has no fixed labels to swap"),
        ("contrary:contrary:sst2", "contrary:contrary:sst2"),
        ("contrary:dial:0.5", "contrary:dial:0.5"),
        ("dial:1.01", "outside the dial: from -1 .* to 1"),
        ("dial:-7", "outside the dial"),
        ("dial:inf", "outside the dial"),
        ("dial:nan", "outside the dial"),
        ("dial:half", "dial:half"),
        ("dial:", "task 'dial:'"),
    ],
)
def test_a_task_that_cannot_be_is_answered_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        find_task(name)


def test_a_task_is_found_again_by_its_own_name() -> None:
    assert [find_task(find_task(name).name) for name in NAMES] == [find_task(name) for name in NAMES]


def test_the_probe_has_two_validation_texts_of_each_task_and_is_fixed() -> None:
    rows = probe_examples()
    assert len(rows) == 2 * 16
    assert {part_of(e.text) for e in rows} == {"validation"}
    assert rows == probe_examples()


# --- parts --------------------------------------------------------------------------------
@given(st.text())
def test_a_text_belongs_to_one_part_for_good(text: str) -> None:
    assert part_of(text) in PARTS
    assert part_of(text) == part_of(str(text.encode(), "utf-8"))


def test_parts_divide_the_world_without_gap_or_overlap() -> None:
    assert sorted(number for numbers in PARTS.values() for number in numbers) == list(range(20))


def test_every_part_has_its_share() -> None:
    shares = Counter(part_of(f"line {number} .") for number in range(20_000))
    # standard deviation of a share is at most √(0.6 · 0.4 / 20000) = 0.0035
    found = {part: shares[part] / 20_000 for part in PARTS}
    expected = {"pretrain": 12 / 20, "train": 3 / 20, "validation": 2 / 20, "test": 3 / 20}
    assert found == pytest.approx(expected, abs=0.015)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("the soup was cold .", "pretrain"),
        ("the plot was not dull", "train"),
        ("the soup was good .", "validation"),
        ("the soup was plain .", "test"),
    ],
)
def test_the_part_of_a_known_text_never_moves(text: str, part: str) -> None:
    """The embedded backbone has been trained on one part: the parts cannot be dealt anew."""
    assert part_of(text) == part


# --- contrary tasks and the dial ----------------------------------------------------------
def test_a_contrary_task_has_the_same_texts_with_the_labels_swapped() -> None:
    turned = {"negative": "positive", "positive": "negative"}
    for one, other in zip(drawn("sst2", "test"), drawn("contrary:sst2", "test"), strict=True):
        assert (other.text, other.target, other.group) == (one.text, turned[one.target], turned[one.group])


@given(st.sampled_from([task.labels for task in TASKS.values() if task.labels]), st.data())
def test_labels_swapped_twice_are_the_labels_again(labels: tuple[str, ...], data: st.DataObject) -> None:
    label = data.draw(st.sampled_from(labels))
    assert swapped(labels, swapped(labels, label)) == label


def test_grades_are_swapped_end_for_end() -> None:
    assert [swapped(GRADES, grade) for grade in GRADES] == list(reversed(GRADES))


GOOD, BAD = set(w.ASPECTS["looks"][2]), set(w.ASPECTS["looks"][0])
LOUD, QUIET = set(w.ASPECTS["noise"][0]), set(w.ASPECTS["noise"][2])


def which(text: str, high: set[str], low: set[str]) -> str:
    """`high` or `low`, by the words of a hotel review; it never has words of both."""
    words = set(text.split())
    assert bool(words & high) != bool(words & low)
    return "high" if words & high else "low"


@pytest.mark.parametrize("degree", [-1.0, -0.8, -0.5, 0.0, 0.3, 0.5, 0.9, 1.0])
def test_two_tasks_of_the_dial_agree_as_often_as_the_angle_says(degree: float) -> None:
    """The rule of dial(+1) can be read from any hotel review: was it comfortable?"""
    rng, writer = Random(5), dial_writer(degree)
    agree = 0
    for number in range(4000):
        group = ("low", "high")[number % 2]
        text, target = writer(rng, group, 2)
        assert target == group
        agree += which(text, GOOD, BAD) == group
    # standard deviation of the share is at most √(0.25 / 4000) = 0.008
    assert agree / 4000 == pytest.approx(1 - acos(degree) / pi, abs=0.03 if -1 < degree < 1 else 0)


def test_the_middle_of_the_dial_asks_for_bustle_alone() -> None:
    rows = drawn("dial:0", "test")
    assert all(which(e.text, LOUD, QUIET) == e.target for e in rows)


def test_both_ends_of_the_dial_are_contrary() -> None:
    assert all(which(e.text, GOOD, BAD) == e.target for e in drawn("dial:1", "test"))
    assert all(which(e.text, GOOD, BAD) != e.target for e in drawn("dial:-1", "test"))
    assert relation(find_task("dial:1"), find_task("dial:-1"))[1] == -1


@settings(max_examples=40, deadline=None)
@given(st.integers(-100, 100))
def test_every_position_of_the_dial_is_a_task_with_its_own_name(position: int) -> None:
    task = find_task(f"dial:{position / 100}")
    assert task.name == f"dial:{position / 100:+.2f}"
    rows = task.draw("train", 3, 0)
    assert Counter(e.target for e in rows) == {"low": 3, "high": 3}


# --- declared relatedness -----------------------------------------------------------------
MANY = (*SIXTEEN, "contrary:sst2", "contrary:mnli", "dial:-1", "dial:0.5", "dial:1")
PAIRS = [(one, other) for one in MANY for other in MANY]


def test_every_ordered_pair_of_tasks_has_a_declared_relation() -> None:
    for one, other in product(SIXTEEN, repeat=2):
        name, degree = relation(find_task(one), find_task(other))
        assert DEGREES[name] == degree


def test_relatedness_is_symmetric() -> None:
    found = {(one, other): relation(find_task(one), find_task(other)) for one, other in PAIRS}
    assert [pair for pair in PAIRS if found[pair] != found[pair[1], pair[0]]] == []


def test_relatedness_is_between_contrary_and_same() -> None:
    assert all(-1 <= relation(find_task(one), find_task(other))[1] <= 1 for one, other in PAIRS)


@of_every_task
def test_a_task_is_the_same_as_itself(name: str) -> None:
    assert relation(find_task(name), find_task(name)) == ("same", 1.0)
