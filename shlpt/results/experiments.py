"""The experiments of a store and their results."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from shlpt.analysis import orders
from shlpt.analysis.doctor import majority
from shlpt.errors import UserError, unknown
from shlpt.plans.experiments import Cell, Experiment, next_seeds
from shlpt.results.record import Record, run_record
from shlpt.results.recorded import recorded
from shlpt.results.seeds import stage_alphas
from shlpt.results.weights import OF_RUN, is_older, require_current
from shlpt.spec import RunSpec
from shlpt.store.store import Store

RESULT = ("state", "progress", "acc", "bwt", "fwt", "last", "seconds", "error")  # of a run


def find(store: Store, id: str) -> dict[str, Any]:
    """An experiment by its id, the beginning of its id, or its name."""
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
    """The same; an error if it has no runs."""
    found = find(store, id)
    if not runs_in(store, found["id"]):
        raise UserError(f"the experiment {found['name']!r} ({found['id']}) has no runs any more: all were deleted")
    return found


def locate_with_runs(store: Store, id: str) -> tuple[Store, dict[str, Any]]:
    """The same, from the visitor's store or else from the recorded one."""
    where, found = locate(store, id)
    return where, find_with_runs(where, found["id"])


def locate(store: Store, id: str) -> tuple[Store, dict[str, Any]]:
    """The same, from the visitor's store or else from the recorded one."""
    others = recorded()
    try:
        return store, find(store, id)
    except UserError:
        if others is None or not any(line["name"] == id or line["id"].startswith(id) for line in listed(others)):
            raise
        return others, find(others, id)


def locate_matrix(home: Path | None, id: str | None) -> tuple[Store, dict[str, Any]]:
    """A matrix by id or name, or the newest one; from the visitor's store or else from the recorded one."""
    stores = [store for store in (Store(home).there(), recorded()) if store is not None]
    if id is None:
        found = next(((store, line) for store in stores if (line := of_kind(store, "matrix"))), None)
        if found is None:
            raise UserError("there is no matrix yet: measure one with `python -m shlpt matrix --tasks yelp,sst2,rte`")
        return found
    if not stores:
        raise UserError(f"unknown experiment {id!r}: there are no results yet")
    store, line = locate(stores[0], id)
    if line["kind"] != "matrix":
        raise UserError(f"{line['name']!r} is not a matrix: similarity is compared with the transfer of a matrix")
    return store, line


def more_seeds(store: Store, id: str, source: str, target: str, count: int) -> Experiment:
    """The next seeds of one pair of a matrix, with the settings of its other runs. They are added to the matrix. For a
    recorded matrix, which never changes, a new one of this pair is made."""
    where, found = locate(store, id)
    mine = [
        (cell, RunSpec.model_validate(json.loads(where.value("SELECT spec FROM runs WHERE id=?", (run,)))))
        for run, cell in runs_with_cells(where, found["id"])
        if (cell.get("source"), cell.get("target")) == (source, target)
    ]
    for run, _ in runs_with_cells(where, found["id"])[:1]:
        require_current(where, run_record(where, run), "new seeds would be of other texts and weights")
    if not mine:
        raise UserError(f"the experiment {found['name']!r} has no pair {source}>{target}: see `experiments {id}`")
    seeds = next_seeds([cell["seed"] for cell, _ in mine], count)
    cells = [
        Cell({"source": source, "target": target, "seed": seed}, mine[0][1].model_copy(update={"seed": seed}))
        for seed in seeds
    ]
    if where is store:
        return Experiment(found["kind"], found["name"], tuple(cells), found["about"], joins=found["id"])
    known = [Cell(cell, spec) for cell, spec in mine]
    about = found["about"] | {"tasks": [source, target], "seeds": [c.label["seed"] for c in (*known, *cells)]}
    return Experiment("matrix", f"{found['name']}: {source} → {target}", (*known, *cells), about)


def runs_with_cells(store: Store, id: str) -> list[tuple[str, dict[str, Any]]]:
    """The runs of an experiment in order, each with its label."""
    rows = store.rows("SELECT run, cell FROM experiment_runs WHERE experiment=? ORDER BY number", (id,))
    return [(row["run"], json.loads(row["cell"])) for row in rows]


def results(store: Store, id: str) -> pd.DataFrame:
    """The label and the results of every cell."""
    lines = []
    for run, cell in runs_with_cells(store, id):
        record: Mapping[str, Any] = run_record(store, run)
        known = dict(record) | {"last": record["matrix"][-1][-1]}  # the last task's score, NaN while missing
        lines.append(cell | {"run": run} | {key: known[key] for key in RESULT})
    return pd.DataFrame(lines)


def of_kind(store: Store, kind: str, **about: Any) -> dict[str, Any] | None:
    """The newest experiment of a kind, with these values in what is known about it."""
    rows = store.rows("SELECT * FROM experiments WHERE kind=? ORDER BY created DESC", (kind,))
    found = (row | {"about": json.loads(row["about"])} for row in rows)
    return next((row for row in found if about.items() <= row["about"].items()), None)


