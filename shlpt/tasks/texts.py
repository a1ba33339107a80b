"""Readable English with a known rule behind it: one function per kind of text.

Each function takes a random stream and what the text must mean, and returns the text.
`hard` (0, 1, 2) is the curriculum of the pre-training: fewer entities and shorter passages
first. The tasks themselves always use `hard=2`.
"""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from shlpt.tasks import words as w

T = TypeVar("T")

HARD = 2
UNANSWERABLE = "unanswerable"


def _few(pool: Sequence[T], hard: int) -> Sequence[T]:
    """The part of a pool that a curriculum stage may use."""
    return pool if hard >= HARD else pool[: max(3, len(pool) * (hard + 1) // 3)]


def _fill(rng: Random, template: str) -> str:
    return template.format(
        day=rng.choice(w.DAYS), name=rng.choice(w.NAMES), colour=rng.choice(w.COLOURS), city=rng.choice(w.CITIES)
    )


def _near(rng: Random, grade: int, noise: float) -> int:
    """A grade, sometimes off by one: reviewers are not consistent."""
    if rng.random() < noise:
        grade += rng.choice((-1, 1))
    return min(4, max(0, grade))


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


# --- reviews ------------------------------------------------------------------------------
def _opinion(rng: Random, place: str, adjective: str, aspects: Sequence[str] = ()) -> str:
    form = rng.choice(("the {a} was {j}", "we found the {a} {j}", "i thought the {a} was {j}", "the {a} seemed {j}"))
    return form.format(a=rng.choice(aspects or w.ASPECTS[place]), j=adjective)


def review(rng: Random, place: str, grade: int, clauses: int, noise: float = 0.3) -> str:
    """A review of a cafe, gadget, film or hotel with a grade from 0 (worst) to 4 (best)."""
    lines = [_opinion(rng, place, rng.choice(w.GRADED[_near(rng, grade, noise)])) for _ in range(clauses)]
    if rng.random() < 0.5:
        lines.append(rng.choice(w.CLOSINGS[_near(rng, grade, noise)]))
    if rng.random() < 0.5:
        lines.insert(0, _fill(rng, rng.choice(w.FILLERS[place])))
    return " . ".join(lines) + " ."


def mixed_review(rng: Random, place: str, grades: tuple[int, int], clauses: int) -> str:
    """A review that is not of one piece: one clause in four says the opposite."""
    lines = []
    for _ in range(clauses):
        grade = rng.choice(grades)
        lines.append(_opinion(rng, place, rng.choice(w.GRADED[grade if rng.random() < 0.75 else 4 - grade])))
    lines.append(rng.choice(w.CLOSINGS[_near(rng, rng.choice(grades), 0.4)]))
    return " . ".join(lines) + " ."


def verdict(rng: Random, positive: bool) -> str:
    """One or two clauses about a film; after `but` comes the verdict, and `not` turns it round."""
    good, bad = w.GRADED[rng.choice((3, 4))], w.GRADED[rng.choice((0, 1))]
    a, b = rng.sample(w.ASPECTS["film"], 2)
    says, other = (good, bad) if positive else (bad, good)
    form = rng.random()
    if form < 0.35:
        return f"the {a} was {rng.choice(other)} but the {b} was {rng.choice(says)}"
    if form < 0.6:
        return f"the {a} was not {rng.choice(other)}"
    if form < 0.8:
        return f"{_a(rng.choice(says))} {a} and {_a(rng.choice(says))} {b}"
    return f"a film with {_a(rng.choice(says))} {a}"


def hotel(rng: Random, comfort: float, bustle: float) -> str:
    """A hotel review that says two independent things: how comfortable and how busy it was."""

    def count(score: float) -> int:
        return 1 + (abs(score) > 0.8)

    grades = (3, 4) if comfort > 0 else (1, 0)
    lines = [_opinion(rng, "hotel", rng.choice(w.GRADED[grades[count(comfort) - 1]])) for _ in range(count(comfort))]
    mood = w.BUSY if bustle > 0 else w.QUIET
    lines += [_opinion(rng, "hotel", rng.choice(mood), w.NOISY_PLACES) for _ in range(count(bustle))]
    rng.shuffle(lines)
    return " . ".join(lines) + " ."


# --- topics -------------------------------------------------------------------------------
def news(rng: Random, topic: str) -> str:
    words = rng.sample(w.NEWS[topic], 2)
    third = rng.choice(w.NEWS_SHARED)
    if rng.random() < 0.35:  # a word of another section in passing
        third = rng.choice(w.NEWS[rng.choice([t for t in w.NEWS if t != topic])])
        if rng.random() < 0.3:
            words[1] = rng.choice(w.NEWS_SHARED)
    x, y, z = rng.sample([*words, third], 3)
    form = rng.choice(
        (
            "the {x} and the {y} face a new {z} in {city}",
            "{city} : {x} waits for {y} , says {z}",
            "after the {x} , the {y} and the {z} made headlines on {day}",
            "no news of the {x} while the {z} meets the {y}",
        )
    )
    return form.format(x=x, y=y, z=z, city=rng.choice(w.CITIES), day=rng.choice(w.DAYS)) + " ."


def question(rng: Random, topic: str) -> str:
    """A question to a forum. One in five mentions another topic on the way."""
    x, y = rng.sample(w.QUESTIONS[topic], 2)
    if rng.random() < 0.2:
        y = rng.choice(w.QUESTIONS[rng.choice([t for t in w.QUESTIONS if t != topic])])
    return rng.choice(w.GREETINGS) + rng.choice(w.QUESTION_FORMS).format(w=x, v=y)


def article(rng: Random, kind: str) -> str:
    """The first line of an encyclopedia entry; many leave the telling noun out, some say little."""
    noun, middle, one, two = w.THINGS[kind]
    named, told = rng.random() < 0.45, rng.random() < 0.5
    if not named and not told and rng.random() < 0.3:  # a word that belongs to another kind of thing
        two = w.THINGS[rng.choice([k for k in w.THINGS if k != kind])][3]
    lead = rng.choice(("{n} is a {k}", "the {n} , a {k}", "named {n} , it is a {k}"))
    head = lead.format(n=rng.choice(w.NAMES), k=noun if named else "subject")
    middle = (middle if told else "in {city} with").format(city=rng.choice(w.CITIES))
    return f"{head} {middle} {rng.choice((one, two, f'{one} and {two}'))} ."


# --- inference ----------------------------------------------------------------------------
def inference(rng: Random, relation: str) -> tuple[str, str]:
    """Premise and hypothesis: entailment, neutral or contradiction."""
    who, manner, (act, opposite), spot = (
        rng.choice(list(w.KINDS)),
        rng.choice(w.MANNERS),
        rng.choice(w.ACTS),
        rng.choice(w.SPOTS),
    )
    if rng.random() < 0.5:
        act, opposite = opposite, act
    premise = f"{_a(manner)} {who} is {act} in the {spot}"
    general = rng.choice((who, w.KINDS[who]))
    if relation == "entailment":
        form = rng.choice(("{g} is {a}", "{g} is in the {s}", "{g} is {a} in the {s}", "a {w} is {m}"))
        return premise, form.format(g=_a(general), a=act, s=spot, w=who, m=manner)
    if relation == "contradiction":
        other = rng.choice([s for s in w.SPOTS if s != spot])
        form = rng.choice(("the {g} is {o}", "no {g} is in the {s}", "the {g} is in the {x}", "nobody is {a}"))
        return premise, form.format(g=general, o=opposite, s=spot, x=other, a=act)
    return premise, f"{_a(general)} is {act} {rng.choice(w.EXTRAS)}"


def report(rng: Random, relation: str) -> tuple[str, str]:
    """Somebody knows, denies or hopes something: what follows about it?"""
    (act, opposite), spot = rng.choice(w.ACTS), rng.choice(w.SPOTS)
    who, person = rng.choice(list(w.KINDS)), rng.choice(w.NAMES)
    said, inverse = f"the {who} is {act} in the {spot}", f"the {who} is {opposite}"
    if relation == "entailment":
        return f"{person} {rng.choice(w.FACTIVE)} that {said}", rng.choice((said, f"the {who} is {act}"))
    if relation == "contradiction":
        if rng.random() < 0.6:
            return f"{person} {rng.choice(w.DENYING)} that {said}", said
        return f"{person} {rng.choice(w.FACTIVE)} that {said}", inverse
    return f"{person} {rng.choice(w.OPEN)} that {said}", rng.choice((said, inverse))


def headline(rng: Random, entailed: bool, hard: int = HARD) -> tuple[str, str]:
    """A news item and a claim about it; a false claim changes the thing, the town or the deed."""
    venue, city = rng.choice(_few(w.VENUES, hard)), rng.choice(_few(w.CITIES, hard))
    deed, opposite = rng.choice(w.DEEDS)
    text = f"the {rng.choice(w.OFFICES)} {deed} the {venue} in {city} on {rng.choice(w.DAYS)}"
    if not entailed:
        change = rng.random()
        if change < 0.4:
            venue = rng.choice([v for v in _few(w.VENUES, hard) if v != venue])
        elif change < 0.7:
            city = rng.choice([c for c in _few(w.CITIES, hard) if c != city])
        else:
            deed = opposite
    return text, f"somebody {deed} the {venue} in {city}"


def duplicates(rng: Random, same: bool, hard: int = HARD) -> tuple[str, str]:
    """Two questions: duplicates when intent and object agree."""
    intent, topic = rng.randrange(len(w.INTENTS)), rng.choice(_few(w.TOPICS, hard))
    opening = rng.choice(w.INTENTS[intent])
    first = rng.choice(w.GREETINGS) + opening.format(x=topic)
    if not same:
        if rng.random() < 0.6:
            topic = rng.choice([t for t in _few(w.TOPICS, hard) if t != topic])
        else:
            intent = rng.choice([i for i in range(len(w.INTENTS)) if i != intent])
    second = rng.choice([q for q in w.INTENTS[intent] if q != opening])
    return first, second.format(x=topic)


def senses(rng: Random, same: bool, hard: int = HARD) -> tuple[str, str, str]:
    """A word in two sentences: used in the same sense or not."""
    word = rng.choice(_few(list(w.SENSES), hard))
    first = rng.randrange(2)
    second = first if same else 1 - first
    a = rng.choice(w.SENSES[word][first])
    b = rng.choice([s for s in w.SENSES[word][second] if s != a])
    return word, _fill(rng, rng.choice(("{name} said : ", "", "on {day} "))) + a, b


def plausible(rng: Random, first: bool, hard: int = HARD) -> str:
    """What happened to a thing, and two lines of which one is its cause or its effect.

    The other line speaks of another thing, or one time in four of another event.
    """
    thing, other = rng.sample(_few(w.BELONGINGS, hard), 2)
    event, elsewhere = rng.sample(w.EVENTS, 2)
    asked = rng.randrange(2)  # 0: the cause of an effect is asked, 1: the effect of a cause
    premise = rng.choice(event[1 - asked]).format(x=thing)
    right = rng.choice(event[asked]).format(x=thing)
    if hard == HARD and rng.random() < 0.25:
        wrong = rng.choice(elsewhere[asked]).format(x=thing)
    else:
        wrong = rng.choice(rng.choice(w.EVENTS)[asked]).format(x=other)
    one, two = (right, wrong) if first else (wrong, right)
    return f"{premise} . what was the {('cause', 'effect')[asked]} ? choice1: {one} . choice2: {two} ."


# --- stories ------------------------------------------------------------------------------
FACTS = {
    "city": (w.CITIES, "{n} lives in {v}", "where does {n} live ?", "does {n} live in {v} ?"),
    "job": (w.JOBS, "{n} works as a {v}", "what does {n} work as ?", "does {n} work as a {v} ?"),
    "good": (w.GOODS, "{n} owns a {v}", "what does {n} own ?", "does {n} own a {v} ?"),
    "food": (w.FOODS, "{n} likes {v}", "what does {n} like ?", "does {n} like {v} ?"),
}


def _story(rng: Random, facts: int, hard: int) -> list[tuple[str, str, str]]:
    """Facts (name, relation, value): different people, at least two about the same relation."""
    names = rng.sample(_few(w.NAMES_SHE, hard), (facts + 1) // 2) + rng.sample(_few(w.NAMES_HE, hard), facts // 2)
    shared = rng.choice(list(FACTS))
    relations = [shared] * min(2, facts) + [rng.choice(list(FACTS)) for _ in range(facts - 2)]
    story: list[tuple[str, str, str]] = []
    for name, relation in zip(names, relations, strict=True):
        taken = [v for _, r, v in story if r == relation]
        story.append((name, relation, rng.choice([v for v in _few(FACTS[relation][0], hard) if v not in taken])))
    rng.shuffle(story)
    return story


def _tell(story: list[tuple[str, str, str]]) -> str:
    return " . ".join(FACTS[r][1].format(n=n, v=v) for n, r, v in story) + " ."


def _wrong(rng: Random, story: list[tuple[str, str, str]], fact: tuple[str, str, str], hard: int) -> str:
    """A wrong value: as often another person's as one that the story does not mention."""
    name, relation, value = fact
    others = [v for n, r, v in story if r == relation and n != name]
    if others and rng.random() < 0.5:
        return rng.choice(others)
    return rng.choice([v for v in _few(FACTS[relation][0], hard) if v != value and v not in others])


def yes_no(rng: Random, true: bool, hard: int = HARD) -> str:
    story = _story(rng, (1, 2, 2)[hard], hard)
    name, relation, value = fact = rng.choice(story)
    asked = value if true else _wrong(rng, story, fact, hard)
    return f"{_tell(story)} question: {FACTS[relation][3].format(n=name, v=asked)}"


def reading(rng: Random, true: bool, hard: int = HARD) -> str:
    """Several sentences, a question, a candidate answer."""
    story = _story(rng, (1, 2, 3)[hard], hard)
    name, relation, value = fact = rng.choice(story)
    answer = value if true else _wrong(rng, story, fact, hard)
    return f"{_tell(story)} question: {FACTS[relation][2].format(n=name)} answer: {answer}"


def span(rng: Random, answerable: bool, hard: int = HARD) -> tuple[str, str]:
    """A passage and a question; the answer is a span of the passage, or there is none."""
    story = _story(rng, (1, 2, 3)[hard], hard)
    name, relation, value = rng.choice(story)
    if not answerable:
        told = {n for n, _, _ in story}
        name, value = rng.choice([n for n in w.NAMES if n not in told]), UNANSWERABLE
    return f"context: {_tell(story)} question: {FACTS[relation][2].format(n=name)}", value
