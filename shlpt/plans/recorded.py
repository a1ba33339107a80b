"""What is recorded to come with the program."""

from shlpt.plans import experiments
from shlpt.plans.experiments import Cell, Experiment, make
from shlpt.tasks.sequences import SEQUENCES

SEEDS = (42, 142, 242)
TRANSFER_TASKS = ("yelp", "imdb", "sst2", "rte", "qqp", "agnews")


def plan() -> list[Experiment]:
    """What is recorded: a demonstration by several methods, a hard sequence with and without ASC, a matrix."""
    demo = _methods("the demonstration", "demo", ("shlpt", "per_task", "continual", "progressive", "l2p", "finetune"))
    hard = [("SHLPT", {}), ("−ASC", {"lambda_asc": 0.0}), ("−HSC−ASC", {"lambda_hsc": 0.0, "lambda_asc": 0.0})]
    cells = [
        Cell(
            {"variant": name, "seed": seed},
            make(SEQUENCES["negative1"], seed, {"method": "shlpt", "settings": {"threshold": 1.5} | settings}),
        )
        for name, settings in hard
        for seed in SEEDS
    ]
    losses = Experiment("ablations", "tasks that harm each other", tuple(cells), {})
    common = {"method": "continual", "settings": {}}
    return [demo, losses, experiments.matrix(TRANSFER_TASKS, SEEDS, common, "transfer between six tasks")]


def _methods(name: str, sequence: str, methods: tuple[str, ...]) -> Experiment:
    cells = [
        Cell({"method": method, "seed": seed}, make(SEQUENCES[sequence], seed, {"method": method}))
        for method in methods
        for seed in SEEDS
    ]
    return Experiment("methods", name, tuple(cells), {"sequence": sequence})
