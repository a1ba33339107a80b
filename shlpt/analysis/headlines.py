"""What results say in one line, worked out from the data that the line stands over. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from shlpt.analysis.compare import Side, difference
from shlpt.analysis.headroom import against, by_condition
from shlpt.analysis.nearest import over_seeds
from shlpt.analysis.points import difference as in_points
from shlpt.analysis.stats import holm
from shlpt.catalog import METHODS, PLAIN
from shlpt.tasks.sequences import title

LEVEL = 0.05
DECIDED = 1.5  # times an equal share of α

# The pocket world is an instrument: what it holds was put there.
BUILT = (
    "This world was built to hold help, harm and nothing at all, as a wind tunnel is built to have wind. Its numbers "
    "say what methods can do where transfer is known, and nothing about real data."
)


def methods(found: Sequence[Side], where: str) -> str:
    """Which methods are clearly above or below per-task prompts (Holm's correction over the methods)."""
    reference = next((side for side in found if side.records[0]["method"] == PLAIN), None)
    if reference is None:
        return f"Methods on {where}"
    others = [side for side in found if side is not reference]
    apart = [difference(side, reference) for side in others]
    clear = [
        (side, one["difference"] or 0.0)
        for side, one, p in zip(others, apart, holm([one["p"] for one in apart]), strict=True)
        if p is not None and p < LEVEL
    ]
    above, below = ([side.name for side, points in clear if sign * points > 0] for sign in (1, -1))
    plain = METHODS[PLAIN].title.lower()
    if not clear:
        seeds = max((one["n"] for one in apart), default=0)
        return f"On {where} no method can be told from {plain} with {seeds} seed{'s' * (seeds != 1)}"
    parts = [f"{_list(names)} clearly {side} {plain}" for side, names in (("above", above), ("below", below)) if names]
    return f"On {where}: {', '.join(parts)}"


def similar(frame: pd.DataFrame, task: str) -> str:
    """Which earlier task α ends on, over the seeds: [seed, earlier, alpha]."""
    nearest = over_seeds(frame)
    if nearest is None:
        return f"Similarity of {task} to earlier tasks"
    agree, mean = f"in {nearest.agree} of {nearest.seeds} seeds", frame.groupby("earlier")["alpha"].mean()
    if nearest.seeds > 1 and 2 * nearest.agree <= nearest.seeds:
        return f"Which earlier task is most similar to {task} depends on the seed: {nearest.earlier} {agree}"
    if mean.max() < DECIDED / len(mean):
        return f"To {task} no earlier task stands out: α is at most {mean.max():.2f} on average"
    return f"To {task} the most similar earlier task is {nearest.earlier} {agree}: α = {mean[nearest.earlier]:.2f}"


def streams(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each sequence of a gauge: oracle (declared) minus random partition, and whether it is clear."""
    found = []
    for name in dict.fromkeys(str(row["sequence"]) for row in rows):
        apart = against(by_condition(rows, name), "declared", "random")
        found.append({"sequence": name, "n": apart["n"], "clear": apart["clear"], "points": in_points(apart)} | apart)
    return found


def starts(found: Iterable[Mapping[str, Any]]) -> str:
    """On which sequences knowing the similar tasks pays."""
    lines = list(found)
    pays = [f"“{title(line['sequence'])}”" for line in lines if line["clear"] and line["difference"] > 0]
    if not lines:
        return "Does knowing the similar tasks pay? Not measured yet"
    if not pays:
        return f"Knowing the similar tasks clearly pays on none of {len(lines)} sequences"
    return f"Knowing the similar tasks clearly pays on {len(pays)} of {len(lines)} sequences: {_list(pays)}"


def _list(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
