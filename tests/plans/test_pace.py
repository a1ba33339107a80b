"""How long training takes here: of each method, of one that was never trained, of what is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from storing import finish, queued, spec_of

from shlpt.catalog import METHODS
from shlpt.plans import pace
from shlpt.plans.costs import EFFORT, effort
from shlpt.plans.pace import Pace, measured
from shlpt.queue.submit import submit
from shlpt.store.store import Store

PLAIN, WEIGHTS = spec_of(method="per_task"), spec_of(method="ewc")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A stage has two steps and took 1.5 s, also where it shared a group."""
    store = Store(tmp_path / "home").open()
    for plan in queued(store, PLAIN, WEIGHTS):
        for stage in plan.stages:
            finish(store, stage.key, {stage.task: [1.0]})
    return store


def test_each_method_has_its_own_pace(store: Store) -> None:
    """Of plain effort: four steps of per-task prompts; those of EWC are 2.2 plain ones each."""
    found = measured(store)
    assert found.of == pytest.approx({"per_task": 3.0 / 4, "ewc": 3.0 / (4 * 2.2)})
    assert found.usual == pytest.approx(6.0 / (4 + 4 * 2.2))


def test_a_method_that_was_never_trained_has_the_usual_pace() -> None:
    here = Pace(1.0, {"ewc": 3.0})
    assert here.seconds({"ewc": 2, "coda": 5}) == 11.0
    assert here.seconds({}) == 0.0


def test_some_methods_take_longer_with_every_task() -> None:
    assert [effort("per_task", 5), effort("joint", 0), effort("joint", 2), effort("bmtpt", 5)] == [1.0, 1.0, 4.0, 7.5]
    assert set(EFFORT) <= set(METHODS)


def test_a_guess_is_told_from_a_measurement(store: Store, tmp_path: Path) -> None:
    specs = [spec_of(method="ewc", seed=3)]  # two stages of two steps; the second task alone is a third
    guessed = pace.estimate(Store(tmp_path / "empty").open(), specs, 0.1)
    assert (guessed.stages, guessed.steps, guessed.measured) == (3, 6, False)
    assert guessed.seconds == pytest.approx(6 * 2.2 * 0.1, abs=0.05)
    known = pace.estimate(store, specs, 0.1)
    assert (known.seconds, known.measured) == (4.5, True)


def test_what_is_reused_is_done_and_not_only_planned_by_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "home").open()
    spec = spec_of(method="per_task")
    submit(store, [spec])

    def said(fresh: bool = False) -> tuple[int, int]:
        found = pace.estimate(store, [spec], fresh=fresh)
        return found.stages, found.reused

    assert said() == (2, 0)
    with store.write() as db:
        db.execute("UPDATE stages SET state='done', seconds=1 WHERE task='rte'")
    assert said() == (1, 1)
    assert said(fresh=True) == (2, 0)


def test_nothing_is_said_where_nothing_was_measured(tmp_path: Path) -> None:
    assert measured(Store(tmp_path / "empty").open()).seconds({"ewc": 2}) is None


def test_time_left_is_that_of_the_methods_that_wait(store: Store) -> None:
    again = [spec_of(method=method, seed=2) for method in ("per_task", "ewc")]
    queued(store, *again)
    said = [pace.progress(store, [spec.id]) for spec in (PLAIN, *again)]
    assert [(s["stages"], s["done"], s["steps_left"], s["seconds_left"]) for s in said] == [
        (2, 2, 0, 0.0),
        (2, 0, 4, 3.0),
        (2, 0, 4, 3.0),
    ]


def test_what_counts_is_the_latest(store: Store) -> None:
    with store.write() as db:
        db.execute("UPDATE stages SET seconds=3.0 WHERE json_extract(plan, '$.method')='ewc'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pace, "LATEST", 1)
        assert measured(store).of["ewc"] == pytest.approx(3.0 / (2 * 2.2))
