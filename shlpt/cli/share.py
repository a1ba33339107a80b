"""The commands `export` and `import`: results taken away, and brought in."""

from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli import options as opt
from shlpt.cli.report import errors, show
from shlpt.errors import UserError
from shlpt.store.store import default_home

Taken = dict[str, Any]  # what was written: kind, file and what else is known


def export(
    id: Annotated[str, typer.Argument(help="Id of a run or an experiment, or its first characters; names work too.")],
    task: Annotated[str | None, typer.Option(help="Task whose prompt is exported (default: the last one).")] = None,
    peft: Annotated[Path | None, typer.Option(help="Write the task's prompt to this new folder, for PEFT.")] = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Take a run away: the prompt of a task as an adapter for PEFT."""
    if peft is None:
        raise UserError("say what to write: --peft FOLDER")
    if task is not None and peft is None:
        raise UserError("--task belongs to --peft: all else takes the whole run")
    written: list[Taken] = []
    if peft is not None:
        written.append(_peft(id, task, peft, home))
    rows = [{key: value for key, value in one.items() if key != "notes"} for one in written]
    show(rows, "written", as_json=json, as_csv=csv, document=written)
    for note in (note for one in written for note in one.get("notes", ())):
        errors.print(note, markup=False, soft_wrap=True)


def _peft(id: str, task: str | None, folder: Path, home: Path | None) -> Taken:
    from shlpt.results import frames
    from shlpt.results.recorded import locate_run
    from shlpt.sharing import peft

    store, run = locate_run(home, id)
    adapter, worst = peft.export(store, run, task or frames.spec(store, run)["tasks"][-1], folder)
    notes = [] if worst is not None else [f"not compared with PEFT, because it is not installed here: {peft.GET}"]
    length, width = adapter.prompt.shape
    return {
        "kind": "PEFT adapter",
        "path": str(folder),
        "task": adapter.task,
        "rows": length,
        "width": width,
        "difference of logits": worst,
        "notes": notes,
    }


def take_in(
    path: Annotated[Path, typer.Argument(help="Folder of an adapter, as save_pretrained of PEFT wrote it.")],
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
    """Bring in an adapter of PEFT: its prompt becomes a task that needs no training.

    It can stand before other tasks, as in --tasks prompts/NAME,yelp, and is tested on the texts of its task.
    """
    from shlpt.sharing import peft

    if not path.exists():
        raise UserError(f"{path} is not there: give the folder of an adapter")
    if task is None:
        raise UserError("name the task that the adapter was trained for, for example --task sst2 (`tasks` lists them)")
    here = home or default_home()
    given = peft.take_in(here, path, task, backbone, name=name, number=number, same=same_weights)
    row = {"name": given.title, "task": given.task, "rows": given.length, "width": given.width, "from": given.origin}
    show([row], "imported", as_json=json, as_csv=csv, document=row | {"digest": given.digest})
    command = f"python -m shlpt run --tasks {given.title},… --set prompt_length={given.length}"
    errors.print(f"use it with: {command}", markup=False, soft_wrap=True)