def listed(store: Store) -> list[dict[str, Any]]:
    """All experiments, the newest first: id, kind, name, time of creation, number of runs, and whether their backbone
    has other weights now."""
    rows = store.rows(
        f"SELECT e.id, e.kind, e.name, e.created, count(x.run) AS runs, {OF_RUN} AS weights, "
        "json_extract(r.spec, '$.backbone') AS backbone FROM experiments e "
        "LEFT JOIN experiment_runs x ON x.experiment=e.id LEFT JOIN runs r ON r.id=x.run "
        "GROUP BY e.id ORDER BY e.created DESC, e.id"
    )
    return [
        {key: row[key] for key in ("id", "kind", "name", "created", "runs")}
        | {"older": is_older(row["backbone"] or "", row["weights"])}
        for row in rows
    ]


def labelled(store: Store, id: str) -> list[tuple[str, Record]]:
    """The current records of an experiment's runs, each with its label without the seed."""
    return [(label(cell), run_record(store, run)) for run, cell in runs_with_cells(store, id)]


def placed(store: Store, id: str) -> pd.DataFrame:
    """A row per run and place of its tasks, as `analysis.orders` reads them."""
    return orders.places([record for _, record in labelled(store, id)])


def swept_places(store: Store, id: str) -> pd.DataFrame:
    """The same of a sweep, with the value of each run."""
    key = find(store, id)["about"]["setting"]
    parts = [
        orders.places([run_record(store, run)]).assign(value=cell[key]) for run, cell in runs_with_cells(store, id)
    ]
    return pd.concat(parts, ignore_index=True)


def swept_alphas(store: Store, id: str) -> pd.DataFrame:
    """[value, seed, task, earlier, alpha] of a sweep, as `analysis.sweeps` reads them."""
    key, cells = find(store, id)["about"]["setting"], dict(runs_with_cells(store, id))
    frame = stage_alphas(store, cells)
    return frame.assign(value=[cells[run][key] for run in frame["run"]])[["value", "seed", "task", "earlier", "alpha"]]


ALIKE = ("epochs", "shots", "test_shots", "prompt_length")  # settings that a headroom experiment and a run must share


def headroom_of(store: Store, run: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Cells of the newest headroom experiment with a run's sequence and training; None without one."""
    for line in store.rows("SELECT id, about FROM experiments WHERE kind='headroom' ORDER BY created DESC"):
        names = [name for name, tasks in json.loads(line["about"])["sequences"].items() if tasks == list(run["tasks"])]
        for name in names:
            rows = [row for row in results(store, line["id"]).to_dict("records") if row["sequence"] == name]
            few = next((row for row in rows if row["condition"] == "few"), None)
            if few is None:
                continue
            theirs = run_record(store, few["run"])
            same = all(theirs["settings"][key] == run["settings"][key] for key in ALIKE)
            if same and all(theirs[key] == run[key] for key in ("suite", "backbone", "weights")):
                return [{str(key): value for key, value in row.items()} for row in rows]
    return None


def label(cell: Mapping[str, Any]) -> str:
    """`{"threshold": 0.3, "seed": 42}` → `threshold=0.3`; text values appear without their key."""
    parts = {key: value for key, value in cell.items() if key != "seed"}
    return " · ".join(value if isinstance(value, str) else f"{key}={value}" for key, value in parts.items())


def runs_in(store: Store, id: str) -> list[str]:
    return [run for run, _ in runs_with_cells(store, id)]


def pairs(store: Store, id: str) -> pd.DataFrame:
    """Scores of a matrix: the target after the source, and alone, for each seed; NaN while missing. `count` and
    `chance` are of the target's test set, NaN if its answers are not recorded."""
    lines = []
    known: dict[str, tuple[int, float] | None] = {}  # a target has the same test set in all runs
    scores = {
        (row["run"], row["alone"]): row["mean"]
        for row in store.rows(
            "SELECT r.run, r.alone, c.mean FROM experiment_runs e JOIN run_stages r ON r.run=e.run "
            "JOIN stages s ON s.key=r.stage JOIN scores c ON c.stage=s.id AND c.task=s.task "
            "WHERE e.experiment=? AND s.state='done' AND r.position=1-r.alone",
            (id,),
        )
    }
    for run, cell in runs_with_cells(store, id):
        score, alone = scores.get((run, 0)), scores.get((run, 1))
        if cell["target"] not in known and score is not None:
            known[cell["target"]] = _test_set(store, run)
        count, chance = known.get(cell["target"]) or (None, None)
        lines.append(cell | {"run": run, "score": score, "alone": alone, "count": count, "chance": chance})
    columns = ["source", "target", "seed", "run", "score", "alone", "count", "chance"]
    return pd.DataFrame(lines, columns=columns).astype(dict.fromkeys(columns[4:], float))


def _test_set(store: Store, run: str) -> tuple[int, float] | None:
    """The size of the second task's test set, and the score of its most frequent answer."""
    found = store.value(
        "SELECT c.examples FROM run_stages r JOIN stages s ON s.key=r.stage JOIN scores c ON c.stage=s.id "
        "WHERE r.run=? AND r.alone=0 AND r.position=1 AND c.task=s.task",
        (run,),
    )
    targets = json.loads(found or "{}").get("targets")
    return (len(targets), majority(targets)) if targets else None
