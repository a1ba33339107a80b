"""What lessons claim, worked out from the recorded results by the functions that the pages use. No torch.

A claim has a value, a 95 % interval, and a side: its interval lies above or below a limit, or contains it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis import calibration, cubes, league, transfer
from shlpt.analysis.metrics import summary
from shlpt.analysis.nearest import by_seed
from shlpt.analysis.points import signed
from shlpt.analysis.stats import differences, paired_t
from shlpt.errors import UserError, unknown
from shlpt.lessons.numbers import Found, Unit, written
from shlpt.lessons.reading import NAMED, Claim, Fact, Lesson, Printed, of_kind, placed
from shlpt.paper import read as read_paper
from shlpt.results import experiments, frames, judging, overlaps, seeds
from shlpt.results.record import run_record
from shlpt.results.recorded import recorded
from shlpt.store.store import Store
from shlpt.tasks.find import find_task

LABELS = ("method", "variant", "condition")  # what a recorded experiment calls its sides


def store() -> Store:
    found = recorded()
    if found is None:
        raise UserError("the recorded results are missing: restore them with `git checkout -- data/recorded`")
    return found


def locate(text: str) -> dict[str, Any]:
    """A recorded experiment as a lesson names it: `cx1234 its name`. Where results were recorded anew, its id is
    another, and the name finds it; the tests say then that the lesson must be read again."""
    where, (id, _, name) = store(), text.partition(" ")
    try:
        return experiments.find(where, id)
    except UserError:
        return experiments.find(where, name or id)


# --- kinds of claims ----------------------------------------------------------------------
@lru_cache(maxsize=32)
def _results(home: Path, id: str) -> pd.DataFrame:
    """[side, seed, run, acc, bwt, fwt, last] of an experiment; of a headroom experiment the side is `sequence
    condition`."""
    frame = experiments.results(Store(home), id)
    label = next((name for name in LABELS if name in frame), None)
    if label is None:
        raise UserError(f"experiment {id} has no methods, variants or conditions to compare")
    side = frame["sequence"] + " " + frame[label] if "sequence" in frame else frame[label]
    return frame.assign(side=side)


def side(id: str, name: str, metric: str) -> dict[int, float]:
    """Seed -> value of one side of an experiment. `before` is the mean score of all tasks before the last."""
    frame = _results(store().home, id)
    mine = frame[frame["side"] == name]
    if mine.empty:
        raise unknown("side", name, frame["side"].unique())
    values = map(_before, mine["run"]) if metric == "before" else mine[metric]
    return {int(seed): float(value) for seed, value in zip(mine["seed"], values, strict=True)}


def _before(run: str) -> float:
    return float(np.mean([score or 0 for score in run_record(store(), run)["matrix"][-1][:-1]]))


def _paired(one: Mapping[int, float], other: Mapping[int, float]) -> Found:
    """In points, over the seeds that both have."""
    common = [seed for seed in one if seed in other]
    mine, theirs = [one[seed] for seed in common], [other[seed] for seed in common]
    found = paired_t(mine, theirs)
    value, low, high = _scaled(found["difference"], found["ci95"], 100)
    return Found(value, low, high, found["n"], "points", first=float(np.mean(mine)), second=float(np.mean(theirs)))


def _scaled(value: float | None, ends: Any, by: float = 1) -> tuple[float, float, float]:
    if value is None or ends is None:
        raise UserError("there is no interval: one seed, or no spread between the seeds")
    return by * value, by * ends[0], by * ends[1]


def _over_seeds(values: list[float], unit: Unit, by: float = 1, *, share: bool = False) -> Found:
    found: Any = summary(values, share=share)
    return Found(*_scaled(found["mean"], found["ci95"], by), found["n"], unit)


def _difference(claim: Claim, results: Mapping[str, str]) -> Found:
    """Two sides of one experiment, or of two: what `second` has in `other`."""
    of, other = (locate(results[key])["id"] for key in (claim.of, claim.other or claim.of))
    return _paired(side(of, claim.first, claim.metric), side(other, claim.second, claim.metric))


def _gains(claim: Claim, results: Mapping[str, str]) -> Found:
    """How much more `first` gains over `second` in one experiment than in another."""
    of, other = (locate(results[key])["id"] for key in (claim.of, claim.other))
    gain = [
        {seed: value - against[seed] for seed, value in side(id, claim.first, claim.metric).items()}
        for id in (of, other)
        for against in (side(id, claim.second, claim.metric),)
    ]
    return replace(_paired(*gain), first=None, second=None)


def _level(claim: Claim, results: Mapping[str, str]) -> Found:
    """The score of one side, against a limit such as chance."""
    return _over_seeds(
        list(side(locate(results[claim.of])["id"], claim.first, claim.metric).values()), "share", share=True
    )


def _change(claim: Claim, results: Mapping[str, str]) -> Found:
    """Backward or forward transfer of one side, in points."""
    return _over_seeds(list(side(locate(results[claim.of])["id"], claim.first, claim.metric).values()), "points", 100)


def _left(claim: Claim, results: Mapping[str, str]) -> Found:
    """The score on the first task after the last one."""
    frame = _results(store().home, locate(results[claim.of])["id"])
    records = [run_record(store(), run) for run in frame[frame["side"] == claim.first]["run"]]
    return _over_seeds([float(record["matrix"][-1][0] or 0) for record in records], "share", share=True)


@lru_cache(maxsize=4)
def cells(home: Path, id: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The pairs of a matrix seed by seed, and its cells with their verdicts."""
    pairs = experiments.pairs(Store(home), id)
    return pairs, transfer.cells(pairs)


