"""Estimators of similarity against hand-computed numbers and against the slow and direct way."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from shlpt.analysis import estimators
from shlpt.analysis.estimators import Floats


def test_prompts_by_hand() -> None:
    source, target = np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([[0.0, 2.0], [2.0, 0.0]])
    assert estimators.prompt_mean(source, target) == pytest.approx(1 / math.sqrt(2))  # (2, 0) and (1, 1)
    assert estimators.prompt_token(source, target) == pytest.approx((0 + 6) / 2)  # 2·(0, 1) meets nothing, (2, 0) 3
    assert estimators.prompt_token(target, source) == pytest.approx((2 + 6) / 2)  # each vector of the other prompt
    assert estimators.task_vector(source, target) == pytest.approx((2 * 1 + 0 * 1) / 2)
    assert math.isnan(estimators.cosine(np.zeros(2), target[0]))


def clouds(apart: float, n: int = 12, d: int = 5, classes: int = 2) -> tuple[Floats, list[str]]:
    rng = np.random.default_rng(3)
    labels = [str(place % classes) for place in range(n)]
    shift = np.array([int(label) for label in labels])[:, None] * apart * np.eye(d)[0]
    return rng.normal(size=(n, d)) + shift, labels


@pytest.mark.parametrize(("apart", "n", "d", "classes"), [(0.0, 12, 5, 2), (3.0, 12, 5, 3), (2.0, 8, 20, 2)])
def test_logme_is_the_largest_evidence_of_the_linear_model(apart: float, n: int, d: int, classes: int) -> None:
    """Of y ~ N(0, I/β + F Fᵀ/α), whose α and β a general optimiser finds; also with fewer texts than dimensions."""
    features, labels = clouds(apart, n, d, classes)
    kernel = features @ features.T

    def direct(y: Floats) -> float:
        def minus(log: Floats) -> float:
            covariance = np.exp(-log[1]) * np.eye(n) + np.exp(-log[0]) * kernel
            return -float(multivariate_normal(np.zeros(n), covariance).logpdf(y))

        starts = [(a, b) for a in (0.0, 5.0) for b in (3.0,)]
        return -min(minimize(minus, start, method="Nelder-Mead", options={"xatol": 1e-8}).fun for start in starts)

    indicators = [np.array([label == name for label in labels], dtype=float) for name in dict.fromkeys(labels)]
    expected = float(np.mean([direct(y) for y in indicators])) / n
    assert estimators.logme(features, labels) == pytest.approx(expected, abs=1e-3)


def test_h_score_by_hand() -> None:
    """In one dimension it is the variance between the classes over all of it, and nothing is shrunk."""
    features = np.array([[0.0], [2.0], [4.0], [6.0]])
    assert estimators.h_score(features, ["a", "a", "b", "b"]) == pytest.approx(4 / 5)  # means 1 and 5 around 3


def test_h_score_with_fewer_texts_than_dimensions_depends_on_the_features() -> None:
    """Without shrinkage it would be the number of classes minus one for all of them."""
    found = [estimators.h_score(*clouds(apart, n=10, d=30)) for apart in (0.0, 4.0, 16.0)]
    assert 0 < found[0] < found[1] < found[2] < 1


def test_shrunk_covariance_against_loops() -> None:
    rows, _ = clouds(1.0, n=6, d=3)
    rows = rows - rows.mean(0)
    plain = sum(np.outer(x, x) for x in rows) / 6
    level = np.trace(plain) / 3
    error = sum(((np.outer(x, x) - plain) ** 2).sum() for x in rows) / 36
    share = error / ((plain - level * np.eye(3)) ** 2).sum()
    found, how_far = estimators.shrunk_covariance(rows)
    assert how_far == pytest.approx(share)
    assert 0 < share < 1
    assert found == pytest.approx((1 - share) * plain + share * level * np.eye(3))


@pytest.mark.parametrize("score", [estimators.logme, estimators.h_score])
def test_features_tell_classes_apart_or_not(score: object) -> None:
    assert callable(score)
    near, far = (score(*clouds(apart, n=20)) for apart in (0.0, 5.0))
    assert far > near
    assert math.isnan(score(clouds(1.0)[0], ["a"] * 12))
    assert math.isnan(score(np.full((12, 5), np.inf), clouds(1.0)[1]))


def test_constant_features_are_no_error() -> None:
    assert math.isfinite(estimators.logme(np.zeros((4, 3)), ["a", "b", "a", "b"]))
    assert math.isnan(estimators.h_score(np.ones((4, 3)), ["a", "b", "a", "b"]))


def test_words_chance_and_other_seeds() -> None:
    assert estimators.label_words(["good", "bad"], ["bad", "fair"]) == pytest.approx(1 / 3)
    assert math.isnan(estimators.label_words([], []))
    draws = {estimators.chance(s, t, seed) for s in "ab" for t in "ab" for seed in (1, 2)}
    assert len(draws) == 8
    assert estimators.chance("a", "b", 1) == estimators.chance("a", "b", 1)
    assert estimators.others({1: 2.0, 2: 4.0, 3: 9.0}, 3) == 3.0  # never its own seed
    assert math.isnan(estimators.others({1: 2.0}, 1))
