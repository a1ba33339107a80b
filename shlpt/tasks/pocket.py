"""The pocket world: sixteen generated stand-ins for the paper's sixteen data sets, and every task composed of parts.

The stand-ins share keys, kinds, class counts, label style and metric with the data sets they stand in for, and nothing
else: `pocket/agnews` is not AG News. They are made of the same parts as the composed tasks (`shlpt/tasks/grammar.py`).

An example belongs to exactly one of pre-training, train, validation and test, by a hash of its
text: whatever is drawn, no text can be in two of them.
"""

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from random import Random
from typing import Literal

from shlpt.tasks import grammar, texts
from shlpt.tasks import words as w
from shlpt.tasks.grammar import DOMAINS, QUESTIONS, Asked
from shlpt.tasks.task import Example, Metric, Split, Task

Part = Literal["pretrain", "train", "validation", "test"]
Writer = Callable[[Random, str, int], tuple[str, str]]  # (stream, group, hard) -> (text, target)

PARTS: dict[Part, range] = {
    "pretrain": range(12),
    "train": range(12, 15),
    "validation": range(15, 17),
    "test": range(17, 20),
}
ENOUGH_REPEATS = 2000  # this many repeats in a row: the world has no more such texts
GRADES, NLI = w.GRADES, w.NLI


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2s(text.encode(), digest_size=4).digest(), "big")


def part_of(text: str) -> Part:
    """Where a text belongs: the same answer for every process and machine."""
    number = _hash(text) % 20
    return next(part for part, numbers in PARTS.items() if number in numbers)


def write(writer: Writer, part: Part, group: str, rng: Random, hard: int = texts.HARD) -> Example:
    """One example of a group that belongs to `part`."""
    while True:
        text, target = writer(rng, group, hard)
        if part_of(text) == part:
            return Example(text, target, group)


def _draw(name: str, groups: tuple[str, ...], writer: Writer, split: Split, per_group: int, seed: int) -> list[Example]:
    """`per_group` different examples of each group, shuffled; shorter draws begin longer ones."""
    columns = [_column(writer, split, group, per_group, Random(f"{name}/{split}/{group}/{seed}")) for group in groups]
    most = min(map(len, columns))
    if most < per_group:
        raise ValueError(
            f"task {name!r} has no more than {most} different {split} examples of each class, "
            f"{per_group} were asked for: ask for at most {most}"
        )
    rng = Random(f"{name}/{split}/order/{seed}")
    rows: list[Example] = []
    for row in zip(*columns, strict=True):
        rows += rng.sample(row, len(row))
    return rows


def _column(writer: Writer, split: Split, group: str, count: int, rng: Random) -> list[Example]:
    """Up to `count` different examples of a group."""
    chosen: dict[str, Example] = {}
    repeats = 0
    while len(chosen) < count and repeats < ENOUGH_REPEATS:
        example = write(writer, split, group, rng)
        repeats = repeats + 1 if example.text in chosen else 0
        chosen.setdefault(example.text, example)
    return list(chosen.values())


# --- tasks of parts -----------------------------------------------------------------------
ANSWERABLE = "answerable"
SLIPS = 0.05  # share of examples whose annotator slipped, in the tasks that have such slips


def groups_of(asked: Asked) -> tuple[str, ...]:
    """The classes that few-shot sampling balances over."""
    return (asked.words[0], ANSWERABLE) if asked.question == "find" else asked.words


def plain(asked: Asked, most: int = 3) -> Writer:
    """Every text carries its true answer."""
    groups = groups_of(asked)
    return lambda rng, group, hard: asked.write(rng, groups.index(group), hard, most)


