"""Settings by one protocol for every method: as many trials each, on tasks without reported results. No torch."""

import itertools
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Literal

from shlpt.errors import UserError, unknown
from shlpt.plans.experiments import Cell, Common, Experiment, make, where
from shlpt.spec import RunSpec, has_setting, settings_known

Grid = Mapping[str, Sequence[Any]]

# Composed tasks that stand in no sequence, benchmark or matrix and that the backbone was never asked. In each sequence
# the fourth and fifth ask what was asked before: in other words, and of other texts.
SEQUENCES: dict[str, tuple[str, ...]] = {
    "tuning1": (
        "ask:hopes/cafe/low-high",
        "ask:told/story/left-right",
        "ask:verdict/hotel/one-two-three-four-five",
        "ask:hopes/shop/no-yes",
        "ask:told/quiz/negative-positive",
    ),
    "tuning2": (
        "ask:follows/headline/no-maybe-yes",
        "ask:staff/hotel/red-green-blue",
        "ask:mood/inquiry/up-down",
        "ask:staff/gadget/low-middle-high",
        "ask:mood/forum/no-yes",
    ),
}
# The same with rich sources and a last task of few examples, which asks what one of them asks, or what none of them
# does: where it matters which source is found. Scored by the last task.
STREAMS: dict[str, tuple[str, ...]] = {
    "tuning3": (
        "ask:looks/hotel/bad-good@64",
        "ask:staff/film/low-high@32",
        "ask:mood/inquiry/up-down@32",
        "ask:looks/train/left-right@8",
    ),
    "tuning4": (
        "ask:speed/cafe/red-blue@32",
        "ask:staff/phone/no-yes@64",
        "ask:mood/forum/no-yes@32",
        "ask:staff/shop/up-down@8",
    ),
    "tuning5": (  # nothing helps: another question of the texts before, in their words, swapped
        "ask:mood/report/negative-positive@32",
        "ask:looks/shop/positive-negative@32",
        "ask:noise/phone/up-down@64",
        "ask:speed/phone/down-up@16",
    ),
    "tuning6": (
        "ask:mood/scene/low-high@32",
        "ask:staff/shop/red-blue@32",
        "ask:noise/train/no-yes@64",
        "ask:looks/train/yes-no@16",
    ),
}
FACTORS = (1 / 3, 3.0, 0.1, 10.0)  # of the usual learning rate: tried first
# What is drawn after that, by the name of the setting; methods that lack all of them draw learning rates alone.
GRID: dict[str, tuple[Any, ...]] = {
    "threshold": (0.03, 0.06, 0.1, 0.3),
    "estimator_center": (False, True),
    "estimator_score": ("product", "cosine"),
    "estimator_lr": ("auto", 0.001, 0.003, 0.01, 0.03),
    "estimator_prior": ("equal", "evidence", "evidence_or_none"),
    "lambda_hsc": (0.0, 0.01, 0.03, 0.1),
    "lambda_asc": (0.0, 0.03, 0.1, 0.5),
    "own_start": ("zero", "words"),
    "top_n": (1, 3),
    "lambda_pull": (0.1, 0.5, 1.0),
    "components": (2, 5, 10),
    "lambda_ortho": (0.0, 0.1, 1.0),
    "first_share": (0.25, 0.5),
    "particles": (3, 5),
    "prior_sigma": (1.0, 10.0),
    "ewc_strength": (0.1, 1.0, 10.0),
    "memory_size": (4, 8, 16),  # at most half of the 32 training examples that two classes have
    "similar_share": (0.25, 0.5, 0.75),
}


def trials(method: str, count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Settings to try: the defaults, then learning rates around the usual one, then draws from the grid."""
    usual = RunSpec.make(("a", "b"), method).settings
    lr = float(usual["lr"])
    found: list[dict[str, Any]] = [{}, *({"lr": _rounded(lr * factor)} for factor in FACTORS)]
    rng, own = Random(f"tune/{method}/{seed}"), [key for key in GRID if has_setting(method, key)]
    while len(found) < count:
        drawn = {"lr": _rounded(lr * 10 ** rng.uniform(-1, 1))} | {key: rng.choice(GRID[key]) for key in own}
        trial = {key: value for key, value in drawn.items() if value != usual[key]}
        if trial not in found:
            found.append(trial)
    return found[:count]


def every(method: str, grid: Grid) -> list[dict[str, Any]]:
    """The defaults, then every combination of these values that differs from them; settings that the method lacks are
    left out."""
    own = {key: values for key, values in grid.items() if has_setting(method, key)}
    usual = RunSpec.make(("a", "b"), method).settings
    combined = (dict(zip(own, values, strict=True)) for values in itertools.product(*own.values()))
    found = [{key: value for key, value in one.items() if value != usual[key]} for one in combined]
    return [{}, *(one for place, one in enumerate(found) if one and one not in found[:place])]


def _rounded(rate: float) -> float:
    """Two digits, at most the largest rate that there is."""
    return min(10.0, float(f"{rate:.1e}"))


def tune(
    methods: Sequence[str],
    count: int,
    seeds: Sequence[int],
    common: Common,
    name: str = "",
    sequences: Mapping[str, Sequence[str]] = SEQUENCES,
    grid: Grid | None = None,
    judged: Literal["acc", "last"] = "acc",
) -> Experiment:
    """Every method with as many trials, on the same sequences and seeds, scored on validation examples. `grid`: these
    settings in every combination instead. `judged`: by ACC, or by the last task."""
    given = dict(common.get("settings") or {})
    for key in grid or {}:
        if not any(has_setting(method, key) for method in methods):
            raise unknown("setting of these methods", key, [k for m in methods for k in settings_known(m)])
    if tuned := [key for key in given if key in ("scored_on", *(grid or ("lr", *GRID)))]:
        raise UserError(f"{tuned[0]} is what this command chooses: leave it out of --set")
    cells, tried = [], {}
    for method in methods:
        known = {key: value for key, value in given.items() if key in settings_known(method)}
        tried[method] = every(method, grid) if grid else trials(method, count)
        for place, trial in enumerate(tried[method]):
            settings = {**known, **trial, "scored_on": "validation"}
            chosen = {**common, "method": method, "settings": settings}
            for sequence, tasks in sequences.items():
                label = {"method": method, "trial": place, "sequence": sequence}
                cells += [Cell(label | {"seed": seed}, make(tasks, seed, chosen)) for seed in seeds]
    about = {"methods": list(methods), "trials": tried, "seeds": list(seeds)}
    about |= {"sequences": {k: list(v) for k, v in sequences.items()}, "judged": judged}
    about |= where(common)
    most = max(map(len, tried.values()))
    return Experiment("tune", name or f"{most} trials of {len(methods)} methods", tuple(cells), about)
