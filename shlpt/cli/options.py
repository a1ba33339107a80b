"""Options that several commands take, and how they are read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from shlpt.errors import UserError
from shlpt.spec import PRESET_ABOUT, parse_setting

PRESET_HELP = "; ".join(f"{name}: {about}" for name, about in PRESET_ABOUT.items()) + "."
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values on standard output.")]
Home = Annotated[Path | None, typer.Option(help="Folder for results (default ./runs, or SHLPT_HOME).")]
Model = Annotated[str, typer.Option(help="pocket, a local folder, or a T5 on the hub.")]
Dtype = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 or mps.")]
Threads = Annotated[int | None, typer.Option(min=1, max=1024, help="CPU threads (default: all cores).")]
Seeds = Annotated[str, typer.Option(help="Seeds with commas; each is a run.")]
Preset = Annotated[str, typer.Option(help=PRESET_HELP)]
Set = Annotated[list[str] | None, typer.Option(help="A setting as key=value; repeatable.")]
Tasks = Annotated[str | None, typer.Option(help="Task names with commas, see `tasks`.")]
Sequence = Annotated[str | None, typer.Option(help="A named sequence, see `sequences`.")]
Method = Annotated[str, typer.Option(help="A method, see `methods`.")]
Suite = Annotated[str, typer.Option(help="Where the tasks come from.")]
Lanes = Annotated[int | None, typer.Option(min=1, max=256, help="Runs that share a forward pass.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Train again what is already stored.")]
Detach = Annotated[bool, typer.Option("--detach", help="Print the ids and return; a worker trains.")]


@dataclass(frozen=True)
class How:
    """What every run of a command is made with."""

    preset: Preset = "quick"
    set: Set = None
    suite: Suite = "pocket"
    backbone: Model = "pocket"
    dtype: Dtype = "auto"

    def of(self, method: str = "") -> dict[str, Any]:
        """As `RunSpec.make` takes it."""
        settings = dict(parse_setting(text) for text in self.set or [])
        return {
            "method": method,
            "settings": settings,
            "preset": self.preset,
            "suite": self.suite,
            "backbone": self.backbone,
            "dtype": self.dtype,
        }


@dataclass(frozen=True)
class Way:
    """How and where runs are trained, and how they are shown."""

    home: Home = None
    lanes: Lanes = None
    fresh: Fresh = False
    detach: Detach = False
    device: Device = "auto"
    threads: Threads = None
    json: Json = False
    csv: Csv = False


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """A command may take groups of options, such as `how: How`: each field becomes an option of its own."""
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
    """Before anything is queued for it. What is always there does not load torch."""
    if name not in ("auto", "cpu"):
        from shlpt.backbone.t5 import pick_device

        pick_device(name)


def tasks_of(sequence: str | None, tasks: str | None, suite: str) -> tuple[str, ...]:
    """What is to be learned: a named sequence, or tasks by their names."""
    from shlpt.tasks.sequences import find_sequence, read_tasks

    if (sequence is None) == (tasks is None):
        raise UserError("say what to learn: either --sequence demo or --tasks yelp,sst2 (one of the two)")
    return find_sequence(sequence) if sequence else read_tasks(tasks or "", suite)
