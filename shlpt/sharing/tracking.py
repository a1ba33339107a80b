"""Curves and scores of runs for TensorBoard and MLflow, which are optional: imported only here, when asked for.

A run has the same names in both: `task 2/loss`, `task 2/validation`, … by training step, and `score/task 1` by the
number of tasks learned. Names of tasks are beside them, as not every name may stand in the name of a curve.
"""

import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from shlpt.errors import UserError
from shlpt.results import frames
from shlpt.results.export import word
from shlpt.sharing.which import Which
from shlpt.store.store import Store
from shlpt.version import VERSION

GET = {"tensorboard": "pip install tensorboard", "mlflow": "pip install mlflow-skinny sqlalchemy alembic"}
EVERY = 10**9  # points of a curve: all of them
TOGETHER = 500  # metrics that MLflow takes at once
DATABASE = "mlflow.db"
RUN = "shlpt.run"  # tag of MLflow that tells which run it is


@dataclass(frozen=True)
class Point:
    curve: str
    step: int
    value: float


def is_installed(name: str) -> bool:
    return find_spec(name) is not None


def points(store: Store, record: dict[str, Any]) -> list[Point]:
    """Everything of a run that is a number at a step."""
    id, found = record["id"], list[Point]()
    for frame, names in (
        (frames.losses(store, [id], EVERY), ("loss", "down", "hsc", "asc")),
        (frames.epochs(store, [id]), ("validation", "validation_loss")),
    ):
        found += [
            Point(f"task {row['position'] + 1}/{name}", row["step"], row[name])
            for row in frame.to_dict("records")
            for name in names
            if not pd.isna(row[name])
        ]
    found += [
        Point(f"score/task {place}", learned, value)
        for learned, row in enumerate(record["matrix"], 1)
        for place, value in enumerate(row, 1)
        if value is not None
    ]
    last = len(record["tasks"])
    return found + [Point(key, last, record[key]) for key in ("acc", "bwt", "fwt") if record[key] is not None]


def about(record: dict[str, Any]) -> dict[str, str]:
    """What a run is, as text: method, tasks, settings."""
    own = {key: record[key] for key in ("method", "tasks", "seed", "suite", "backbone", "weights")}
    return {key: word(value) for key, value in {**own, **record["settings"]}.items()}


def _records(which: Which) -> Iterator[dict[str, Any]]:
    for id in which.runs:
        record = frames.run(which.store, id)
        if record["state"] != "done":
            raise UserError(f"run {id} is {record['state']}: only finished runs are exported")
        yield record


def _refuse_without(name: str, title: str) -> None:
    if not is_installed(name):
        raise UserError(f"{title} is not installed here: {GET[name]}. Without it, --table FILE.csv has the scores")


# --- TensorBoard ----------------------------------------------------------------------------
def tensorboard(which: Which, folder: Path) -> int:
    """A folder of event files for each run; returns how many numbers were written."""
    _refuse_without("tensorboard", "TensorBoard")
    records, count = list(_records(which)), 0
    for record in records:
        if (folder / record["id"]).exists():
            raise UserError(f"{folder / record['id']} is there: choose another folder, or remove it first")
    for record in records:
        draft = folder / f"{record['id']}.draft"
        try:
            draft.mkdir(parents=True)
            count += _events(draft, record, points(which.store, record))
            draft.rename(folder / record["id"])
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise UserError(f"cannot write to {folder}: {error.strerror}") from None
    return count


def _events(folder: Path, record: dict[str, Any], found: list[Point]) -> int:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer, at = EventFileWriter(str(folder)), record["created"]
    lines = [f"| {key} | {value.replace('|', '¦')} |" for key, value in about(record).items()]
    table = "\n".join(["| what | value |", "| --- | --- |", *lines])
    text = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    tensor = TensorProto(dtype=DT_STRING, string_val=[table.encode()])
    writer.add_event(
        Event(wall_time=at, summary=Summary(value=[Summary.Value(tag="about", tensor=tensor, metadata=text)]))
    )
    for point in found:
        value = Summary.Value(tag=point.curve, simple_value=point.value)
        writer.add_event(Event(wall_time=at, step=point.step, summary=Summary(value=[value])))
    writer.close()
    return len(found)


def zipped(which: Which) -> bytes:
    """The event files of a run as one file, for pages."""
    out = io.BytesIO()
    with TemporaryDirectory() as folder, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        tensorboard(which, Path(folder))
        for path in sorted(Path(folder).rglob("*")):
            archive.write(path, path.relative_to(folder))
    return out.getvalue()


# --- MLflow ---------------------------------------------------------------------------------
def mlflow(which: Which, folder: Path) -> int:
    """A database of MLflow in a folder, to which other runs can be added; returns how many numbers were written."""
    _refuse_without("mlflow", "MLflow")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it would report its use over the network
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    records, count = list(_records(which)), 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        client = MlflowClient(f"sqlite:///{folder.resolve() / DATABASE}")
    except ImportError as error:
        raise UserError(f"MLflow lacks {error.name} to write a database: {GET['mlflow']}") from None
    except (OSError, MlflowException) as error:
        raise UserError(f"cannot write an MLflow database in {folder}: {str(error).splitlines()[0]}") from None
    title = which.experiment["name"] if which.experiment else "shlpt"
    there = client.get_experiment_by_name(title)
    place = there.experiment_id if there else client.create_experiment(title, (folder.resolve() / "artifacts").as_uri())
    known = {run.data.tags.get(RUN) for run in client.search_runs([place], max_results=50_000)}
    if twice := [record["id"] for record in records if record["id"] in known]:
        raise UserError(f"run {twice[0]} is in {folder / DATABASE} already: choose another folder")
    for record in records:
        at, found = int(record["created"] * 1000), points(which.store, record)
        run = client.create_run(place, start_time=at, run_name=record["name"] or record["id"]).info.run_id
        tags = {RUN: record["id"], "shlpt.version": VERSION, "shlpt.tasks": json.dumps(record["tasks"])}
        client.log_batch(
            run,
            params=[Param(key, value) for key, value in about(record).items()],
            tags=[RunTag(key, value) for key, value in tags.items()],
        )
        metrics = [Metric(point.curve, point.value, at, point.step) for point in found]
        for start in range(0, len(metrics), TOGETHER):
            client.log_batch(run, metrics=metrics[start : start + TOGETHER])
        client.set_terminated(run, end_time=at + int(record["seconds"] * 1000))
        count += len(found)
    return count
