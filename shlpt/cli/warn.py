"""What to know before and after training, on standard error: learning rates, warnings about δ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shlpt.catalog import METHODS
from shlpt.cli.report import errors
from shlpt.plans import rates
from shlpt.store.store import default_home

if TYPE_CHECKING:
    from shlpt.spec import RunSpec
    from shlpt.store.store import Store

MOST = 8  # warnings in full


def before(specs: Sequence[RunSpec], home: Path | None = None) -> None:
    """Where the rates on another backbone come from; and what follows from δ and the number of tasks alone, where the
    longest sequence says it for the shorter ones."""
    for line in rates.said(specs, home or default_home()):
        errors.print(line, markup=False, soft_wrap=True)
    longest: dict[tuple[float, bool], int] = {}
    for spec in specs:
        if METHODS[spec.method].alpha == "estimated":
            set_to = spec.settings
            none = set_to["estimator_prior"] == "evidence_or_none" and set_to["estimator"] != "uniform"
            given = set_to["threshold"], none
            longest[given] = max(len(spec.tasks), longest.get(given, 0))
    if longest:
        from shlpt.analysis.vacuity import of_sequence

        _print(said for (delta, none), tasks in longest.items() for said in of_sequence(delta, tasks, none))


def after(store: Store, runs: Iterable[str]) -> None:
    """What the stored α of these runs say."""
    from shlpt.results.vacuity import of_runs

    _print(of_runs(store, runs))


def _print(sentences: Iterable[Any]) -> None:
    found = list(dict.fromkeys(sentences))
    for said in found[:MOST]:
        errors.print(f"warning: {said}", markup=False, soft_wrap=True)
    if len(found) > MOST:
        errors.print(f"and {len(found) - MOST} more warnings about δ: `alpha RUN TASK` has those of one task")
