"""The same work on a Ray cluster of two nodes on this machine, with a worker and a node lost on the way.

What becomes of groups that come back without their end is tested with a Ray that only pretends.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from saying import refused
from storing import group_rows, join, queued, spec_of, states, until

from shlpt.errors import UserError
from shlpt.plans.stages import RunPlan, plans_of
from shlpt.queue.claims import Event, Fenced
from shlpt.queue.submit import submit
from shlpt.spec import RunSpec
from shlpt.store.find import groups_of
from shlpt.store.store import Store
from shlpt.work import cluster as module
from shlpt.work.cluster import RESENDS, work_on_cluster
from shlpt.work.worker import Silent, work

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
ray = pytest.importorskip("ray", reason="NO RAY HERE: the cluster is not tested; pip install 'ray>=2.55,<3'")
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"epochs": 12, "patience": 12, "shots": 4, "validation_shots": 4, "test_shots": 6, "prompt_length": 4}
DEADLINE = 150.0


@pytest.fixture(autouse=True)
def surroundings() -> Iterator[None]:
    """Ray reads how it is set up from variables that `ray_library` sets for good: not for the tests that follow."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


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


def plans() -> list[RunPlan]:
    """Of three runs: two groups, one of two lanes, are trained at once, and a third needs what one of them has left.
    Each has a process of its own, which takes seconds to start."""
    runs = (("rte", "sst2"), ("cb",), ("wic",))
    return plans_of([RunSpec.make(tasks, "continual", seed=1, settings=SETTINGS) for tasks in runs], alone=False)


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


@pytest.mark.slow
def test_a_lost_worker_and_a_lost_node_change_no_bit(cluster: Any, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        here = Store(tmp_path / "here").open()
        sent = submit(here, plans(), lanes=2)
        work(here, device="cpu", groups=groups_of(here, sent.runs))
    finally:
        torch.set_num_threads(before)

    second = cluster.add_node(num_cpus=1)
    there = Store(tmp_path / "there").open()
    sent = submit(there, plans(), lanes=2)
    assert there.value("SELECT count(*) FROM groups") == 3
    happened: list[str] = []

    def harm() -> None:
        own = Store(there.home)

        def events() -> int:
            return int(own.value("SELECT count(*) FROM events"))

        until(lambda: events() > 0 and processes(), DEADLINE)
        os.kill(processes()[0], signal.SIGKILL)
        happened.append("a worker was killed")
        seen = events()
        until(lambda: events() > seen, DEADLINE)
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
    assert len(results(there)) == 4


# --- what is wrong before anything is sent ------------------------------------------------
def nobody() -> str:
    """An address of this machine where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "no Ray cluster answers at 127.0.0.1:"), (("--detach",), "and --detach cannot be combined")],
)
def test_a_cluster_that_cannot_be_used_is_told_before_anything_is_queued(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    asked = ["matrix", "--tasks=rte,sst2", "--executor=ray", f"--address={nobody()}", f"--home={tmp_path}", *words]
    assert said in " ".join(refused(capsys, *asked).split())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("address", ["10.0.0.1", "10.0.0.1:many", "ray://", ":6379", "10.0.0.1:99999"])
def test_an_address_that_cannot_be_read_is_refused(address: str) -> None:
    with pytest.raises(UserError, match="cannot read the address"):
        module.check(address)


def test_an_address_where_somebody_listens_is_good() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        for address in (f"127.0.0.1:{server.getsockname()[1]}", f"ray://127.0.0.1:{server.getsockname()[1]}"):
            module.check(address)
    for address in (None, "auto", "local"):
        module.check(address)


# --- a cluster that only pretends ---------------------------------------------------------
def pretended(train: Callable[..., None]) -> Any:
    """Ray whose actor lives here, and whose tasks run when their result is asked for."""

    def actor(home: str) -> Any:
        secretary = module.Secretary(home)

        def method(name: str) -> Any:
            return SimpleNamespace(remote=lambda *given: partial(lambda found: found, getattr(secretary, name)(*given)))

        return SimpleNamespace(**{name: method(name) for name in ("open", "report", "tell", "end")})

    def remote(**_: Any) -> Any:
        return lambda what: SimpleNamespace(remote=actor if what is module.Secretary else partial(partial, train))

    return SimpleNamespace(
        exceptions=ray.exceptions,
        remote=remote,
        get=lambda ref: ref(),
        wait=lambda refs, timeout: (refs, []),
        cluster_resources=lambda: {"CPU": 1.0},
        get_runtime_context=lambda: SimpleNamespace(get_node_id=str),
        util=SimpleNamespace(scheduling_strategies=SimpleNamespace(NodeAffinitySchedulingStrategy=lambda *_, **__: 0)),
    )


def thrown(error: Exception) -> Exception:
    """As Ray raises what a task has raised."""
    found: Exception = ray.exceptions.RayTaskError("train", "Traceback", error, "p", 1, "::1").as_instanceof_cause()
    return found


def sent(store: Store, train: Callable[..., None]) -> int:
    """How many times the only group was sent."""
    queued(store, spec_of(("sst2",)))
    groups = dict.fromkeys(row["key"] for row in group_rows(store))
    driver = module._Driver(pretended(train), store, join(store), "cpu", 1, 1.0)
    return driver.run(groups, None, Silent())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImportError("no module named 'safetensors'"), "ImportError: no module named 'safetensors'"),
        (UserError("the backbone is not there"), "on the cluster: the backbone is not there"),
    ],
)
def test_what_cannot_be_trained_on_a_node_fails_with_its_reason(store: Store, error: Exception, said: str) -> None:
    def train(*_: Any) -> None:
        raise thrown(error)

    assert sent(store, train) == 1
    assert states(store) == ["failed"]
    assert said in group_rows(store)[0]["note"]


@pytest.mark.parametrize("name", ["WorkerCrashedError", "OutOfMemoryError", "RuntimeEnvSetupError"])
def test_a_group_that_is_lost_again_and_again_is_given_up(store: Store, name: str) -> None:
    def train(*_: Any) -> None:
        error = getattr(ray.exceptions, name)
        raise error() if name == "WorkerCrashedError" else error("it was killed\nlong story")

    assert sent(store, train) == 1 + RESENDS
    assert states(store) == ["failed"]
    note = group_rows(store)[0]["note"]
    assert f"lost {1 + RESENDS} times on the cluster without progress: {name}" in note
    assert "\n" not in note


def test_losses_count_anew_whenever_a_group_got_further(store: Store) -> None:
    count = 0

    def train(job: Any, secretary: Any, *_: Any) -> None:
        nonlocal count
        count += 1
        if count <= 5:
            secretary.report.remote(job.claim, [Event(job.group.stages[0].key, count, "step", {}, 0.0)])
            secretary.tell.remote(job.claim, "begin", {}, [], {})  # which writes what has happened
        raise ray.exceptions.WorkerCrashedError

    assert sent(store, train) == 5 + RESENDS
    assert states(store) == ["failed"]


def test_a_group_that_somebody_else_has_is_not_failed(store: Store) -> None:
    errors = [thrown(ImportError("later")), *[thrown(Fenced("given to another worker"))] * 5]

    def train(*_: Any) -> None:
        raise errors.pop()

    assert sent(store, train) == 6
    assert "ImportError" in group_rows(store)[0]["note"]
