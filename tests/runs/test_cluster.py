"""The same work on a Ray cluster of two nodes on this machine, with a worker and a node lost on the way."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from shlpt.runs import experiments
from shlpt.runs.cluster import work_on_cluster
from shlpt.runs.control import groups_of
from shlpt.runs.store import Store
from shlpt.runs.worker import work

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
ray = pytest.importorskip("ray", reason="NO RAY HERE: the cluster is not tested; pip install 'ray>=2.55,<3'")
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"epochs": 6, "patience": 6, "shots": 4, "validation_shots": 4, "test_shots": 6, "prompt_length": 4}
DEADLINE = 150.0

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    ray.init(address=found.address, log_to_driver=False, configure_logging=False)
    yield found
    ray.shutdown()
    found.shutdown()


def experiment() -> experiments.Experiment:
    return experiments.matrix(("rte", "sst2", "cb"), (1,), {"method": "continual", "settings": SETTINGS})


def results(store: Store) -> dict[str, tuple[str, str]]:
    """Every answer and score, and the hash of every tensor, by stage."""
    rows = store.rows(
        "SELECT s.key, c.examples, a.sha256 FROM stages s JOIN scores c ON c.stage=s.id "
        "JOIN artifacts a ON a.owner=s.key WHERE s.state='done'"
    )
    return {row["key"]: (row["examples"], row["sha256"]) for row in rows}


def processes() -> list[int]:
    """Processes of this machine in which a group is being trained."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or [""]
        if line[0].startswith("ray::train_remotely"):
            found.append(process.pid)
    return found


def wait_for(true: Any) -> Any:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def test_a_lost_worker_and_a_lost_node_change_no_bit(cluster: Any, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        here = Store(tmp_path / "here").open()
        _, sent = experiments.start(here, experiment(), lanes=2)
        work(here, device="cpu", groups=groups_of(here, sent.runs))
    finally:
        torch.set_num_threads(before)

    second = cluster.add_node(num_cpus=1)
    there = Store(tmp_path / "there").open()
    _, sent = experiments.start(there, experiment(), lanes=2)
    happened: list[str] = []

    def harm() -> None:
        own = Store(there.home)

        def events() -> int:
            return int(own.value("SELECT count(*) FROM events"))

        wait_for(lambda: events() > 0 and processes())
        os.kill(processes()[0], signal.SIGKILL)
        happened.append("a worker was killed")
        seen = events()
        wait_for(lambda: events() > seen)
        cluster.remove_node(second, allow_graceful=False)
        happened.append("a node was killed")
        own.close()

    thread = threading.Thread(target=harm)
    thread.start()
    count = work_on_cluster(there, sent.runs, device="cpu", threads=1, every=0.0)
    thread.join(DEADLINE)
    assert happened == ["a worker was killed", "a node was killed"]
    assert count > there.value("SELECT count(*) FROM groups")  # something was sent twice
    assert results(there) == results(here)
    assert len(results(there)) == 3 + 6
