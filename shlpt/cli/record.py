"""The command `record`."""

import json as text
import shutil
from pathlib import Path
from typing import Annotated

import typer

from shlpt.catalog import METHODS
from shlpt.cli.carry_out import Study, carry_out
from shlpt.cli.options import Csv, Device, Home, Json, Threads
from shlpt.cli.report import show
from shlpt.cli.rows import ROWS
from shlpt.plans.recorded import plan
from shlpt.results.recorded import HOME
from shlpt.store import artifacts
from shlpt.store.store import Store
from shlpt.store.tensors import add_artifact


def record(
    out: Annotated[Path | None, typer.Option(help="Folder to write to (default: data/recorded).")] = None,
    device: Device = "cpu",
    threads: Threads = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Train the recorded results again (some minutes).

    These are the results that come with the program; the app shows them before you have trained anything.
    """
    way = Study(out or HOME, device=device, threads=threads)
    made = [carry_out(one, way, ROWS[one.kind], quiet=True) for one in plan()]
    if any(found["left"] for found in made):
        raise SystemExit(1)
    rows = [{key: found[key] for key in ("id", "kind", "name", "runs", "trained", "seconds")} for found in made]
    store = Store(out or HOME).open()
    arrange(store)
    slim(store)
    show(rows, "recorded", as_json=json, as_csv=csv)


def arrange(store: Store) -> None:
    """Name each run after its experiment, and list runs in the order of the plan, whatever was trained first."""
    newest = store.value("SELECT max(created) FROM runs")
    for number, experiment in enumerate(plan()):
        rows = store.rows("SELECT run, cell FROM experiment_runs WHERE experiment=? ORDER BY number", (experiment.id,))
        with store.write() as db:
            for place, row in enumerate(rows):
                cell = text.loads(row["cell"])
                what = (cell.get("method") and METHODS[cell["method"]].title) or cell.get("variant", "")
                name = f"{what} · {experiment.name}" if what else ""
                db.execute(
                    "UPDATE runs SET name=?, created=? WHERE id=?", (name, newest - number - place / 1000, row["run"])
                )


HEAVY = ("extra.weights.", "extra.fisher.")  # a whole model for every task, which no page reads


def slim(store: Store) -> None:
    """Drop what no page reads, so that the recorded results stay small: activation states of pairs, for example."""
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
