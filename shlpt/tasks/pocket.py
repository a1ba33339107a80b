"""The pocket world: sixteen generated stand-ins for the paper's sixteen data sets.

They share keys, kinds, class counts, label style and metric with the data sets they stand in
for, and nothing else: `pocket/agnews` is not AG News. Every text is readable English with a
known rule behind it, so every pair of tasks has a relatedness that is declared, not guessed.

An example belongs to exactly one of pre-training, train, validation and test, by a hash of its
text: whatever is drawn, no text can be in two of them.
"""

import hashlib
import math
from collections.abc import Callable
from functools import cache, partial
from random import Random
from typing import Literal

from shlpt.tasks import texts
from shlpt.tasks import words as w
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
GRADES = ("terrible", "bad", "middle", "good", "wonderful")
NLI = ("entailment", "neutral", "contradiction")


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


# --- the sixteen tasks --------------------------------------------------------------------
SLIPS = 0.05  # share of examples whose annotator slipped, in the tasks that have such slips


def _labelled(write_text: Callable[[Random, str, int], str]) -> Writer:
    return lambda rng, group, hard: (write_text(rng, group, hard), group)


def _annotated(groups: tuple[str, ...], write_text: Callable[[Random, str, int], str]) -> Writer:
    """Labelled by people: one text in twenty carries another label, and always the same one."""

    def label(text: str, true: str) -> str:
        number = _hash(f"annotator/{text}")
        others = [g for g in groups if g != true]
        return true if number % 1000 >= SLIPS * 1000 else others[number // 1000 % len(others)]

    def writer(rng: Random, group: str, hard: int) -> tuple[str, str]:
        while hard == texts.HARD:
            true = rng.choice(groups)
            text = write_text(rng, true, hard)
            if label(text, true) == group:
                return text, group
        return write_text(rng, group, hard), group

    return writer


def _graded(place: str, clauses: tuple[int, int]) -> Writer:
    return _labelled(lambda r, g, h: texts.review(r, place, GRADES.index(g), r.randint(*clauses)))


def _imdb(rng: Random, group: str, hard: int) -> str:
    """A longer, mixed review: most of what it says points to the verdict."""
    grades = (3, 4) if group == "good" else (0, 1)
    return texts.mixed_review(rng, "film", grades, rng.randint(2, 4))


def _joined(pair: tuple[str, ...], *fields: str) -> str:
    return " ".join(f"{name}: {text}" for name, text in zip(fields, pair, strict=True))


def _nli(r: Random, g: str, h: int) -> str:
    return _joined(texts.inference(r, g), "premise", "hypothesis")


def _cb(r: Random, g: str, h: int) -> str:
    return _joined(texts.report(r, g), "premise", "hypothesis")


def _rte(r: Random, g: str, h: int) -> str:
    return _joined(texts.headline(r, g == "entailment", h), "sentence1", "sentence2")


def _qqp(r: Random, g: str, h: int) -> str:
    return _joined(texts.duplicates(r, g == "duplicate", h), "question1", "question2")


def _wic(r: Random, g: str, h: int) -> str:
    return _joined(texts.senses(r, g == "true", h), "word", "sentence1", "sentence2")


def _squad(rng: Random, group: str, hard: int) -> tuple[str, str]:
    return texts.span(rng, group == "answerable", hard)


WRITERS: dict[str, Writer] = {
    "yelp": _graded("cafe", (2, 3)),
    "amazon": _graded("gadget", (2, 3)),
    "imdb": _labelled(_imdb),
    "sst2": _labelled(lambda r, g, h: texts.verdict(r, g == "positive")),
    "agnews": _labelled(lambda r, g, h: texts.news(r, g)),
    "yahoo": _labelled(lambda r, g, h: texts.question(r, g)),
    "dbpedia": _labelled(lambda r, g, h: texts.article(r, g)),
    "mnli": _annotated(NLI, _nli),
    "cb": _annotated(NLI, _cb),
    "rte": _annotated(("entailment", "not_entailment"), _rte),
    "qqp": _annotated(("not_duplicate", "duplicate"), _qqp),
    "wic": _annotated(("false", "true"), _wic),
    "copa": _labelled(lambda r, g, h: texts.plausible(r, g == "choice1", h)),
    "boolq": _labelled(lambda r, g, h: texts.yes_no(r, g == "true", h)),
    "multirc": _labelled(lambda r, g, h: texts.reading(r, g == "true", h)),
    "squad": _squad,
}

# name: data set, family, rule, domain, labels, what it asks
_TABLE: tuple[tuple[str, str, str, str, str, tuple[str, ...], str], ...] = (
    ("yelp", "Yelp reviews", "sentiment", "sentiment", "cafes", GRADES, "grade of a cafe review"),
    ("amazon", "Amazon reviews", "sentiment", "sentiment", "gadgets", GRADES, "grade of a gadget review"),
    ("imdb", "IMDB", "sentiment", "sentiment", "films", ("bad", "good"), "verdict of a film review"),
    ("sst2", "SST-2", "sentiment", "sentiment", "films", ("negative", "positive"), "verdict of one line"),
    ("agnews", "AG News", "topic", "topic", "news", tuple(w.NEWS), "section of a news line"),
    ("yahoo", "Yahoo Answers", "topic", "topic", "questions", tuple(w.QUESTIONS), "topic of a question"),
    ("dbpedia", "DBpedia", "topic", "topic", "encyclopedia", tuple(w.THINGS), "kind of thing described"),
    ("mnli", "MNLI", "inference", "inference", "scenes", NLI, "does the hypothesis follow?"),
    ("cb", "CommitmentBank", "inference", "inference", "reports", NLI, "does the report commit to it?"),
    ("rte", "RTE", "inference", "inference", "news", ("entailment", "not_entailment"), "does the claim follow?"),
    ("qqp", "QQP", "paraphrase", "paraphrase", "questions", ("not_duplicate", "duplicate"), "same question?"),
    ("wic", "WiC", "word sense", "sense", "senses", ("false", "true"), "same sense of the word?"),
    ("copa", "COPA", "causes", "cause", "events", ("choice1", "choice2"), "the more plausible line"),
    ("boolq", "BoolQ", "reading", "reading", "stories", ("false", "true"), "is the answer yes?"),
    ("multirc", "MultiRC", "reading", "reading", "stories", ("false", "true"), "is this answer right?"),
    ("squad", "SQuAD 2.0", "reading", "reading", "stories", (), "span that answers, or unanswerable"),
)


def _task(name: str, data: str, family: str, rule: str, domain: str, labels: tuple[str, ...], about: str) -> Task:
    groups = labels or ("answerable", texts.UNANSWERABLE)
    metric: Metric = "accuracy" if labels else "f1"
    return Task(
        name=name,
        family=family,
        labels=labels,
        groups=groups,
        metric=metric,
        rule=rule,
        domain=domain,
        standin_for=data,
        suite="pocket",
        about=about,
        draw=partial(_draw, name, groups, WRITERS[name]),
    )


TASKS: dict[str, Task] = {row[0]: _task(*row) for row in _TABLE}


# --- contrary tasks and the dial ----------------------------------------------------------
def swapped(labels: tuple[str, ...], label: str) -> str:
    """The label that stands for `label` in the contrary task: the list read backwards."""
    return labels[len(labels) - 1 - labels.index(label)]


@cache
def contrary(name: str) -> Task:
    """The same text with the labels swapped: the most harmful relative a task can have."""
    if name not in TASKS:
        raise ValueError(f"only a task of the pocket world has a contrary: {', '.join(TASKS)}")
    base = TASKS[name]
    if not base.labels:
        raise ValueError(f"task {name!r} has no fixed labels to swap")

    def draw(split: Split, per_group: int, seed: int) -> list[Example]:
        rows = base.draw(split, per_group, seed)
        return [Example(e.text, swapped(base.labels, e.target), swapped(base.labels, e.group)) for e in rows]

    return Task(
        name=f"contrary:{name}",
        family=base.family,
        labels=base.labels,
        groups=base.groups,
        metric=base.metric,
        rule=f"contrary {base.rule}",
        domain=base.domain,
        standin_for=None,
        suite="pocket",
        about=f"{base.about} (labels swapped)",
        draw=draw,
    )


DIAL_LABELS = ("low", "high")


def dial_writer(degree: float) -> Writer:
    """Hotel reviews say how comfortable (x) and how busy (y) it was, independently.

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
        domain="hotels",
        suite="pocket",
        about="comfort and bustle of a hotel, weighed by the dial",
        draw=partial(_draw, name, DIAL_LABELS, dial_writer(degree)),
    )


# --- declared relatedness -----------------------------------------------------------------
DEGREES = {
    "same": 1.0,
    "same rule and labels": 0.9,
    "same rule, other label words": 0.5,
    "same domain, other rule": 0.25,
    "unrelated": 0.0,
    "contrary": -1.0,
}


def relation(a: Task, b: Task) -> tuple[str, float]:
    """Declared relation of two pocket tasks and its degree in [-1, 1]; symmetric."""
    if a.name == b.name:
        return "same", 1.0
    if a.family == b.family == "dial":
        one, two = float(a.name[5:]), float(b.name[5:])
        degree = math.cos(math.acos(one) - math.acos(two))
        return f"dial {degree:+.2f}", degree
    if f"contrary {a.rule}" == b.rule or a.rule == f"contrary {b.rule}":
        return "contrary", -1.0
    if a.rule == b.rule:
        name = "same rule and labels" if a.labels == b.labels else "same rule, other label words"
    else:
        name = "same domain, other rule" if a.domain == b.domain else "unrelated"
    return name, DEGREES[name]
