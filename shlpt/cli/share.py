"""The commands `export` and `import`: results taken away, and brought in."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli import options as opt
from shlpt.cli.report import errors, show, write_file
from shlpt.errors import UserError
from shlpt.store.store import Store, default_home
from shlpt.version import VERSION

Taken = dict[str, Any]  # what was written: kind, path and what else is known


def export(
    id: Annotated[str, typer.Argument(help="Id of a run or an experiment, or its first characters; names work too.")],
    peft: Annotated[Path | None, typer.Option(help="Write the prompt of a task to this new folder, for PEFT.")] = None,
    task: Annotated[str | None, typer.Option(help="Task whose prompt --peft writes (default: the last one).")] = None,
    bundle: Annotated[Path | None, typer.Option(help="Write all results to this file, for `import` elsewhere.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write figures and tables to this HTML file, which opens without internet.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="Write its table to this file: .tex (LaTeX, for booktabs) or .csv.")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(help="Write curves and scores to this folder, for TensorBoard.")
    ] = None,
    mlflow: Annotated[
        Path | None, typer.Option(help="Add curves, scores and settings to the MLflow database in this folder.")
    ] = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Take a run or an experiment away.

    As a report to read, a table to print, a bundle for another installation, a prompt as an adapter for PEFT, and
    curves for TensorBoard or MLflow. Several at once are possible. Recorded ones can be named too.
    """
    if not any((peft, bundle, report, table, tensorboard, mlflow)):
        raise UserError(
            "say what to write: --report FILE, --table FILE, --bundle FILE, --peft FOLDER, --tensorboard FOLDER or "
            "--mlflow FOLDER"
        )
    if task is not None and peft is None:
        raise UserError("--task belongs to --peft: all else takes the whole run")
    from shlpt.sharing.which import locate

    which, written = locate(home, id), list[Taken]()
    if peft is not None:
        written.append(_peft(which, task, peft))
    if bundle is not None:
        from shlpt.sharing.bundle import pack

        written.append(_file("bundle", bundle, pack(which)))
    if report is not None:
        from shlpt.sharing.report import report as made

        written.append(_file("report", report, made(which)))
    if table is not None:
        written.append(_file("table", table, _table(which, table.suffix)))
    if tensorboard is not None or mlflow is not None:
        written += _tracked(which, tensorboard, mlflow)
    rows = [{key: value for key, value in one.items() if key != "notes"} for one in written]
    show(rows, "written", as_json=json, as_csv=csv, document=written)
    for note in (note for one in written for note in one.get("notes", ())):
        errors.print(note, markup=False, soft_wrap=True)


def _peft(which: Any, task: str | None, folder: Path) -> Taken:
    from shlpt.results import frames
    from shlpt.sharing import peft

    if which.experiment is not None:
        raise UserError(
            f"{which.id} is an experiment, and an adapter is the prompt of one run: see `experiments {which.id}`"
        )
    last = frames.spec(which.store, which.id)["tasks"][-1]
    adapter, worst = peft.export(which.store, which.id, task or last, folder)
    notes = [] if worst is not None else [f"not compared with PEFT, because it is not installed here: {peft.GET}"]
    length, width = adapter.prompt.shape
    about = {"task": adapter.task, "rows": length, "width": width, "difference of logits": worst, "notes": notes}
    return {"kind": "PEFT adapter", "path": str(folder), **about}


def _tracked(which: Any, tensorboard: Path | None, mlflow: Path | None) -> list[Taken]:
    from shlpt.sharing import tracking

    found = list[Taken]()
    if tensorboard is not None:
        notes = [f"look at it with: tensorboard --logdir {shlex.quote(str(tensorboard))}"]
        count = tracking.tensorboard(which, tensorboard)
        found.append({"kind": "TensorBoard", "path": str(tensorboard), "numbers": count, "notes": notes})
    if mlflow is not None:
        place = mlflow.resolve() / tracking.DATABASE
        notes = [f"look at it with: mlflow ui --backend-store-uri {shlex.quote(f'sqlite:///{place}')}"]
        found.append({"kind": "MLflow", "path": str(place), "numbers": tracking.mlflow(which, mlflow), "notes": notes})
    return found