def annotated(asked: Asked) -> Writer:
    """Labelled by people: one text in twenty carries another label (on a scale the next), and always the same one."""
    groups, scale = asked.words, len(asked.words) == 5

    def label(text: str, true: str) -> str:
        number = _hash(f"annotator/{text}")
        if number % 1000 >= SLIPS * 1000:
            return true
        place = groups.index(true)
        near = [i for i in range(len(groups)) if i != place and (not scale or abs(i - place) == 1)]
        return groups[near[number // 1000 % len(near)]]

    def writer(rng: Random, group: str, hard: int) -> tuple[str, str]:
        while True:
            true = rng.randrange(len(groups))
            text, _ = asked.write(rng, true, hard)
            if label(text, groups[true]) == group:
                return text, group

    return writer


# --- the sixteen tasks --------------------------------------------------------------------
# name: data set, what is asked of which texts in which words, labelled by people?, most other things a review says
_TABLE: tuple[tuple[str, str, Asked, bool, int], ...] = (
    ("yelp", "Yelp reviews", Asked("verdict", "cafe", GRADES), True, 3),
    ("amazon", "Amazon reviews", Asked("verdict", "gadget", GRADES), True, 3),
    ("imdb", "IMDB", Asked("verdict", "film", ("bad", "good")), False, 4),
    ("sst2", "SST-2", Asked("verdict", "film", ("negative", "positive")), False, 2),
    ("agnews", "AG News", Asked("topic", "news", tuple(w.NEWS)), False, 0),
    ("yahoo", "Yahoo Answers", Asked("topic", "forum", tuple(w.FORUM)), False, 0),
    ("dbpedia", "DBpedia", Asked("topic", "entry", tuple(w.ENTRIES)), False, 0),
    ("mnli", "MNLI", Asked("follows", "scene", NLI), True, 0),
    ("cb", "CommitmentBank", Asked("follows", "report", NLI), False, 0),
    ("rte", "RTE", Asked("follows", "headline", ("entailment", "not_entailment")), True, 0),
    ("qqp", "QQP", Asked("same", "inquiry", ("not_duplicate", "duplicate")), True, 0),
    ("wic", "WiC", Asked("sense", "word", ("false", "true")), False, 0),
    ("copa", "COPA", Asked("cause", "event", ("choice1", "choice2")), False, 0),
    ("boolq", "BoolQ", Asked("told", "story", ("false", "true")), False, 0),
    ("multirc", "MultiRC", Asked("told", "quiz", ("false", "true")), False, 0),
    ("squad", "SQuAD 2.0", Asked("find", "passage", ("unanswerable",)), False, 0),
)
STANDINS: dict[str, Asked] = {name: asked for name, _, asked, _, _ in _TABLE}
WRITERS: dict[str, Writer] = {
    name: annotated(asked) if slips else plain(asked, most or 3) for name, _, asked, slips, most in _TABLE
}


def _task(name: str, asked: Asked, writer: Writer, standin_for: str | None = None) -> Task:
    groups = groups_of(asked)
    free = asked.question == "find"
    metric: Metric = "f1" if free else "accuracy"
    question, domain = QUESTIONS[asked.question], DOMAINS[asked.domain]
    return Task(
        name=name,
        family=question.rule,
        labels=() if free else asked.words,
        groups=groups,
        metric=metric,
        rule=asked.question,
        domain=asked.domain,
        standin_for=standin_for,
        suite="pocket",
        about=f"{domain.about}: {question.asks}",
        answers=asked.words,
        draw=partial(_draw, name, groups, writer),
    )


TASKS: dict[str, Task] = {name: _task(name, asked, WRITERS[name], data) for name, data, asked, _, _ in _TABLE}


@cache
def compose(name: str) -> Task:
    """`price/hotel/yes-no` as a task: a question, the texts it is asked of, answer words from its first value on."""
    asked = grammar.parse(name)
    return _task(asked.name, asked, plain(asked))


# --- contrary tasks and the dial ----------------------------------------------------------
def swapped(labels: tuple[str, ...], label: str) -> str:
    """The label that stands for `label` in the contrary task: the list read backwards."""
    return labels[len(labels) - 1 - labels.index(label)]


@cache
def contrary(name: str) -> Task:
    """The same texts and the same question with the answer words read backwards."""
    if name not in TASKS:
        raise ValueError(f"only a task of the pocket world has a contrary: {', '.join(TASKS)}, ask:...")
    base = TASKS[name]
    if not base.labels:
        raise ValueError(f"task {name!r} has no fixed labels to swap")

    def draw(split: Split, per_group: int, seed: int) -> list[Example]:
        rows = base.draw(split, per_group, seed)
        return [Example(e.text, swapped(base.labels, e.target), swapped(base.labels, e.group)) for e in rows]

    return replace(
        base,
        name=f"contrary:{name}",
        answers=base.labels[::-1],
        standin_for=None,
        about=f"{base.about} (labels swapped)",
        draw=draw,
    )


DIAL_LABELS = ("low", "high")


def dial_writer(degree: float) -> Writer:
    """Hotel reviews say how good it looked (x) and how noisy it was (y), independently.

    The dial is the cosine of the angle between a task's rule and the rule x > 0: the label is the
    sign of degree * x + sqrt(1 - degree^2) * y. Two tasks at +1 and `degree` agree on a share
    1 - acos(degree) / pi of all texts: all at +1, half at 0, none at -1.
    """
    across = math.sqrt(1 - degree * degree)

    def writer(rng: Random, group: str, hard: int) -> tuple[str, str]:
        while True:
            comfort, bustle = rng.uniform(-1.4, 1.4), rng.uniform(-1.4, 1.4)
            if math.hypot(comfort, bustle) > 1.4:
                continue  # a disc, so that agreement depends on the angle alone
            if (degree * comfort + across * bustle > 0) == (group == "high"):
                return texts.hotel(rng, comfort, bustle), group

    return writer


@cache
def dial(degree: float) -> Task:
    """A task whose rule has the given relatedness to `dial(1)`: from -1 (contrary) to +1 (same)."""
    if not -1 <= degree <= 1:
        raise ValueError(f"relatedness {degree} is outside the dial: from -1 (contrary) to 1 (same)")
    name = f"dial:{degree:+.2f}"
    return Task(
        name=name,
        family="dial",
        labels=DIAL_LABELS,
        groups=DIAL_LABELS,
        rule=f"dial {degree:+.2f}",
        domain="hotel",
        suite="pocket",
        about="looks and noise of a hotel, weighed by the dial",
        answers=DIAL_LABELS,
        draw=partial(_draw, name, DIAL_LABELS, dial_writer(degree)),
    )


# --- declared relatedness -----------------------------------------------------------------
DEGREES = {
    "same": 1.0,
    "same question and answers": 0.9,
    "same question, other answer words": 0.7,
    "contrary": 0.4,
    "correlated question": 0.2,
    "unrelated": -0.3,
    "other question, same texts": -0.5,
    "other question, same texts and answers": -0.7,
}


def axes(a: Task, b: Task) -> dict[str, float]:
    """What two tasks share, by axis.

    texts: 1 of the same domain, 0.5 of the same kind, else 0. question: 1 the same, 0.5 one whose answers are
    correlated, the cosine between two of the dial, else 0. answers: 1 the same words in the same order, -1 read
    backwards, else 0.
    """
    kinds = [DOMAINS[task.domain].kind if task.domain in DOMAINS else task.title for task in (a, b)]
    question = 1.0 if a.rule == b.rule != "" else 0.5 if texts.TOGETHER.get(a.rule) == b.rule else 0.0
    if a.family == b.family == "dial":
        question = math.cos(math.acos(float(a.rule[5:])) - math.acos(float(b.rule[5:])))
    return {
        "texts": 1.0 if a.domain == b.domain else 0.5 if kinds[0] == kinds[1] else 0.0,
        "question": question,
        "answers": 1.0 if a.answers == b.answers else -1.0 if a.answers == b.answers[::-1] else 0.0,
    }


def relation(a: Task, b: Task) -> tuple[str, float]:
    """Declared relation of two pocket tasks and its degree in [-1, 1]; symmetric."""
    if a.base == b.base:
        return "same", 1.0
    shared = axes(a, b)
    if a.family == b.family == "dial":
        return f"dial {shared['question']:+.2f}", shared["question"]
    name = _relation(shared)
    return name, DEGREES[name]


def _relation(shared: dict[str, float]) -> str:
    alike, backwards = shared["answers"] == 1, shared["answers"] == -1
    if shared["question"] == 1:
        if backwards:
            return "contrary"
        return "same question and answers" if alike else "same question, other answer words"
    if shared["question"] > 0:
        return "correlated question"
    if shared["texts"] < 1:
        return "unrelated"
    return "other question, same texts and answers" if alike or backwards else "other question, same texts"
