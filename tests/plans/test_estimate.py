"""What runs will take: sizes as they are then measured, and time by what was trained here."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from making import context
from storing import finish, queued, spec_of

from shlpt.backbone.files import EMBEDDED
from shlpt.backbone.t5 import Backbone, load
from shlpt.catalog import METHODS, Size, backbones
from shlpt.methods.base import State, learner_of
from shlpt.methods.costs import costs
from shlpt.plans.estimate import (
    LIBRARIES,
    NUMBER,
    Pace,
    duration,
    estimate,
    heaviness,
    measured,
    memory,
    needs,
    progress,
    sizes,
)
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import planned, submit
from shlpt.spec import RunSpec
from shlpt.store.store import Store

TASKS = ("yelp", "rte", "sst2")
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


def test_a_method_that_was_never_trained_has_the_usual_pace(tmp_path: Path) -> None:
    here = Pace(1.0, {"ewc": 3.0})
    assert here.seconds({"ewc": 2, "coda": 5}) == 11.0
    assert here.seconds({}) == 0.0
    asked = (("per_task", 5), ("joint", 0), ("joint", 2), ("bmtpt", 5))
    assert [METHODS[method].effort_after(earlier) for method, earlier in asked] == [1.0, 1.0, 4.0, 7.5]
    assert measured(Store(tmp_path / "empty").open()).seconds({"ewc": 2}) is None
    assert [duration(s) for s in (0.2, 89, 90, 5399, 7800)] == ["1 s", "89 s", "2 min", "1 h 30 min", "2 h 10 min"]


def test_a_guess_is_told_from_a_measurement(store: Store, tmp_path: Path) -> None:
    specs = [spec_of(method="ewc", seed=3)]  # two stages of two steps; the second task alone is a third
    guessed = estimate(Store(tmp_path / "empty").open(), plans_of(specs), 0.1)
    assert (guessed.stages, guessed.steps, guessed.measured) == (3, 6, False)
    assert guessed.seconds == pytest.approx(6 * 2.2 * 0.1, abs=0.05)
    known = estimate(store, plans_of(specs), 0.1)
    assert (known.seconds, known.measured) == (4.5, True)


def test_what_is_reused_is_done_and_not_only_planned_by_others(tmp_path: Path) -> None:
    store = Store(tmp_path / "home").open()
    spec = spec_of(method="per_task")
    submit(store, plans_of([spec]))

    def said(fresh: bool = False) -> tuple[int, int]:
        found = estimate(store, planned(store, [spec], fresh=fresh))
        return found.stages, found.reused

    assert said() == (2, 0)
    with store.write() as db:
        db.execute("UPDATE stages SET state='done', seconds=1 WHERE task='rte'")
    assert said() == (1, 1)
    assert said(fresh=True) == (2, 0)


def test_time_left_is_that_of_the_methods_that_wait(store: Store) -> None:
    again = [spec_of(method=method, seed=2) for method in ("per_task", "ewc")]
    queued(store, *again)
    said = [progress(store, [spec.id]) for spec in (PLAIN, *again)]
    found = [(s["stages"], s["done"], s["steps_left"], s["seconds_left"]) for s in said]
    assert found == [(2, 2, 0, 0.0), (2, 0, 4, 3.0), (2, 0, 4, 3.0)]


def test_what_counts_is_the_latest(store: Store) -> None:
    with store.write() as db:
        db.execute("UPDATE stages SET seconds=3.0 WHERE json_extract(plan, '$.method')='ewc'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shlpt.plans.estimate.LATEST", 1)
        assert measured(store).of["ewc"] == pytest.approx(3.0 / (2 * 2.2))


# --- sizes --------------------------------------------------------------------------------
@pytest.mark.parametrize("method", METHODS)
def test_the_record_counts_what_the_learner_has(backbone: Backbone, method: str) -> None:
    """Of a third task: what is kept once for all tasks is there by then."""
    state = State()
    for number, task in enumerate(TASKS):
        way = method if number or not METHODS[method].plain_first else "per_task"
        ctx = replace(context(backbone, way, task, earlier=TASKS[:number]), state=state)
        one = learner_of(way)(ctx)
        for parameter in one.parameters():  # as if it had learned: equal prompts are stored once
            parameter.data += 0.01 * torch.randn_like(parameter)
        before, state = state, one.keep()
    measured = costs(one.parameters(), before, state, (*ctx.earlier_data, ctx.train))
    weights = sum(p.numel() for p in backbone.model.parameters())
    size, info = Size(ctx.training.prompt_length, backbone.width, weights, 2, ctx.params), METHODS[method]
    assert info.trains(size) == measured["trainable"]
    if method == "l2p":
        assert 0 < measured["added_bytes"] <= info.keeps(size) * NUMBER
    elif "examples" in info.kept and method != "bmtpt":  # BMTPT keeps a prompt too, and is given the examples
        assert (info.keeps(size), measured["added_bytes"] > 0) == (0, True)
    else:  # CODA also keeps how many components there were
        assert 0 <= measured["added_bytes"] - info.keeps(size) * NUMBER <= 8


def test_the_embedded_backbone_is_known_without_loading_it() -> None:
    backbone, tasks = load("pocket", "cpu"), ("yelp", "sst2")
    weights = sum(p.numel() for p in backbone.model.parameters())
    assert sizes(RunSpec.make(tasks, "finetune"))["trainable"] == weights
    plain = sizes(RunSpec.make(tasks, "per_task", settings={"prompt_length": 5}))
    assert plain == {"trainable": 5 * backbone.width, "kept_bytes": 20 * backbone.width, "keeps": "its prompt"}


def test_memory_grows_with_lanes_weights_and_views() -> None:
    def of(method: str, width: int = 4, backbone: str = "pocket") -> int:
        specs = [RunSpec.make(("yelp", "sst2"), method, seed=seed, backbone=backbone) for seed in range(4)]
        return memory(specs, width)

    assert of("continual", width=1) < of("continual") < of("shlpt") == of("random_partition")
    assert of("finetune", width=1) == of("finetune") > of("continual", width=1)
    assert of("finetune", backbone="t5-small") > 60e6 * 4 * 6
    assert of("finetune", backbone="someone/some-t5") < of("finetune", width=1)  # not here: nothing is known of it


def test_a_model_in_bfloat16_takes_half_of_the_memory_and_a_gpu_is_filled_with_long_texts() -> None:
    spec = RunSpec.make(("yelp",), "per_task", backbone="t5-large")
    half = memory([spec.model_copy(update={"dtype": "bfloat16"})], 1)
    assert (memory([spec], 1) - LIBRARIES) // 2 == half - LIBRARIES
    assert half < memory([spec.model_copy(update={"device": "cuda"})], 1)  # texts as long as max_length


PUBLISHED = {"t5-small": 60_506_624, "t5-base": 222_903_552, "t5-large": 737_668_096}
PUBLISHED |= {"google/t5-v1_1-small": 76_961_152, "google/flan-t5-base": 247_577_856}
PUBLISHED |= {"google/t5-efficient-tiny": 15_570_688}


def test_known_shapes_have_the_published_sizes_and_the_embedded_one_its_own() -> None:
    assert {name: needs(name)["parameters"] for name in PUBLISHED} == PUBLISHED
    config = json.loads((EMBEDDED / "config.json").read_text())
    assert backbones.weights(config) == needs("pocket")["parameters"]
    assert needs("pocket")["seconds_a_step"] == pytest.approx(0.035)
    assert needs("someone/some-t5")["memory_mb"] is None


def test_a_gated_shape_is_counted_as_it_is_loaded(gated: Backbone, gated_folder: Path) -> None:
    config = gated.model.config.to_dict()
    assert backbones.weights(config) == sum(p.numel() for p in gated.model.parameters())
    assert needs(str(gated_folder))["gated"] is True


def test_time_with_another_backbone_is_scaled_by_its_layers(store: Store) -> None:
    """Paces were measured with the embedded one."""
    specs = [spec_of(method="ewc", seed=3)]
    plans = plans_of(specs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shlpt.plans.estimate.heaviness", lambda name: 10.0 if name == "t5-small" else 1.0)
        large = [replace(plan, spec=plan.spec.model_copy(update={"backbone": "t5-small"})) for plan in plans]
        assert estimate(store, large).seconds == pytest.approx(10 * estimate(store, plans).seconds)
    assert heaviness("t5-large") > 100 * heaviness("pocket") == 100
    assert heaviness("/no/such/folder") == 1
