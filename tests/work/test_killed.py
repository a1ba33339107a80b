"""Workers that are killed, frozen and replaced: what comes out is what an undisturbed one would have made."""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nursery import Nursery
from storing import group_rows, states, until

from shlpt.errors import UserError
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store import store as module
from shlpt.store.store import Store

pytestmark = pytest.mark.slow

KILLS = 25
SMALL: dict[str, Any] = {"shots": 4, "validation_shots": 2, "test_shots": 4, "prompt_length": 4}
SPECS = [
    RunSpec.make(("rte", "sst2"), "shlpt", seed=seed, settings=SMALL | {"epochs": 30, "patience": 30})
    for seed in (1, 2, 3)
]
Events = dict[tuple[str, int], tuple[str, str]]


def planned(home: Path) -> Store:
    store = Store(home).open()
    assert len(submit(store, plans_of(SPECS, alone=False), lanes=3).todo) == 6
    assert len(states(store)) == 2
    return store


@pytest.fixture(scope="module")
def undisturbed(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, float]:
    store = planned(tmp_path_factory.mktemp("undisturbed"))
    begin = time.monotonic()
    assert nursery.wait(nursery.fork(store.home)) == 0
    return store, time.monotonic() - begin


def events(store: Store) -> Events:
    rows = store.rows("SELECT s.key, e.seq, e.kind, e.payload FROM events e JOIN stages s ON s.id=e.stage")
    return {(row["key"], row["seq"]): (row["kind"], row["payload"]) for row in rows}


def assert_same(store: Store, expected: Store) -> None:
    assert set(states(store)) == {"done"}
    assert store.value("PRAGMA integrity_check") == "ok"
    assert events(store) == events(expected)
    for key in (row["key"] for row in expected.rows("SELECT key FROM stages")):
        found, wanted = frames.stage_tensors(store, key), frames.stage_tensors(expected, key)
        assert found.keys() == wanted.keys()
        assert [name for name in found if not np.array_equal(found[name], wanted[name])] == []
        a, b = frames.stage(store, key), frames.stage(expected, key)
        for name in ("tests", "summary", "pool", "train_examples", "group", "fingerprint", "state", "error"):
            assert a[name] == b[name]
    for spec in SPECS:
        a, b = frames.run(store, spec.id), frames.run(expected, spec.id)
        assert a | {"created": 0, "seconds": 0} == b | {"created": 0, "seconds": 0}
    named = {row["file"] for row in store.rows("SELECT file FROM artifacts")}
    assert {path.name for path in (store.home / "artifacts").iterdir()} == named


def over(store: Store) -> bool:
    return set(states(store)) == {"done"}


def test_twenty_five_kills_leave_no_trace(nursery: Nursery, undisturbed: tuple[Store, float], tmp_path: Path) -> None:
    expected, whole = undisturbed
    store, chance = planned(tmp_path), random.Random(20240811)
    seen: Events = {}
    kills, resumed = 0, 0
    while not over(store):
        pid = nursery.fork(store.home, every=0.1)
        if kills == KILLS:
            assert nursery.wait(pid) == 0
            break
        before = len(events(store))
        if chance.random() < 0.7:  # in training, at a checkpoint, at the end of a stage; else while it starts
            until(lambda: len(events(store)) > before or over(store))  # noqa: B023
            resumed += 1
        time.sleep(chance.uniform(0, whole / 30))
        seen |= events(store)
        if nursery.kill(pid) == -signal.SIGKILL:
            kills += 1
        now = events(store)
        assert [key for key, event in seen.items() if now.get(key) != event] == []
        assert store.value("PRAGMA integrity_check") == "ok"
    print(f"{kills} kills, {resumed} of them in training; {group_rows(store)[0]['claim']} claims of the first group")
    assert kills == KILLS, "it was over too soon: train longer"
    assert_same(store, expected)
    assert group_rows(store)[0]["warnings"] == group_rows(store)[1]["warnings"] == ""


def freeze(pid: int, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the middle of a transaction: then nobody could write."""
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.2)
    while True:
        os.kill(pid, signal.SIGSTOP)
        probe = Store(store.home)
        try:
            with probe.write():
                return
        except UserError:
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.05)
        finally:
            probe.close()


def test_a_frozen_worker_that_was_replaced_changes_nothing_when_it_wakes(
    nursery: Nursery, undisturbed: tuple[Store, float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = planned(tmp_path)
    frozen = nursery.fork(store.home, every=0.1)
    until(lambda: len(events(store)) > 20)
    freeze(frozen, store, monkeypatch)
    other = nursery.fork(store.home, every=0.1, stale=3.0)
    until(lambda: group_rows(store)[0]["claim"] == 2)
    count = len(events(store))
    until(lambda: len(events(store)) > count + 5)
    os.kill(frozen, signal.SIGCONT)
    assert [nursery.wait(other), nursery.wait(frozen)] == [0, 0]
    assert_same(store, undisturbed[0])


def test_workers_that_start_at_once_share_the_work(
    nursery: Nursery, undisturbed: tuple[Store, float], tmp_path: Path
) -> None:
    store = planned(tmp_path)
    pids = [nursery.fork(store.home) for _ in range(3)]
    assert [nursery.wait(pid) for pid in pids] == [0, 0, 0]
    if not over(store):  # they found nothing to do for a second, while the first group was being trained
        assert nursery.wait(nursery.fork(store.home)) == 0
    assert [row["claim"] for row in group_rows(store)] == [1, 1]
    assert_same(store, undisturbed[0])


@pytest.mark.parametrize("damage", ["torn", "both"])
def test_a_damaged_checkpoint_is_passed_over_and_said_so(
    nursery: Nursery, undisturbed: tuple[Store, float], tmp_path: Path, damage: str
) -> None:
    store = planned(tmp_path)
    pid = nursery.fork(store.home, every=0.1)

    def checkpoints() -> list[str]:
        rows = store.rows("SELECT file, about FROM artifacts WHERE kind LIKE 'checkpoint%'")
        return [row["file"] for row in sorted(rows, key=lambda row: -int(row["about"].split(":")[-1].rstrip("}")))]

    until(lambda: len(checkpoints()) == 2)
    assert nursery.kill(pid) == -signal.SIGKILL
    for file in checkpoints()[: 2 if damage == "both" else 1]:
        path = tmp_path / "artifacts" / file
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert nursery.wait(nursery.fork(store.home)) == 0
    for spec in SPECS:
        (warning,) = frames.run(store, spec.id)["warnings"]
        assert ("from the start" if damage == "both" else "from the one before it") in warning
        assert warning in set(frames.stages(store, spec.id)["note"])
    with store.write() as db:
        db.execute("UPDATE groups SET warnings=''")
        db.execute("UPDATE runs SET result=NULL")
    assert_same(store, undisturbed[0])
