"""SHLPT: similarity heuristic lifelong prompt tuning, with the systems it is compared with.

    import shlpt

    records = shlpt.run("demo", "shlpt", seeds=[42, 142], settings={"threshold": 0.3})
    table = shlpt.matrix(["yelp", "sst2", "rte"], seeds=[42, 142])
    epochs = shlpt.frames.epochs(shlpt.Store(), [record["id"] for record in records])

Importing this loads nothing: each name brings what it needs when it is first used, and only training brings torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from shlpt.results import frames as frames
    from shlpt.results.record import Record
    from shlpt.spec import RunSpec as RunSpec
    from shlpt.store.store import Store as Store

__version__ = "0.1.0"
_LATER = {"RunSpec": "shlpt.spec", "Store": "shlpt.store.store"}


def __getattr__(name: str) -> Any:
    if name == "frames":
        return import_module("shlpt.results.frames")
    if name not in _LATER:
        raise AttributeError(f"module 'shlpt' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)


def run(
    tasks: Sequence[str] | str,
    method: str = "shlpt",
    *,
    seeds: Sequence[int] = (42,),
    home: Path | str | None = None,
    lanes: int | None = None,
    alone: bool = True,
    fresh: bool = False,
    device: str = "auto",
    **how: Any,
) -> list[Record]:
    """Learn tasks (or a named sequence) in order, once for each seed: records, as `run --json` prints them.

    `how` is what `RunSpec.make` takes too: settings, preset, suite, backbone, dtype.
    """
    from shlpt.spec import RunSpec
    from shlpt.work import worker

    specs = [RunSpec.make(_named(tasks), method, seed=seed, **how) for seed in seeds]
    return worker.run(specs, home, lanes=lanes, alone=alone, fresh=fresh, device=device)


def matrix(
    tasks: Sequence[str] | str,
    method: str = "continual",
    *,
    seeds: Sequence[int] = (42,),
    name: str = "",
    home: Path | str | None = None,
    lanes: int | None = None,
    fresh: bool = False,
    device: str = "auto",
    **how: Any,
) -> pd.DataFrame:
    """Learn every task after every other: test error reduction of each pair in points, with its 95 % interval."""
    from shlpt.analysis import transfer
    from shlpt.backbone.t5 import pick_device
    from shlpt.plans import experiments
    from shlpt.queue.submit import planned, start_experiment
    from shlpt.results.experiments import pairs
    from shlpt.store.store import Store
    from shlpt.work import worker

    made = experiments.matrix(_named(tasks), seeds, {"method": method, **how}, name)
    pick_device(device)  # before anything is queued
    store = Store(home).open()
    plans = planned(store, made.specs, fresh=fresh)
    id, sent = start_experiment(store, made, plans, lanes=lanes, device=device)
    worker.train(store, sent, device=device)
    return transfer.cells(pairs(store, id))


def _named(tasks: Sequence[str] | str) -> tuple[str, ...]:
    from shlpt.tasks.sequences import find_sequence

    return find_sequence(tasks) if isinstance(tasks, str) else tuple(tasks)
