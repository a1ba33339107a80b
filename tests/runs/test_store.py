"""The store: whole stages or none, readable messages, nothing of others touched."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shlpt.errors import UserError
from shlpt.runs.store import VERSION, Store, clean, default_home, read_json

CONTENT = {"task": "sst2", "tests": {"sst2": {"scores": [1.0, 0.0]}}, "earlier": ["rte"]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "home").open()


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- a home -------------------------------------------------------------------------------
def test_a_new_home_is_made_and_marked_with_the_version(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    Store(home).open()
    assert json.loads((home / "shlpt-home.json").read_text()) == {"version": VERSION}
    assert {entry.name for entry in home.iterdir()} == {"shlpt-home.json", "stages", "runs"}


def test_opening_again_changes_nothing(store: Store) -> None:
    store.save_stage("k", CONTENT, {}, [])
    before = files(store.home)
    Store(store.home).open()
    assert files(store.home) == before


def test_an_empty_folder_becomes_a_home(tmp_path: Path) -> None:
    assert Store(tmp_path).open().runs() == {}


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UserError, match=r"holds other files \(thesis.tex\): .* --home"):
        Store(tmp_path).open()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_home_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "shlpt-home.json").write_text(json.dumps({"version": VERSION + 1, "more": "later"}))
    before = files(tmp_path)
    with pytest.raises(UserError, match=rf"newer version of shlpt \(format {VERSION + 1}, this one reads {VERSION}\)"):
        Store(tmp_path).open()
    assert files(tmp_path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["shlpt-home.json"]


@pytest.mark.parametrize("mark", ["", "{", "[1]", '{"version": "two"}', '{"version": null}'])
def test_a_damaged_mark_is_named(tmp_path: Path, mark: str) -> None:
    (tmp_path / "shlpt-home.json").write_text(mark)
    with pytest.raises(UserError, match=r"shlpt-home\.json"):
        Store(tmp_path).open()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for home in (tmp_path / "home", tmp_path / "home" / "below"):
        with pytest.raises(UserError, match=r"cannot write to .*home.*Choose a folder with --home"):
            Store(home).open()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_place_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(UserError, match=r"cannot write to /proc/shlpt: .*--home"):
        Store("/proc/shlpt").open()


def test_the_home_is_runs_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SHLPT_HOME", raising=False)
    assert default_home() == Path("runs")
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "there"))
    assert Store().home == tmp_path / "there"
    assert Store(tmp_path / "given").home == tmp_path / "given"


def test_an_empty_environment_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHLPT_HOME", "")
    assert default_home() == Path("runs")


# --- stages -------------------------------------------------------------------------------
def test_a_stage_comes_back_as_it_was_saved(store: Store) -> None:
    events = [{"seq": 0, "kind": "step", "loss": 0.25}, {"seq": 1, "kind": "end", "text": "naïve\n∑"}]
    store.save_stage("k", CONTENT, {}, events)
    assert store.has_stage("k")
    assert store.stage("k") == CONTENT
    assert store.events("k") == events


def test_a_stage_without_events_has_none(store: Store) -> None:
    store.save_stage("k", CONTENT, {}, [])
    assert store.events("k") == []


def test_what_is_not_a_number_is_stored_as_null(store: Store) -> None:
    store.save_stage("k", {"a": [1.0, math.nan], "b": {"c": math.inf}}, {}, [{"loss": -math.inf}])
    assert store.stage("k") == {"a": [1.0, None], "b": {"c": None}}
    assert store.events("k") == [{"loss": None}]
    assert "NaN" not in (store.home / "stages" / "k" / "stage.json").read_text()


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
def test_arrays_come_back_bit_by_bit(store: Store, array: np.ndarray[Any, Any]) -> None:
    store.save_stage("k", CONTENT, {"prompt.0": array}, [])
    found = store.tensors("k")["prompt.0"]
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


def test_a_half_written_draft_is_not_a_stage(store: Store) -> None:
    draft = store.home / "stages" / ".k-draft"
    draft.mkdir()
    (draft / "events.jsonl").write_text("")
    (store.home / "stages" / "k2").mkdir()
    assert not store.has_stage("k")
    assert not store.has_stage("k2")


def stopped_by_a_full_disk() -> Iterator[dict[str, int]]:
    yield {"seq": 0}
    raise OSError(28, "No space left on device")


def test_a_stage_that_cannot_be_saved_leaves_nothing_behind(store: Store) -> None:
    store.save_stage("earlier", CONTENT, {}, [])
    before = files(store.home)
    with pytest.raises(UserError, match=r"No space left on device; finished stages are kept"):
        store.save_stage("k", CONTENT, {}, stopped_by_a_full_disk())
    assert not store.has_stage("k")
    assert files(store.home) == before


def test_a_stage_that_cannot_be_trained_anew_stays_as_it_was(store: Store) -> None:
    store.save_stage("k", CONTENT, {}, [])
    with pytest.raises(UserError, match="No space left"):
        store.save_stage("k", {"task": "other"}, {}, stopped_by_a_full_disk())
    assert store.stage("k") == CONTENT


def test_a_stage_trained_anew_replaces_the_old_one_whole(store: Store) -> None:
    store.save_stage("k", CONTENT, {"old": np.zeros(2)}, [{"seq": 0}, {"seq": 1}])
    store.save_stage("k", {"task": "rte"}, {"new": np.ones(2)}, [{"seq": 9}])
    assert store.stage("k") == {"task": "rte"}
    assert list(store.tensors("k")) == ["new"]
    assert store.events("k") == [{"seq": 9}]
    assert os.listdir(store.home / "stages") == ["k"]


# --- damage -------------------------------------------------------------------------------
def test_a_damaged_stage_is_named(store: Store) -> None:
    store.save_stage("k", CONTENT, {}, [])
    (store.home / "stages" / "k" / "stage.json").write_text('{"task": "ss')
    with pytest.raises(UserError, match=r"damaged file .*k/stage\.json: delete it"):
        store.stage("k")


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"\xff\xfe\x00", b""])
def test_json_of_another_kind_is_damage_too(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "stage.json"
    file.write_bytes(content)
    with pytest.raises(UserError, match=f"damaged file {file}"):
        read_json(file)


def test_a_missing_file_is_named(store: Store) -> None:
    with pytest.raises(UserError, match=r"missing file .*nowhere/stage\.json"):
        store.stage("nowhere")


@pytest.mark.parametrize("damage", ['{"seq": 0}\n{"seq"', "\udcff"])
def test_damaged_events_are_named(store: Store, damage: str) -> None:
    store.save_stage("k", CONTENT, {}, [{"seq": 0}])
    (store.home / "stages" / "k" / "events.jsonl").write_bytes(damage.encode(errors="surrogateescape"))
    with pytest.raises(UserError, match=r"damaged file .*events\.jsonl"):
        store.events("k")


def test_damaged_arrays_are_named(store: Store) -> None:
    store.save_stage("k", CONTENT, {"a": np.zeros(3)}, [])
    file = store.home / "stages" / "k" / "tensors.safetensors"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(UserError, match=r"damaged file .*tensors\.safetensors"):
        store.tensors("k")


# --- runs ---------------------------------------------------------------------------------
def test_a_run_comes_back_and_is_listed(store: Store) -> None:
    store.save_run("rb", {"id": "rb", "acc": math.nan})
    store.save_run("ra", {"id": "ra", "acc": 0.5})
    assert store.run("ra") == {"id": "ra", "acc": 0.5}
    assert store.runs() == {"ra": {"id": "ra", "acc": 0.5}, "rb": {"id": "rb", "acc": None}}
    assert sorted(os.listdir(store.home / "runs")) == ["ra.json", "rb.json"]


def test_a_run_saved_again_is_the_newer_one(store: Store) -> None:
    store.save_run("ra", {"acc": 0.1})
    store.save_run("ra", {"acc": 0.2})
    assert store.run("ra") == {"acc": 0.2}


def test_an_unknown_run_is_answered_with_the_nearest(store: Store) -> None:
    store.save_run("r12345678", {})
    with pytest.raises(UserError, match=r"unknown run 'r12345679': did you mean 'r12345678'\?"):
        store.run("r12345679")


def test_a_damaged_run_is_named(store: Store) -> None:
    store.save_run("ra", {})
    (store.home / "runs" / "ra.json").write_text("{")
    with pytest.raises(UserError, match=r"damaged file .*runs/ra\.json"):
        store.run("ra")


def test_a_home_that_was_never_made_has_no_runs(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").runs() == {}
    assert not (tmp_path / "nowhere").exists()


def test_cleaning_keeps_everything_but_what_is_not_a_number() -> None:
    whole = {"a": 1, "b": True, "c": None, "d": "NaN", "e": 0.5, "f": [(1, 2)]}
    assert clean(whole) == whole | {"f": [[1, 2]]}
    assert clean([np.float64("nan"), np.float64(0.5)]) == [None, 0.5]
