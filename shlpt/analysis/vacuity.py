"""Where a threshold δ decides nothing, or decides by chance: warnings in sentences. Pure. One place for pages and
commands."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd

from shlpt.analysis import nearest

CERTAIN = 0.9  # a gap in α as wide as this is no place for a choice
ALIKE = 0.02  # α of all texts within this range: the estimator does not tell them apart
EDGE = 0.02  # entropy this close to its ends, as a share of the highest
ALL = 0.999  # α of all earlier tasks together, where there is no other alternative


def of_sequence(delta: float, tasks: int, none: bool = False) -> list[str]:
    """What follows from δ and the number of tasks alone, for a whole run. `none`: α may say that no earlier task is
    similar."""
    if tasks < 2:
        return []
    if delta >= 1:
        return [_never(delta)]
    if none:
        return []
    found = ["The second task has one earlier task, so its α is 1 whatever the texts: it is always similar."]
    return found + _below(delta, range(2, tasks))


def _below(delta: float, earlier: Iterable[int]) -> list[str]:
    """Whether δ is below the uniform level for some of these numbers of earlier tasks."""
    below = [n for n in earlier if delta < 1 / n]
    if not below:
        return []
    last = below[-1]
    return [
        f"With {_counted(below)} earlier tasks δ = {delta:g} is below the uniform level 1/n ({1 / last:.3g} for "
        f"n = {last}): an estimator that decides nothing calls all of them similar."
    ]


def _never(delta: float) -> str:
    return f"α is never above 1, so at δ = {delta:g} every earlier task is dissimilar and no prompt is mixed in."


def _counted(numbers: Sequence[int]) -> str:
    first, last = numbers[0], numbers[-1]
    if len(numbers) > 1 and len(numbers) == last - first + 1:
        return f"{first} to {last}"
    return ", ".join(map(str, numbers))


def warnings(
    delta: float, earlier: int, alphas: pd.DataFrame | None = None, write: Callable[[str], str] = str
) -> list[str]:
    """All warnings about δ for one task with this number of earlier tasks. `alphas` [seed, example, earlier, alpha] are
    its stored α. Both first columns may be missing; without an example it is the mean α of a seed. `write` gives a
    task's name as people read it."""
    if earlier < 1:
        return []
    if alphas is not None and _leaves_some(alphas):
        return ([_never(delta)] if delta >= 1 else []) + _of_stored(delta, alphas, write)
    if earlier == 1:
        side = "similar at δ < 1 and dissimilar at δ ≥ 1. At this δ it is " + ("similar" if delta < 1 else "dissimilar")
        return [f"With one earlier task α is always 1, whatever the text: the task is {side}."]
    found = [_never(delta)] if delta >= 1 else []
    if delta < 1 / earlier:
        found.append(
            f"δ = {delta:g} is below the uniform level 1/{earlier} = {1 / earlier:.3g}: an estimator that decides "
            "nothing calls every earlier task similar."
        )
    if alphas is None or alphas.empty:
        return found
    return found + _of_stored(delta, alphas, write)


def _leaves_some(alphas: pd.DataFrame) -> bool:
    """Whether the α of a text add up to less than 1: the rest says that no earlier task is similar."""
    if alphas.empty or not np.isfinite(alphas["alpha"].astype(float)).all():
        return False
    by = [name for name in ("seed", "target", "example") if name in alphas]
    return bool((alphas.groupby(by, dropna=False)["alpha"].sum().min() if by else alphas["alpha"].sum()) < ALL)


