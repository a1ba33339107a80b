"""Scores of answers, and the metrics of lifelong learning. Pure: lists and numpy in, numbers out."""

import math
import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit  # importing scipy.stats takes a second

Matrix = NDArray[np.float64]  # a[i][k]: score on task k after learning task i; NaN where not measured


# --- answers ------------------------------------------------------------------------------
def tidy(text: str) -> str:
    """The answer without differences in case and spacing."""
    return " ".join(text.lower().split())


def exact_match(answer: str, target: str) -> float:
    return float(tidy(answer) == tidy(target))


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


SCORES = {"accuracy": exact_match, "f1": normalised_f1}


def score(metric: str, answers: Sequence[str], targets: Sequence[str]) -> list[float]:
    """One score for each example, from 0 to 1."""
    return [SCORES[metric](answer, target) for answer, target in zip(answers, targets, strict=True)]


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
def summary(values: Sequence[float], confidence: float = 0.95) -> dict[str, object]:
    """Mean, standard deviation and t interval; a single value has no spread and no interval."""
    found = np.asarray([v for v in values if not math.isnan(v)], dtype=float)
    if not len(found):
        return {"n": 0, "mean": None, "sd": None, "ci95": None}
    if len(found) == 1:
        return {"n": 1, "mean": float(found[0]), "sd": None, "ci95": None}
    mean, sd = float(found.mean()), float(found.std(ddof=1))
    half = float(stdtrit(len(found) - 1, 0.5 + confidence / 2)) * sd / math.sqrt(len(found))
    return {"n": len(found), "mean": mean, "sd": sd, "ci95": [mean - half, mean + half]}
