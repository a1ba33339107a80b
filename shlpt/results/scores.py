"""Similarity of the pairs of a matrix by every estimator (`catalog.estimators`), computed once and stored with the
experiment. No torch until an estimator that needs the model is computed."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis.transfer import gains
from shlpt.catalog import METHODS
from shlpt.catalog.estimators import ESTIMATORS, TRANSFER
from shlpt.errors import UserError, unknown
from shlpt.plans.experiments import FORMS, Experiment, alphas, as_source
from shlpt.results import experiments, frames, recorded
from shlpt.results.estimating import Column, Key, Lab, Pair, Share, computed
from shlpt.results.seeds import stage_alphas
from shlpt.results.weights import require_current
from shlpt.spec import RunSpec
from shlpt.store import artifacts
from shlpt.store.store import Store
from shlpt.store.tensors import add_artifact, artifact_bytes

KIND = "scores"  # of the artifact of an experiment
COLUMNS = ["estimator", "source", "target", "seed", "score", "earlier"]


def silent(share: float, label: str) -> None: ...


@dataclass(frozen=True)
class Scores:
    frame: pd.DataFrame  # COLUMNS; no row where a score is not defined or not measured; earlier: tasks before, of α
    seconds: dict[str, float]  # for each pair of one seed; training the target is divided among its sources


def find_estimators(text: str) -> tuple[str, ...]:
    """`all`, or `a,b,c` as names of estimators, each once."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    for name in names:
        if name not in ("all", *ESTIMATORS):
            raise unknown("estimator", name, [*ESTIMATORS, "all"])
    if not names:
        known = ", ".join(ESTIMATORS)
        raise UserError(f"no estimators given: write all, or names separated by commas. Known: {known}")
    return tuple(ESTIMATORS) if "all" in names else tuple(dict.fromkeys(names))


# --- to the store and back ----------------------------------------------------------------
Arrays = dict[str, np.ndarray[Any, Any]]  # estimator -> [sources, targets, seeds]


def stored(store: Store, id: str, names: Iterable[str] = tuple(ESTIMATORS)) -> Scores:
    """What was computed of this experiment; empty if nothing was."""
    about, arrays = _read(store, id)
    there = [name for name in names if name in about["of"]]
    parts = [_lines(name, about, arrays) for name in there]
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return Scores(frame.astype({"score": float, "earlier": float}), {n: about["of"][n]["seconds"] for n in there})


def _read(store: Store, id: str) -> tuple[dict[str, Any], Arrays]:
    """Scores of an older version of an estimator are left out."""
    if store.value("SELECT 1 FROM artifacts WHERE owner=? AND kind=?", (id, KIND)) is None:
        return {"tasks": [], "seeds": [], "of": {}}, {}
    data = artifact_bytes(store, id, KIND)
    about = artifacts.about_of(data)
    about["of"] = {n: of for n, of in about["of"].items() if n in ESTIMATORS and of["version"] == ESTIMATORS[n].version}
    return about, artifacts.from_bytes(data)


def _lines(name: str, about: Mapping[str, Any], arrays: Arrays) -> pd.DataFrame:
    tasks, seeds, values = np.array(about["tasks"], dtype=object), np.array(about["seeds"], dtype=int), arrays[name]
    at = np.nonzero(np.isfinite(values))
    earlier = arrays[f"{name}.earlier"][at] if f"{name}.earlier" in arrays else np.nan
    columns = {"source": tasks[at[0]], "target": tasks[at[1]], "seed": seeds[at[2]]}
    return pd.DataFrame({"estimator": name, **columns, "score": values[at], "earlier": earlier}, columns=COLUMNS)


def _keep(store: Store, id: str, lab: Lab, found: Mapping[str, Column]) -> None:
    """Beside what is stored, unless that is of other tasks or seeds."""
    about, arrays = _read(store, id)
    if (about["tasks"], about["seeds"]) != (lab.tasks, lab.seeds):
        about, arrays = {"tasks": lab.tasks, "seeds": lab.seeds, "of": {}}, {}
    for name, column in found.items():
        about["of"][name] = {"version": ESTIMATORS[name].version, "ready": column.ready, "seconds": column.seconds}
        arrays[name] = _dense(lab, column.values)
        if column.earlier:
            arrays[f"{name}.earlier"] = _dense(lab, column.earlier)
    known = {key: array for key, array in arrays.items() if key.removesuffix(".earlier") in about["of"]}
    made = artifacts.write(store.home, f"{id}.{KIND}", artifacts.to_bytes(known, about))
    with store.write() as db:
        add_artifact(db, id, KIND, made)


def _dense(lab: Lab, values: Mapping[Key, float]) -> np.ndarray[Any, Any]:
    """[sources, targets, seeds], NaN where there is no score."""
    tasks, seeds = ({name: place for place, name in enumerate(names)} for names in (lab.tasks, lab.seeds))
    found = np.full((len(tasks), len(tasks), len(seeds)), math.nan)
    for (source, target, seed), value in values.items():
        found[tasks[source], tasks[target], seeds[seed]] = value
    return found


# --- measuring ----------------------------------------------------------------------------
def measure(
    store: Store, id: str, names: Iterable[str] = tuple(ESTIMATORS), device: str = "cpu", watch: Share = silent
) -> Scores:
    """Scores by these estimators, computed as far as they are missing. Of a recorded matrix only what is recorded, or
    needs no prompt. α is left out while none of its runs is finished (`alphas_for`)."""
    names = list(names)
    if store.home == recorded.HOME:
        return readable(store, id, names)
    lab = lab_of(store, id, device)
    about, _ = _read(store, id)
    alike = (about["tasks"], about["seeds"]) == (lab.tasks, lab.seeds)
    learned = {form: _learned(store, id, lab, form) for form in names if form in FORMS}

    def is_missing(name: str) -> bool:
        ready = learned[name].ready if name in learned else len(lab.pairs)
        return ready > 0 and not (alike and name in about["of"] and about["of"][name]["ready"] == ready)

    missing = [name for name in names if is_missing(name)]
    found = {name: learned[name] for name in missing if name in learned}
    if others := [name for name in missing if name not in learned]:
        found |= computed(lab, others, watch)
    if found:
        _keep(store, id, lab, found)
    return stored(store, id, names)


