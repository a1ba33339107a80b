"""Scores of answers, and the metrics of lifelong learning. Pure: lists and numpy in, numbers out."""

import math
import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # importing scipy.stats takes a second

ROUNDING = 1e-12  # smaller spreads are rounding errors
Matrix = NDArray[np.float64]  # a[i][k]: score on task k after learning task i; NaN where not measured


# --- answers ------------------------------------------------------------------------------
def tidy(text: str) -> str:
    """The answer without differences in case and spacing."""
    return " ".join(text.lower().split())


def exact_match(answer: str, target: str) -> float:
    return float(tidy(answer) == tidy(target))


def normalised_match(answer: str, target: str) -> float:
    """SQuAD's exact match: without case, punctuation and articles."""
    return float(_words(answer) == _words(target))


def normalised_f1(answer: str, target: str) -> float:
    """SQuAD's F1 over shared words, without case, punctuation and articles."""
    a, b = _words(answer), _words(target)
    if not a or not b:
        return float(a == b)
    shared = sum((Counter(a) & Counter(b)).values())
    return 2 * shared / (len(a) + len(b))


def _words(text: str) -> list[str]:
    bare = text.lower().translate(str.maketrans("", "", string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


MATCHING = {"exact": exact_match, "normalised": normalised_match}


def score(metric: str, answers: Sequence[str], targets: Sequence[str], matching: str = "exact") -> list[float]:
    """One score for each example, from 0 to 1."""
    one = normalised_f1 if metric == "f1" else MATCHING[matching]
    return [one(answer, target) for answer, target in zip(answers, targets, strict=True)]


def varied(targets: Sequence[str], most: int) -> list[int]:
    """At most `most` row numbers, in order: the first row of each target, then the second of each, and so on."""
    times: Counter[str] = Counter()
    ranked = []
    for row, target in enumerate(targets):
        ranked.append((times[target], row))
        times[target] += 1
    return sorted(row for _, row in sorted(ranked)[:most])


FURTHER = ("squad", "multirc")  # tasks of which more than the score is reported


def further(task: str, labels: Sequence[str], answers: Sequence[str], targets: Sequence[str]) -> dict[str, float]:
    """What is reported of a task beside its score: exact match of SQuAD, F1 of MultiRC (its last label says yes)."""
    if task == "squad":
        return {"exact_match": float(np.mean([normalised_match(a, t) for a, t in zip(answers, targets, strict=True)]))}
    if task == "multirc":
        return {"f1": label_f1(labels[-1], answers, targets)}
    return {}


def label_f1(label: str, answers: Sequence[str], targets: Sequence[str]) -> float:
    """F1 of one label: the harmonic mean of precision and recall; 0 where it was never right."""
    said, true = ([exact_match(text, label) for text in texts] for texts in (answers, targets))
    both = sum(a * t for a, t in zip(said, true, strict=True))
    return 2 * both / (sum(said) + sum(true)) if both else 0.0


# --- a sequence ---------------------------------------------------------------------------
def average_accuracy(a: Matrix) -> float:
    """ACC: mean over all tasks of the score after the last one."""
    return float(np.mean(a[-1]))


def backward_transfer(a: Matrix) -> float:
    """BWT: mean change since each task was learned, over all but the last task."""
    if len(a) < 2:
        return math.nan
    return float(np.mean(a[-1, :-1] - np.diag(a)[:-1]))


def forward_transfer(a: Matrix, alone: Sequence[float]) -> float:
    """FWT (Table 15): mean over later tasks of a[k][k] minus the score when learned alone."""
    if len(a) < 2:
        return math.nan
    return float(np.mean(np.diag(a)[1:] - np.asarray(alone, dtype=float)[1:]))


def error_reduction(with_transfer: float, without: float) -> float:
    """Eq. 1: error without transfer minus error with it; negative for negative transfer."""
    return with_transfer - without


# --- several seeds ------------------------------------------------------------------------
def summary(values: Sequence[float], confidence: float = 0.95, *, share: bool = False) -> dict[str, object]:
    """Mean, standard deviation and interval. Without spread, or of a single value, there is no interval. Of shares
    (scores from 0 to 1) the interval stays inside 0 to 1."""
    found = np.asarray([v for v in values if not math.isnan(v)], dtype=float)
    if not len(found):
        return {"n": 0, "mean": None, "sd": None, "ci95": None}
    if len(found) == 1:
        return {"n": 1, "mean": float(found[0]), "sd": None, "ci95": None}
    mean, sd = float(found.mean()), float(found.std(ddof=1))
    t, variance = float(stdtrit(len(found) - 1, 0.5 + confidence / 2)), sd * sd / len(found)
    ends = None if sd <= ROUNDING else _of_shares(mean, t, variance) if share else _of_means(mean, t, variance)
    return {"n": len(found), "mean": mean, "sd": sd, "ci95": ends}


def _of_means(mean: float, t: float, variance: float) -> list[float]:
    """Student's t."""
    half = t * math.sqrt(variance)
    return [mean - half, mean + half]


def _of_shares(mean: float, t: float, variance: float) -> list[float] | None:
    """Wilson's interval of a proportion, with as many trials as the spread of the seeds is worth, and Student's t."""
    inside = mean * (1 - mean)
    if inside <= 0:
        return None
    trials = inside / variance
    center = (mean + t * t / (2 * trials)) / (1 + t * t / trials)
    half = t * math.sqrt(variance + (t / (2 * trials)) ** 2) / (1 + t * t / trials)
    return [center - half, center + half]
