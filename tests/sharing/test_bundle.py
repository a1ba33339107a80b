"""A bundle from one store to another: the same frames, marked as imported, and nothing that is not whole."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shlpt.errors import UserError
from shlpt.plans.experiments import Cell, Experiment
from shlpt.plans.stages import plans_of
from shlpt.queue import control
from shlpt.queue.submit import start_experiment
from shlpt.results import experiments, frames, health, seeds
from shlpt.sharing import bundle
from shlpt.sharing.which import Which, locate
from shlpt.spec import RunSpec
from shlpt.store.store import Store


@pytest.fixture(scope="module")
def home(looked: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs that are looked into, with an experiment of two of them."""
    folder = tmp_path_factory.mktemp("bundles") / "home"
    shutil.copytree(looked.home, folder)
    store = Store(folder).open()
    specs = {name: RunSpec.model_validate(_spec(store, looked.ids[name])) for name in ("shlpt", "seed_2")}
    cells = tuple(Cell({"method": name, "seed": spec.seed}, spec) for name, spec in specs.items())
    start_experiment(
        store, Experiment("methods", "two seeds", cells, {"sequence": "x"}), plans_of(list(specs.values()), False)
    )
    store.close()
    return folder


def _spec(store: Store, id: str) -> Any:
    return json.loads(store.value("SELECT spec FROM runs WHERE id=?", (id,)))


@pytest.fixture(scope="module")
def packed(home: Path) -> bytes:
    return bundle.pack(locate(home, "two seeds"))


def same(one: pd.DataFrame, other: pd.DataFrame, but: tuple[str, ...] = ("run", "key", "id", "name", "note")) -> None:
    kept = [column for column in one.columns if column not in but]
    pd.testing.assert_frame_equal(one[kept], other[kept], check_exact=True)
    assert len(one)


def test_the_frames_of_both_installations_are_equal(home: Path, packed: bytes, tmp_path: Path) -> None:
    here, there = Store(home).open(), Store(tmp_path).open()
    brought = bundle.bring_in(there, bundle.read(packed), "two.zip")
    assert brought.is_new
    own = experiments.runs_in(here, experiments.find(here, "two seeds")["id"])
    for mine, theirs in zip(own, brought.runs, strict=True):
        for read in (frames.stages, health.health):
            same(read(here, mine), read(there, theirs))
        for curves in (frames.losses, frames.similarity, frames.epochs, frames.overlap):
            same(curves(here, [mine]), curves(there, [theirs]))
        for task in ("rte", "sst2", "agnews"):
            same(frames.answers(here, mine, task), frames.answers(there, theirs, task))
            tensors = frames.tensors(here, mine, task), frames.tensors(there, theirs, task)
            assert {n: t.tobytes() for n, t in tensors[0].items()} == {n: t.tobytes() for n, t in tensors[1].items()}
        same(frames.alphas(here, mine, "agnews"), frames.alphas(there, theirs, "agnews"))
        one, other = frames.run(here, mine), frames.run(there, theirs)
        for key in (
            "method",
            "tasks",
            "seed",
            "state",
            "matrix",
            "acc",
            "bwt",
            "settings",
            "weights",
            "created",
            "seconds",
        ):
            assert one[key] == other[key], key
    assert brought.experiment is not None
    results = [experiments.results(store, id) for store, id in ((here, own_id(here)), (there, brought.experiment))]
    same(*results)


def own_id(store: Store) -> str:
    return str(experiments.find(store, "two seeds")["id"])


def test_what_is_imported_says_so_and_stands_apart(home: Path, packed: bytes) -> None:
    folder = home.with_name("again")
    shutil.copytree(home, folder)
    store = Store(folder).open()
    before = frames.runs(store).set_index("id")
    read = bundle.read(packed)
    brought = bundle.bring_in(store, read, "two.zip")
    after = frames.runs(store).set_index("id")
    same(after.loc[before.index], before, ())  # what was there is as it was
    for id in brought.runs:
        assert id.startswith("i")
        assert after.loc[id, "name"].endswith("· imported")
        assert after.loc[id, "note"].startswith("imported from two.zip (shlpt 0.1.0; torch 2.")
        assert "cpu, float32, " in after.loc[id, "note"]
    assert experiments.find(store, "two seeds (imported)")["about"]["imported"].startswith("imported from")
    own = experiments.runs_in(store, own_id(store))
    assert not {*seeds.siblings(store, own[0])} & {*brought.runs}
    assert {*seeds.siblings(store, brought.runs[0])} == {*brought.runs}
    assert bundle.bring_in(store, read) == bundle.Brought(brought.runs, brought.experiment, False)
    files = {file.name for file in (folder / "artifacts").iterdir()}
    control.delete(store, brought.runs)
    assert {file.name for file in (folder / "artifacts").iterdir()} < files
    same(frames.runs(store).set_index("id"), before, ())


