"""What a task is made of: a question, asked of the texts of a domain, answered in words.

A question has values in an order (a price is bad, so-so or good). The answer words of a task are laid over them: the
first word stands for the first value. Two words over more values leave out the middle of a scale, or take together
what is not the first (`JOINED`). Topics are answered by their names, so there the words say which topics occur.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random

from shlpt.errors import UserError, unknown
from shlpt.tasks import texts
from shlpt.tasks import words as w

# Which values the answers stand for, by how many there are: a scale may be asked coarsely.
SCALE3 = {2: ((0,), (2,)), 3: ((0,), (1,), (2,))}
SCALE5 = {2: ((0, 1), (3, 4)), 3: ((0, 1), (2,), (3, 4)), 5: ((0,), (1,), (2,), (3,), (4,))}
EITHER = {2: ((0,), (1,))}
JOINED = {2: ((0,), (1, 2)), 3: ((0,), (1,), (2,))}
FOUND = {1: ((0,), (1,))}
Cuts = Mapping[int, tuple[tuple[int, ...], ...]]


@dataclass(frozen=True)
class Question:
    """`cuts`: the values of each answer, by the number of answers. Empty where the answers are names of topics."""

    name: str
    asks: str
    cuts: Cuts
    rule: str  # questions of a rule are a family


QUESTIONS: dict[str, Question] = {
    q.name: q
    for q in (
        Question("price", "is it cheap?", SCALE3, "reviews"),
        Question("noise", "is it quiet?", SCALE3, "reviews"),
        Question("staff", "are they friendly?", SCALE3, "reviews"),
        Question("speed", "is it fast?", SCALE3, "reviews"),
        Question("looks", "does it look good?", SCALE3, "reviews"),
        Question("verdict", "how good was it, all in all?", SCALE5, "reviews"),
        Question("hopes", "how good was it said to be?", SCALE5, "reviews"),
        Question("topic", "what is it about?", {}, "topics"),
        Question("aside", "what does it mention besides?", {}, "topics"),
        Question("mood", "are people glad?", EITHER, "moods"),
        Question("follows", "does the second follow from the first?", JOINED, "inference"),
        Question("contradicts", "does the second contradict the first?", EITHER, "inference"),
        Question("same", "do both ask the same?", EITHER, "paraphrase"),
        Question("sense", "is the word used in the same sense?", EITHER, "word sense"),
        Question("cause", "what does the cause or effect belong to, the first or the second?", EITHER, "causes"),
        Question("told", "does the story say so?", EITHER, "reading"),
        Question("find", "what does the story say, if anything?", FOUND, "reading"),
    )
}


@dataclass(frozen=True)
class Domain:
    """Texts of a kind and the questions they can be asked."""

    name: str
    about: str
    kind: str  # domains of a kind are alike
    questions: tuple[str, ...]


_ARTICLE = ("topic", "aside", "mood")
DOMAINS: dict[str, Domain] = {
    d.name: d
    for d in (
        *(Domain(name, f"reviews: {name}", "reviews", texts.REVIEW_QUESTIONS) for name in w.PARTS),
        Domain("news", "news items", "articles", _ARTICLE),
        Domain("forum", "questions to a forum", "articles", _ARTICLE),
        Domain("entry", "entries of an encyclopedia", "articles", _ARTICLE),
        Domain("scene", "a scene and a claim", "pairs", ("follows", "contradicts", "mood")),
        Domain("report", "what somebody knows, hopes or denies", "pairs", ("follows", "contradicts", "mood")),
        Domain("headline", "a news line and a claim", "pairs", ("follows", "contradicts", "mood")),
        Domain("inquiry", "two questions", "pairs", ("same", "mood")),
        Domain("word", "a word in two sentences", "pairs", ("sense", "mood")),
        Domain("event", "an event and two choices", "pairs", ("cause", "mood")),
        Domain("story", "a story and a question", "stories", ("told", "mood")),
        Domain("quiz", "a story, a question and an answer to check", "stories", ("told", "mood")),
        Domain("passage", "a passage and a question", "stories", ("find", "mood")),
        Domain("context", "a question and its context", "stories", ("find", "mood")),
    )
}


@dataclass(frozen=True)
class Asked:
    """A question asked of the texts of a domain and answered in these words."""

    question: str
    domain: str
    words: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"ask:{self.question}/{self.domain}/{'-'.join(self.words)}"

    @property
    def by_name(self) -> bool:
        """The answers are names of topics."""
        return not QUESTIONS[self.question].cuts

    @cached_property
    def values(self) -> tuple[tuple[int, ...], ...]:
        """The values of the question that each answer stands for."""
        if self.by_name:
            names = list(texts.SUBJECTS[self.domain])
            return tuple((names.index(word),) for word in self.words)
        return QUESTIONS[self.question].cuts[len(self.words)]

    def write(self, rng: Random, answer: int, hard: int = texts.HARD, most: int = 3) -> tuple[str, str]:
        """A text to which the answer is the one of that number, and what to answer."""
        value = rng.choice(self.values[answer])
        kind = DOMAINS[self.domain].kind
        if kind == "reviews":
            text = texts.review(rng, self.domain, self.question, value, hard, most)
        elif kind == "articles":
            among = [v for (v, *_) in self.values] if self.by_name else range(len(texts.SUBJECTS[self.domain]))
            text = texts.article(rng, self.domain, self.question, value, hard, among)
        elif kind == "pairs":
            text = texts.pair(rng, self.domain, self.question, value, hard)
        else:
            text, found = texts.story(rng, self.domain, self.question, value, hard)
            if self.question == "find":
                return text, found or self.words[0]
        return text, self.words[answer]


def formats(question: str, domain: str) -> list[tuple[str, ...]]:
    """All answer words that a question can be answered in, in the order of its values."""
    cuts = QUESTIONS[question].cuts
    return [words for count in cuts for words in w.ANSWERS[count]] if cuts else [tuple(texts.SUBJECTS[domain])]


def parse(name: str) -> Asked:
    """`price/hotel/yes-no` as what is asked, or the reason why it cannot be."""
    parts = name.split("/")
    if len(parts) != 3:
        raise UserError(
            f"task 'ask:{name}': write it as ask:<question>/<texts>/<answers>, as in ask:price/hotel/yes-no"
        )
    question, domain, said = parts
    if question not in QUESTIONS:
        raise unknown("question", question, QUESTIONS)
    if domain not in DOMAINS:
        raise unknown("texts", domain, DOMAINS)
    if question not in DOMAINS[domain].questions:
        fit = [d.name for d in DOMAINS.values() if question in d.questions]
        raise UserError(
            f"{question!r} cannot be asked of {domain!r}: it can be asked of {', '.join(fit)}; "
            f"{domain!r} can be asked {', '.join(DOMAINS[domain].questions)}"
        )
    return Asked(question, domain, _answers(question, domain, tuple(said.split("-"))))


def _answers(question: str, domain: str, given: tuple[str, ...]) -> tuple[str, ...]:
    possible = formats(question, domain)
    known = sorted({word for words in possible for word in words})
    for word in given:
        if word not in known:
            raise unknown("answer word", word, known)
    if repeated := sorted({word for word in given if given.count(word) > 1}):
        raise UserError(f"answer word {repeated[0]!r} stands twice in {'-'.join(given)!r}")
    if not QUESTIONS[question].cuts:
        if len(given) < 2:
            raise UserError(f"{'-'.join(given)!r} is one answer only: name two or more of {', '.join(known)}")
        return tuple(word for word in possible[0] if word in given)
    if given not in possible and given[::-1] not in possible:
        lists = ", ".join("-".join(words) for words in possible)
        raise UserError(
            f"{'-'.join(given)!r} are no answers to {question!r}: give one of {lists}, or one of them read backwards"
        )
    return given
