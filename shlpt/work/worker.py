"""A worker: claim a lane group whose parents are done, train it, report, take the next. A worker can be killed at any
moment: training resumes from the newest checkpoint, with bit-identical results."""

import signal
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol, Self

from shlpt.backbone.files import digest_of
from shlpt.backbone.t5 import load, pick_device
from shlpt.devices import kind_of
from shlpt.errors import UserError
from shlpt.methods.base import State
from shlpt.methods.views import Views
from shlpt.plans.stages import Stage
from shlpt.queue import claims, launch
from shlpt.queue.claims import Event, Fenced, Job
from shlpt.queue.control import others_work_on, stopping_on_interrupt, worker_wish
from shlpt.queue.submit import Submitted, planned, submit
from shlpt.results.record import Record, keep_results, run_record
from shlpt.spec import RunSpec
from shlpt.store import liveness
from shlpt.store.artifacts import NotNow
from shlpt.store.find import groups_of, runs_of
from shlpt.store.store import Store
from shlpt.training.checkpoint import Place, state_of
from shlpt.training.engine import Lane, Stopped, drive
from shlpt.training.stage import Workshop, opened
from shlpt.work.conductor import CHECKPOINT_SECONDS, GroupConductor
from shlpt.work.ledger import Ledger, Recorder
from shlpt.work.meter import Meter
from shlpt.work.workshop import fingerprint, pack, places_of

IDLE_SECONDS = 0.2


class Watch(Protocol):
    """Gets progress reports in the same process."""

    def planned(self, stages: Sequence[Stage], reused: int) -> None: ...

    def event(self, stage: Stage, kind: str, payload: dict[str, Any]) -> None: ...

    def finished(self, stage: Stage) -> None: ...


class Silent:
    """Ignores all reports."""

    def planned(self, stages: Sequence[Stage], reused: int) -> None: ...

    def event(self, stage: Stage, kind: str, payload: dict[str, Any]) -> None: ...

    def finished(self, stage: Stage) -> None: ...


class Workshops:
    """The workshop of a job's backbone, loaded when first needed."""

    def __init__(self, device: str) -> None:
        self.device = device
        self._made: dict[tuple[Any, ...], Workshop] = {}

    def of(self, job: Job) -> Workshop:
        digest = digest_of(job.backbone)
        if any(stage.backbone != digest for stage in job.group.stages):
            raise UserError(f"the backbone {job.backbone} has changed since the run was queued: start the run again")
        planned = job.group.stages[0].device
        place = self.device if not planned or kind_of(self.device) == planned else planned  # on a node of a cluster
        key = (digest, job.dtype, job.home)
        if key not in self._made:
            self._made.clear()  # one at a time: a large one fills the memory
            model = load(job.backbone, place, job.dtype)
            self._made[key] = Workshop(model, Views(model), job.home)
        return self._made[key]


@dataclass
class Training:
    """Training of a lane group, which reports to a recorder."""

    shop: Workshop
    job: Job
    recorder: Recorder
    watch: Watch
    every: float = CHECKPOINT_SECONDS  # between checkpoints

    def run(self) -> bool:
        """Train to the end; if stopped, save the newest place and raise Stopped. Returns whether Ctrl-C was pressed too
        late to stop anything."""
        job, made = self.job, fingerprint(self.shop.backbone)
        stages = {stage.key: stage for stage in job.group.stages}
        places: dict[str, Place] = {}
        self.counts = dict.fromkeys(stages, 0)
        spent: dict[str, float] = {}
        if job.checkpoint is not None:
            places, counts, spent = places_of(job.checkpoint)
            self.counts |= counts
            stages = {key: stage for key, stage in stages.items() if key in places}
        warnings = [job.warning] if job.warning else []
        before = job.made or made
        changed = [f"{name}: {before.get(name)} → {made[name]}" for name in made if before.get(name) != made[name]]
        if changed:  # events since the checkpoint may differ in the last bits, so they are deleted
            warnings.append(f"resumed with another machine or setting: {', '.join(changed)}")
        self.recorder.begin(made, warnings, {key: self.counts[key] for key in stages} if changed else {})
        self.meter = Meter({key: spent.get(key, 0.0) for key in stages})
        lanes = [self.saving(stage, places.get(key), made) for key, stage in stages.items()]
        conductor = GroupConductor(self.recorder, list(stages), self.counts, self.meter, self.every)
        try:
            with noting_interrupts(conductor):
                results = drive(lanes, self.shop.backbone, conductor)
        except (Stopped, KeyboardInterrupt, SystemExit):
            with suppress(NotNow):
                conductor.save(patient=False)
            raise
        for result in results:
            if result is not None:  # a loss became NaN after training, where the lane cannot catch it
                raise result
        return conductor.interrupted

    def saving(self, stage: Stage, place: Any, made: dict[str, Any]) -> Lane[None]:
        parent = self.job.parents[stage.parent] if stage.parent else None
        state = state_of(parent, self.shop.backbone.device) if parent is not None else State()

        def emit(kind: str, payload: dict[str, Any]) -> None:
            self.recorder.emit(Event(stage.key, self.counts[stage.key], kind, payload, time.time()))
            self.counts[stage.key] += 1
            self.watch.event(stage, kind, payload)

        result = yield from opened(self.shop, stage, state).lane(emit, place)
        self.recorder.finish(*pack(self.shop, stage, result, self.job.group, self.meter.end(stage.key), made))
        self.watch.finished(stage)