def test_an_imported_stage_is_never_reused(home: Path, packed: bytes, tmp_path: Path) -> None:
    there = Store(tmp_path).open()
    bundle.bring_in(there, bundle.read(packed))
    spec = RunSpec.model_validate(_spec(Store(home).open(), locate(home, "two seeds").runs[0]))
    keys = {stage.key for stage in plans_of([spec], False)[0].stages}
    assert not keys & {row["key"] for row in there.rows("SELECT key FROM stages")}


def test_the_same_results_make_the_same_file(home: Path, packed: bytes) -> None:
    assert bundle.pack(locate(home, "two seeds")) == packed


def test_one_changed_byte_is_noticed(packed: bytes) -> None:
    for place in (0, 30, len(packed) // 2, len(packed) - 200, len(packed) - 1):
        damaged = bytearray(packed)
        damaged[place] ^= 1
        with pytest.raises(UserError, match=r"damaged|no bundle"):
            bundle.read(bytes(damaged))
    with pytest.raises(UserError, match="damaged"):
        bundle.read(packed[:-1])


def remade(packed: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A bundle with other content and the right checksum."""
    with zipfile.ZipFile(io.BytesIO(packed)) as old:
        files: dict[str, Any] = {name: old.read(name) for name in old.namelist()}
    for name in (bundle.MANIFEST, bundle.TABLES):
        files[name] = json.loads(files[name])
    change(files)
    return bundle._zipped({n: d if isinstance(d, bytes) else json.dumps(d).encode() for n, d in files.items()})


BAD: dict[str, tuple[Callable[[Any], Any], str]] = {
    "newer": (lambda f: f["manifest.json"].update(format=2, shlpt="9.0"), r"newer version of shlpt \(9.0, format 2"),
    "outside": (lambda f: f.update({"../evil": b""}), r"'\.\./evil' does not belong"),
    "pickle": (lambda f: f.update({"artifacts/0000.pkl": b""}), "does not belong"),
    "no tables": (lambda f: f.pop("tables.json"), "no bundle that this version can read"),
    "no tensors": (lambda f: f.update({"artifacts/0000.safetensors": b"rubbish"}), "cannot be read"),
    "short row": (lambda f: f["tables.json"]["events"][0].pop(), "row of another length"),
    "table in a cell": (lambda f: f["tables.json"]["scores"][0].__setitem__(2, [1]), "no column can hold"),
    "huge number": (lambda f: f["tables.json"]["events"][0].__setitem__(1, 2**64), "no column can hold"),
    "orphan": (lambda f: f["tables.json"]["events"][0].__setitem__(0, "other"), "events that belong to nothing"),
    "unfinished": (lambda f: f["tables.json"]["stages"][0].__setitem__(7, "queued"), "unfinished"),
    "spec": (lambda f: f["tables.json"]["runs"][0].__setitem__(1, "{}"), "can read"),
    "other kind": (lambda f: f["tables.json"]["artifacts"][0].__setitem__(1, "../x"), "unknown kind"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_bundle_is_refused_even_with_the_right_checksum(packed: bytes, name: str) -> None:
    change, reason = BAD[name]
    with pytest.raises(UserError, match=reason):
        bundle.read(remade(packed, change))


def test_a_bomb_is_not_unpacked(packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "UNPACKED", 2**20)
    bomb = remade(packed, lambda f: f.update({"artifacts/0001.safetensors": b"\0" * 2**26}))
    assert len(bomb) < 2**20
    with pytest.raises(UserError, match="unpacks to more than 1 MB"):
        bundle.read(bomb)


def test_what_contradicts_itself_leaves_nothing(packed: bytes, tmp_path: Path) -> None:
    def twice(files: Any) -> None:
        files["tables.json"]["scores"].append(files["tables.json"]["scores"][0])

    store = Store(tmp_path).open()
    with pytest.raises(UserError, match="contradicts itself"):
        bundle.bring_in(store, bundle.read(remade(packed, twice)), "x.zip")
    assert frames.runs(store).empty
    assert [*(tmp_path / "artifacts").iterdir()] == []


def test_only_finished_runs_are_packed(looked: Any) -> None:
    which = Which(Store(looked.home).open(), (looked.ids["waiting"],))
    with pytest.raises(UserError, match="is queued: a bundle holds finished runs"):
        bundle.pack(which)


def test_a_models_weights_stay_behind(looked: Any) -> None:
    whole = bundle.pack(Which(Store(looked.home).open(), (looked.ids["finetune"],)))
    assert len(whole) < 2e6
