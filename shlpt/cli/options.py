"""Options that several commands share."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from shlpt.errors import UserError
from shlpt.plans import rates
from shlpt.spec import PRESET_ABOUT, parse_setting
from shlpt.store.store import default_home
from shlpt.tasks.sequences import find_sequence, read_tasks

PRESET_HELP = "; ".join(f"{name}: {about}" for name, about in PRESET_ABOUT.items()) + "."
ID_HELP = "Id of a run (see `runs list`), or its first characters."
IDS_HELP = "Ids of runs (see `runs list`), or their first characters."
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON document.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print the result as comma-separated values.")]
Home = Annotated[Path | None, typer.Option(help="Folder of the results (default: SHLPT_HOME, or else ./runs).")]
MatrixId = Annotated[str, typer.Argument(help="A matrix: its id or name, see `experiments`.")]
AnyMatrix = Annotated[
    str | None, typer.Argument(help="A matrix: its id or name, see `experiments` (default: the newest).")
]
Model = Annotated[
    str, typer.Option(help="Frozen language model: pocket (built in), a local folder, or the name of a T5 on the hub.")
]
Dtype = Annotated[str, typer.Option(help="Number format of the model: auto, float32 or bfloat16.")]
Device = Annotated[str, typer.Option(help="Computing device: auto, cpu, cuda, cuda:1 or mps.")]
Threads = Annotated[int | None, typer.Option(min=1, max=1024, help="CPU threads (default: all cores).")]
Seeds = Annotated[str, typer.Option(help="Random seeds, separated by commas; one run per seed.")]
Preset = Annotated[str, typer.Option(help=PRESET_HELP)]
Set = Annotated[
    list[str] | None, typer.Option(help="Change a setting, as key=value (repeatable); `methods NAME` lists them.")
]
Tasks = Annotated[str | None, typer.Option(help="Task names, separated by commas (see `tasks`).")]
Sequence = Annotated[str | None, typer.Option(help="Name of a task sequence (see `sequences`).")]
Method = Annotated[str, typer.Option(help="Name of a method (see `methods`).")]
Suite = Annotated[
    str, typer.Option(help="Where tasks come from: pocket (generated), own (imported), paper (its data sets).")
]
Lanes = Annotated[
    int | None, typer.Option(min=1, max=256, help="Runs to train together in one forward pass (default: by device).")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Train everything again instead of reusing stored results.")]
Detach = Annotated[bool, typer.Option("--detach", help="Queue the runs, print their ids and return; a worker trains.")]


@dataclass(frozen=True)
class How:
    """What all runs of a command have in common."""

    preset: Preset = "quick"
    set: Set = None
    suite: Suite = "pocket"
    backbone: Model = "pocket"
    dtype: Dtype = "auto"

    def of(self, method: str = "", home: Path | None = None, own_rates: bool = True) -> dict[str, Any]:
        """As `RunSpec.make` takes it. `own_rates`: with the rates that were found for the backbone."""
        given = {key: getattr(self, key) for key in ("preset", "suite", "backbone", "dtype")}
        how = {"method": method, "settings": dict(parse_setting(text) for text in self.set or []), **given}
        if own_rates and method:
            return rates.at_own_rate(how, method, home)
        if own_rates and self.backbone != "pocket" and (found := rates.rates(home or default_home(), self.backbone)):
            how["rates"] = found
        return how


@dataclass(frozen=True)
class Way:
    """How and where to train, and how to show the results."""

    home: Home = None
    lanes: Lanes = None
    fresh: Fresh = False
    detach: Detach = False
    device: Device = "auto"
    threads: Threads = None
    json: Json = False
    csv: Csv = False


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take a group of options, such as `how: How`: each field becomes an option."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    options = []
    for name, option in inspect.signature(command).parameters.items():
        if name in groups:
            types = get_type_hints(groups[name], include_extras=True)
            options += [
                inspect.Parameter(f.name, option.kind, default=f.default, annotation=types[f.name])
                for f in fields(groups[name])
            ]
        else:
            options.append(option.replace(annotation=hints[name]))

    @wraps(command)
    def flat(**given: Any) -> None:
        made = {name: group(**{f.name: given.pop(f.name) for f in fields(group)}) for name, group in groups.items()}
        command(**given, **made)

    flat.__signature__ = inspect.Signature(options)  # type: ignore[attr-defined]
    flat.__annotations__ = {option.name: option.annotation for option in options}
    return flat


def set_threads(count: int | None) -> None:
    import torch

    if count:
        torch.set_num_threads(count)


def require_device(name: str) -> None:
    """Refuse a missing device before anything is queued for it. `auto` and `cpu` always exist: no need for torch."""
    if name not in ("auto", "cpu"):
        from shlpt.backbone.t5 import pick_device

        pick_device(name)


def tasks_of(sequence: str | None, tasks: str | None, suite: str, home: Path | None) -> tuple[str, ...]:
    """The tasks of a named sequence, or tasks by their names."""
    if (sequence is None) == (tasks is None):
        raise UserError("name what to learn: either --sequence (such as demo) or --tasks (such as yelp,sst2), not both")
    return find_sequence(sequence) if sequence else read_tasks(tasks or "", suite, home or default_home())