def _cell(claim: Claim, results: Mapping[str, str]) -> Found:
    """One cell of a matrix of transfer."""
    pairs, table = cells(store().home, locate(results[claim.of])["id"])
    found = transfer.cell(table, claim.source, claim.target)
    if not found["n"]:
        raise unknown("pair", f"{claim.source} → {claim.target}", pairs["source"].unique())
    mine = pairs[(pairs["source"] == claim.source) & (pairs["target"] == claim.target)]
    means = float(mine["score"].mean()), float(mine["alone"].mean())
    return Found(found["value"], found["low"], found["high"], found["n"], "points", first=means[0], second=means[1])


def _turned(claim: Claim, results: Mapping[str, str]) -> Found:
    """A cell minus the one in the other direction."""
    pairs, _ = cells(store().home, locate(results[claim.of])["id"])
    both = []
    for source, target in ((claim.source, claim.target), (claim.target, claim.source)):
        mine = pairs[(pairs["source"] == source) & (pairs["target"] == target)]
        both.append({int(row.seed): row.score - row.alone for row in mine.itertuples()})
    return replace(_paired(*both), first=None, second=None)


def _alpha(claim: Claim, results: Mapping[str, str]) -> Found:
    """α of an earlier task at the end of the last one, mean over its training texts."""
    frame = _last_alphas(claim, results)
    values = frame[frame["earlier"] == claim.earlier]["alpha"]
    if values.empty:
        raise unknown("earlier task", claim.earlier, frame["earlier"].unique())
    return _over_seeds(list(values), "number")


def _highest(claim: Claim, results: Mapping[str, str]) -> Found:
    """The share of seeds in which an earlier task has the highest α."""
    found = by_seed(_last_alphas(claim, results))["earlier"] == claim.earlier
    return _over_seeds(list(found.astype(float)), "share", share=True)


def _last_alphas(claim: Claim, results: Mapping[str, str]) -> pd.DataFrame:
    return _alphas(locate(results[claim.of])["id"], claim.first)


def _alphas(id: str, name: str) -> pd.DataFrame:
    """[seed, earlier, alpha, spread] of the last task of one side."""
    frame = _results(store().home, id)
    runs = list(frame[frame["side"] == name]["run"])
    last = run_record(store(), runs[0])["tasks"][-1]
    found = seeds.stage_alphas(store(), runs)
    return found[found["task"] == last]