@contextmanager
def noting_interrupts(conductor: GroupConductor) -> Iterator[None]:
    """Let Ctrl-C end a group before its next forward pass; a second Ctrl-C is raised at once. An exception raised at
    any point could be lost in a library's callback."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def note(*_: object) -> None:
        if conductor.interrupted:
            raise KeyboardInterrupt
        conductor.interrupted = conductor.recorder.interrupted = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def train_and_report(
    recorder: Recorder, ready: Callable[[], Job], shops: Workshops, watch: Watch, every: float = CHECKPOINT_SECONDS
) -> None:
    """Train a claimed group and give it back, whatever happens."""
    try:
        job = ready()
        interrupted = Training(shops.of(job), job, recorder, watch, every).run()
        recorder.close("done")
    except (Stopped, NotNow, Fenced):
        recorder.close()
    except KeyboardInterrupt:
        recorder.close("stopped")
        raise
    except SystemExit:  # the machine shuts down: nobody asked the run to stop
        recorder.close()
        raise
    except UserError as error:
        recorder.close("failed", str(error))
    except Exception:
        recorder.close("failed", traceback.format_exc(limit=-4))
    else:
        if interrupted:
            raise KeyboardInterrupt


def train_job(store: Store, shops: Workshops, job: Job, watch: Watch, every: float = CHECKPOINT_SECONDS) -> None:
    """Train a group whose store is on this machine."""
    with suppress(Fenced):
        ledger = Ledger(store, job.claim)
        train_and_report(ledger, partial(claims.gather, store, job), shops, watch, every)


class Heart:
    """Holds the lock of a worker, and counts its heartbeat from a thread."""

    def __init__(self, store: Store, device: str, log: str = "") -> None:
        self.store, self.worker = store, liveness.new_name()
        self._lock = liveness.hold(store.home, self.worker)
        self._mark()
        claims.register(store, self.worker, device, log)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if launch.started(self.store.home):
            with self.store.write() as db:
                db.execute("UPDATE workers SET wish='stop' WHERE id=?", (self.worker,))
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        with suppress(UserError):  # on a full disk the released lock is enough
            claims.leave(self.store, self.worker)
        self._lock.close()
        liveness.lock_file(self.store.home, self.worker).unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._over.wait(1.0):
            self._mark()
            try:
                claims.beat(self.store, self.worker)
            except UserError:
                continue  # a full or locked store: others see that the heartbeat stands still
        self.store.close()

    def _mark(self) -> None:
        with suppress(OSError):  # a full disk: others see that the mark stands still
            liveness.mark(self._lock)


def work(
    store: Store,
    *,
    device: str = "auto",
    idle_seconds: float = 0.0,
    groups: Collection[str] | None = None,
    watch: Watch | None = None,
    log: str = "",
    every: float = CHECKPOINT_SECONDS,
) -> int:
    """Train all groups that can be claimed (only those in `groups`, if given); returns how many. With `groups`, waits
    for those that other workers hold; without, waits `idle_seconds` for new work. A missing device is refused before
    the worker registers."""
    device = str(pick_device(device))
    shops, count, since = Workshops(device), 0, time.monotonic()
    with Heart(store, device if groups is None else f"run:{device}", log) as heart:
        observer = liveness.Observer(store)

        while True:
            try:
                if worker_wish(store, heart.worker) == "stop":
                    break
                job = claims.claim(store, heart.worker, observer, groups, kind_of(device))
                if job is not None:
                    train_job(store, shops, job, watch or Silent(), every)
                    count, since = count + 1, time.monotonic()
                    keep_results(store, runs_of(store, job.claim.group))
                    continue
                patient = time.monotonic() - since < idle_seconds if groups is None else others_work_on(store, groups)
            except NotNow:
                patient = True  # finished stages are safe; the next group waits for disk space
            if not patient:
                break
            time.sleep(IDLE_SECONDS)
    return count


def leave_on_signal() -> None:
    """On SIGTERM, save the newest place, return the group to the queue and exit."""

    def leave(*_: object) -> None:
        raise SystemExit(0)

    signal.signal(signal.SIGTERM, leave)


def run(
    specs: Sequence[RunSpec],
    home: Path | str | None = None,
    *,
    lanes: int | None = None,
    alone: bool = True,
    fresh: bool = False,
    device: str = "auto",
    watch: Watch | None = None,
) -> list[Record]:
    """Train runs in this process and return their records, as the command line prints them."""
    pick_device(device)  # before anything is queued
    store = Store(home)
    sent = submit(store, planned(store, specs, alone=alone, fresh=fresh, device=device), lanes=lanes, device=device)
    train(store, sent, device=device, watch=watch)
    return [run_record(store, id) for id in sent.runs]


def train(store: Store, sent: Submitted, *, device: str = "auto", watch: Watch | None = None) -> None:
    """What was queued, in this process, until it is done; Ctrl-C stops it."""
    (watch or Silent()).planned(sent.todo, sent.reused)
    with stopping_on_interrupt(store, sent.runs):
        work(store, device=device, groups=groups_of(store, sent.runs), watch=watch)
