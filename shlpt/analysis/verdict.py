"""Did the history help a task? What it scores after it against what it scores learned alone. Pure."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shlpt.analysis.answers import Floats, paired
from shlpt.analysis.doctor import above_chance
from shlpt.analysis.points import difference as in_points
from shlpt.analysis.stats import Comparison, paired_t

HELPS, HARMS, UNCLEAR, SAME = "helps", "harms", "not clear", "the same"
AT_CHANCE, NO_REFERENCE, NOT_LEARNED = "not above chance", "no reference", "not learned yet"
NO_ANSWERS = "no interval"


@dataclass(frozen=True)
class Verdict:
    """One task of a run, or of runs that differ in their seed. Scores and differences are shares."""

    task: str
    outcome: str
    sentence: str
    after: float | None = None
    alone: float | None = None
    difference: float | None = None
    ci95: list[float] | None = None
    p: float | None = None
    seeds: int = 0
    examples: int = 0
    chance: float | None = None
    why: str = ""  # what the doctor says of the task where it has something to say

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def judge(
    task: str, after: Floats, alone: Floats, chance: float | None = None, missing: str = "", why: str = ""
) -> Verdict:
    """Scores [seeds, examples] after the history and alone, of the same seeds and examples; empty where there are none,
    one column where only means are known. `missing` says why there is no reference."""
    if not after.size:
        return Verdict(task, NOT_LEARNED, f"{task} is not learned yet.", why=why)
    score, known = float(after.mean()), {"seeds": after.shape[0], "examples": after.shape[1]}
    found: dict[str, Any] = {"after": score, "chance": chance, "why": why} | known
    said = f"{task} after this history {score:.0%}"
    if not alone.size:
        return Verdict(task, NO_REFERENCE, f"{said}. {missing or 'What it scores alone is not stored.'}", **found)
    reference = float(alone.mean())
    found |= {"alone": reference}
    said = f"{said}, alone {reference:.0%}"
    counted = chance is not None and after.shape[1] > 1
    if counted and not any(above_chance(one, after.shape[1], chance or 0.0) for one in (score, reference)):
        return Verdict(task, AT_CHANCE, f"{said}: neither is above chance ({chance:.0%}), nothing is claimed.", **found)
    apart = _apart(after, alone)
    found |= {"difference": apart["difference"], "ci95": apart["ci95"], "p": apart["p"]}
    outcome, words = _clear(apart, after.shape[0], after.shape[1], bool((after == alone).all()))
    return Verdict(task, outcome, f"{said}: {in_points(apart)}{words}.", **found)


def _apart(after: Floats, alone: Floats) -> Comparison:
    if after.shape[1] < 2:  # means only
        return paired_t([*after[:, 0]], [*alone[:, 0]])
    both = paired(np.asarray(after, dtype=float), np.asarray(alone, dtype=float))
    return Comparison(n=both["seeds"], difference=both["difference"], ci95=both["ci95"], p=both["p"])


def _clear(apart: Comparison, seeds: int, examples: int, same: bool) -> tuple[str, str]:
    """The outcome, and the words after the numbers."""
    counted = "one seed" if seeds == 1 else f"{seeds} seeds"
    if same:
        return SAME, f", the same score on every text with {counted}"
    ends = apart["ci95"]
    if ends is None and examples < 2:
        return NO_ANSWERS, f", without an interval: only the score of {counted} is recorded"
    if ends is None or ends[0] <= 0 <= ends[1]:
        over = f" over its {examples} test texts" if seeds == 1 else ""
        return UNCLEAR, f"{over}, not clear with {counted}"
    outcome = HELPS if ends[0] > 0 else HARMS
    word = "the history helps" if outcome == HELPS else "the history harms"
    if seeds == 1:
        return outcome, f" over its {examples} test texts, {word} with this seed; another seed may differ"
    return outcome, f", {word} with {counted}"
