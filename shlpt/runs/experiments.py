"""Named lists of runs: every ordered pair of tasks, values of a setting, orders of a sequence. No torch.

A cell of a transfer matrix is a run over two tasks, a point of a sweep is a run with a setting changed:
there is no second kind of job, so stages are shared as between any runs.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pandas as pd

from shlpt.errors import UserError, unknown
from shlpt.runs.named import ablation_specs, pair_specs
from shlpt.runs.results import run_record
from shlpt.runs.store import Store, to_json
from shlpt.runs.submit import Submitted, default_width, submit
from shlpt.spec import RunSpec, digest, has_setting, settings_known
from shlpt.tasks.sequences import find_benchmark

Common = Mapping[str, Any]  # method, settings, preset, suite, backbone, dtype: what RunSpec.make takes
RESULT = ("state", "progress", "acc", "bwt", "fwt", "seconds", "error")  # of a run, beside its cell's label


@dataclass(frozen=True)
class Cell:
    """A run, and what it stands for in its experiment."""

    label: dict[str, Any]
    spec: RunSpec


@dataclass(frozen=True)
class Experiment:
    kind: str
    name: str
    cells: tuple[Cell, ...]
    about: dict[str, Any]

    @property
    def id(self) -> str:
        return f"x{digest([self.kind, self.name, [c.spec.id for c in self.cells]])}"

    @property
    def specs(self) -> list[RunSpec]:
        return [cell.spec for cell in self.cells]


# --- the kinds ----------------------------------------------------------------------------
def matrix(tasks: Sequence[str], seeds: Sequence[int], common: Common, name: str = "") -> Experiment:
    """Every ordered pair of tasks: the second learned after the first."""
    if len(tasks) < 2:
        raise UserError("a matrix needs two tasks at least: give --tasks yelp,sst2,agnews")
    cells = [
        Cell({"source": source, "target": target, "seed": seed}, make((source, target), seed, common))
        for source, target in itertools.permutations(tasks, 2)
        for seed in seeds
    ]
    about = {"tasks": list(tasks), "seeds": list(seeds)} | dict(common)
    return Experiment("matrix", name or f"matrix of {len(tasks)} tasks", tuple(cells), about)


def sweep(
    tasks: Sequence[str], key: str, values: Sequence[Any], seeds: Sequence[int], common: Common, name: str = ""
) -> Experiment:
    """One setting at several values."""
    if not values:
        raise UserError(f"no values to sweep {key} over: write them as --values {key}=0.01,0.06,0.3")
    values = list(dict.fromkeys(values))
    settings = dict(common.get("settings") or {})
    cells = [
        Cell({key: value, "seed": seed}, make(tasks, seed, {**common, "settings": settings | {key: value}}))
        for value in values
        for seed in seeds
    ]
    about = {"tasks": list(tasks), "setting": key, "values": list(values), "seeds": list(seeds)} | dict(common)
    return Experiment("sweep", name or f"{key} over {len(values)} values", tuple(cells), about)


def orders(
    tasks: Sequence[str], seeds: Sequence[int], common: Common, sample: int | None = None, name: str = ""
) -> Experiment:
    """A sequence in all its orders, or in some drawn by lot."""
    count = math.factorial(len(tasks))
    if sample is None and count > 120:
        raise UserError(f"{len(tasks)} tasks have {count:,} orders: draw some of them with --sample 20")
    chosen = (
        [tuple(order) for order in itertools.permutations(tasks)]
        if sample is None or sample >= count
        else _drawn(tasks, sample)
    )
    cells = [
        Cell({"order": " ".join(order), "seed": seed}, make(order, seed, common)) for order in chosen for seed in seeds
    ]
    about = {"tasks": list(tasks), "seeds": list(seeds), "sample": sample} | dict(common)
    return Experiment("orders", name or f"{len(chosen)} orders of {len(tasks)} tasks", tuple(cells), about)


def bench(
    benchmark: str,
    methods: Sequence[str],
    seeds: Sequence[int],
    common: Common,
    reference: str = "per_task",
    name: str = "",
) -> Experiment:
    """Methods on the sequences of a benchmark, always with the reference. A setting goes to those that have it."""
    chosen = find_benchmark(benchmark)
    methods = tuple(dict.fromkeys((*methods, reference)))
    given = dict(common.get("settings") or {})
    for key in given:
        if not any(has_setting(method, key) for method in methods):
            raise unknown("setting of these methods", key, [k for m in methods for k in settings_known(m)])
    cells = []
    for method in methods:
        # As the paper does: where tasks harm each other δ is so high that none is similar.
        base = {"threshold": 1.5} if benchmark == "negative" else {}
        own = {key: value for key, value in {**base, **given}.items() if has_setting(method, key)}
        cells += [
            Cell(
                {"method": method, "sequence": sequence, "seed": seed},
                make(tasks, seed, {**common, "method": method, "settings": own}),
            )
            for sequence, tasks in chosen.tasks.items()
            for seed in seeds
        ]
    about = {"benchmark": benchmark, "methods": list(methods), "seeds": list(seeds), "reference": reference}
    about |= _where(common)
    return Experiment("bench", name or f"{chosen.title}, {len(methods)} methods", tuple(cells), about)


def ablations(sequence: str, seeds: Sequence[int], common: Common, name: str = "") -> Experiment:
    """Table 4: SHLPT without one of its parts."""
    return _named("ablations", name or f"ablations on {sequence}", ablation_specs(sequence, seeds, **_where(common)))


def pair_variants(seeds: Sequence[int], common: Common, name: str = "") -> Experiment:
    """Table 5: pairs that harm each other."""
    return _named("pairs", name or "pairs that harm each other", pair_specs(seeds, **_where(common)))


def _where(common: Common) -> dict[str, Any]:
    return {key: value for key, value in common.items() if key != "method"}


def _named(kind: str, name: str, specs: Sequence[tuple[str, RunSpec]]) -> Experiment:
    cells = tuple(Cell({"variant": label, "seed": spec.seed}, spec) for label, spec in specs)
    return Experiment(kind, name, cells, {"seeds": sorted({spec.seed for _, spec in specs})})


def _drawn(tasks: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """Different orders, the same ones whenever they are drawn again."""
    rng = Random(f"orders/{','.join(tasks)}")
    found: dict[tuple[str, ...], None] = {}
    while len(found) < count:
        found[tuple(rng.sample(list(tasks), len(tasks)))] = None
    return list(found)


def make(tasks: Sequence[str], seed: int, common: Common) -> RunSpec:
    return RunSpec.make(tasks, seed=seed, **common)


# --- in the store -------------------------------------------------------------------------
def start(
    store: Store, experiment: Experiment, *, lanes: int | None = None, fresh: bool = False, device: str = "auto"
) -> tuple[str, Submitted]:
    """Queue all runs and remember what they are for. The same experiment again goes on where it was."""
    width = lanes or default_width(device, many=True)
    sent = submit(store, experiment.specs, lanes=width, fresh=fresh, device=device)
    id = experiment.id if not fresh else f"x{digest([experiment.kind, experiment.name, sent.runs])}"
    with store.write() as db:
        db.execute(
            "INSERT INTO experiments (id, kind, name, about, created) VALUES (?,?,?,?,?) "
            "ON CONFLICT (id) DO UPDATE SET about=excluded.about",  # the same runs against another reference
            (id, experiment.kind, experiment.name, to_json(experiment.about), time.time()),
        )
        db.executemany(
            "INSERT INTO experiment_runs (experiment, number, run, cell) VALUES (?,?,?,?) ON CONFLICT DO NOTHING",
            [
                (id, number, run, to_json(cell.label))
                for number, (run, cell) in enumerate(zip(sent.runs, experiment.cells, strict=True))
            ],
        )
    return id, sent


def find(store: Store, id: str) -> dict[str, Any]:
    """An experiment by its id, how it begins, or its name."""
    rows = store.rows("SELECT * FROM experiments ORDER BY created DESC")
    found = [row for row in rows if row["id"] == id or row["name"] == id] or [
        row for row in rows if id and row["id"].startswith(id)
    ]
    if not found:
        if not rows:
            raise UserError(f"unknown experiment {id!r}: there are none in {store.home} yet")
        raise unknown("experiment", id, [row["id"] for row in rows])
    return found[0] | {"about": json.loads(found[0]["about"])}


def find_with_runs(store: Store, id: str) -> dict[str, Any]:
    """The same for who wants to see what came out."""
    found = find(store, id)
    if not runs_in(store, found["id"]):
        raise UserError(f"the experiment {found['name']!r} ({found['id']}) has no runs any more: all were deleted")
    return found


def _runs_with_cells(store: Store, id: str) -> list[tuple[str, dict[str, Any]]]:
    """The runs of an experiment in order, each with what it stands for."""
    rows = store.rows("SELECT run, cell FROM experiment_runs WHERE experiment=? ORDER BY number", (id,))
    return [(row["run"], json.loads(row["cell"])) for row in rows]


def results(store: Store, id: str) -> pd.DataFrame:
    """Every cell's label with what its run has come to so far."""
    lines = []
    for run, cell in _runs_with_cells(store, id):
        record = run_record(store, run)
        lines.append(cell | {"run": run} | {key: record[key] for key in RESULT})
    return pd.DataFrame(lines)


