"""What the pre-training asks of the backbone, how, and in which order things get harder.

A row is a free-form prefix (the question's word and the answer words in order, anywhere among arbitrary words), a text
and its answer. No task's name ever stands before a text, and what `shlpt/tasks/heldout.py` names is never asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from shlpt.tasks import pocket, texts
from shlpt.tasks import words as w
from shlpt.tasks.grammar import DOMAINS, QUESTIONS, Asked, formats
from shlpt.tasks.heldout import held_out

BATCH = 64


Span = tuple[float, float]  # from the beginning of a phase to its end


@dataclass(frozen=True)
class Phase:
    """What is asked for so many steps, and how hard; over sooner where it is mastered."""

    steps: int
    shares: tuple[tuple[str, float], ...]  # how often texts of a kind are asked; of a kind each domain as often
    hard: int = texts.HARD
    pairs: int = 0  # pairs of answer words; 0 is all of them and the longer lists
    fillers: int = 6  # arbitrary words in a prefix, at most
    noise: Span = (1.2, 1.2)  # on a prefix, at most, in standard deviations of the embeddings
    mastered: float = 2.0  # over when so large a share of the new is right
    settled: tuple[str, ...] = ()  # kinds that are known already: what makes a phase easy is not for them
    feelings: bool = True  # whether pairs and stories are asked for the mood too
    often: tuple[tuple[str, float], ...] = ()  # domains that are asked more often than others of their kind
    rate: float = 1.0  # of the learning rate


# First what a prefix means: reviews that say one thing, asked in either direction of a few words from the first step.
# Then topics, then matching (what follows, what is the same, what a story says) with most of the batches and again easy
# first: in an even mixture it is not learned at all. Then everything. One thing gets harder at a time, and only when
# what was before is mastered.
REVIEWS = (("reviews", 1.0),)
TOPICS = (("reviews", 0.25), ("articles", 0.75))
MATCHING = (("reviews", 0.12), ("articles", 0.1), ("pairs", 0.52), ("stories", 0.26))
CAUSES = (("reviews", 0.08), ("articles", 0.06), ("pairs", 0.8), ("stories", 0.06))
READING = (("reviews", 0.08), ("articles", 0.08), ("pairs", 0.42), ("stories", 0.42))
VOCABULARY = (("reviews", 0.27), ("articles", 0.15), ("pairs", 0.37), ("stories", 0.21))
ALL = (("reviews", 0.25), ("articles", 0.14), ("pairs", 0.33), ("stories", 0.28))
KNOWN = ("reviews", "articles")
QUIET = (0.0, 0.0)
LATER = ("context", 0.0)  # the last kind of text: from it the word is known that says that nothing was found
HARDEST = (("event", 2.0), ("passage", 1.5), LATER)
CAUSE = (("event", 20.0), LATER)
SLOWEST = (("event", 2.5), ("inquiry", 2.0), ("headline", 1.5), ("word", 1.5))
EASY: dict[str, Any] = {"hard": 0, "fillers": 0, "noise": QUIET}
COURSE = (
    Phase(600, REVIEWS, pairs=3, mastered=0.97, **EASY),
    Phase(500, REVIEWS, pairs=6, mastered=0.97, **EASY),
    Phase(500, REVIEWS, pairs=len(w.ANSWERS[2]), mastered=0.97, **EASY),
    Phase(500, REVIEWS, mastered=0.95, **EASY | {"fillers": 1}),
    Phase(400, REVIEWS, mastered=0.95, **EASY | {"fillers": 3}),
    Phase(400, REVIEWS, hard=1, fillers=4, noise=QUIET, mastered=0.95),
    Phase(500, REVIEWS, noise=QUIET, mastered=0.95),
    Phase(300, REVIEWS, noise=(0, 1.0)),
    Phase(400, TOPICS, hard=1, noise=(0, 0.5), settled=("reviews",), mastered=0.95, rate=0.8),
    Phase(1000, MATCHING, pairs=3, settled=KNOWN, feelings=False, often=HARDEST, mastered=0.95, **EASY),
    Phase(
        700, MATCHING, settled=KNOWN, feelings=False, often=HARDEST, mastered=0.95, rate=0.8, **EASY | {"fillers": 3}
    ),
    Phase(800, MATCHING, fillers=3, noise=QUIET, settled=KNOWN, often=HARDEST, mastered=0.95, rate=0.6),
    Phase(500, CAUSES, pairs=3, settled=KNOWN, feelings=False, often=CAUSE, mastered=0.95, rate=0.8, **EASY),
    Phase(600, READING, fillers=3, noise=QUIET, settled=KNOWN, often=SLOWEST, mastered=0.95, rate=0.6),
    Phase(1900, ALL, noise=(0.6, 1.4), often=SLOWEST, rate=0.8),
)
FALLING = 1700  # steps at the end over which the learning rate falls to a fiftieth
CORRUPTION = 0.05  # share of rows with span corruption


def within(span: Span, done: float) -> float:
    return span[0] + (span[1] - span[0]) * done


def ask(rng: Random, phase: Phase) -> Asked:
    """What the next text is asked; never what is held out."""
    kinds, shares = zip(*phase.shares, strict=True)
    while True:
        kind = rng.choices(kinds, shares)[0]
        domains = [d for d in DOMAINS.values() if d.kind == kind]
        domain = rng.choices(domains, [dict(phase.often).get(d.name, 1.0) for d in domains])[0]
        feelings = 1 if phase.feelings or kind in phase.settled else 0
        question = rng.choices(domain.questions, [feelings if q == "mood" else 3 for q in domain.questions])[0]
        pairs = 0 if kind in phase.settled else phase.pairs
        asked = Asked(question, domain.name, _words(rng, question, domain.name, pairs))
        if not held_out(asked):
            return asked


def _words(rng: Random, question: str, domain: str, pairs: int) -> tuple[str, ...]:
    """Answer words in either direction, of the first so many pairs or of all lists."""
    possible = formats(question, domain)
    if not QUESTIONS[question].cuts:
        names = possible[0]
        chosen = rng.sample(range(len(names)), rng.randint(2, min(8, len(names) - 1)))
        return tuple(names[place] for place in sorted(chosen))
    if not pairs or question == "find":
        count = rng.choices(list(QUESTIONS[question].cuts), [SHARES[n] for n in QUESTIONS[question].cuts])[0]
        possible = [words for words in possible if len(words) == count]
    else:
        possible = list(w.ANSWERS[2][:pairs])
    words = rng.choice(possible)
    return words[::-1] if rng.random() < 0.5 else words


SHARES = {1: 1.0, 2: 0.6, 3: 0.2, 5: 0.2}  # how often a question is asked with so many answer words


def prefix(rng: Random, asked: Asked, fillers: list[str], most: int) -> str:
    """The question's word, sometimes twice, and the answer words in order, anywhere among arbitrary words."""
    found = list(asked.words)
    for word in (*[asked.question] * (1 + (rng.random() < 0.25)), *rng.choices(fillers, k=rng.randint(0, most))):
        found.insert(rng.randint(0, len(found)), word)
    return " ".join(found)


