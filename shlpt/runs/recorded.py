"""Results that come with the program, so that every page has something true to show at once. No torch.

They are a store like any other, under data/recorded, made by `python -m shlpt record` and never
written by anything else. Whatever shows them calls them recorded.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from shlpt.catalog import METHODS
from shlpt.runs import artifacts, experiments
from shlpt.runs.claims import add_artifact
from shlpt.runs.experiments import Cell, Experiment, make
from shlpt.runs.store import Store
from shlpt.tasks.sequences import SEQUENCES

HOME = Path(__file__).resolve().parents[2] / "data" / "recorded"
SEEDS = (42, 142, 242)
TRANSFER_TASKS = ("yelp", "imdb", "sst2", "rte", "qqp", "agnews")


def recorded() -> Store | None:
    """The store that comes with the program; None where its file was removed."""
    return Store(HOME).there()


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


def arrange(store: Store) -> None:
    """Names that say what a run is recorded for, and the order of the plan in lists, whatever was trained first."""
    newest = store.value("SELECT max(created) FROM runs")
    for number, experiment in enumerate(plan()):
        rows = store.rows("SELECT run, cell FROM experiment_runs WHERE experiment=? ORDER BY number", (experiment.id,))
        with store.write() as db:
            for place, row in enumerate(rows):
                cell = json.loads(row["cell"])
                what = (cell.get("method") and METHODS[cell["method"]].title) or cell.get("variant", "")
                name = f"{what} · {experiment.name}" if what else ""
                db.execute(
                    "UPDATE runs SET name=?, created=? WHERE id=?", (name, newest - number - place / 1000, row["run"])
                )


HEAVY = ("extra.weights.", "extra.fisher.")  # a whole model for every task: nothing that is shown reads it


def slim(store: Store) -> None:
    """Leave out what no page reads, so that the recorded results stay small.

    Maps of activation states are for sequences; of a pair of tasks nobody looks at one.
    """
    sequences = {
        row["stage"]
        for row in store.rows(
            "SELECT stage FROM run_stages WHERE alone=0 AND run IN (SELECT run FROM run_stages WHERE position>1)"
        )
    }
    for row in store.rows("SELECT owner, kind, file, sha256 FROM artifacts WHERE kind='tensors'"):
        data = artifacts.read(store.home, row["file"], row["sha256"])
        tensors = artifacts.from_bytes(data)
        heavy = HEAVY if row["owner"] in sequences else (*HEAVY, "record.probe_")
        kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(heavy)}
        if len(kept) < len(tensors):
            smaller = artifacts.to_bytes(kept, artifacts.about_of(data))
            written = artifacts.write(store.home, row["file"].removesuffix(".safetensors"), smaller)
            with store.write() as db:
                add_artifact(db, row["owner"], row["kind"], written)
    store.db.execute("VACUUM")
    for name in ("workers", ".reserve"):
        path = store.home / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
