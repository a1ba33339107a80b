"""Readable English that says several things at once: one function per kind of text.

Each function takes a random stream, what is asked (a question and the value of its answer) and how hard the text may
be, and says other things beside it by chance: from the text alone nobody can tell which question is meant.
`hard` (0, 1, 2) is the curriculum of the pre-training: first nothing beside the asked, and few entities. The tasks
themselves always use `hard=2`.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from shlpt.tasks import words as w

T = TypeVar("T")

HARD = 2
AGREE = 0.75  # how often a review that calls the price good (bad) and speaks of the looks calls them good (bad) too
TOGETHER = {"price": "looks", "looks": "price"}  # questions whose answers are correlated


def few(pool: Sequence[T], hard: int) -> Sequence[T]:
    """The part of a pool that a curriculum stage may use."""
    return pool if hard >= HARD else pool[: max(3, len(pool) * (hard + 1) // 3)]


def fill(rng: Random, template: str) -> str:
    return template.format(day=rng.choice(w.DAYS), name=rng.choice(w.NAMES), city=rng.choice(w.CITIES))


def a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def mood(rng: Random, value: int) -> str:
    return rng.choice((w.SAD, w.GLAD)[value])


def with_mood(rng: Random, text: str, hard: int, value: int | None = None) -> str:
    """A text with a clause that tells how people felt; always where that is asked, else three times in five."""
    if value is None:
        if hard < HARD or rng.random() > 0.6:
            return text
        value = rng.randrange(2)
    clause = mood(rng, value)
    return f"{clause} . {text}" if rng.random() < 0.5 else f"{text} {clause} ."


# --- reviews ------------------------------------------------------------------------------
def clause(rng: Random, place: str, question: str, value: int) -> str:
    """What a review says to one question: aspects from 0 (bad) to 2 (good), verdict and hopes from 0 to 4."""
    if question in w.ASPECTS:
        part, said = rng.choice(w.PARTS[place][question]), rng.choice(w.ASPECTS[question][value])
        return rng.choice(("the {a} was {j}", "we found the {a} {j}", "the {a} seemed {j}")).format(a=part, j=said)
    forms = w.VERDICTS if question == "verdict" else w.HOPES
    return rng.choice(forms).format(j=rng.choice(w.GRADED[value]))


def _other_value(rng: Random, question: str, asked: str, value: int) -> int:
    if TOGETHER.get(question) == asked and value != 1:
        return value if rng.random() < AGREE else 2 - value
    if question in w.ASPECTS:
        return rng.choice((0, 0, 1, 2, 2))
    return rng.randrange(5)


REVIEW_QUESTIONS = (*w.ASPECTS, "verdict", "hopes")


def review(rng: Random, place: str, question: str, value: int, hard: int = HARD, most: int = 3) -> str:
    """A review that answers one question and one to `most` others, in any order."""
    others = [q for q in REVIEW_QUESTIONS if q != question]
    extra = (0, rng.randint(0, 2), rng.randint(1, most))[hard]
    lines = [clause(rng, place, question, value)]
    lines += [clause(rng, place, q, _other_value(rng, q, question, value)) for q in rng.sample(others, extra)]
    rng.shuffle(lines)
    if hard == HARD and rng.random() < 0.25:
        lines.insert(0, fill(rng, rng.choice(w.OPENINGS)))
    return " . ".join(lines) + " ."


def hotel(rng: Random, comfort: float, bustle: float) -> str:
    """A hotel review that says two independent things: how it looked and how noisy it was, each once or twice."""

    def lines(question: str, score: float) -> list[str]:
        return [clause(rng, "hotel", question, 2 if score > 0 else 0) for _ in range(1 + (abs(score) > 0.8))]

    found = lines("looks", comfort) + lines("noise", -bustle)
    rng.shuffle(found)
    return " . ".join(found) + " ."


# --- topics -------------------------------------------------------------------------------
SUBJECTS = {"news": w.NEWS, "forum": w.FORUM, "entry": w.ENTRIES}


def article(rng: Random, kind: str, question: str, value: int, hard: int, among: Sequence[int]) -> str:
    """A news item, a question to a forum or an entry: what it is about, what it mentions besides, how people feel."""
    names = list(SUBJECTS[kind])

    def say(forms: Sequence[str], topic: int) -> str:
        x, y = rng.sample(SUBJECTS[kind][names[topic]], 2)
        return fill(rng, rng.choice(forms).replace("{x}", x).replace("{y}", y))

    def other() -> int:
        return rng.choice(among) if rng.random() < 0.8 else rng.randrange(len(names))

    lines = []
    if question == "topic" or hard > 0:
        lines.append(say(w.MAIN[kind], value if question == "topic" else other()))
    if question == "aside" or (hard > 0 and rng.random() < 0.8):
        lines.append(say(w.ASIDES[kind], value if question == "aside" else other()))
    if rng.random() < 0.3:
        lines.reverse()
    text = " . ".join(lines) + " ." if lines else ""
    return with_mood(rng, text, hard, value if question == "mood" else None).strip()


# --- pairs --------------------------------------------------------------------------------
def joined(first: str, second: str, *fields: str) -> str:
    return f"{fields[0]}: {first} {fields[1]}: {second} ."


def scene(rng: Random, value: int, hard: int) -> str:
    """Premise and hypothesis; the hypothesis follows (0), is open (1) or is contradicted (2)."""
    who, manner, spot = rng.choice(few(w.BEINGS, hard)), rng.choice(w.MANNERS), rng.choice(few(w.SPOTS, hard))
    act, opposite = rng.sample(rng.choice(few(w.ACTS, hard)), 2)
    premise = f"{a(manner)} {who} is {act} in the {spot}"
    if value == 0:
        said = rng.choice((f"the {who} is {act}", f"the {who} is in the {spot}", f"the {who} is {manner}"))
    elif value == 2:
        other = rng.choice([s for s in few(w.SPOTS, hard) if s != spot])
        said = rng.choice((f"the {who} is {opposite}", f"the {who} is in the {other}"))
    else:
        said = f"the {who} likes {rng.choice(few(w.FOODS, hard))}"
    return joined(premise, said, "premise", "hypothesis")


def report(rng: Random, value: int, hard: int) -> str:
    """Somebody knows (0), hopes (1) or denies (2) something: what follows about it?"""
    act, spot = rng.choice(rng.choice(few(w.ACTS, hard))), rng.choice(few(w.SPOTS, hard))
    who, person = rng.choice(few(w.BEINGS, hard)), rng.choice(few(w.NAMES, hard))
    verb = rng.choice((w.FACTIVE, w.OPEN, w.DENYING)[value])
    said = rng.choice((f"the {who} is {act} in the {spot}", f"the {who} is {act}"))
    return joined(f"{person} {verb} that the {who} is {act} in the {spot}", said, "premise", "hypothesis")


def headline(rng: Random, value: int, hard: int) -> str:
    """A news item and a claim about it, which follows (0), speaks of another place (1) or of the opposite deed (2)."""
    venue, city = rng.choice(few(w.VENUES, hard)), rng.choice(few(w.CITIES, hard))
    deed, opposite = rng.sample(rng.choice(w.DEEDS), 2)
    text = f"the {rng.choice(w.OFFICES)} {deed} the {venue} in {city}"
    if value == 1:
        venue = rng.choice([v for v in few(w.VENUES, hard) if v != venue])
    return joined(text, f"somebody {opposite if value == 2 else deed} the {venue}", "sentence1", "sentence2")


def inquiry(rng: Random, value: int, hard: int) -> str:
    """Two questions about things: other ones (0) or the same in other words (1)."""
    intent, topic = rng.randrange(len(w.INTENTS)), rng.choice(few(w.THINGS, hard))
    opening = rng.choice(w.INTENTS[intent])
    first = opening.format(x=topic)
    if value == 0 and rng.random() < 0.6:
        topic = rng.choice([t for t in few(w.THINGS, hard) if t != topic])
    elif value == 0:
        intent = rng.choice([i for i in range(len(w.INTENTS)) if i != intent])
    second = rng.choice([q for q in w.INTENTS[intent] if q != opening])
    return joined(first, second.format(x=topic), "question1", "question2")


def senses(rng: Random, value: int, hard: int) -> str:
    """A word in two sentences: used in different senses (0) or in the same (1)."""
    word, sense = rng.choice(few(list(w.SENSES), hard)), rng.randrange(2)
    one = rng.choice(w.SENSES[word][sense])
    two = rng.choice([s for s in w.SENSES[word][sense if value else 1 - sense] if s != one])
    opening = fill(rng, rng.choice(("{name} said : ", "", "on {day} ")))
    return f"word: {word} {joined(opening + one, two, 'sentence1', 'sentence2')}"


def plausible(rng: Random, value: int, hard: int) -> str:
    """What happened to a thing, and two things: the first (0) or the second (1) is what it also happened to."""
    thing, other = rng.sample(few(w.BELONGINGS, hard), 2)
    event, asked = rng.choice(w.EVENTS), rng.randrange(2)
    premise = rng.choice(event[1 - asked]).format(x=thing)
    question = rng.choice(event[asked]).replace("the {x}", "what")
    one, two = (other, thing) if value else (thing, other)
    return f"{premise} . {('before :', 'then :')[asked]} {question} ? choice1: {one} . choice2: {two} ."


PAIRS = {"scene": scene, "report": report, "headline": headline, "inquiry": inquiry, "word": senses, "event": plausible}
PAIR_VALUES = {"scene": 3, "report": 3, "headline": 3, "inquiry": 2, "word": 2, "event": 2}


def pair(rng: Random, kind: str, question: str, value: int, hard: int) -> str:
    if question == "mood":
        return with_mood(rng, PAIRS[kind](rng, rng.randrange(PAIR_VALUES[kind]), hard), hard, value)
    if question == "contradicts":
        value = 2 if value else rng.randrange(2)
    return with_mood(rng, PAIRS[kind](rng, value, hard), hard)


# --- stories ------------------------------------------------------------------------------
FACTS = {
    "city": (w.CITIES, "{n} lives in {v}", "where does {n} live ?", "does {n} live in {v} ?"),
    "job": (w.JOBS, "{n} works as a {v}", "what does {n} work as ?", "does {n} work as a {v} ?"),
    "good": (w.GOODS, "{n} owns a {v}", "what does {n} own ?", "does {n} own a {v} ?"),
    "food": (w.FOODS, "{n} likes {v}", "what does {n} like ?", "does {n} like {v} ?"),
}
Fact = tuple[str, str, str]  # name, relation, value


def _facts(rng: Random, count: int, hard: int) -> list[Fact]:
    """Different people, the same relation: a question can only be answered by who it asks about."""
    names, relation = rng.sample(few(w.NAMES, hard), count), rng.choice(list(FACTS))
    values = rng.sample(few(FACTS[relation][0], hard), count)
    return [(name, relation, value) for name, value in zip(names, values, strict=True)]


def story(rng: Random, kind: str, question: str, value: int, hard: int) -> tuple[str, str]:
    """A story of one or two people and a question: does it say so (`told`), or what it says (`find`)?

    The second is what was found; empty where it does not answer the question or `told` is asked.
    """
    feeling = value if question == "mood" else None
    if feeling is not None:
        value = rng.randrange(2)
    facts = _facts(rng, 1 if hard == 0 else rng.randint(1, 2), hard)
    told = " . ".join(FACTS[r][1].format(n=n, v=v) for n, r, v in facts) + " ."
    name, relation, said = rng.choice(facts)
    if kind in ("passage", "context"):
        if value == 0:
            name, said = rng.choice([n for n in few(w.NAMES, hard) if n not in [n for n, _, _ in facts]]), ""
        asked = FACTS[relation][2].format(n=name)
        context = f"context: {with_mood(rng, told, hard, feeling)}"
        return f"{context} question: {asked}" if kind == "passage" else f"question: {asked} {context}", said
    if value == 0:
        others = [v for n, _, v in facts if n != name]
        mentioned = [v for _, _, v in facts]
        absent = rng.choice([v for v in few(FACTS[relation][0], hard) if v not in mentioned])
        said = rng.choice(others) if others and rng.random() < 0.5 else absent
    if kind == "quiz":
        asked = f"{FACTS[relation][2].format(n=name)} answer: {said}"
    else:
        asked = FACTS[relation][3].format(n=name, v=said)
    return f"{with_mood(rng, told, hard, feeling)} question: {asked}", ""
