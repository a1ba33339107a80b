"""Is there anything to see on a sequence? Few and plenty of examples, a random and an oracle partition. No torch."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from shlpt.catalog import PLAIN
from shlpt.errors import UserError
from shlpt.plans.experiments import Cell, Common, Experiment, make, where
from shlpt.spec import PRESETS, Training, has_setting
from shlpt.tasks.task import with_shots

PLENTY = 8  # times the examples a class
ORACLE = "oracle_partition"
METHODS = {"few": PLAIN, "random": "random_partition", "declared": ORACLE, "measured": ORACLE, "plenty": PLAIN}


def headroom(
    sequences: Mapping[str, Sequence[str]],
    seeds: Sequence[int],
    common: Common,
    similar_pairs: str | None = None,
    name: str = "",
    conditions: Sequence[str] = tuple(METHODS),
) -> Experiment:
    """`similar_pairs`: pairs that helped when they were measured with other seeds; None leaves this oracle out."""
    cells = []
    for condition in conditions:
        method = METHODS[condition]
        if condition == "measured" and similar_pairs is None:
            continue
        settings = {k: v for k, v in (common.get("settings") or {}).items() if has_setting(method, k)}
        if condition == "plenty":
            usual = PRESETS[common.get("preset", "quick")].get("shots", Training.model_fields["shots"].default)
            settings["shots"] = PLENTY * int(settings.get("shots", usual))
        for sequence, tasks in sequences.items():
            if condition == "measured":
                settings["similar_pairs"] = _within(tasks, similar_pairs or "none")
            chosen = {**common, "method": method, "settings": settings}
            label = {"condition": condition, "sequence": sequence}
            learned = [_plenty(task) for task in tasks] if condition == "plenty" else tasks
            cells += [Cell(label | {"seed": seed}, make(learned, seed, chosen)) for seed in seeds]
    about = {"sequences": {k: list(v) for k, v in sequences.items()}, "seeds": list(seeds)}
    about |= where(common) | {"similar_pairs": similar_pairs}
    return Experiment("headroom", name or f"headroom of {', '.join(sequences)}", tuple(cells), about)


def _plenty(task: str) -> str:
    """A task with a number of examples of its own has more of them."""
    _, at, shots = task.partition("@")
    return with_shots(task, PLENTY * int(shots)) if at else task


def _within(tasks: Sequence[str], pairs: str) -> str:
    """Those pairs that a sequence has, in its order."""
    there = [f"{a}>{b}" for a, b in combinations(tasks, 2)]
    return ",".join(pair for pair in there if pair in pairs.split(",")) or "none"


def measuring(
    sequences: Mapping[str, Sequence[str]], seeds: Sequence[int], measured_on: Sequence[int], common: Common
) -> Experiment:
    """The matrix that says which pairs help: only the pairs that the sequences have, on seeds of its own."""
    if same := set(seeds) & set(measured_on):
        raise UserError(
            f"seed {min(same)} is among --seeds and --measure-seeds: transfer must be measured on other seeds than "
            "those that the oracle is judged on"
        )
    pairs = dict.fromkeys(pair for tasks in sequences.values() for pair in combinations(tasks, 2))
    chosen = {**common, "method": "continual"}
    cells = [
        Cell({"source": a, "target": b, "seed": seed}, make((a, b), seed, chosen))
        for a, b in pairs
        for seed in measured_on
    ]
    tasks = list(dict.fromkeys(task for pair in pairs for task in pair))
    about: dict[str, Any] = {"tasks": tasks, "seeds": list(measured_on)} | chosen
    return Experiment("matrix", f"pairs of {', '.join(sequences)}", tuple(cells), about)
