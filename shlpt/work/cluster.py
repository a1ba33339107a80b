"""Training on a Ray cluster: Ray places the work, all results are in the store. `work_on_cluster` claims lane groups as
a worker does and sends each with its inputs to a node. Nodes report to one actor beside the store, the only writer. If
a node or process dies, its group is claimed again and resumes from its newest checkpoint, bit-identical on the same
kind of machine with as many threads. A group that is lost repeatedly without progress fails, with the reason."""

import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

from shlpt.devices import kind_of
from shlpt.errors import UserError
from shlpt.queue import claims
from shlpt.queue.claims import Claim, Event, Fenced, Finished, Job
from shlpt.queue.control import others_work_on
from shlpt.store import liveness
from shlpt.store.artifacts import DiskFull
from shlpt.store.find import groups_of
from shlpt.store.store import Store
from shlpt.work.conductor import CHECKPOINT_SECONDS
from shlpt.work.ledger import Ledger
from shlpt.work.worker import Heart, Silent, Watch, Workshops, train_and_report

REPORT_SECONDS = 0.3
ANSWER_SECONDS = 5.0  # to accept a connection
RESENDS = 3  # of a group lost without progress


def ray_library() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_AUTH_MODE", "token")  # without one, who reaches the port can run code
    try:
        import ray
    except ImportError:
        raise UserError("the executor ray needs Ray: pip install 'ray>=2.55,<3' (the extra [cluster])") from None
    return ray


def check(address: str | None, detach: bool = False) -> None:
    """Refuse bad options before anything is queued: Ray itself waits for minutes if no cluster answers."""
    if detach:
        raise UserError(
            "--executor ray and --detach cannot be combined: the command must run until the work is done. Leave "
            "one out, or run the command in tmux, screen or a batch job"
        )
    ray_library()
    if address in (None, "", "auto", "local"):
        return
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        where = parts.hostname, parts.port
    except ValueError:  # a port that is not a number
        where = None, None
    if None in where:
        raise UserError(f"cannot read the address {address!r} of a Ray cluster: write it as 10.0.0.1:6379")
    try:
        socket.create_connection(where, timeout=ANSWER_SECONDS).close()
    except OSError as error:
        raise UserError(
            f"no Ray cluster answers at {address} ({error.strerror or error}): start one there with "
            "`ray start --head --port=6379`. Nothing was queued"
        ) from None


class Secretary:
    """The only writer: holds the ledgers of all groups in training."""

    def __init__(self, home: str) -> None:
        self.store = Store(home)
        self.ledgers: dict[Claim, Ledger] = {}

    def open(self, claim: Claim) -> None:
        self.ledgers[claim] = Ledger(self.store, claim)

    def report(self, claim: Claim, events: list[Event]) -> str:
        """Store events; returns the user's current request."""
        for event in events:
            self._of(claim).emit(event)
        return self._of(claim).wish()

    def tell(self, claim: Claim, what: str, *values: Any) -> None:
        """Calls a method of Recorder: begin, hold, checkpoint, finish."""
        getattr(self._of(claim), what)(*values)

    def end(self, claim: Claim, state: str, note: str = "") -> None:
        ledger = self.ledgers.pop(claim, None)
        if ledger is not None:
            ledger.close(state, note)

    def _of(self, claim: Claim) -> Ledger:
        if claim not in self.ledgers:
            raise Fenced(f"group {claim.group} was given to another worker")
        return self.ledgers[claim]


class Messenger:
    """A Recorder on a node: sends to the secretary, events in batches from a thread."""

    def __init__(self, ray: Any, secretary: Any, claim: Claim) -> None:
        self.ray, self.secretary, self.claim = ray, secretary, claim
        self._events: list[Event] = []
        self._lock = threading.Lock()
        self.interrupted = False
        self._lost: Exception | None = None
        self._wish = self._report()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send_and_look, daemon=True)
        self._thread.start()

    def emit(self, event: Event) -> None:
        self._events.append(event)

    def wish(self) -> str:
        if self._lost is not None:
            raise Fenced(str(self._lost))
        return self._wish

    def begin(self, made: Mapping[str, Any], warnings: Sequence[str], since: Mapping[str, int]) -> None:
        self._tell("begin", made, warnings, since)

    def hold(self, state: str, wish: str | None = None) -> None:
        self._tell("hold", state, wish)
        self._wish = self._report()

    def checkpoint(self, data: bytes, about: Mapping[str, Any], patient: bool = True) -> None:
        self._tell("checkpoint", data, about, patient)

    def finish(self, done: Finished, tensors: bytes) -> None:
        self._tell("finish", done, tensors)

    def close(self, state: str = "", note: str = "") -> None:
        self._over.set()
        self._thread.join()
        if self._lost is None:
            self._report()
            self.ray.get(self.secretary.end.remote(self.claim, state, note))

    def _tell(self, what: str, *values: Any) -> None:
        self._report()
        self.ray.get(self.secretary.tell.remote(self.claim, what, *values))

    def _report(self) -> str:
        with self._lock:
            events, self._events = self._events, []
            found: str = self.ray.get(self.secretary.report.remote(self.claim, events))
            return found

    def _send_and_look(self) -> None:
        while not self._over.wait(REPORT_SECONDS):
            try:
                self._wish = self._report()
            except Exception as error:  # fenced, or the secretary is gone: the group is no longer ours
                self._lost = error
                return


