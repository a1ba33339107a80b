"""The paper's ablations (Table 4) and harmful pairs (Table 5) as runs. No torch. The thresholds are the paper's:
δ = 1.5 on the Negative Transfer Benchmark and on pairs, the default elsewhere. At δ = 1.5 no earlier task is similar.
Pairs need this: where the one source is similar, as it always is in the published form at δ < 1, both contrastive
losses are empty.

−ASE is as in the authors' code: all earlier prompts are mixed in alike, and there is no contrastive loss, whatever δ is
elsewhere. At δ = 1.5 −STT equals SHLPT, as in Table 4.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shlpt import paper
from shlpt.catalog import METHODS
from shlpt.catalog.published import PUBLISHED
from shlpt.errors import UserError
from shlpt.spec import RunSpec, has_setting
from shlpt.tasks.sequences import BENCHMARKS, find_sequence

ALL_DISSIMILAR: dict[str, Any] = {"threshold": 1.5}
NO_HSC: dict[str, Any] = {"lambda_hsc": 0.0}
NO_ASC: dict[str, Any] = {"lambda_asc": 0.0}
AS_PUBLISHED = "published estimator"
WITHOUT_ASC = "-ASC"
ESTIMATOR: dict[str, Any] = {  # the form that was published
    key: PUBLISHED[key].value
    for key in ("estimator_center", "estimator_score", "estimator_lr", "estimator_warmup", "estimator_prior")
}


@dataclass(frozen=True)
class Variant:
    """A row of Table 4 or a column of Table 5: its name in data/paper, and the settings of our runs."""

    name: str
    printed: str | None  # `ablation` of Table 4, `losses` of Table 5
    method: str = "shlpt"
    settings: Mapping[str, Any] = field(default_factory=dict)


ABLATIONS: dict[str, Variant] = {
    v.name: v
    for v in (
        Variant("-ASE", "ASE", settings={"estimator": "uniform", "threshold": 0.0} | NO_HSC | NO_ASC),
        Variant(WITHOUT_ASC, "ASC", settings=NO_ASC),
        Variant("-HSC", "HSC", settings=NO_HSC),
        Variant("-STT", "STT", settings={"similar_transfer": False}),
        Variant("-ASC-HSC", "ASC+HSC", settings=NO_ASC | NO_HSC),
        Variant("SHLPT", "none"),
        Variant(AS_PUBLISHED, None, settings=ESTIMATOR),
    )
}
WHOLE = "SHLPT"  # what the ablations are compared with

PAIR_VARIANTS: dict[str, Variant] = {
    v.name: v
    for v in (
        Variant("per-task", None, "per_task"),
        Variant("continual", None, "continual"),
        Variant("+HSC", "HSC", settings=NO_ASC),
        Variant("+ASC", "ASC", settings=NO_HSC),
        Variant("+ASC+HSC", "ASC+HSC"),
    )
}
ALONE = "per-task"  # what the variants of a pair are compared with: the target learned alone
PAIRS: tuple[tuple[str, str], ...] = (  # source, target
    ("qqp", "rte"),
    ("yahoo", "rte"),
    ("mnli", "cb"),
    ("squad", "cb"),
    ("copa", "qqp"),
    ("yahoo", "qqp"),
    ("copa", "mnli"),
    ("squad", "mnli"),
)


def ablation_specs(
    sequence: str,
    seeds: Sequence[int],
    preset: str = "quick",
    settings: Mapping[str, Any] | None = None,
    names: Sequence[str] = tuple(ABLATIONS),
    **where: Any,
) -> list[tuple[str, RunSpec]]:
    """The rows of Table 4, and SHLPT with the published estimator, on a named sequence, once for each seed. `where`:
    suite, backbone, dtype."""
    tasks = find_sequence(sequence)
    base = ALL_DISSIMILAR if sequence in BENCHMARKS["negative"].sequences else {}
    return [
        (
            name,
            RunSpec.make(
                tasks, v.method, seed=seed, preset=preset, settings={**base, **(settings or {}), **v.settings}, **where
            ),
        )
        for name, v in ABLATIONS.items()
        if name in names
        for seed in seeds
    ]


def pair_specs(
    seeds: Sequence[int],
    preset: str = "quick",
    settings: Mapping[str, Any] | None = None,
    pairs: Sequence[Sequence[str]] = PAIRS,
    **where: Any,
) -> list[tuple[str, RunSpec]]:
    """Every variant of Table 5 on each pair (source, target), scored on the target. Variants that do not use the source
    are trained once for each target. Settings that a variant's method does not have are left out."""
    given = dict(settings or {})
    RunSpec.make(("source", "target"), "shlpt", settings=given, preset=preset)  # refuses unknown settings
    if given.get("threshold", 1.0) < 1:
        raise UserError(
            f"threshold = {given['threshold']} on a pair: the only source could be similar, and both contrastive "
            "losses would then be empty. Leave the threshold out, or set it to at least 1"
        )
    found: list[tuple[str, RunSpec]] = []
    alone: set[str] = set()
    for source, target in map(_pair, pairs):
        for name, v in PAIR_VARIANTS.items():
            if target in alone and not METHODS[v.method].uses_history:
                continue
            base = ALL_DISSIMILAR if has_setting(v.method, "threshold") else {}
            own = {key: value for key, value in given.items() if has_setting(v.method, key)}
            chosen = {**base, **own, **v.settings}
            found += [
                (
                    pair_label(source, target, name),
                    RunSpec.make((source, target), v.method, seed=seed, preset=preset, settings=chosen, **where),
                )
                for seed in seeds
            ]
        alone.add(target)
    return found


