"""A method is a class and an entry: everything else follows from the entry."""

from pathlib import Path

import pytest
from torch import Tensor

from shlpt.catalog import METHODS, MethodInfo
from shlpt.catalog.params import Params
from shlpt.methods.per_task import PerTask
from shlpt.plans.estimate import estimate, memory, sizes
from shlpt.plans.stages import plans_of
from shlpt.plots import compare, theme
from shlpt.spec import RunSpec, find_methods
from shlpt.store.store import Store
from shlpt.work.worker import run

TINY = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 2, "prompt_length": 4}


class ToyParams(Params):
    share: float = 0.5


class Toy(PerTask):
    """The prompt starts from a share of the task's before."""

    def start(self) -> Tensor:
        return super().start() + self.ctx.params.share * self.ctx.state.pool[-1].tensor


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    info = MethodInfo("toy", "Toy", "half of the task's before", f"{__name__}:Toy", ToyParams, effort=(2.0, 1.0))
    monkeypatch.setitem(METHODS, "toy", info)


def spec_of(**settings: float) -> RunSpec:
    return RunSpec.make(("rte", "sst2"), "toy", settings=TINY | settings)


def test_it_is_planned_estimated_and_trained(tmp_path: Path) -> None:
    (plan,) = plans_of([spec_of(share=0.25)])
    assert [stage.method for stage in (*plan.stages, *plan.alone)] == ["per_task", "toy", "per_task"]
    cost = estimate(Store(tmp_path / "home").open(), [plan], plain_step=1.0)
    assert (cost.stages, cost.seconds) == (3, 1.0 + 3.0 + 1.0)  # with a step each, and an earlier task to one of them
    assert sizes(plan.spec)["keeps"] == "its prompt"
    assert memory([plan.spec], 1) == memory([RunSpec.make(("rte", "sst2"), "continual", settings=TINY)], 1)
    (record,) = run([spec_of(share=0.25)], tmp_path / "home", device="cpu")
    assert (record["state"], record["settings"]["share"]) == ("done", 0.25)
    assert record["fwt"] is not None


def test_it_is_listed_last_and_has_a_colour_of_its_own() -> None:
    assert find_methods("all")[-1] == "toy"
    assert len({theme.method_style(name).color for name in METHODS}) == len(METHODS)
    look = compare.styles(["toy", "another"])
    assert look["toy"] == theme.method_style("toy")
    assert look["another"] != look["toy"]
