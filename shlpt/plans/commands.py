"""The command lines and addresses that do what a page does, to copy. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shlpt.spec import PRESETS, Training, method_info
from shlpt.tasks.sequences import SEQUENCES


def run(
    tasks: Sequence[str], method: str, seeds: Sequence[int], preset: str, settings: Mapping[str, Any], home: Path | None
) -> str:
    """A run as the page Live composes it; a named sequence by its name."""
    named = next((name for name, known in SEQUENCES.items() if known == tuple(tasks)), None)
    words = ["run", *(["--sequence", named] if named else ["--tasks", ",".join(tasks)]), "--method", method]
    words += ["--seeds", ",".join(map(str, seeds)), *(["--preset", preset] if preset != "quick" else [])]
    return line([*words, *given(settings)], home)


def given(settings: Mapping[str, Any]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", setting(key, value))]


def matrix(about: Mapping[str, Any], home: Path | None = None, detach: bool = False) -> str:
    """A matrix experiment by what it is about: tasks, seeds, method, settings, preset."""
    words = ["matrix", "--tasks", ",".join(about["tasks"]), "--seeds", ",".join(map(str, about["seeds"]))]
    words += ["--method", about["method"]]
    if about.get("preset", "quick") != "quick":
        words += ["--preset", about["preset"]]
    words += given(about.get("settings") or {})
    return line([*words, *(["--detach"] if detach else [])], home)


def compare(runs: Sequence[str], experiment: str = "", home: Path | None = None) -> str:
    return line(["compare", *(["--experiment", experiment] if experiment else runs)], home)


def line(words: Sequence[str], home: Path | None = None) -> str:
    """`home` is left out where it is the default."""
    more = [] if home is None or home == Path("runs") else ["--home", str(home)]
    return shlex.join(["python", "-m", "shlpt", *words, *more])


def setting(key: str, value: Any) -> str:
    """A setting as `--set` reads it."""
    return f"{key}={value if isinstance(value, str) else json.dumps(value)}"


def changed(method: str, settings: Mapping[str, Any], preset: str = "quick") -> dict[str, Any]:
    """Of all settings of a run, those that the preset and the method do not give by themselves."""
    info = method_info(method)
    fields = {**Training.model_fields, **info.params.model_fields}
    usual = {key: field.default for key, field in fields.items()} | PRESETS[preset] | dict(info.defaults)
    return {key: value for key, value in settings.items() if key in fields and value != usual[key]}