def printed_ablations(sequence: str) -> dict[str, float]:
    """Row -> what Table 4 prints for a sequence; empty for one that it does not have."""
    rows: list[Any] = paper.read("table4")
    found = {row["ablation"]: row["value"] for row in rows if row["sequence"] == sequence}
    return {v.name: float(found[v.printed]) for v in ABLATIONS.values() if v.printed in found}


def printed_pairs() -> dict[str, float]:
    """Label of a pair's variant, or of an average -> what Table 5 prints."""
    of_losses = {(v.method, v.printed): v.name for v in PAIR_VARIANTS.values()}
    rows: list[Any] = paper.read("table5")
    found = {}
    for row in rows:
        name = of_losses[row["method"], row["losses"]]
        label = f"average {name}" if row["aggregate"] else pair_label(row["source"], row["target"], name)
        found[label] = float(row["value"])
    return found


def printed_thresholds(tasks: Sequence[str]) -> dict[float, float]:
    """δ -> what Table 11 prints, if its sequence has these tasks in this order."""
    rows: list[Any] = paper.read("table11")
    return {row["threshold"]: row["value"] for row in rows if find_sequence(row["sequence"]) == tuple(tasks)}


def printed_orders(tasks: Container[str]) -> dict[str, list[float]]:
    """Task -> what Table 6 prints of it in each order, for those of its tasks that are among `tasks`."""
    rows: list[Any] = paper.read("table6")
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["task"] in tasks:
            found.setdefault(row["task"], []).append(row["value"])
    return found


def pair_label(source: str, target: str, variant: str) -> str:
    """`qqp → rte +HSC`; the source is left out where the method does not use it."""
    uses_history = METHODS[PAIR_VARIANTS[variant].method].uses_history
    return f"{source} → {target} {variant}" if uses_history else f"{target} {variant}"


def _pair(tasks: Sequence[str]) -> tuple[str, str]:
    if isinstance(tasks, str) or len(tasks) != 2:
        named = tasks if isinstance(tasks, str) else ", ".join(tasks)
        raise UserError(
            f"a pair needs two tasks, the source and then the target, but these were given: {named or 'none'}"
        )
    return tasks[0], tasks[1]
