"""The command line and the Python code that start a run, for pages to show. Pure. Defaults are left out."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from shlpt.plans.experiments import matrix_name
from shlpt.spec import PRESETS, RunSpec, Training, method_info, parse_setting, usual
from shlpt.tasks.sequences import SEQUENCES

COMMON = ("settings", "preset", "suite", "backbone", "dtype")  # what `RunSpec.make` takes beside tasks, method and seed


def asked(spec: RunSpec, presets: Sequence[str] = tuple(PRESETS)) -> dict[str, Any]:
    """Arguments of `RunSpec.make` beside tasks, method and seed, with the preset that needs the fewest settings."""
    left = {preset: _changed(spec, preset) for preset in presets}
    preset = min(left, key=lambda name: len(left[name]))
    found = {"preset": preset, "settings": left[preset]}
    found |= {key: getattr(spec, key) for key in ("suite", "backbone", "dtype")}
    given = {"preset": "quick", "settings": {}} | {k: field.default for k, field in RunSpec.model_fields.items()}
    return {key: value for key, value in found.items() if value != given[key]}


def _changed(spec: RunSpec, preset: str) -> dict[str, Any]:
    """The settings that differ from those of the preset and the method."""
    info = method_info(spec.method)
    fields = {**Training.model_fields, **info.params.model_fields}
    expected = {key: field.default for key, field in fields.items()} | usual(spec.method, preset, spec.tasks)
    return {key: value for key, value in spec.settings.items() if value != expected[key]}


def runs(specs: Sequence[RunSpec], home: Path | None = None, detach: bool = False) -> str:
    """One command for runs that differ only in their seed."""
    seeds: dict[RunSpec, list[int]] = {}
    for spec in specs:
        seeds.setdefault(spec.model_copy(update={"seed": 0, "edition": 0}), []).append(spec.seed)
    more = ["--detach"] if detach else []
    return "\n".join(_line(["run", *_words(spec, spec.tasks, given), *more], home) for spec, given in seeds.items())


def demonstration(home: Path | None = None) -> str:
    return runs([RunSpec.make(SEQUENCES["demo"])], home)


def matrix(about: Mapping[str, Any], name: str, home: Path | None = None) -> str:
    """The command of a matrix experiment."""
    common = {key: about[key] for key in COMMON if key in about}
    spec = RunSpec.make(about["tasks"][:2], about["method"], **common)
    named = [] if name == matrix_name(about["tasks"]) else ["--name", name]
    rich = ["--source-shots", str(about["source_shots"])] if "source_shots" in about else []
    some = ["--pairs", ",".join(">".join(pair) for pair in about["pairs"])] if "pairs" in about else []
    return _line(["matrix", *_words(spec, about["tasks"], about["seeds"]), *rich, *some, *named], home)


def more(experiment: str, source: str, target: str, count: int, home: Path | None = None) -> str:
    """More seeds for one pair of a matrix."""
    return _line(["more", experiment, "--pair", f"{source}>{target}", "--count", str(count)], home)


def alphas(experiment: str, home: Path | None = None) -> str:
    """The runs of SHLPT whose α is judged by a matrix."""
    return _line(["alphas", experiment], home)


def threshold(experiment: str, home: Path | None = None) -> str:
    """The league of similarity estimators on a matrix."""
    return _line(["threshold", experiment], home)


def headroom(run: Mapping[str, Any], keys: Sequence[str], home: Path | None = None) -> str:
    """The command that measures headroom on a run's sequence; `keys` are the settings that both must share."""
    named = _sequence(run["tasks"])
    words = ["headroom", *(["--sequence", named] if named else ["--tasks", ",".join(run["tasks"])])]
    words += [word for key in ("suite", "backbone") if run[key] != "pocket" for word in (f"--{key}", str(run[key]))]
    default = {key: Training.model_fields[key].default for key in keys}
    own = {key: run["settings"][key] for key in keys if run["settings"][key] != default[key]}
    words += [word for key, value in own.items() for word in ("--set", setting(key, value))]
    return _line(words, home)


def compare(ids: Sequence[str], home: Path | None = None) -> str:
    return _line(["compare", *ids], home)


def route(ids: Sequence[str], home: Path | None = None) -> str:
    """Answers of runs without being told the task."""
    return _line(["route", *ids], home)


def surgery(run: str, task: str, factors: Sequence[str], home: Path | None = None) -> str:
    """Answers with other weights of earlier prompts; without factors each is taken out in turn."""
    return _line(["surgery", run, "--task", task, *(word for text in factors for word in ("--scale", text))], home)


def steps(run: str, task: str, count: int, home: Path | None = None) -> str:
    """A task stepped through from its initial prompt."""
    return _line(["steps", run, "--task", task, "--count", str(count)], home)


def python(specs: Sequence[RunSpec], home: Path | None = None) -> str:
    """Python code for runs that differ only in their seed."""
    spec = specs[0]
    named = _sequence(spec.tasks)
    given = {"seeds": [each.seed for each in specs], **asked(spec), **({"home": str(home)} if _is_other(home) else {})}
    words = [repr(named or list(spec.tasks)), repr(spec.method), *(f"{key}={value!r}" for key, value in given.items())]
    call = ",\n    ".join(words)
    shown = 'for record in records:\n    print(record["id"], record["acc"], record["matrix"])'
    return f"import shlpt\n\nrecords = shlpt.run(\n    {call},\n)\n{shown}"


def setting(key: str, value: Any) -> str:
    """A setting in the form that `--set` reads."""
    plain = f"{key}={value}"
    return plain if isinstance(value, str) and parse_setting(plain)[1] == value else f"{key}={json.dumps(value)}"


def _words(spec: RunSpec, tasks: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """The options that `run` and the experiments share."""
    named = _sequence(tasks)
    words = ["--sequence", named] if named else ["--tasks", ",".join(tasks)]
    words += ["--method", spec.method, "--seeds", ",".join(map(str, seeds))]
    given = asked(spec)
    settings = given.pop("settings", {})
    words += [word for key, value in given.items() for word in (f"--{key}", value)]
    return words + [word for key, value in settings.items() for word in ("--set", setting(key, value))]


def _sequence(tasks: Sequence[str]) -> str | None:
    return next((name for name, known in SEQUENCES.items() if known == tuple(tasks)), None)


def _is_other(home: Path | None) -> bool:
    return home is not None and home != Path("runs")


def _line(words: Sequence[str], home: Path | None) -> str:
    return shlex.join(["python", "-m", "shlpt", *words, *(["--home", str(home)] if _is_other(home) else [])])
