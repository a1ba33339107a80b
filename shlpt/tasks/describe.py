"""Tasks as they are shown to people: lengths, what each relation means, what the dial does to a text."""

import math
from dataclasses import dataclass
from functools import cache
from random import Random
from statistics import median
from typing import Any

from shlpt.errors import UserError
from shlpt.tasks import texts
from shlpt.tasks.find import draw, find_task, is_stored
from shlpt.tasks.grammar import DOMAINS, QUESTIONS, formats
from shlpt.tasks.pocket import DEGREES, DIAL_LABELS, TASKS
from shlpt.tasks.task import Example, Split, Task

MEANING = {
    "same": "the task itself",
    "same question and answers": "the same question in the same words, asked of other texts",
    "same question, other answer words": "the same question, answered in other words or in other steps",
    "contrary": "the same question with its answer words read backwards: the words are wrong, what is asked is right",
    "correlated question": "another question whose answer is often the same, as of price and looks",
    "unrelated": "another question about other texts",
    "other question, same texts": "another question about the same kind of text: what was learned looks elsewhere",
    "other question, same texts and answers": "another question of the same texts, answered in the same words: a trap",
}
SAMPLE = 8  # examples of each class that lengths are measured on


@dataclass(frozen=True)
class Lengths:
    """Words in a text of a task."""

    shortest: int
    middle: float
    longest: int


def lengths(task: Task, per_group: int = SAMPLE) -> Lengths:
    """Of a fixed sample of training texts."""
    words = [len(example.text.split()) for example in draw(task, "train", per_group, 0)]
    return Lengths(min(words), median(words), max(words))


def one_of_each(task: Task, split: Split, count: int, seed: int = 0) -> list[Example]:
    """`count` examples, as evenly from the classes as it goes, in the order of the classes."""
    per_group = -(-count // max(1, task.classes))
    rows = draw(task, split, per_group, seed)
    turns = [[e for e in rows if e.group == group] for group in task.groups]
    mixed = [turn[i] for i in range(per_group) for turn in turns if i < len(turn)]
    return mixed[:count]


def short_texts(task: Task, count: int = 2, looked: int = 6) -> list[Example]:
    """The shortest of a few texts, for each of the first `count` answers."""
    rows = one_of_each(task, "train", looked * task.classes)
    by_answer = ([e for e in rows if e.group == group] for group in task.groups[:count])
    return [min(some, key=lambda e: len(e.text)) for some in by_answer]


@cache
def table() -> list[dict[str, Any]]:
    """Every pocket task in a row."""
    return [
        {
            "task": task.title,
            "stands in for": task.standin_for,
            "asks": task.about,
            "family": task.family,
            "classes": task.classes,
            "metric": task.metric,
            "chance": task.chance,
            "words": lengths(task).middle,
        }
        for task in TASKS.values()
    ]


def parts() -> list[dict[str, Any]]:
    """Every question, the texts that it can be asked of, and the answer words that it takes."""
    return [
        {
            "question": name,
            "asks": question.asks,
            "texts": [domain.name for domain in DOMAINS.values() if name in domain.questions],
            "answers": ["-".join(words) for words in formats(name, "")] if question.cuts else ["the names of topics"],
        }
        for name, question in QUESTIONS.items()
    ]


def phrase(name: str) -> str:
    """What a task asks of which texts, for people who know no names: “is it cheap?” (cafe reviews)."""
    task = find_task(name) if not is_stored(name) else None
    if task is None or task.rule not in QUESTIONS or task.domain not in DOMAINS:
        return name
    domain = DOMAINS[task.domain]
    texts = f"{domain.name} reviews" if domain.kind == "reviews" else domain.about
    return f"“{QUESTIONS[task.rule].asks}” ({texts})"


def relations() -> list[dict[str, Any]]:
    """Every kind of declared relation, closest first."""
    return [{"relation": name, "degree": degree, "meaning": MEANING[name]} for name, degree in DEGREES.items()]


def contrary_name(name: str) -> str | None:
    """The name of a task's contrary; none where the answers are free text."""
    try:
        return find_task(f"contrary:{name}").name
    except UserError:
        return None


@cache
def choices() -> tuple[str, ...]:
    """Tasks to choose from: the stand-ins, their contraries, some of the dial, every question asked of every kind of
    text in its first words. `find_task` knows many more."""
    contrary = (other for name in TASKS if (other := contrary_name(name)))
    dialled = (find_task(f"dial:{degree}").name for degree in (1, 0.5, 0, -0.5, -1))
    composed = (
        find_task(f"ask:{question}/{domain.name}/{'-'.join(formats(question, domain.name)[0])}").name
        for question in QUESTIONS
        for domain in DOMAINS.values()
        if question in domain.questions
    )
    return (*TASKS, *contrary, *dialled, *composed)


def agreement(degree: float) -> float:
    """Share of texts that a task at +1 and a task at `degree` answer alike."""
    return 1 - math.acos(degree) / math.pi


@dataclass(frozen=True)
class Dialled:
    """One hotel review and what two tasks of the dial answer to it."""

    text: str
    comfort: float
    bustle: float
    source: str
    target: str

    @property
    def agree(self) -> bool:
        return self.source == self.target


def dialled(degree: float, count: int, seed: int = 0) -> list[Dialled]:
    """The same texts at every degree; only the second answer turns with the dial."""
    rng = Random(f"dial/shown/{seed}")
    across = math.sqrt(1 - degree * degree)
    rows: list[Dialled] = []
    while len(rows) < count:
        comfort, bustle = rng.uniform(-1.4, 1.4), rng.uniform(-1.4, 1.4)
        if math.hypot(comfort, bustle) <= 1.4:
            text = texts.hotel(Random(f"{seed}/{len(rows)}"), comfort, bustle)
            source, target = DIAL_LABELS[comfort > 0], DIAL_LABELS[degree * comfort + across * bustle > 0]
            rows.append(Dialled(text, comfort, bustle, source, target))
    return rows