def _table(which: Any, suffix: str) -> bytes:
    from shlpt.sharing import tables

    if suffix == ".csv":
        return tables.csv(which).encode()
    if suffix != ".tex":
        raise UserError(f"a table is a .tex or a .csv file, not {suffix or 'one without an ending'}: name it so")
    name = which.experiment["name"] if which.experiment else f"run {which.id}"
    caption = f"{name}. {tables.note(which)}. {tables.ABOUT}"
    return tables.latex(tables.table(which), caption, f"{which.id}, shlpt {VERSION}").encode()


def _file(kind: str, path: Path, data: bytes) -> Taken:
    write_file(path, data)
    return {"kind": kind, "path": str(path), "bytes": len(data)}


def take_in(
    path: Annotated[Path, typer.Argument(help="A bundle, or the folder of an adapter that PEFT wrote.")],
    task: Annotated[str | None, typer.Option(help="Task that an adapter was trained for (see `tasks`).")] = None,
    name: Annotated[str, typer.Option(help="Name of the prompt here, as prompts/NAME (default: the folder's).")] = "",
    number: Annotated[int, typer.Option(min=0, help="Number of the task in a multitask adapter.")] = 0,
    same_weights: Annotated[
        bool, typer.Option("--same-weights", help="The adapter's model has the weights of --backbone, by another name.")
    ] = False,
    backbone: opt.Model = "pocket",
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Bring in the results of another installation, or a prompt that PEFT trained.

    The runs of a bundle get ids of their own (i…) and stand beside yours, never mixed with them and never reused. The
    prompt of an adapter becomes a task that needs no training: it can stand before other tasks, as in --tasks
    prompts/NAME,yelp, and is tested on the texts of its task.
    """
    if not path.exists():
        raise UserError(f"{path} is not there: give a bundle, or the folder of an adapter")
    if path.is_file():
        _bundle(path, home, json, csv)
        return
    from shlpt.sharing import peft

    if task is None:
        raise UserError("name the task that the adapter was trained for, for example --task sst2 (`tasks` lists them)")
    here = home or default_home()
    given = peft.take_in(here, path, task, backbone, name=name, number=number, same=same_weights)
    row = {"name": given.title, "task": given.task, "rows": given.length, "width": given.width, "from": given.origin}
    show([row], "imported", as_json=json, as_csv=csv, document=row | {"digest": given.digest})
    command = f"python -m shlpt run --tasks {given.title},… --set prompt_length={given.length}"
    errors.print(f"use it with: {command}", markup=False, soft_wrap=True)


def _bundle(path: Path, home: Path | None, json: bool, csv: bool) -> None:
    from shlpt.results import frames, listing
    from shlpt.results.export import rows_of_frame
    from shlpt.sharing import bundle

    if path.stat().st_size > bundle.LARGEST:
        raise UserError(f"{path} is larger than a bundle may be ({bundle.LARGEST / 2**20:.0f} MB)")
    found = bundle.read(path.read_bytes(), str(path))
    store = Store(home).open()
    brought = bundle.bring_in(store, found, path.name)
    rows = listing.short(rows_of_frame(frames.runs(store, brought.runs)))
    about = {"experiment": brought.experiment, "new": brought.is_new, "made": found.manifest["made"]}
    show(rows, "imported", as_json=json, as_csv=csv, document={"runs": rows, **about})
    where = f" as experiment {brought.experiment}" if brought.experiment else ""
    said = f"imported{where}: {found.environment}" if brought.is_new else f"this bundle was imported before{where}"
    errors.print(said, markup=False, soft_wrap=True)
