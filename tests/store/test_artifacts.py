"""Tensors in files: whole or not at all, and believed only if they are what was written."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shlpt.errors import UserError
from shlpt.store import artifacts
from shlpt.store.artifacts import Damaged, DiskFull


@pytest.mark.parametrize(
    "array",
    [
        np.array([[1 / 3, -0.0, 1e-45], [np.nan, np.inf, 3e38]], dtype=np.float32),
        np.arange(12, dtype=np.float64).reshape(3, 4).T,  # not contiguous
        np.arange(24, dtype=np.float32).reshape(2, 3, 4)[:, ::2],
        np.array([-(2**63), 2**63 - 1]),
        np.array([True, False]),
        np.zeros((0, 5), dtype=np.float32),
        np.array(2.5, dtype=np.float32),  # a single number, such as a temperature
    ],
    ids=["float32", "transposed", "sliced", "int64", "bool", "empty", "number"],
)
def test_arrays_come_back_bit_by_bit(tmp_path: Path, array: np.ndarray[Any, Any]) -> None:
    written = artifacts.write(tmp_path, "k", artifacts.to_bytes({"prompt.0": array}))
    found = artifacts.from_bytes(artifacts.read(tmp_path, written.file, written.sha256))["prompt.0"]
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


def test_a_file_written_again_is_the_newer_one_and_no_draft_stays(tmp_path: Path) -> None:
    data = artifacts.to_bytes({"a": np.zeros(1)}, {"pool": ["sst2"], "ü": None})
    assert artifacts.about_of(data) == {"pool": ["sst2"], "ü": None}
    artifacts.write(tmp_path, "k", b"old")
    new = artifacts.write(tmp_path, "k", b"newer")
    assert artifacts.read(tmp_path, new.file, new.sha256) == b"newer"
    assert os.listdir(tmp_path / "artifacts") == [new.file]


@pytest.mark.parametrize("damage", ["flipped", "torn", "empty", "gone"])
def test_damage_is_told(tmp_path: Path, damage: str) -> None:
    written = artifacts.write(tmp_path, "k", artifacts.to_bytes({"a": np.arange(50.0)}))
    path = tmp_path / "artifacts" / written.file
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.unlink() if damage == "gone" else path.write_bytes({"flipped": data, "torn": data[:-40], "empty": b""}[damage])
    with pytest.raises(Damaged, match=r"k\.safetensors.*--fresh"):
        artifacts.read(tmp_path, written.file, written.sha256)


def test_a_full_disk_leaves_the_old_file_and_no_draft(small_disk: Path) -> None:
    old = artifacts.write(small_disk, "k", b"old")
    with pytest.raises(DiskFull, match=r"no space left on the disk of .*: free some space; finished stages are kept"):
        artifacts.write(small_disk, "k", b"0" * 16 * 2**20)
    assert artifacts.read(small_disk, old.file, old.sha256) == b"old"
    assert os.listdir(small_disk / "artifacts") == [old.file]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("in the way")
    with pytest.raises(UserError, match=r"cannot write .*k\.safetensors"):
        artifacts.write(tmp_path, "k", b"data")


def test_files_that_no_row_names_are_removed_and_others_stay(tmp_path: Path) -> None:
    for name in ("a.1", "a.2", "ab.1"):
        artifacts.write(tmp_path, name, b"x")
    artifacts.remove_others(tmp_path, ["a", "c"], {"a.2.safetensors"})
    assert sorted(os.listdir(tmp_path / "artifacts")) == ["a.2.safetensors", "ab.1.safetensors"]