def _of_stored(delta: float, alphas: pd.DataFrame, write: Callable[[str], str]) -> list[str]:
    found: list[str] = []
    known = alphas[np.isfinite(alphas["alpha"].astype(float))]
    if len(known) < len(alphas):
        found.append(f"{len(alphas) - len(known)} of {len(alphas)} stored α are not finite and left out.")
    texts = known.dropna(subset=["example"]) if "example" in known else known
    texts = texts if len(texts) else known
    if len(known):
        n = known["earlier"].nunique()
        whole = n > 1 and len(texts) % n == 0 and not _leaves_some(texts)
        undecided = _entropy(texts, n, len(texts) // n) if whole else ""
        said = (_constant(texts, delta), undecided, _blind(texts), _changing(known, write))
        found += [sentence for sentence in said if sentence]
    return found


def of_pairs(delta: float, scores: pd.DataFrame) -> list[str]:
    """About the α of many targets [seed, source, target, score, earlier], by their number of earlier tasks. Whether the
    nearest task changes with the seed is not asked: other seeds have other earlier tasks."""
    plain: list[str] = []  # says n itself
    closed: list[int] = []  # numbers of earlier tasks whose α add up to 1
    counted: dict[str, list[int]] = {}
    for earlier, rows in scores.dropna(subset=["score"]).groupby("earlier"):
        n = int(str(earlier).removesuffix(".0"))
        alphas = pd.DataFrame({"earlier": rows["source"], "alpha": rows["score"]})
        open_ended = _leaves_some(alphas.assign(seed=rows["seed"], target=rows["target"]))
        plain += [_never(delta)] * (delta >= 1) if open_ended or n > 1 else warnings(delta, n)
        closed += [n] * (n > 1 and not open_ended)
        entropy = "" if open_ended or n == 1 else _entropy(alphas, n, len(alphas) // n)
        for said in (_constant(alphas, delta), entropy) if n > 1 or open_ended else ():
            if said:
                counted.setdefault(said, []).append(n)
    plain = [*dict.fromkeys(plain), *_below(delta, closed)]
    return [*plain, *(f"With {_counted(ns)} earlier task{'s' * (ns != [1])}: {said}" for said, ns in counted.items())]


def _constant(frame: pd.DataFrame, delta: float) -> str:
    """Whether the partition is the same over a wide range of δ."""
    alpha = frame["alpha"]
    if alpha.min() > delta:
        return "Every α is above this δ: all earlier tasks are similar to every text."
    if alpha.max() <= delta:
        if delta >= 1:
            return ""  # said already
        return "No α is above this δ: all earlier tasks are dissimilar to every text, and no prompt is mixed in."
    low, high = alpha[alpha <= delta].max(), alpha[alpha > delta].min()
    if high - low >= CERTAIN:
        return (
            f"The estimator is certain: every α is at most {low:.3f} or at least {high:.3f}, so any δ between them "
            "gives the same partition."
        )
    return ""


def _entropy(frame: pd.DataFrame, n: int, times: int) -> str:
    """Whether α over n tasks, given so many times, decides nothing (the highest entropy) or leaves no doubt (none)."""
    alpha = np.clip(frame["alpha"].to_numpy(float), 0, 1)
    bits = np.where(alpha > 0, -alpha * np.log(np.where(alpha > 0, alpha, 1)), 0.0).sum() / times / math.log(n)
    if bits >= 1 - EDGE:
        return f"The entropy of α is at its maximum: every earlier task gets about 1/{n}, so nothing is decided."
    if bits <= EDGE:
        return "The entropy of α is zero: one earlier task gets all of it, without doubt."
    return ""


def _blind(frame: pd.DataFrame) -> str:
    """Whether every text of a seed gets nearly the same α."""
    if "example" not in frame or frame["earlier"].nunique() == 1:
        return ""
    by = [name for name in ("seed", "earlier") if name in frame]
    if frame.groupby(by)["example"].nunique().max() < 2:
        return ""
    alpha = frame.groupby(by)["alpha"]
    reach = float((alpha.max() - alpha.min()).max())
    if reach >= ALIKE:
        return ""
    return f"Every text gets nearly the same α (within {reach:.2g}): the estimator distinguishes tasks, not texts."


def _changing(frame: pd.DataFrame, write: Callable[[str], str]) -> str:
    """Whether another seed finds another nearest task."""
    if "seed" not in frame or frame["seed"].nunique() < 2:
        return ""
    found = nearest.over_seeds(frame)
    if found is None or found.agree == found.seeds:
        return ""
    return (
        f"The nearest task changes with the seed: {write(found.earlier)} is the nearest in {found.agree} of "
        f"{found.seeds} seeds."
    )
