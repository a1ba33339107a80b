"""Control of a lane group in training: pause, step, stop, and checkpoints between epochs."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from safetensors.torch import save

from shlpt.store.store import to_json
from shlpt.training.checkpoint import Place
from shlpt.training.engine import Cut, Stopped
from shlpt.work.ledger import Recorder
from shlpt.work.meter import Meter

CHECKPOINT_SECONDS = 2.0
CHEAP = 0.05  # seconds: checkpoints that copy faster are copied at every cut
WAIT = 0.05


class GroupConductor:
    """Applies users' requests in the training thread."""

    def __init__(
        self,
        recorder: Recorder,
        keys: list[str],
        events: Mapping[str, int],
        meter: Meter,
        every: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.recorder, self.keys, self.events, self.meter = recorder, keys, events, meter
        self.every = every
        self.saved, self.cost, self.copying = time.monotonic(), 0.0, 0.0
        self.latest: tuple[dict[str, Place], dict[str, int], dict[str, float]] | None = None  # not written yet
        self.interrupted = False  # somebody pressed Ctrl-C
        self.step: str | None = None  # unit of training allowed while paused

    def round(self, training: bool, tell: Callable[[], None] = lambda: None) -> None:
        waited = False
        while True:
            if self.interrupted:
                raise KeyboardInterrupt
            wish = self.recorder.wish()
            if wish in ("stop", "leave"):
                raise Stopped
            if wish.startswith("step "):
                self.step = wish.removeprefix("step ")
                self.recorder.hold("running", "pause")
                self.meter.skip()
                waited = False
            elif wish != "pause":
                self.step = None
                break
            elif self.step is not None:
                break
            elif not waited:
                tell()
                self.meter.share()
                self.save()
                self.recorder.hold("paused")
                waited = True
            else:
                time.sleep(WAIT)
        if waited:
            self.recorder.hold("running")
            self.meter.skip()
        if training and self.step == "batch":
            self.step = None

    def cut(self, cuts: dict[int, Cut]) -> None:
        if self.step == "epoch":
            self.step = None
        begin = time.monotonic()
        due = begin - self.saved >= max(self.every, 20 * self.cost)
        if due or self.copying < CHEAP:
            places = {self.keys[index]: cut.place() for index, cut in sorted(cuts.items())}
            self.latest = (places, {key: self.events[key] for key in places}, self.meter.share())
            self.copying = time.monotonic() - begin
        if due:
            self.save()

    def save(self, patient: bool = True) -> None:
        """Write the newest checkpoint, unless it is written already."""
        if self.latest is None:
            return
        begin = time.monotonic()
        self.recorder.checkpoint(*packed(*self.latest), patient)
        self.latest, self.saved = None, time.monotonic()
        self.cost = self.saved - begin


def packed(
    places: Mapping[str, Place], events: Mapping[str, int], seconds: Mapping[str, float]
) -> tuple[bytes, dict[str, Any]]:
    """The checkpoints of all lanes as one file."""
    lanes = {key: {"numbers": p.numbers, "events": events[key], "seconds": seconds[key]} for key, p in places.items()}
    tensors = {f"{key}/{name}": tensor for key, place in places.items() for name, tensor in place.tensors.items()}
    return save(tensors, {"about": to_json({"lanes": lanes})}), {"epochs": [p.numbers["done"] for p in places.values()]}
