"""What somebody names: a run or an experiment, of their own store or of the recorded one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shlpt.errors import UserError
from shlpt.results import experiments, twins
from shlpt.store.store import Store


@dataclass(frozen=True)
class Which:
    """A run, or an experiment with its runs, and the store that holds it."""

    store: Store
    runs: tuple[str, ...]
    experiment: dict[str, Any] | None = None  # id, kind, name, about, created

    @property
    def id(self) -> str:
        return self.runs[0] if self.experiment is None else str(self.experiment["id"])

    @property
    def is_recorded(self) -> bool:
        from shlpt.results.recorded import HOME

        return self.store.home == HOME


def locate(home: Path | None, id: str) -> Which:
    """By id, by the beginning of an id, or by an experiment's name."""
    try:
        store, run = twins.locate(id, home)
    except UserError as unknown_run:
        try:
            store, found = experiments.locate_with_runs(Store(home).there() or _empty(), id)
        except UserError as unknown_experiment:
            raise unknown_run if id[:1] in ("r", "c", "i") else unknown_experiment from None
        return Which(store, tuple(experiments.runs_in(store, found["id"])), found)
    return Which(store, (run,))


def _empty() -> Store:
    """Where the visitor has no results, the recorded ones are all there is."""
    from shlpt.results.recorded import recorded

    store = recorded()
    if store is None:
        raise UserError("there are no results yet: train something first, or give another folder with --home")
    return store
