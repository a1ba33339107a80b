"""Estimators of similarity that are arithmetic on stored numbers; higher is more similar. Pure. Prompts are [L,d],
features [N,d] with a label for each of the N texts. NaN where a score is not defined."""

import math
from collections.abc import Mapping, Sequence
from random import Random

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS = 200  # of LogME's fixed point, which needs about ten
CONVERGED = 1e-9
LARGEST = 1e12  # of LogME's precisions: nothing is left to explain


# --- prompts ------------------------------------------------------------------------------
def cosine(a: Floats, b: Floats) -> float:
    """Of two arrays as vectors."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum()) / lengths if lengths else math.nan


def prompt_mean(source: Floats, target: Floats) -> float:
    return cosine(source.mean(0), target.mean(0))


def prompt_token(source: Floats, target: Floats) -> float:
    """Mean over the target's vectors of the largest inner product with a vector of the source."""
    return float((target @ source.T).max(1).mean())


def task_vector(source: Floats, target: Floats) -> float:
    """Task vectors P − P_init: inner product of their mean rows, averaged over d, as in DTVG."""
    return float(source.mean(0) @ target.mean(0)) / source.shape[1]


# --- features -----------------------------------------------------------------------------
def logme(features: Floats, labels: Sequence[str]) -> float:
    """Log evidence per text, averaged over the classes, of a linear model w ~ N(0, I/α), y ~ N(F w, I/β) of each
    class's indicator, at the α and β where it is largest (You and others, ICML 2021)."""
    classes = list(dict.fromkeys(labels))
    if len(classes) < 2 or not np.isfinite(features).all():
        return math.nan
    u, s, _ = np.linalg.svd(features, full_matrices=False)
    indicators = [np.array([label == name for label in labels], dtype=float) for name in classes]
    return float(np.mean([_evidence(y, u.T @ y, s**2) for y in indicators])) / len(labels)


def _evidence(y: Floats, z: Floats, s2: Floats) -> float:
    """`z` = Uᵀy, `s2` = squared singular values of the features F = U S Vᵀ."""
    n, beyond = len(y), max(0.0, float(y @ y - z @ z))  # beyond: of y, what no F w reaches
    alpha = beta = 1.0
    for _ in range(ROUNDS):
        gamma = float((beta * s2 / (alpha + beta * s2)).sum())
        weights = float((beta**2 * s2 * z**2 / (alpha + beta * s2) ** 2).sum())
        missed = float(((alpha / (alpha + beta * s2)) ** 2 * z**2).sum()) + beyond
        before = alpha, beta
        alpha, beta = _bounded(gamma, weights), _bounded(n - gamma, missed)
        if abs(alpha - before[0]) <= CONVERGED * before[0] and abs(beta - before[1]) <= CONVERGED * before[1]:
            break
    weights = float((beta**2 * s2 * z**2 / (alpha + beta * s2) ** 2).sum())
    missed = float(((alpha / (alpha + beta * s2)) ** 2 * z**2).sum()) + beyond
    volume = float(np.log1p(beta * s2 / alpha).sum())
    return (n * math.log(beta / (2 * math.pi)) - volume - beta * missed - alpha * weights) / 2


def _bounded(above: float, below: float) -> float:
    return min(LARGEST, max(1 / LARGEST, above / max(below, 1 / LARGEST)))


def h_score(features: Floats, labels: Sequence[str]) -> float:
    """tr(Σ⁻¹ Σ_between) with the covariance Σ shrunk (Ibrahim and others 2021). Without shrinkage it is the number of
    classes minus one for any features with more dimensions than texts."""
    classes = list(dict.fromkeys(labels))
    if len(classes) < 2 or not np.isfinite(features).all():
        return math.nan
    centred = features - features.mean(0)
    shrunk, share = shrunk_covariance(centred)
    if not np.trace(shrunk):
        return math.nan
    of = np.array([classes.index(label) for label in labels])
    means = np.stack([centred[of == place].mean(0) for place in range(len(classes))])[of]  # [N,d]
    between = means.T @ means / len(means)
    return float((1 - share) * np.trace(np.linalg.solve(shrunk, between)))


def shrunk_covariance(centred: Floats) -> tuple[Floats, float]:
    """Covariance [d,d] of centred rows, drawn towards a multiple of the identity, and how far (Ledoit, Wolf 2004)."""
    n, d = centred.shape
    plain = centred.T @ centred / n
    level = float(np.trace(plain)) / d
    spread = float(((plain - level * np.eye(d)) ** 2).sum())
    error = (float(((centred**2).sum(1) ** 2).sum()) / n - float((plain**2).sum())) / n
    share = min(1.0, max(0.0, error / spread)) if spread > 0 else 0.0
    return (1 - share) * plain + share * level * np.eye(d), share


# --- what is known without a model --------------------------------------------------------
def label_words(source: Sequence[str], target: Sequence[str]) -> float:
    """Words that both have / words that either has."""
    either = {*source} | {*target}
    return len({*source} & {*target}) / len(either) if either else math.nan


def chance(source: str, target: str, seed: int) -> float:
    """A random number, always the same one."""
    return Random(f"similarity/{seed}/{source}/{target}").random()


def others(by_seed: Mapping[int, float], seed: int) -> float:
    """Mean over the other seeds."""
    found = [value for other, value in by_seed.items() if other != seed]
    return float(np.mean(found)) if found else math.nan
