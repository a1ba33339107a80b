"""Equations 4 to 7 followed for one text, number by number. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Followed:
    """What the equations make of one text and one earlier task."""

    earlier: str
    score: float | None  # of the pooled text with the task's prompt (after eq. 3); None: not stored
    prior: float | None  # log-probability that is added before the softmax
    scaled: float | None  # score / τ + prior
    alpha: float  # eq. 4
    is_similar: bool  # eq. 5
    kept: float  # α̂ of eq. 7
    weight: float  # α̃, what multiplies the task's prompt in eq. 6


def followed(
    earlier: Sequence[str],
    scores: Sequence[float],
    temperature: float,
    threshold: float,
    lends: bool = True,
    prior: Sequence[float] = (),
) -> list[Followed]:
    """From the scores of a text. `lends`: similar prompts are mixed in (eq. 6). `prior`: a log-probability for each
    task, and perhaps one more for the alternative that none of them is similar, which has no score."""
    priors = [*prior[: len(scores)]] or [0.0] * len(scores)
    scaled = [score / temperature + add for score, add in zip(scores, priors, strict=True)]
    others = [*prior[len(scores) :]]
    top = max([*scaled, *others], default=0.0)
    whole = sum(math.exp(value - top) for value in (*scaled, *others))
    alpha = [math.exp(value - top) / whole for value in scaled]
    rows = _mixed(earlier, alpha, threshold, lends)
    known = zip(rows, scores, priors, scaled, strict=True)
    return [replace(one, score=score, prior=add if prior else None, scaled=value) for one, score, add, value in known]


def followed_alpha(
    earlier: Sequence[str], alpha: Sequence[float], threshold: float, lends: bool = True
) -> list[Followed]:
    """The same where only α is known."""
    return _mixed(earlier, alpha, threshold, lends)


def _mixed(earlier: Sequence[str], alpha: Sequence[float], threshold: float, lends: bool) -> list[Followed]:
    kept = [value if value > threshold else 0.0 for value in alpha]
    total = sum(kept) if lends else 0.0
    return [
        Followed(name, None, None, None, value, value > threshold, part, part / total if total else 0.0)
        for name, value, part in zip(earlier, alpha, kept, strict=True)
    ]
