"""The finding of a matrix, and the same pairs trained again with other seeds."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from shlpt.analysis.finding import ALONE, Finding, Pair
from shlpt.plans import experiments as plans
from shlpt.plans.commands import COMMON
from shlpt.plans.experiments import Experiment, next_seeds
from shlpt.results import frames
from shlpt.results.experiments import find, listed, pairs
from shlpt.spec import RunSpec
from shlpt.store.store import Store

FIRST_SEED, STEP = 42, 100
CURVES = ["effect", "source", "seed", "epoch", "validation"]


def recipe(about: Mapping[str, Any]) -> dict[str, Any]:
    """How the pairs of a matrix are trained, whatever its tasks and seeds: equal where they can be put together."""
    common = {key: about[key] for key in COMMON if key in about}
    spec = RunSpec.make(about["tasks"][:2], about["method"], **common).to_json()
    return {key: value for key, value in spec.items() if key not in ("tasks", "seed")} | {
        "source_shots": about.get("source_shots")
    }


def trained_pairs(store: Store, like: Mapping[str, Any]) -> pd.DataFrame:
    """The pairs of all matrices that are trained as the one of `like` is, each with each seed once."""
    wanted = recipe(like)
    matrices = [line["id"] for line in listed(store) if line["kind"] == "matrix" and line["runs"] and not line["older"]]
    found = [pairs(store, id) for id in matrices if recipe(find(store, id)["about"]) == wanted]
    every = pd.concat(found, ignore_index=True) if found else pairs(store, "")
    done = every.sort_values("score", na_position="last", kind="stable")  # a finished one before one that is not
    return done.drop_duplicates(["source", "target", "seed"]).sort_values("seed", kind="stable", ignore_index=True)


def of(frame: pd.DataFrame, chosen: Sequence[Pair]) -> pd.DataFrame:
    """The rows of these pairs."""
    mine = [(row.source, row.target) in chosen for row in frame.itertuples()]
    return frame[pd.Series(mine, index=frame.index, dtype=bool)]


def once_more(
    store: Store, about: Mapping[str, Any], chosen: Sequence[Pair], count: int, name: str, taken: Iterable[int]
) -> Experiment:
    """These pairs with the seeds after those that are taken, trained as the matrix of `about` was. They join an earlier
    such experiment."""
    seeds = next_seeds([int(seed) for seed in taken] or [FIRST_SEED - STEP], count)
    common = {key: about[key] for key in ("method", *COMMON) if key in about}
    tasks = list(dict.fromkeys(task for pair in chosen for task in pair))
    made = plans.matrix(tasks, seeds, common, name, about.get("source_shots"), chosen)
    same = {key: value for key, value in made.about.items() if key != "seeds"}
    for line in listed(store):
        if (line["kind"], line["name"]) == ("matrix", name) and line["runs"] and not line["older"]:
            earlier = find(store, line["id"])
            if {key: value for key, value in earlier["about"].items() if key != "seeds"} == same:
                return replace(made, joins=line["id"])
    return made


def curves(store: Store, found: Finding, measured: pd.DataFrame) -> pd.DataFrame:
    """Validation of the target after each epoch, alone and after each source, where it was recorded."""
    parts: list[pd.DataFrame] = []
    for effect in found.effects:
        frame = frames.pair_epochs(store, list(of(measured, [effect.pair])["run"]))
        alone = frame["which"] == frames.ALONE
        parts.insert(0, frame.assign(effect=ALONE, source="")[alone])
        parts.append(frame.assign(effect=effect.kind, source=effect.source)[~alone])
    rows = pd.concat(parts, ignore_index=True)[CURVES]
    return rows.drop_duplicates(["effect", "source", "seed", "epoch"], ignore_index=True)


def before(store: Store, found: Finding, measured: pd.DataFrame) -> dict[str, int]:
    """How many epochs of each source are learned, where its target has not begun."""
    said = {}
    for effect in found.effects:
        for run in of(measured, [effect.pair])["run"]:
            epochs = frames.epochs(store, [run])
            if not (epochs["position"] == 1).any():
                said[effect.source] = int(epochs["epoch"].max()) if len(epochs) else 0
    return said
