"""A worker is started when one is needed, and only then."""

import os
import subprocess
import time
from typing import Any

import pytest
from storing import TINY, join, join_elsewhere, queued, spec_of, states, taken, until

from shlpt.errors import UserError
from shlpt.plans.stages import plans_of
from shlpt.queue import claims, control, launch
from shlpt.queue.submit import submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store import liveness
from shlpt.store.store import Store
from shlpt.work.worker import work


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands instead of processes."""
    commands: list[list[str]] = []

    def popen(command: list[str], **_: Any) -> None:
        commands.append(command)

    monkeypatch.setattr(subprocess, "Popen", popen)
    monkeypatch.setattr(launch, "workers_for", lambda device: (device,))  # nobody is asked how many GPUs there are
    return commands


def test_a_worker_is_started_for_what_waits(store: Store, started: list[list[str]]) -> None:
    assert not launch.ensure_worker(store)  # nothing waits
    queued(store, spec_of())
    assert launch.ensure_worker(store, device="cpu", threads=2)
    (command,) = started
    assert command[1:4] == ["-m", "shlpt", "worker"]
    assert command[command.index("--home") + 1] == str(store.home.resolve())
    assert command[command.index("--threads") + 1] == "2"
    assert (store.home / "workers" / command[command.index("--log") + 1]).is_file()


def test_no_second_one_while_one_is_free(store: Store, started: list[list[str]]) -> None:
    queued(store, spec_of())
    join(store)
    assert not launch.ensure_worker(store)
    assert started == []


def test_several_gpus_have_a_worker_each(
    store: Store, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(store, spec_of())
    monkeypatch.setattr(launch, "workers_for", lambda device: ("cuda:0", "cuda:1") if device == "cuda" else (device,))
    assert launch.ensure_worker(store, device="cuda")
    assert [command[command.index("--device") + 1] for command in started] == ["cuda:0", "cuda:1"]


def test_what_is_missing_to_a_number_of_workers_is_started(store: Store, started: list[list[str]]) -> None:
    """A warm one is not enough for two pairs side by side."""
    queued(store, spec_of())
    join(store)
    assert launch.ensure_worker(store, count=3)
    assert len(started) == 2
    join(store, "second")
    join(store, "third")
    assert not launch.ensure_worker(store, count=3)


def test_one_on_another_device_does_not_count(store: Store, started: list[list[str]]) -> None:
    queued(store, spec_of())
    join(store)  # on the CPU
    assert not launch.ensure_worker(store, device="cpu")
    assert launch.ensure_worker(store, device="cuda")
    assert started[0][started[0].index("--device") + 1] == "cuda"
    with store.write() as db:
        db.execute("UPDATE workers SET device='cuda:1'")
    assert not launch.ensure_worker(store, device="cuda")
    assert not launch.ensure_worker(store, device="cuda:1")
    assert launch.ensure_worker(store, device="cpu")


def test_who_can_no_longer_be_judged_is_not_relied_upon(
    store: Store, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that died under another host name, and one that hangs."""
    monkeypatch.setattr(launch, "BEAT_SECONDS", 0.0)
    queued(store, spec_of())
    taken(store, join_elsewhere(store))
    assert launch.ensure_worker(store)
    later = time.monotonic() + liveness.STALE + 1
    join(store, "hangs")
    monkeypatch.setattr(liveness.time, "monotonic", lambda: later)
    assert launch.ensure_worker(store)


def test_one_of_another_machine_that_beats_is_relied_upon(
    store: Store, started: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    queued(store, spec_of())
    join_elsewhere(store)
    monkeypatch.setattr(liveness.time, "sleep", lambda _: claims.beat(store, "w1"))
    assert not launch.ensure_worker(store)


def test_no_second_one_while_one_is_on_its_way(store: Store, started: list[list[str]]) -> None:
    queued(store, spec_of())
    with liveness.hold(store.home, liveness.STARTING):
        assert not launch.ensure_worker(store)
    assert launch.ensure_worker(store)
    assert len(started) == 1


def test_one_that_is_part_of_a_command_does_not_serve_the_others(store: Store, started: list[list[str]]) -> None:
    queued(store, spec_of())
    join(store)
    with store.write() as db:
        db.execute("UPDATE workers SET device='run:cpu'")
    assert launch.ensure_worker(store)


def test_one_that_is_on_its_way_is_told_to_turn_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = liveness.hold(store.home, liveness.STARTING)
    assert control.stop_workers(store) == 1
    monkeypatch.setenv(launch.INHERITED, str(os.dup(lock.fileno())))
    lock.close()
    assert liveness.holds(store.home, liveness.STARTING)
    queued(store, spec_of())
    assert work(store, device="cpu", idle_seconds=60) == 0
    assert not liveness.holds(store.home, liveness.STARTING)
    assert states(store) == ["queued", "queued"]
    assert control.stop_workers(store) == 0
    with liveness.hold(store.home, liveness.STARTING):  # the next one knows nothing of it
        monkeypatch.setenv(launch.INHERITED, str(os.open(os.devnull, os.O_RDONLY)))
        assert not launch.started(store.home)


def test_a_worker_that_holds_still_does_not_serve_the_others(store: Store, started: list[list[str]]) -> None:
    queued(store, spec_of(("sst2",)))
    job = taken(store, join(store))
    with claims.guarded(store, job.claim) as db:
        db.execute("UPDATE groups SET state='paused'")
    assert not launch.ensure_worker(store)
    queued(store, spec_of(("rte",)))
    assert launch.ensure_worker(store)


def test_a_home_that_cannot_hold_a_log_is_named(store: Store) -> None:
    (store.home / "workers").write_text("in the way")
    with pytest.raises(UserError, match="cannot start a worker in"):
        launch.start_worker(store)


@pytest.mark.slow
def test_a_worker_outlives_its_starter_trains_and_leaves_when_it_is_told(store: Store) -> None:
    sent = submit(store, plans_of([RunSpec.make(("rte", "sst2"), "shlpt", settings=TINY)]))
    assert launch.ensure_worker(store, device="cpu", threads=1)
    assert not launch.ensure_worker(store)
    until(lambda: frames.run(store, sent.runs[0])["state"] == "done", 120)
    assert set(states(store)) == {"done"}
    (worker,) = frames.workers(store).to_dict("records")
    assert worker["alive"]
    assert worker["here"]
    assert os.getsid(worker["pid"]) == worker["pid"]
    assert not launch.ensure_worker(store)
    control.stop_workers(store)
    until(lambda: not liveness.living(store))
    assert frames.workers(store).empty
