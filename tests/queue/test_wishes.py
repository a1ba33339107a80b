"""Pause, step, stop, resume and Ctrl-C on a real worker at `quick` sizes, by the watch."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from nursery import Nursery
from storing import SLOW, states, until

from shlpt.plans.stages import plans_of
from shlpt.queue import control
from shlpt.queue.submit import submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store

pytestmark = pytest.mark.slow

BOUND = 1.0 * SLOW  # seconds
SPECS = [
    RunSpec.make(("mnli", "sst2"), "shlpt", seed=seed, settings={"epochs": 900, "patience": 900}) for seed in (1, 2, 3)
]


@pytest.fixture
def training(nursery: Nursery, tmp_path: Path) -> Iterator[tuple[Store, Nursery]]:
    """A worker in the middle of its first group."""
    store = Store(tmp_path).open()
    submit(store, plans_of(SPECS, alone=False), lanes=3)
    nursery.fork(tmp_path)
    until(lambda: steps(store)[0] > 3)
    yield store, nursery
    for pid in list(nursery.children):
        nursery.kill(pid)


def steps(store: Store) -> list[int]:
    """Steps and epochs of each lane that trains."""
    query = "SELECT count(*) FROM events e JOIN stages s ON s.id=e.stage WHERE s.key=? AND kind='step'"
    return [store.value(query, (frames.run(store, spec.id)["stages"][0],)) for spec in SPECS]


def epochs(store: Store) -> int:
    return int(store.value("SELECT count(*) FROM events WHERE kind='epoch'"))


def test_wishes_come_true_within_a_second(training: tuple[Store, Nursery]) -> None:
    store, _ = training
    run = [SPECS[1].id]
    took = {}

    def timed(name: str, act: Callable[[], None], state: str) -> None:
        begin = time.monotonic()
        act()
        until(lambda: states(store)[0] == state)
        took[name] = round(time.monotonic() - begin, 2)

    timed("pause", lambda: control.pause(store, run), "paused")
    before = steps(store)
    time.sleep(1)
    assert steps(store) == before  # of all seeds that train together
    assert frames.run(store, run[0])["state"] == "paused"

    for number in (1, 2):
        begin = time.monotonic()
        control.step(store, run, "batch")
        until(lambda: steps(store) == [count + number for count in before])  # noqa: B023
        took[f"step batch {number}"] = round(time.monotonic() - begin, 2)
        until(lambda: states(store)[0] == "paused")
        time.sleep(0.7)
        assert steps(store) == [count + number for count in before]

    done = epochs(store)
    timed("step epoch", lambda: control.step(store, run, "epoch"), "running")
    until(lambda: states(store)[0] == "paused")
    assert epochs(store) == done + 3
    timed("step task", lambda: control.step(store, run, "task"), "running")
    timed("resume", lambda: control.resume(store, run), "running")
    count = steps(store)
    until(lambda: steps(store) > [number + 8 for number in count])
    timed("pause again", lambda: control.pause(store, run), "paused")
    timed("resume again", lambda: control.resume(store, run), "running")
    timed("stop", lambda: control.stop(store, run), "stopped")
    print(took)
    assert max(took.values()) < BOUND, took
    assert [frames.run(store, spec.id)["state"] for spec in SPECS] == ["stopped"] * 3


def test_a_polite_end_gives_the_group_back(training: tuple[Store, Nursery]) -> None:
    store, nursery = training
    (pid,) = nursery.children
    begin = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    assert nursery.wait(pid) == 0
    assert time.monotonic() - begin < 2 * BOUND
    assert states(store)[0] == "queued"
    assert store.value("SELECT count(*) FROM artifacts WHERE kind LIKE 'checkpoint%'") > 0
    assert frames.workers(store).empty


def test_interrupting_the_command_ends_quickly_and_the_same_command_goes_on(tmp_path: Path) -> None:
    settings = [f"--set={key}" for key in ("epochs=30", "patience=30", "shots=4", "test_shots=4")]
    arguments = ["run", "--tasks=rte,agnews", "--method=per_task", f"--home={tmp_path}", "--no-alone", "--lanes=1"]
    arguments += [*settings, "--json", "--threads=1"]
    command = [sys.executable, "-m", "shlpt", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A shell that starts the tests in the background lets them ignore Ctrl-C, and the command would inherit that.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(command, env=environment, preexec_fn=heard, **pipes)
    store = Store(tmp_path).open()
    until(lambda: store.value("SELECT count(DISTINCT stage) FROM events") > 1)  # the second task is being learned
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, messages = process.communicate(timeout=20)
    took = time.monotonic() - begin
    print(f"ended after {took:.2f} s")
    assert took < 2 * BOUND
    assert (process.returncode, out) == (130, ""), messages
    assert "Traceback" not in messages
    assert "finished stages are kept; run the same command again to resume" in messages
    seen = store.rows("SELECT stage, seq, payload FROM events")
    finished = store.value("SELECT count(*) FROM stages WHERE state='done'")
    again = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    document = json.loads(again.stdout)
    assert document["runs"][0]["state"] == "done"
    assert document["summary"]["reused"] == finished
    now = {(row["stage"], row["seq"]): row["payload"] for row in store.rows("SELECT stage, seq, payload FROM events")}
    assert all(now[row["stage"], row["seq"]] == row["payload"] for row in seen)