def train_remotely(job: Job, secretary: Any, device: str, threads: int, every: float) -> None:
    """Train a group on a node and report."""
    ray = ray_library()
    torch.set_num_threads(threads)
    messenger = Messenger(ray, secretary, job.claim)
    train_and_report(messenger, lambda: job, Workshops(device), Silent(), every)


def work_on_cluster(
    store: Store,
    runs: Iterable[str],
    *,
    device: str = "auto",
    address: str | None = None,
    threads: int | None = None,
    at_once: int | None = None,
    watch: Watch | None = None,
    every: float = CHECKPOINT_SECONDS,
) -> int:
    """Train everything that these runs lack. Returns the number of groups sent. Without an address, on a private
    cluster."""
    ray = ray_library()
    threads = threads or torch.get_num_threads()
    started = not ray.is_initialized()
    if started:
        try:
            here = {} if address else {"_node_ip_address": "127.0.0.1"}
            env = {"env_vars": {"PYTHONPATH": str(Path(__file__).resolve().parents[2])}}
            quiet = dict.fromkeys(("include_dashboard", "log_to_driver", "configure_logging"), False)
            ray.init(address=address or "local", runtime_env=env, **quiet, **here)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise UserError(f"cannot reach the Ray cluster at {address or 'local'}: {error}") from None
    try:
        with Heart(store, f"ray:{device}") as heart:
            driver = _Driver(ray, store, heart.worker, device, threads, every)
            return driver.run(groups_of(store, runs), at_once, watch or Silent())
    finally:
        if started:
            ray.shutdown()


class _Driver:
    def __init__(self, ray: Any, store: Store, worker: str, device: str, threads: int, every: float) -> None:
        self.ray, self.store, self.worker = ray, store, worker
        self.device, self.threads, self.every = device, threads, every
        self.sent: dict[Any, Job] = {}
        self.lost: dict[str, tuple[int, int]] = {}  # group -> furthest progress, losses since
        affinity = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        here = affinity(ray.get_runtime_context().get_node_id(), soft=False)
        actor = ray.remote(num_cpus=0, max_concurrency=32, scheduling_strategy=here)(Secretary)
        self.secretary = actor.remote(str(store.home.resolve()))
        gpus = 1 if kind_of(device) == "cuda" else 0  # as the runs were planned
        # A new process for each group, so that earlier groups cannot change its bits.
        self.train = ray.remote(num_cpus=threads, num_gpus=gpus, max_calls=1, max_retries=0)(train_remotely)

    def run(self, groups: Mapping[str, None], at_once: int | None, watch: Watch) -> int:
        observer, count = liveness.Observer(self.store), 0
        room = at_once or max(1, int(self.ray.cluster_resources().get("CPU", 1) // self.threads))
        while True:
            job = self.claim(observer, groups) if len(self.sent) < room else None
            if job is not None:
                self.sent[self.send(job)] = job
                count += 1
            elif self.sent:
                for ref in self.ray.wait(list(self.sent), timeout=REPORT_SECONDS)[0]:
                    self.came_back(ref, self.sent.pop(ref), watch)
            elif others_work_on(self.store, groups):
                time.sleep(REPORT_SECONDS)
            else:
                return count

    def claim(self, observer: liveness.Observer, groups: Mapping[str, None]) -> Job | None:
        free = set(groups) - {job.claim.group for job in self.sent.values()}
        return claims.claim(self.store, self.worker, observer, free)

    def send(self, job: Job) -> Any:
        self.ray.get(self.secretary.open.remote(job.claim))
        return self.train.remote(claims.gather(self.store, job), self.secretary, self.device, self.threads, self.every)

    def came_back(self, ref: Any, job: Job, watch: Watch) -> None:
        try:
            self.ray.get(ref)
        except self.ray.exceptions.RayError as error:
            self.ray.get(self.secretary.end.remote(job.claim, *self.left_as(error, job.claim.group)))
            return
        done = {row["key"] for row in self.store.rows("SELECT key FROM stages WHERE state!='queued'")}
        for stage in job.group.stages:
            if stage.key in done:
                watch.finished(stage)

    def left_as(self, error: Exception, group: str) -> tuple[str, str]:
        """The state of a group that came back unfinished, and why."""
        errors = self.ray.exceptions
        if isinstance(error, Fenced | DiskFull):
            return "queued", ""
        if isinstance(error, errors.RayTaskError) and not isinstance(error.cause, errors.RayError):
            return "failed", f"it cannot be trained on the cluster: {_said(error.cause)}"
        furthest, losses = self.lost.get(group, (-1, 0))  # the process or its node is gone
        now = self.how_far(group)
        losses = 1 if now > furthest else losses + 1
        self.lost[group] = max(now, furthest), losses
        if losses <= RESENDS:
            return "queued", ""
        return "failed", f"lost {losses} times on the cluster without progress: {_said(error)}"

    def how_far(self, group: str) -> int:
        query = "SELECT count(*) FROM events WHERE stage IN (SELECT id FROM stages WHERE grp=?)"
        return int(self.store.value(query, (group,)))


def _said(error: BaseException) -> str:
    """The error without Ray's traceback."""
    line = next(iter(str(error).strip().splitlines()), "")
    return line if isinstance(error, UserError) else f"{type(error).__name__}: {line}"