def of_kind(store: Store, kind: str) -> dict[str, Any] | None:
    """The newest experiment of a kind."""
    rows = store.rows("SELECT * FROM experiments WHERE kind=? ORDER BY created DESC LIMIT 1", (kind,))
    return rows[0] | {"about": json.loads(rows[0]["about"])} if rows else None


def listed(store: Store) -> list[dict[str, Any]]:
    """Every experiment, the newest first: id, kind, name, when it was made, number of runs."""
    return store.rows(
        "SELECT e.id, e.kind, e.name, e.created, count(x.run) AS runs FROM experiments e "
        "LEFT JOIN experiment_runs x ON x.experiment=e.id GROUP BY e.id ORDER BY e.created DESC, e.id"
    )


def labelled(store: Store, id: str) -> list[tuple[str, dict[str, Any]]]:
    """The runs of an experiment as they are now, each with its label but for the seed."""
    return [(label(cell), run_record(store, run)) for run, cell in _runs_with_cells(store, id)]


def label(cell: Mapping[str, Any]) -> str:
    """`{"threshold": 0.3, "seed": 42}` → `threshold=0.3`; words stand for themselves."""
    parts = {key: value for key, value in cell.items() if key != "seed"}
    return " · ".join(value if isinstance(value, str) else f"{key}={value}" for key, value in parts.items())


def runs_in(store: Store, id: str) -> list[str]:
    return [run for run, _ in _runs_with_cells(store, id)]


def pairs(store: Store, id: str) -> pd.DataFrame:
    """Of a matrix: score of the target after the source, and learned alone, seed by seed; NaN while missing."""
    lines = []
    for run, cell in _runs_with_cells(store, id):
        score, alone = (
            store.value(
                "SELECT c.mean FROM run_stages r JOIN stages s ON s.key=r.stage JOIN scores c ON c.stage=s.id "
                "WHERE r.run=? AND r.alone=? AND r.position=? AND s.state='done' AND c.task=s.task",
                (run, alone, position),
            )
            for alone, position in ((0, 1), (1, 0))
        )
        lines.append(cell | {"run": run, "score": score, "alone": alone})
    columns = ["source", "target", "seed", "run", "score", "alone"]
    return pd.DataFrame(lines, columns=columns).astype({"score": float, "alone": float})
