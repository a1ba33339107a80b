"""Where results live: folders of JSON and safetensors under a home, each written in one move.

    HOME/shlpt-home.json       says that the folder is ours, and its version
    HOME/stages/<key>/         stage.json, events.jsonl, tensors.safetensors
    HOME/runs/<id>.json        a run: its spec and the keys of its stages

Folder names are hashes; no name is ever built from a user's text. No torch.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save

from shlpt.errors import UserError, unknown

VERSION = 1
Arrays = Mapping[str, "np.ndarray[Any, Any]"]


def default_home() -> Path:
    return Path(os.environ.get("SHLPT_HOME") or "runs")


class Store:
    """Finished stages and runs. A stage is there whole or not at all."""

    def __init__(self, home: Path | str | None = None) -> None:
        self.home = Path(home) if home else default_home()

    def open(self) -> Store:
        """Make the folder, or check that it is ours and of a version we can read."""
        mark = self.home / "shlpt-home.json"
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            if not mark.exists():
                strangers = [entry.name for entry in self.home.iterdir() if entry.name not in ("stages", "runs")]
                if strangers:
                    raise UserError(
                        f"the folder {self.home} holds other files ({strangers[0]}): give an empty or new folder "
                        "with --home"
                    )
                _write(mark, {"version": VERSION})
            for folder in ("stages", "runs"):
                (self.home / folder).mkdir(exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot write to {self.home}: {error.strerror}. Choose a folder with --home") from None
        version = read_json(mark).get("version", 0)
        if version > VERSION:
            raise UserError(
                f"{self.home} was written by a newer version of shlpt (format {version}, this one reads {VERSION}): "
                "update shlpt or choose another folder with --home"
            )
        return self

    # --- stages ---------------------------------------------------------------------------
    def has_stage(self, key: str) -> bool:
        return (self.home / "stages" / key / "stage.json").is_file()

    def save_stage(self, key: str, content: Any, tensors: Arrays, events: Iterable[Any]) -> None:
        """All of a stage or nothing: written beside its place, then moved there."""
        folder = self.home / "stages"
        draft = Path(tempfile.mkdtemp(prefix=f".{key}-", dir=folder))
        try:
            (draft / "tensors.safetensors").write_bytes(save({k: np.ascontiguousarray(v) for k, v in tensors.items()}))
            (draft / "events.jsonl").write_text("".join(json.dumps(clean(e), allow_nan=False) + "\n" for e in events))
            _write(draft / "stage.json", content)
            if (folder / key).exists():  # trained anew
                shutil.rmtree(folder / key)
            os.replace(draft, folder / key)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise UserError(f"cannot save a stage in {folder}: {error.strerror}; finished stages are kept") from None

    def stage(self, key: str) -> dict[str, Any]:
        return read_json(self.home / "stages" / key / "stage.json")

    def tensors(self, key: str) -> dict[str, np.ndarray[Any, Any]]:
        return load_file(self.home / "stages" / key / "tensors.safetensors")

    def events(self, key: str) -> list[dict[str, Any]]:
        lines = (self.home / "stages" / key / "events.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    # --- runs -----------------------------------------------------------------------------
    def save_run(self, id: str, content: Any) -> None:
        _write(self.home / "runs" / f"{id}.json", content)

    def runs(self) -> dict[str, dict[str, Any]]:
        files = sorted((self.home / "runs").glob("r*.json"))
        return {file.stem: read_json(file) for file in files}

    def run(self, id: str) -> dict[str, Any]:
        found = self.runs()
        if id not in found:
            raise unknown("run", id, found)
        return found[id]


def clean(value: Any) -> Any:
    """JSON has no NaN: what is missing becomes null."""
    if isinstance(value, Mapping):
        return {key: clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        raise UserError(f"missing file {path}: it was moved or deleted") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise UserError(f"damaged file {path}: delete it and run again; other results are not touched") from None
    if not isinstance(found, dict):
        raise UserError(f"damaged file {path}: delete it and run again; other results are not touched")
    return found


def _write(path: Path, content: Any) -> None:
    """Atomic: a reader sees the old file or the new one."""
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    with draft.open("w") as file:
        json.dump(clean(content), file, allow_nan=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
