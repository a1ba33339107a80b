"""A model in bfloat16 learns what it learns in single precision; what is trained is in single precision in both."""

from pathlib import Path

import pytest
import torch
from scipy.stats import binomtest

from shlpt.backbone.t5 import load
from shlpt.catalog.params import ShlptParams
from shlpt.methods.base import learner_of, rates_of
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.training.engine import drive
from shlpt.training.lane import adamw, train_step
from shlpt.training.speed import Bench
from shlpt.work.worker import run


def test_prompts_and_moments_stay_in_single_precision() -> None:
    model = load("pocket", "cpu", "bfloat16")
    assert {p.dtype for p in model.model.parameters()} == {torch.bfloat16}
    bench = Bench(model)
    learner = learner_of("shlpt")(bench.context(ShlptParams(), 2, 42))
    optimiser = adamw(rates_of(learner), bench.training)
    before = [tensor.detach().clone() for group in optimiser.param_groups for tensor in group["params"]]
    drive([train_step(learner, optimiser, bench.batch, 1.0)], model)
    after = [tensor for group in optimiser.param_groups for tensor in group["params"]]
    assert {tensor.dtype for tensor in after} == {torch.float32}
    assert {m.dtype for state in optimiser.state.values() for m in state.values()} == {torch.float32}
    assert any(not torch.equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.slow
def test_scores_agree_within_their_intervals(tmp_path: Path) -> None:
    settings = {"epochs": 4, "test_shots": 24}
    specs = [
        RunSpec.make(("sst2", "agnews"), seed=1, settings=settings, dtype=dtype) for dtype in ("float32", "bfloat16")
    ]
    exact, half = run(specs, tmp_path, device="cpu", alone=False)
    assert not {*exact["stages"]} & {*half["stages"]}  # never taken for each other
    store = Store(tmp_path).open()
    for task in ("sst2", "agnews"):
        ends = []
        for record in (exact, half):
            scores = frames.answers(store, record["id"], task)["score"]
            found = binomtest(int(scores.sum()), len(scores))
            assert found.statistic > 0.65  # it has learned
            ends.append(found.proportion_ci(method="wilson"))
        assert max(one.low for one in ends) <= min(one.high for one in ends), task
