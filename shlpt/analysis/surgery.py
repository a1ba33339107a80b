"""What changes in the answers of a learned task when earlier prompts have other weights in its prompt. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from shlpt.analysis import points
from shlpt.analysis.answers import Paired, paired
from shlpt.analysis.stats import ROUNDING
from shlpt.errors import UserError, unknown

LARGEST = 2.0  # factor of a weight
BETTER, WORSE, NEITHER = "better", "worse", "neither"
COLUMNS = ["change", "text", "target", "before", "after", "example"]
ALL = "all"
OWN = "own prompt alone"
CLEAR = 0.05
UNCORRECTED = "The tests are not corrected for the number of prompts."


class Effect(TypedDict):
    """One intervention: scores before and after as shares, and how many answers changed."""

    before: float
    after: float
    better: int
    worse: int
    neither: int
    test: Paired


def changed(answers: pd.DataFrame, after: Sequence[str], scores: Sequence[float]) -> pd.DataFrame:
    """The test examples with another answer than the stored one (`answers` as `frames.answers` has them); those that
    became worse first."""
    apart = np.asarray(scores, dtype=float) - answers["score"].to_numpy(float)
    change = np.where(apart > ROUNDING, BETTER, np.where(apart < -ROUNDING, WORSE, NEITHER))
    rows = answers.assign(before=answers["answer"], after=list(after), change=change)
    rows = rows[rows["before"] != rows["after"]]
    order = rows["change"].map([WORSE, BETTER, NEITHER].index)
    return rows.assign(order=order).sort_values("order", kind="stable")[COLUMNS].reset_index(drop=True)


def effect(answers: pd.DataFrame, after: Sequence[str], scores: Sequence[float]) -> Effect:
    """Both scores, the changed answers by kind, and the paired test on the same examples."""
    ours, theirs = (np.asarray([values], dtype=float) for values in (scores, answers["score"]))
    counts = changed(answers, after, scores)["change"].value_counts()
    return Effect(
        before=float(theirs.mean()),
        after=float(ours.mean()),
        better=int(counts.get(BETTER, 0)),
        worse=int(counts.get(WORSE, 0)),
        neither=int(counts.get(NEITHER, 0)),
        test=paired(ours, theirs),
    )


def flat(found: Effect) -> dict[str, Any]:
    """As a row of a table."""
    test = found["test"]
    low, high = test["ci95"] or (None, None)
    rest = {key: found[key] for key in ("better", "worse", "neither")}
    return (
        {"before": found["before"], "after": found["after"], "difference": test["difference"]}
        | {"low": low, "high": high, "p": test["p"]}
        | rest
    )


def said_of_all(found: Effect) -> str:
    """What the earlier prompts give together: the effect of taking all of them out."""
    test = found["test"]
    return (
        f"{points.points(found['before'])} % on {test['examples']} test texts, {points.points(found['after'])} % with "
        f"the {OWN}: {points.difference(test)} points ({_test(test)}).{_unclear(test)}"
    )


def _test(test: Paired) -> str:
    p = points.probability(test["p"])
    return test["test"] if test["p"] is None else f"{test['test']}, p {p if p.startswith('<') else f'= {p}'}"


def _unclear(test: Paired) -> str:
    is_clear = test["p"] is not None and test["p"] < CLEAR
    return "" if is_clear else " The difference is not clear with so few texts."


def said(found: Effect) -> str:
    """The effect in a sentence, with its uncertainty."""
    test, many = found["test"], found["test"]["examples"]
    count = found["better"] + found["worse"] + found["neither"]
    if not count:
        return f"No answer changes: {points.points(found['before'])} % on {many} test texts, as stored."
    answers = "1 answer changes" if count == 1 else f"{count} answers change"
    kinds = ", ".join(f"{found[kind]} {kind}" for kind in (BETTER, WORSE) if found[kind])  # type: ignore[literal-required]
    line = f"{answers}{f' ({kinds})' if kinds else ', none of them for better or worse'}."
    scores = f"{points.points(found['before'])} % → {points.points(found['after'])} % on {many} test texts"
    if not (found["better"] or found["worse"]):
        return f"{scores}. {line}"
    return f"{scores}: {points.difference(test)} points ({_test(test)}). {line}{_unclear(test)}"


# --- what is asked ------------------------------------------------------------------------
def factors(earlier: Sequence[str], without: Sequence[str] = (), scale: Sequence[str] = ()) -> dict[str, float]:
    """Earlier task -> factor of its weight, from names that are taken out (`all`: each) and from `yelp=0.5`."""
    taken = list(earlier) if ALL in without else [_known(name, earlier) for name in without]
    found = dict.fromkeys(earlier, 1.0) | dict.fromkeys(taken, 0.0)
    for text in scale:
        name, sign, value = text.rpartition("=")
        if not sign:
            raise UserError(f"cannot read {text!r}: write an earlier task and a factor, for example {earlier[0]}=0.5")
        name = _known(name, earlier)
        if name in taken:
            raise UserError(f"{name} is both taken out and scaled: ask for one of them")
        found[name] = _factor(text, value)
        taken.append(name)
    return found


def _known(name: str, earlier: Sequence[str]) -> str:
    if name in earlier:
        return name
    if (bare := name.removeprefix("pocket/")) in earlier:  # as pages write it
        return bare
    raise unknown("earlier task", name, earlier)


def _factor(text: str, value: str) -> float:
    try:
        found = float(value)
    except ValueError:
        found = float("nan")
    if not 0 <= found <= LARGEST:
        raise UserError(f"cannot read {text!r}: a factor is a number from 0 (taken out) to {LARGEST:g} (doubled)")
    return found


def asked(scaled: Mapping[str, float]) -> list[str]:
    """Factors other than one as links and commands write them."""
    return [f"{name}={value:g}" for name, value in scaled.items() if value != 1.0]
