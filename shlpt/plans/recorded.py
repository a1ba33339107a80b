"""What is recorded to come with the program: parts that can be trained one at a time. No torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from shlpt.errors import unknown
from shlpt.plans import experiments, headroom
from shlpt.plans.experiments import Cell, Experiment, make
from shlpt.plans.paper_tables import AS_PUBLISHED, WHOLE, WITHOUT_ASC
from shlpt.tasks.sequences import BENCHMARKS, MATRIX, SEQUENCES, STREAMS

SEEDS = tuple(range(42, 1042, 100))
MAIN = "shlpt per_task continual progressive l2p finetune"
REFERENCES = "oracle_partition random_partition"  # whether there is anything to see
METHODS = tuple(f"{MAIN} {REFERENCES}".split())
ON_STREAMS = tuple(f"shlpt per_task continual {REFERENCES}".split())
# The target has few examples and a low rate, so that its start matters; the source has enough to learn its question.
IN_MATRIX: Mapping[str, Any] = {"shots": 16, "lr": 0.05}
SOURCE_SHOTS = 64
# Table 4 where its parts can matter: something helps, and (δ = 1.5) tasks that harm each other.
ABLATED = ("stream_minus", "negative1")
THRESHOLDS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2)  # of Table 11
PARTS = ("demo", "matrix", "alphas", *STREAMS, "headroom", "ablations", "estimator", "threshold")

# What stays of a run beside its scores: `steps`, `epochs`, `answers`, `tensors`, and `probe` (activation states).
SCORES_ONLY = "scores only: the curves, answers and prompts of this seed are not recorded"
CURVES_ONLY = "scores and curves only: the answers and prompts of this seed are not recorded"
NOTHING_INSIDE = (SCORES_ONLY, CURVES_ONLY)  # runs that cannot be looked into
ALL = frozenset({"steps", "epochs", "answers", "tensors", "probe"})


def plan(only: Sequence[str] = ()) -> list[Experiment]:
    """The experiments of these parts, or of all, in the order in which they are listed."""
    for part in only:
        if part not in PARTS:
            raise unknown("part", part, PARTS)
    return [one for part in PARTS if not only or part in only for one in _part(part)]


def _part(name: str) -> list[Experiment]:
    if name == "demo":
        return [_methods("the demonstration", "demo", METHODS)]
    if name == "matrix":
        common = {"method": "continual", "settings": IN_MATRIX}
        return [experiments.matrix(MATRIX, SEEDS, common, "transfer between ten tasks", SOURCE_SHOTS)]
    if name == "alphas":
        return [experiments.alphas(MATRIX, SEEDS, {"settings": IN_MATRIX}, "α of ten tasks", SOURCE_SHOTS)]
    if name in STREAMS:
        return [_methods(name, name, ON_STREAMS)]
    if name == "headroom":
        streams = {stream: SEQUENCES[stream] for stream in STREAMS}
        return [headroom.headroom(streams, SEEDS, {}, conditions=("few", "random", "declared"))]
    if name == "ablations":
        return [experiments.ablations(sequence, SEEDS, {}) for sequence in ABLATED]
    if name == "estimator":
        both = (WHOLE, AS_PUBLISHED)
        return [
            experiments.ablations(sequence, SEEDS, {}, f"the estimator on {sequence}", both)
            for sequence in ("demo", *STREAMS)
            if sequence not in ABLATED
        ]
    common = {"method": "shlpt"}
    return [experiments.sweep(SEQUENCES["order1"], "threshold", THRESHOLDS, SEEDS, common, "thresholds of Table 11")]


def _methods(name: str, sequence: str, methods: Sequence[str]) -> Experiment:
    cells = [
        Cell({"method": method, "seed": seed}, make(SEQUENCES[sequence], seed, {"method": method}))
        for method in methods
        for seed in SEEDS
    ]
    return Experiment("methods", name, tuple(cells), {"sequence": sequence})


def kept(experiment: Experiment, label: Mapping[str, Any]) -> frozenset[str]:
    """What stays of a run beside its scores, so that all of it is small."""
    first, few = label["seed"] == SEEDS[0], label["seed"] in SEEDS[:3]
    shlpt = label.get("method") == "shlpt"
    if experiment.kind == "matrix":
        return frozenset({"epochs", "answers"} if first else {"epochs"})
    if experiment.kind == "ablations":
        harmful = experiment.about["sequence"] in BENCHMARKS["negative"].sequences
        return ALL if first and harmful and label["variant"] in (WHOLE, WITHOUT_ASC) else frozenset()
    if experiment.kind == "methods" and experiment.about["sequence"] == "demo":
        if first:
            return ALL if shlpt else ALL - {"tensors", "probe"}
        return frozenset({"steps", "epochs"} if shlpt and few else ())
    if experiment.kind == "methods" and shlpt and first:
        return ALL - {"probe"}
    return frozenset()