def example(rng: Random, asked: Asked, hard: int) -> tuple[str, str]:
    """A text of the pre-training part and its answer."""
    groups = pocket.groups_of(asked)
    found = pocket.write(pocket.plain(asked, rng.randint(2, 4)), "pretrain", rng.choice(groups), rng, hard)
    return found.text, found.target


def plain_prefix(asked: Asked) -> str:
    """The shortest prefix that says what is asked: what the backbone is measured with."""
    return " ".join((asked.question, *asked.words))


def corrupt(rng: Random, text: str) -> tuple[str, str]:
    """T5's span corruption on words: about 15 % in spans of one to three."""
    words = text.split()
    spans = max(1, round(len(words) * 0.15 / 2))
    inputs: list[str] = []
    outputs: list[str] = []
    cut, starts = 0, sorted(rng.sample(range(len(words)), min(spans, len(words))))
    for start in starts:
        if start < cut:
            continue
        end = min(len(words), start + rng.randint(1, 3))
        mark = f"<extra_id_{len(outputs) // 2}>"
        inputs += [*words[cut:start], mark]
        outputs += [mark, " ".join(words[start:end])]
        cut = end
    return " ".join(inputs + words[cut:]), " ".join(outputs)


# --- rows ---------------------------------------------------------------------------------
@dataclass(frozen=True)
class Row:
    prefix: str  # gets noise; empty for span corruption
    text: str
    target: str
    new: bool = False  # counts for what is mastered


def batches(phase: Phase, words: list[str], seed: str) -> Iterator[list[Row]]:
    """A phase's rows, short ones first; `words` fill the prefixes."""
    rng = Random(seed)

    def draw() -> Row:
        asked = ask(rng, phase)
        settled = DOMAINS[asked.domain].kind in phase.settled
        text, target = example(rng, asked, texts.HARD if settled else phase.hard)
        if rng.random() < CORRUPTION:
            return Row("", *corrupt(rng, text))
        return Row(prefix(rng, asked, words, 6 if settled else phase.fillers), text, target, new=not settled)

    for _ in range(phase.steps):
        yield sorted((draw() for _ in range(BATCH)), key=lambda row: len(row.prefix) + len(row.text))
