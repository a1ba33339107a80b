"""For the page and the command about activations: pairs of runs to compare, similarity of prompts. No torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis import activations
from shlpt.catalog import METHODS
from shlpt.errors import UserError, unknown
from shlpt.results import frames
from shlpt.results.recorded import recorded
from shlpt.spec import RunSpec
from shlpt.store.find import Ambiguous, find_run
from shlpt.store.store import Store

ASC = "lambda_asc"
SAME = ("suite", "tasks", "method", "seed", "backbone", "weights", "training")  # of a run and its twin


def locate(id: str, home: Any = None) -> tuple[Store, str]:
    """A run by the beginning of its id, from the visitor's store or else from the recorded one."""
    stores = [store for store in (Store(home).there(), recorded()) if store is not None]
    for store in stores:
        try:
            return store, find_run(store, id)
        except Ambiguous:
            raise
        except UserError:
            continue
    known = [run for store in stores for run in frames.runs(store)["id"]]
    raise unknown("run", id, known) if known else UserError(f"unknown run {id!r}: there are no runs yet")


def twin(spec: Mapping[str, Any], others: Iterable[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The first of `others` (ids with specs) that differs only in ASC: trained without it instead of with it, or vice
    versa."""
    if ASC not in spec["settings"]:
        return None
    with_asc = spec["settings"][ASC] > 0
    for id, other in others:
        same = all(spec.get(key) == other.get(key) for key in SAME)
        if not same or ASC not in other["settings"]:
            continue
        rest = {name: value for name, value in other["settings"].items() if name != ASC}
        if (other["settings"][ASC] > 0) != with_asc and rest == {k: v for k, v in spec["settings"].items() if k != ASC}:
            return id
    return None


def require_same_backbone(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    """Activation states of other weights, on other texts, are not comparable."""
    if (one["backbone"], one["weights"]) != (other["backbone"], other["weights"]):
        raise UserError("the two runs were made with different backbones: choose runs of the same backbone")


def twin_in(store: Store, id: str) -> str | None:
    """The twin of a run in the same store."""
    ids = [other for other in frames.runs(store)["id"] if other != id]
    return twin(frames.spec(store, id), ((other, frames.spec(store, other)) for other in ids))


def other_way(spec: Mapping[str, Any]) -> RunSpec:
    """The spec of the twin: without ASC, or with its default weight."""
    params: Any = METHODS[spec["method"]].params
    weight = 0.0 if spec["settings"][ASC] > 0 else params.model_fields[ASC].default
    found = {key: value for key, value in spec.items() if key not in ("settings", "edition", "weights")}
    return RunSpec.model_validate(found | {"params": spec["params"] | {ASC: weight}})


@dataclass(frozen=True)
class Map:
    """Similarity of the activation states under a run's prompts."""

    tasks: tuple[str, ...]
    matrix: np.ndarray[Any, Any]  # tasks × tasks
    layer: int  # from 1
    layers: int

    def only(self, tasks: Iterable[str]) -> np.ndarray[Any, Any]:
        at = [self.tasks.index(task) for task in tasks]
        return self.matrix[np.ix_(at, at)]


def activation_map(probe: Mapping[str, activations.Array], layer: int | None = None, measure: str = "cosine") -> Map:
    """The map of the tasks learned so far, in a decoder layer counted from 1 (default: the last)."""
    layers = activations.layers(probe)
    chosen = layers if layer is None else layer
    if measure not in activations.MEASURES:
        raise unknown("measure", measure, activations.MEASURES)
    if probe and not 1 <= chosen <= layers:
        raise UserError(f"there is no decoder layer {chosen}: this backbone has {layers}, counted from 1")
    states = activations.layer_of(probe, chosen - 1) if probe else {}
    return Map(tuple(states), activations.matrix(states, measure), chosen, layers)


@dataclass(frozen=True)
class Difference:
    tasks: tuple[str, ...]  # learned by both runs
    matrix: np.ndarray[Any, Any]


def minus(one: Map, other: Map) -> Difference:
    """One map minus another, on their common tasks, in the order of the first."""
    tasks = tuple(task for task in one.tasks if task in other.tasks)
    return Difference(tasks, one.only(tasks) - other.only(tasks))


def neurons(
    probe: Mapping[str, activations.Array], layer: int, first: str, second: str, by: str, count: int | None = None
) -> pd.DataFrame:
    """Neurons of a decoder layer (from 1) under two tasks' prompts."""
    if by not in ("difference", "active"):
        raise unknown("order of neurons", by, ("difference", "active"))
    for task in (first, second):
        if task not in probe:
            raise unknown("learned task", task, probe)
    states = activations.layer_of({first: probe[first], second: probe[second]}, layer - 1)
    return activations.neurons(states[first], states[second], by, count)