def lab_of(store: Store, id: str, device: str) -> Lab:
    about = require_matrix(store, id)
    found = gains(experiments.pairs(store, id)).dropna(subset=["transfer"])
    gained = {(row.source, row.target, row.seed): row.transfer for row in found.itertuples()}
    transfers: dict[tuple[str, str], dict[int, float]] = {}
    for (source, target, seed), value in gained.items():
        transfers.setdefault((source, target), {})[seed] = value
    rows = store.rows(
        "SELECT x.run, x.cell, a.stage AS first, b.stage AS alone FROM experiment_runs x "
        "JOIN run_stages a ON a.run=x.run AND a.alone=0 AND a.position=0 "
        "JOIN run_stages b ON b.run=x.run AND b.alone=1 AND b.position=0 WHERE x.experiment=? ORDER BY x.number",
        (id,),
    )
    cells = [(json.loads(row["cell"]), row) for row in rows]
    pairs = [Pair(c["source"], c["target"], c["seed"], row["first"], row["alone"]) for c, row in cells]
    pairs = [pair for pair in pairs if pair.key in gained]
    if not pairs:
        raise UserError(f"no pair of {about['name']!r} is finished yet: there is no transfer to compare with")
    spec = frames.spec(store, rows[0]["run"])
    require_current(store, {"id": rows[0]["run"], "backbone": spec["backbone"]}, "its prompts belong to those weights")
    if not METHODS[spec["method"]].keeps_prompts:
        raise UserError(f"{spec['method']} keeps no prompts: measure the matrix with another method")
    return Lab(store, spec, pairs, transfers, device)


def require_matrix(store: Store, id: str) -> dict[str, Any]:
    about = experiments.find_with_runs(store, id)
    if about["kind"] != "matrix":
        raise UserError(f"{about['name']!r} is not a matrix: similarity is compared with the transfer of a matrix")
    return about


def readable(store: Store, id: str, names: Iterable[str] = tuple(ESTIMATORS)) -> Scores:
    """What is stored, and what is known without a prompt, computed here and now. For pages: nothing is kept."""
    names = list(names)
    cheap = [name for name in names if {*ESTIMATORS[name].needs} <= {TRANSFER}]
    known = stored(store, id, [name for name in names if name not in cheap])
    if not cheap:
        return known
    columns = computed(lab_of(store, id, "cpu"), cheap, silent)
    lines = [(name, *key, value, math.nan) for name in cheap for key, value in columns[name].values.items()]
    fresh = pd.DataFrame(lines, columns=COLUMNS).astype({"score": float, "earlier": float}).dropna(subset=["score"])
    frame = pd.concat([known.frame, fresh], ignore_index=True) if len(known.frame) else fresh.reset_index(drop=True)
    return Scores(frame, known.seconds | {name: columns[name].seconds for name in cheap})


# --- learned α ----------------------------------------------------------------------------
def alphas_for(store: Store, id: str, name: str = "") -> Experiment:
    """The runs of SHLPT that give α for the pairs of a matrix, with its tasks, seeds and training."""
    about = require_matrix(store, id)
    spec = frames.spec(store, experiments.runs_in(store, id)[0])
    common = {"settings": spec["training"]} | {key: spec[key] for key in ("suite", "backbone", "dtype")}
    found = experiments.pairs(store, id)
    tasks = list(dict.fromkeys([*found["source"], *found["target"]]))
    title = name or f"α for {about['name']}"
    return alphas(tasks, sorted({*found["seed"]}), common, title, about["about"].get("source_shots"))


def _learned(store: Store, id: str, lab: Lab, form: str) -> Column:
    """Mean α over the target's training texts, at the end of its stage, from the runs that are finished."""
    plan, there = alphas_for(store, id), {pair.key for pair in lab.pairs}
    wanted = {cell.spec.id: cell.label for cell in plan.cells if cell.label["form"] == form}
    named = {as_source(task, plan.about.get("source_shots")): task for task in plan.about["tasks"]}
    values, earlier, seconds = {}, {}, []
    frame = stage_alphas(store, wanted)
    for row in frame.itertuples():
        label = wanted[row.run]
        key = (named[row.earlier], label["target"], row.seed)
        if row.task == label["target"] and key in there:
            values[key], earlier[key] = row.alpha, float(label["earlier"])
    for run in {*frame["run"]}:
        stages = frames.stages(store, run)
        seconds.append(float(stages[~stages["alone"]]["seconds"].iloc[-1]) / wanted[run]["earlier"])
    return Column(values, len(values), float(np.mean(seconds)) if seconds else math.nan, earlier)


def with_delta(store: Store, id: str, form: str, delta: float) -> list[RunSpec]:
    """Runs of SHLPT with this form of the estimator and this δ on all tasks of a matrix, one for each of its seeds."""
    plan = alphas_for(store, id)
    spec = max((cell.spec for cell in plan.cells if cell.label["form"] == form), key=lambda spec: len(spec.tasks))
    spec = spec.model_copy(update={"params": spec.params.model_copy(update={"threshold": delta})})
    return [spec.model_copy(update={"seed": seed}) for seed in plan.about["seeds"]]