def _similar(claim: Claim, results: Mapping[str, str]) -> Found:
    """How many of the earlier tasks count as similar."""
    return _over_seeds(_counted(locate(results[claim.of])["id"], claim.first), "number")


def _counted(id: str, name: str) -> list[float]:
    """For each seed, the earlier tasks of the last one whose mean α is above the δ of the run."""
    frame = _results(store().home, id)
    delta = run_record(store(), frame[frame["side"] == name]["run"].iloc[0])["settings"]["threshold"]
    found = _alphas(id, name)
    return list((found["alpha"] > delta).groupby(found["seed"]).sum().astype(float))


def _total(claim: Claim, results: Mapping[str, str]) -> Found:
    """α of all earlier tasks together, at the end of the last one."""
    return _over_seeds(list(_last_alphas(claim, results).groupby("seed")["alpha"].sum()), "number")


def _area(claim: Claim, results: Mapping[str, str]) -> Found:
    """ROC area of an estimator on the measured transfer of a matrix."""
    return _judged(store().home, locate(results[claim.of])["id"], claim.estimator)[0]


@lru_cache(maxsize=16)
def _judged(home: Path, id: str, estimator: str) -> tuple[Found, Found | None]:
    """ROC area of an estimator, and the benefit of its recommended δ."""
    given = judging.matter(Store(home), id)
    scores, n = given.scores_of(estimator), given.pairs["seed"].nunique()
    if scores.empty:
        raise unknown("estimator with scores", estimator, given.seconds)
    area = league.judged(estimator, cubes.cube(given.pairs, cubes.in_levels(scores)))["roc"]
    nobody = calibration.calibrated(given.pairs, scores, estimator).recommended["over_nobody"]
    known = nobody["value"] is not None and nobody["ci95"] is not None
    benefit = Found(*_scaled(nobody["value"], nobody["ci95"]), n, "points") if known else None
    return Found(*_scaled(area["value"], area["ci95"]), n, "number"), benefit


def _benefit(claim: Claim, results: Mapping[str, str]) -> Found:
    """What the recommended δ of an estimator brings on targets that did not choose it, over nobody similar."""
    found = _judged(store().home, locate(results[claim.of])["id"], claim.estimator)[1]
    if found is None:
        raise UserError(f"no δ of {claim.estimator} has a benefit with an interval")
    return found


def _alike(claim: Claim, results: Mapping[str, str]) -> Found:
    """Neurons active under both of two prompts, of those active under either: last layer, mean over the pairs."""
    frame = overlaps.of_seeds(store(), locate(results[claim.of])["id"])
    mine = frame[(frame["variant"] == claim.first) & (frame["layer"] == frame["layer"].max())]
    return _over_seeds(list(mine["jaccard"]), "share", share=True)


KINDS: dict[str, Callable[[Claim, Mapping[str, str]], Found]] = {
    "difference": _difference,
    "gains": _gains,
    "level": _level,
    "change": _change,
    "left": _left,
    "cell": _cell,
    "turned": _turned,
    "alpha": _alpha,
    "highest": _highest,
    "similar": _similar,
    "total": _total,
    "area": _area,
    "benefit": _benefit,
    "alike": _alike,
}


def found(lesson: Lesson, name: str) -> Found:
    """One claim of a lesson, worked out anew."""
    claim = lesson.front.claims[name]
    with placed(lesson, "claims", name):
        return replace(of_kind(KINDS, claim.kind, "claim")(claim, lesson.front.results), than=claim.than)


# --- counts and the paper -----------------------------------------------------------------
def fact(lesson: Lesson, name: str) -> str:
    """A recorded number without a direction, as it is written."""
    one = lesson.front.facts[name]
    with placed(lesson, "facts", name):
        return of_kind(FACTS, one.kind, "fact")(one, locate(lesson.front.results[one.of])["id"])


