"""A disk that runs full under a worker: it waits and says why, loses nothing, and resumes."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
from nursery import Nursery
from saying import refused
from storing import TINY, join, queued, spec_of, stage_events, states, taken, until

from shlpt.plans.stages import plans_of
from shlpt.queue import control
from shlpt.queue.submit import submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.work import ledger

SPECS = [
    RunSpec.make(("rte", "sst2"), "shlpt", seed=seed, settings=TINY | {"epochs": 40, "patience": 40}) for seed in (1, 2)
]


@pytest.fixture(scope="module")
def expected(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """What comes out on a disk with room."""
    store = Store(tmp_path_factory.mktemp("expected")).open()
    submit(store, plans_of(SPECS, alone=False))
    assert nursery.wait(nursery.fork(store.home, every=0.1)) == 0
    return store


def fill(folder: Path) -> Path:
    """The last byte of a disk."""
    path = folder / "filler"
    with path.open("ab", buffering=0) as file:
        for size in (2**16, 2**12, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return path


def later(store: Store) -> int:
    """Events of the second group."""
    query = "SELECT count(*) FROM events e JOIN stages s ON s.id=e.stage WHERE s.parent IS NOT NULL"
    return int(store.value(query))


def numbers(store: Store) -> list[Any]:
    events = [
        [(event["seq"], event["kind"], event.get("loss")) for event in stage_events(store, key)]
        for spec in SPECS
        for key in frames.run(store, spec.id)["stages"]
    ]
    return [[frames.run(store, spec.id)["matrix"] for spec in SPECS], events]


@pytest.mark.slow
@pytest.mark.parametrize("worker", ["waits", "is killed", "is stopped"])
def test_a_full_disk_pauses_the_run_and_it_goes_on(
    nursery: Nursery, expected: Store, small_disk: Path, worker: str
) -> None:
    store = Store(small_disk / "home").open()
    submit(store, plans_of(SPECS, alone=False))
    pid = nursery.fork(store.home, every=0.1)
    until(lambda: states(store) == ["done", "running"] and later(store) > 20)
    filler = fill(small_disk)
    seen_states = ["running"]
    while seen_states[-10:] != ["paused"] * 10:
        time.sleep(0.1)
        seen_states.append(states(store)[1])
        if seen_states[-10:] == ["running"] * 10:  # a draft that could not be finished was removed: there was room
            fill(small_disk)
        assert len(seen_states) < 600
    for spec in SPECS:
        record = frames.run(store, spec.id)
        assert record["state"] == "paused"
        assert "no space left on the disk" in record["error"]
        assert record["matrix"][0][0] is not None
    seen = store.rows("SELECT stage, seq, payload FROM events")
    if worker == "is stopped":
        control.stop(store, [SPECS[0].id])
        until(lambda: states(store) == ["done", "stopped"])
        assert "no space left on the disk" in frames.run(store, SPECS[0].id)["error"]
        assert nursery.wait(pid) == 0
    if worker == "is killed":
        assert nursery.kill(pid) < 0
    filler.unlink()
    if worker == "waits":
        assert nursery.wait(pid) == 0
    else:
        submit(store, plans_of(SPECS, alone=False))
        assert nursery.wait(nursery.fork(store.home, every=0.1)) == 0
    assert states(store) == ["done", "done"]
    assert numbers(store) == numbers(expected)
    now = {(row["stage"], row["seq"]): row["payload"] for row in store.rows("SELECT stage, seq, payload FROM events")}
    assert all(now[row["stage"], row["seq"]] == row["payload"] for row in seen)
    assert store.value("PRAGMA integrity_check") == "ok"
    assert frames.run(store, SPECS[0].id)["warnings"] == []
    store.close()


def test_a_home_on_a_full_disk_is_told_and_left_alone(small_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (small_disk / "new").mkdir()
    home = small_disk / "home"
    Store(home).open().close()
    before = (home / "shlpt.sqlite").read_bytes()
    fill(small_disk)
    settings = [f"--set={key}={value}" for key, value in TINY.items()]
    for place in (home, small_disk / "new"):
        said = refused(capsys, "run", "--tasks=rte", f"--home={place}", "--detach", *settings)
        assert "no space left on the disk" in said
    assert (home / "shlpt.sqlite").read_bytes() == before
    assert os.listdir(home) == ["shlpt.sqlite"]


def test_the_reserve_is_there_before_it_is_needed(store: Store, tmp_path: Path) -> None:
    queued(store, spec_of(("sst2",)))
    book = ledger.Ledger(store, taken(store, join(store)).claim)
    book.close()
    assert (tmp_path / ".reserve").stat().st_size == ledger.RESERVE
