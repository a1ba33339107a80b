"""A stored run stepped through: its own losses and α again, and a readable reason where it cannot be done."""

from pathlib import Path
from typing import Any

import pytest
from storing import spec_of

from shlpt.errors import UserError
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import submit
from shlpt.results import recorded, stepping
from shlpt.store.store import Store
from shlpt.work.worker import run as train


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A run whose stages trained without others beside them."""
    spec = spec_of(("rte", "sst2"), batch_size=4, threshold=0.5)
    home = tmp_path_factory.mktemp("alone")
    train([spec], home, device="cpu", alone=False)
    return Store(home).open(), spec.id


@pytest.mark.parametrize("task", ["rte", "sst2"])
def test_the_steps_are_those_that_the_run_stored(alone: tuple[Store, str], task: str) -> None:
    """Each loss, its parts and α, as they are in the store."""
    store, id = alone
    walked = stepping.walk(store, id, task)
    steps = walked.to(1000)
    assert len(steps) == 4  # two epochs of eight texts
    assert [stepping.apart_from_run(store, walked, step) for step in steps] == [0.0] * len(steps)
    assert "to the last digit" in stepping.in_run(store, walked, steps)
    assert ("alpha" in steps[0].told) == (task == "sst2")


def test_beside_other_lanes_they_differ_by_rounding_only(looked: Any) -> None:
    store = Store(looked.home).open()
    walked = stepping.walk(store, looked.ids["shlpt"], "agnews")
    steps = walked.to(3)
    apart = [stepping.apart_from_run(store, walked, step) for step in steps]
    assert all(one is not None and one < 1e-4 for one in apart)
    assert walked.about.earlier == ("rte", "sst2")


def test_two_visitors_share_the_steps_and_a_dropped_walk_is_walked_again(alone: tuple[Store, str]) -> None:
    store, id = alone
    one, two = stepping.walk(store, id, "sst2"), stepping.walk(store, id, "sst2")
    assert one is two
    assert one.to(1) == two.to(3)[:1]
    assert len(one.to(2)) == 2
    before = one.to(3)
    stepping._walk.cache_clear()
    assert stepping.walk(store, id, "sst2").to(3) == before


def test_the_path_has_the_numbers_of_the_steps(alone: tuple[Store, str]) -> None:
    store, id = alone
    walked = stepping.walk(store, id, "sst2")
    steps = walked.to(2)
    losses, alpha = stepping.losses(walked, steps), stepping.similarity(walked, steps)
    assert list(losses["loss"]) == [step.told["loss"] for step in steps]
    assert list(losses["hsc"].fillna(0)) == pytest.approx([0.03 * step.told.get("hsc", 0) for step in steps])
    assert list(alpha["mean"]) == [step.told["alpha"][0] for step in steps]
    assert list(alpha["step"]) == [1, 2]


def test_what_cannot_be_stepped_through_says_why_and_what_can(looked: Any) -> None:
    store, ids = Store(looked.home).open(), looked.ids
    for name, task, said in (
        ("shlpt", "sst22", "did you mean 'sst2'"),
        ("finetune", "sst2", "trains all weights"),
        ("waiting", "agnews", "not trained yet"),
    ):
        with pytest.raises(UserError, match=said):
            stepping.walk(store, ids[name], task)
    assert stepping.tasks(store, ids["finetune"]) == []
    assert stepping.tasks(store, ids["shlpt"]) == ["rte", "sst2", "agnews"]
    assert stepping.tasks(store, ids["waiting"])[0] == "rte"  # a first task needs nothing


def test_of_a_recorded_run_without_its_prompts_the_first_task_is_named(alone: tuple[Store, str]) -> None:
    store = recorded.recorded()
    assert store is not None
    query = "SELECT r.id FROM runs r WHERE json_extract(r.spec, '$.method')='continual' AND r.note!='' LIMIT 1"
    id = str(store.value(query))
    first, *_, last = stepping.frames.spec(store, id)["tasks"]
    with pytest.raises(UserError, match=f"not recorded with this run. Of this run can be stepped through: {first}"):
        stepping.walk(store, id, last)
    assert stepping.walk(store, id, first).to(1)[0].before is not None


def test_a_task_can_be_stepped_through_before_it_is_trained(tmp_path: Path) -> None:
    store = Store(tmp_path).open()
    spec = spec_of(("rte", "sst2"))
    submit(store, plans_of([spec], alone=False))
    walked = stepping.walk(store, spec.id, "rte")
    steps = walked.to(1)
    assert "stored nothing" in stepping.in_run(store, walked, steps)