def _trainable(one: Fact, id: str) -> str:
    """The number of trained values."""
    frame = _results(store().home, id)
    return f"{run_record(store(), frame[frame['side'] == one.method]['run'].iloc[0])['trainable']:,}"


def _moved(one: Fact, id: str) -> str:
    """The largest change of earlier tasks in any seed."""
    return f"{100 * max(map(abs, side(id, one.method, 'bwt').values())):.1f}"


def _others_words(one: Fact, id: str) -> str:
    """The share of the first task's answers, after the second, that are words of the second: of the runs whose answers
    are recorded."""
    frame = _results(store().home, id)
    run = frame[(frame["side"] == one.method)].sort_values("seed")["run"].iloc[0]
    first, second = run_record(store(), run)["tasks"][:2]
    given = frames.answers(store(), run, first, after=second)["answer"]
    if given.empty:
        raise UserError(f"the answers of {run} are not recorded")
    return f"{100 * given.isin(find_task(second).labels).mean():.0f} %"


def _spread(one: Fact, id: str) -> str:
    """The standard deviation of α over the texts of the last task, mean over the earlier tasks and the seeds."""
    return f"{_alphas(id, one.method)['spread'].mean():.2g}"


def _always_similar(one: Fact, id: str) -> str:
    """How many earlier tasks count as similar, where it is the same number in every seed."""
    found = set(_counted(id, one.method))
    if len(found) != 1:
        raise UserError(f"the number of similar tasks is not the same in every seed: {sorted(found)}")
    return f"{found.pop():.0f}"


def _first_places(one: Fact, id: str) -> str:
    """In how many seeds an earlier task has the highest α."""
    return str((by_seed(_alphas(id, one.method))["earlier"] == one.earlier).sum())


def _seeds(one: Fact, id: str) -> str:
    return str(_results(store().home, id)["seed"].nunique())


def _count(what: str) -> Callable[[Fact, str], str]:
    def counted(one: Fact, id: str) -> str:
        value = dict(transfer.counts(cells(store().home, id)[1]))[what]
        return f"{value:.1f}".removesuffix(".0")

    return counted


def _ahead(one: Fact, id: str) -> str:
    """In how many seeds a method scores above per-task prompts."""
    mine, plain = (side(id, name, "acc") for name in (one.method, "per_task"))
    return str(sum(each > 0 for each in differences(list(mine.values()), [plain[seed] for seed in mine])))


FACTS: dict[str, Callable[[Fact, str], str]] = {
    "trainable": _trainable,
    "seeds": _seeds,
    "moved": _moved,
    "spread": _spread,
    "always_similar": _always_similar,
    "first_places": _first_places,
    "others_words": _others_words,
    "ahead": _ahead,
    "pairs": _count("tested"),
    "clear": _count("clear"),
    "helps": _count("helps"),
    "harms": _count("harms"),
    "by_chance": _count("uncorrected_by_chance"),
}


def printed(lesson: Lesson, name: str) -> str:
    """A number of the paper as it is printed."""
    one: Printed = lesson.front.printed[name]
    rows = [row for row in read_paper(one.table) if all(row.get(key) == value for key, value in one.where.items())]
    values = [row.get("value", row.get("spread")) for row in rows]
    if len(values) != 1 or not isinstance(values[0], float):
        where = lesson.where("printed", name)
        raise UserError(f"{where}: {len(rows)} cells of {one.table} match {dict(one.where)}, there must be one")
    return signed(values[0], ".2f")


# --- in the text --------------------------------------------------------------------------
def filled(lesson: Lesson, text: str) -> str:
    """The text with its numbers."""

    def number(match: Any) -> str:
        name, form = match[1], match[2]
        if name in lesson.front.claims:
            return written(found(lesson, name), form)
        return fact(lesson, name) if name in lesson.front.facts else printed(lesson, name)

    return NAMED.sub(number, text)
