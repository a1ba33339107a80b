"""A few lines of Python that do what the commands `run` and `matrix` do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from shlpt.analysis import transfer
from shlpt.backbone.t5 import pick_device
from shlpt.plans import experiments, rates
from shlpt.queue.submit import planned, start_experiment
from shlpt.results import experiments as results
from shlpt.results.record import Record
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.sequences import find_sequence
from shlpt.work import worker


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
    how = rates.at_own_rate(how, method, home)
    specs = [RunSpec.make(_named(tasks), method, seed=seed, **how) for seed in seeds]
    return worker.run(specs, home, lanes=lanes, alone=alone, fresh=fresh, device=device)


def matrix(
    tasks: Sequence[str] | str,
    method: str = "continual",
    *,
    seeds: Sequence[int] = (42,),
    name: str = "",
    source_shots: int | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    home: Path | str | None = None,
    lanes: int | None = None,
    fresh: bool = False,
    device: str = "auto",
    **how: Any,
) -> pd.DataFrame:
    """Learn every task after every other, or only the given pairs of source and target: test error reduction of each
    pair in points, with its 95 % interval."""
    how = rates.at_own_rate(how, method, home)
    made = experiments.matrix(_named(tasks), seeds, {"method": method, **how}, name, source_shots, pairs)
    pick_device(device)  # before anything is queued
    store = Store(home).open()
    plans = planned(store, made.specs, fresh=fresh, device=device)
    id, sent = start_experiment(store, made, plans, lanes=lanes, device=device)
    worker.train(store, sent, device=device)
    return transfer.cells(results.pairs(store, id))


def _named(tasks: Sequence[str] | str) -> tuple[str, ...]:
    return find_sequence(tasks) if isinstance(tasks, str) else tuple(tasks)
