"""Did a stage learn anything, and if not, why? Pure.

Of a healthy stage nothing is said. For any other, the numbers that its training left are compared with what each usual
cause looks like, the surest first. Some causes show by themselves, even where the test score is above chance.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import bdtrc  # importing scipy.stats takes a second

LEVEL = 0.05
SURE = 0.001  # of what is said although the test score is above chance
STILL = 0.02  # a prompt that moved less than this share of a word embedding's size has hardly moved
AWAY = 3.0  # and one that moved by more than this many is far from all words
FITTED = 0.5  # the training loss, as a share of that of a constant answer, when the training examples are learned
WORSE = 1.3  # the same, when training made it worse than a constant answer
MANY = 0.5  # share of texts that are cut, or of answers that are no answer words
LARGE = "try a lr ten times smaller"


@dataclass(frozen=True)
class Facts:
    """What a finished stage left. None: not known, as in stages that were trained before it was measured."""

    scores: Sequence[float]  # of each test example
    chance: float  # of the most frequent answer
    validation: Sequence[float] = ()  # after each epoch
    validation_count: int = 0
    train_loss: float | None = None  # mean of the last epoch
    constant_loss: float | None = None  # of the best answer that does not depend on the text
    moved: float | None = None  # distance from the start, in sizes of a word embedding
    cut: float | None = None  # share of training texts that were cut
    outside: float | None = None  # share of test answers that are no answer words
    restricted: float | None = None  # score where only answer words count as answers
    failure: str = ""
    given: bool = False  # the prompt was trained elsewhere

    @property
    def score(self) -> float:
        return sum(self.scores) / max(1, len(self.scores))

    @property
    def above_chance(self) -> bool:
        return above_chance(self.score, len(self.scores), self.chance)

    @property
    def share(self) -> float | None:
        """The training loss as a share of that of a constant answer."""
        if self.train_loss is None or not self.constant_loss:
            return None
        return self.train_loss / self.constant_loss


@dataclass(frozen=True)
class Finding:
    """What is wrong with a stage, and what to try."""

    cause: str
    sentence: str
    advice: str


def majority(targets: Sequence[str]) -> float:
    """Score of always giving the most frequent answer."""
    return max(Counter(targets).values(), default=0) / max(1, len(targets))


def p_above(score: float, count: int, chance: float) -> float:
    """How likely guessing is to score this much or more: exact binomial."""
    if not count or not 0 < chance < 1:
        return 1.0 if score <= chance else 0.0
    right = math.ceil(score * count - 1e-9)
    return 1.0 if right <= 0 else float(bdtrc(right - 1, count, chance))


def above_chance(score: float, count: int, chance: float) -> bool:
    return p_above(score, count, chance) <= LEVEL


def diagnose(facts: Facts) -> Finding | None:
    """None for a healthy stage: above chance, and nothing says that it was not learned as it should be."""
    said = f"{facts.score:.0%} on {len(facts.scores)} test texts is "
    if facts.above_chance:
        if (found := _certain(facts, SURE)) is None:
            return None
        cause, reason, advice = found
        return Finding(cause, f"{said}above chance ({facts.chance:.0%}), but {reason}.", advice)
    cause, reason, advice = _certain(facts, LEVEL) or _likely(facts)
    return Finding(cause, f"{said}not above chance ({facts.chance:.0%}): {reason}.", advice)


def _certain(f: Facts, level: float) -> tuple[str, str, str] | None:
    """Causes that show by themselves, whatever the score."""
    if f.failure:
        return "rate too large", f"training {f.failure}", LARGE
    if f.moved is not None and f.moved < STILL:
        moved = f"the prompt has moved by {f.moved:.2g} of a word embedding's size and is nearly where it started"
        return "rate too small", moved, "try a lr ten times larger, or more epochs"
    if f.moved is not None and f.moved > AWAY and (f.share is None or f.share > FITTED or not f.above_chance):
        moved = f"the prompt has moved by {f.moved:.0f} times a word embedding's size and is far from all words"
        return "rate too large", moved, LARGE
    # Validation ends clearly below chance: its labels say the opposite of those of training.
    if f.validation and p_above(1 - f.validation[-1], f.validation_count, 1 - f.chance) <= level:
        low = f"validation ended at {f.validation[-1]:.0%}, clearly below chance"
        return "validation labels", low, "check the labels of the validation set: they contradict those of training"
    return None


def _likely(f: Facts) -> tuple[str, str, str]:
    """Of a stage that is not above chance."""
    if f.share is not None and f.share > WORSE:
        return "rate too large", f"the training loss is {f.share:.1f} times that of a constant answer", LARGE
    if f.cut is not None and f.cut >= MANY:
        cut = f"{f.cut:.0%} of the training texts are cut, and what decides may be in the part that is missing"
        return "texts cut", cut, "raise max_length, or put what decides first"
    if f.restricted is not None and above_chance(f.restricted, len(f.scores), f.chance):
        told = (
            f"{f.outside or 0:.0%} of the answers are no answer words; among these alone {f.restricted:.0%} are right"
        )
        return "answers", told, "train for more epochs, or choose answer words of one token"
    if f.given:
        other = "the imported prompt does not answer these texts in these words"
        return "imported prompt", other, "check that it was trained for this task, with these answer words"
    if f.share is None:
        return "not known", "the stage was trained before more was measured", "train it again to know more"
    if f.share < FITTED:
        fitted = f"the training loss is {f.share:.0%} of that of a constant answer, but nothing carries over"
        return "labels", fitted, "check that the labels follow from the texts, and give more examples (shots)"
    constant = f"the training loss is still {f.share:.0%} of that of a constant answer"
    more = "check that the labels follow from the texts, or take another backbone, a longer prompt or more epochs"
    return "labels", constant, more
