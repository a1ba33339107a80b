"""What a run is: built from names, checked, frozen, JSON both ways, told apart by its id."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shlpt.catalog import METHODS
from shlpt.catalog.params import NoParams, ShlptParams
from shlpt.errors import UserError
from shlpt.plans.stages import plans_of, stage_from, stage_json
from shlpt.spec import PRESET_ABOUT, PRESETS, RunSpec, Training, digest, parse_setting

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("sst2", "rte")


def told(**arguments: Any) -> str:
    """The message that a wrong run is answered with."""
    with pytest.raises(UserError) as caught:
        RunSpec.make(arguments.pop("tasks", TASKS), **arguments)
    return str(caught.value)


# --- building -----------------------------------------------------------------------------
def test_names_and_flat_settings_make_a_run() -> None:
    spec = RunSpec.make(TASKS, "shlpt", seed=7, settings={"threshold": 0.3, "epochs": 2}, dtype="float32")
    assert (spec.tasks, spec.method, spec.seed, spec.dtype) == (TASKS, "shlpt", 7, "float32")
    assert spec.params == ShlptParams(threshold=0.3)
    assert spec.training == Training(epochs=2)
    spec = RunSpec.make(TASKS)
    assert (spec.method, spec.seed, spec.backbone, spec.suite) == ("shlpt", 42, "pocket", "pocket")
    assert spec.training == Training()
    assert RunSpec.make(TASKS, "continual").params == NoParams()
    found = RunSpec.make(TASKS, settings={"threshold": 0.3, "lr": 0.2}).settings
    assert set(found) == set(Training.model_fields) | set(ShlptParams.model_fields)
    assert (found["threshold"], found["lr"]) == (0.3, 0.2)


def test_pairs_that_cannot_be_read_are_refused() -> None:
    for text in ("rte", "rte>", "rte>cb>mnli", "", "rte>cb,,yelp>sst2"):
        message = told(method="oracle_partition", settings={"similar_pairs": text})
        assert message.startswith("cannot read the pair ")
        assert message.endswith("write declared, none, or pairs as rte>cb,yelp>imdb")


def test_declared_relatedness_is_not_written_down_so_that_older_stages_keep_their_keys() -> None:
    usual, told_pairs = (
        RunSpec.make(TASKS, "oracle_partition", settings=given).to_json()["params"]
        for given in ({}, {"similar_pairs": "sst2>rte"})
    )
    assert "similar_pairs" not in usual
    assert told_pairs == usual | {"similar_pairs": "sst2>rte"}


def test_the_preset_stands_between_the_defaults_of_a_method_and_the_settings() -> None:
    assert RunSpec.make(TASKS, preset="paper", settings={"epochs": 1}).training.epochs == 1
    assert METHODS["finetune"].defaults == {"lr": 3e-5}
    for preset, lr, weights_lr in (("quick", 0.1, 3e-5), ("standard", 0.1, 3e-5), ("paper", 0.3, 1e-4)):
        assert RunSpec.make(["sst2"], "finetune", preset=preset).training.lr == weights_lr
        assert RunSpec.make(["sst2"], "progressive", preset=preset).training.lr == lr
    assert RunSpec.make(["sst2"], "finetune", settings={"lr": 0.01}).training.lr == 0.01
    assert RunSpec.make(["sst2"], "finetune", preset="paper", settings={"lr": 0.01}).training.lr == 0.01
    assert len({RunSpec.make(TASKS, preset=name).training for name in PRESETS}) == len(PRESETS) == 3


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_valid_for_every_method_and_explained(preset: str) -> None:
    common = RunSpec.make(TASKS, "progressive", preset=preset).training
    for method, info in METHODS.items():  # all alike but for what a method declares as its own
        made = RunSpec.make(TASKS, method, preset=preset).training
        assert made == common.model_copy(update=dict(info.paper if preset == "paper" else info.defaults))
    assert PRESET_ABOUT[preset]


# --- frozen, JSON, id ---------------------------------------------------------------------
def test_a_run_is_frozen_through_and_through() -> None:
    spec = RunSpec.make(TASKS)
    for part, name in ((spec, "seed"), (spec.training, "epochs"), (spec.params, "threshold")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(part, name, 1)


@settings(max_examples=60, deadline=None)
@given(
    threshold=st.floats(0, 2),
    temperature=st.floats(1e-6, 10) | st.just("auto"),
    epochs=st.integers(1, 1000),
    lr=st.floats(1e-6, 10),
    seed=st.integers(0, 2**31 - 1),
    tasks=st.lists(st.sampled_from(["sst2", "rte", "cb", "wic"]), min_size=1, unique=True),
)
def test_a_run_comes_back_from_json_as_it_was(tasks: list[str], seed: int, **chosen: Any) -> None:
    spec = RunSpec.make(tasks, seed=seed, settings=chosen)
    again = RunSpec.model_validate(json.loads(json.dumps(spec.to_json())))
    assert again == spec
    assert again.id == spec.id
    assert type(again.params) is ShlptParams


def test_settings_that_a_stored_run_is_older_than_are_read_as_it_was_trained() -> None:
    younger = {"estimator_prior", "estimator_center", "estimator_score", "estimator_lr", "own_start"}
    made = RunSpec.make(TASKS, settings={"temperature": 200, "estimator_score": "product"}).to_json()
    older = made | {"params": {key: value for key, value in made["params"].items() if key not in younger}}
    found = RunSpec.model_validate(older).settings
    assert {key: found[key] for key in younger} == {
        "estimator_prior": "equal",
        "estimator_center": False,
        "estimator_score": "product",
        "estimator_lr": "auto",
        "own_start": "words",
    }
    assert RunSpec.make(TASKS).settings["estimator_prior"] == "evidence_or_none"  # a new run has today's
    (plan,) = plans_of([RunSpec.make(TASKS)], alone=False)
    waiting = stage_json(plan.stages[-1])
    del waiting["params"]["estimator_prior"]  # a stage that an older program queued
    assert getattr(stage_from(waiting).params, "estimator_prior") == "equal"  # noqa: B009


@pytest.mark.parametrize("method", METHODS)
def test_the_params_of_every_method_come_back_as_their_own_class(method: str) -> None:
    spec = RunSpec.make(TASKS, method)
    assert type(RunSpec.model_validate(spec.to_json()).params) is METHODS[method].params


def test_equal_content_has_an_equal_id_however_it_was_written() -> None:
    one = RunSpec.make(["sst2", "rte"], settings={"threshold": 1, "lr": 0.3})
    two = RunSpec.make(("sst2", "rte"), settings={"lr": 0.30, "threshold": 1.0}, preset="quick")
    assert one.id == two.id
    assert RunSpec.make(TASKS).id[0] == "r"
    assert RunSpec.make(["../../etc", "a b"]).id.isalnum()
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest({"a": math.nan})


def test_the_id_is_the_same_in_another_process() -> None:
    code = "from shlpt.spec import RunSpec; print(RunSpec.make(('sst2', 'rte')).id)"
    command, environment = [sys.executable, "-c", code], os.environ | {"PYTHONHASHSEED": "1"}
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == RunSpec.make(("sst2", "rte")).id


def test_another_run_has_another_id() -> None:
    changes = [{"tasks": TASKS[::-1]}, {"tasks": ("sst2",)}, {"method": "continual"}, {"seed": 43}]
    changes += [{"backbone": "t5-small"}, {"dtype": "float32"}, {"suite": "other"}, {"preset": "standard"}]
    ids = {RunSpec.make(**{"tasks": TASKS} | change).id for change in [{}, *changes]}
    assert len(ids) == 1 + len(changes)


OTHER = """
estimator_center=false estimator_score=product estimator_lr=auto estimator_warmup=2 estimator_prior=equal
patience_from=2 matching=normalised
repetition_penalty=2.5 threshold=0.5 temperature=2.0 lambda_hsc=0.2 lambda_asc=0.2 tau_hsc=0.5 tau_asc=0.5
partition=instance estimator=uniform
estimator_width=8 similar_transfer=false own_start=words hsc_positions=all asc_states=sign_ste prompt_length=3 epochs=3
lr=0.2 batch_size=3 shots=3 validation_shots=3 test_shots=3 patience=7 max_length=99 weight_decay=0.5 clip=2.0 beams=4
scored_on=validation
"""


def test_every_setting_counts_for_the_id() -> None:
    others = dict(parse_setting(word) for word in OTHER.split())
    assert set(others) == {*ShlptParams.model_fields, *Training.model_fields}
    # a penalty needs beams
    ids = {RunSpec.make(TASKS, settings={"beams": 2} | {name: value}).id for name, value in others.items()}
    assert len(ids - {RunSpec.make(TASKS, settings={"beams": 2}).id}) == len(others)


# --- mistakes -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wrong", "unknown", "nearest"),
    [
        ({"method": "shpt"}, "unknown method 'shpt'", "shlpt"),
        ({"method": "pertask"}, "unknown method 'pertask'", "per_task"),
        ({"preset": "papr"}, "unknown preset 'papr'", "paper"),
        ({"settings": {"treshold": 0.1}}, "unknown setting 'treshold'", "threshold"),
        ({"method": "per_task", "settings": {"epoch": 3}}, "unknown setting 'epoch'", "epochs"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(wrong: dict[str, Any], unknown: str, nearest: str) -> None:
    message = told(**wrong)
    assert unknown in message
    assert f"did you mean '{nearest}'?" in message


def test_every_wrong_setting_is_named_at_once() -> None:
    message = told(settings={"epochs": 0, "lr": -1})
    assert message == "epochs cannot be 0 (allowed: ≥ 1 and ≤ 1000); lr cannot be -1 (allowed: > 0 and ≤ 10)"
    assert told(settings={"similar_transfer": "maybe"}).startswith("similar_transfer cannot be 'maybe' (")
    assert "task 'rte' is in the sequence twice" in told(tasks=["sst2", "rte", "rte"])
    assert told(tasks=[]).startswith("tasks cannot be ()")
    message = told(method="continual", settings={"threshold": 0.1})
    assert "'threshold' belongs to shlpt, not to continual" in message


WRONG: dict[str, tuple[str, list[Any]]] = {
    "threshold": ("≥ 0", [-0.01, math.nan, math.inf]),
    "temperature": ("> 0 or auto", [0, math.nan, "high"]),
    "lambda_asc": ("≥ 0 and ≤ 100", [-1]),
    "tau_hsc": ("> 0 and ≤ 100", [0]),
    "partition": ("batch_mean, instance", ["batch"]),
    "estimator": ("fresh, carried, uniform", ["new"]),
    "hsc_positions": ("first, all", [1]),
    "estimator_width": ("≥ 1 and ≤ 4096", [0]),
    "estimator_lr": ("> 0 and ≤ 10 or auto", [0, -0.1, 11, math.nan, "slow"]),
    "estimator_warmup": ("≥ 0 and ≤ 999", [-1, 1.5, 1000]),
    "estimator_score": ("product, cosine", ["inner"]),
    "repetition_penalty": ("≥ 1 and ≤ 10", [0.5]),
    "patience_from": ("≥ 0 and ≤ 1000", [-1]),
    "matching": ("exact, normalised", ["loose"]),
    "epochs": ("≥ 1 and ≤ 1000", [0, 2.5, "many", None, [3]]),
    "prompt_length": ("≥ 1 and ≤ 512", [0]),
    "batch_size": ("≥ 1 and ≤ 1024", [0]),
    "shots": ("≥ 1 and ≤ 100000", [0]),
    "lr": ("> 0 and ≤ 10", [0, math.nan, math.inf]),
    "max_length": ("≥ 8 and ≤ 4096", [7]),
    "weight_decay": ("≥ 0 and ≤ 10", [-0.1]),
    "beams": ("≥ 1 and ≤ 16", [0]),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(name: str) -> None:
    allowed, values = WRONG[name]
    for value in values:
        assert told(settings={name: value}) == f"{name} cannot be {value!r} (allowed: {allowed})"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"estimator_score": "cosine", "temperature": 20000.0},
            "temperature = 20000 is for inner products: cosines differ by 2 at most, so every α would be nearly equal. "
            "Choose at most 10, or estimator_score = product",
        ),
        ({"estimator_warmup": 20}, "estimator_warmup = 20 leaves no epoch for the prompt, as epochs = 20: lower it"),
        (
            {"repetition_penalty": 2.5},
            "repetition_penalty = 2.5 needs beam search, but beams = 1: set beams to at least 2, or repetition_penalty "
            "to 1",
        ),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], said: str) -> None:
    assert told(settings=settings) == said


def test_what_contradicts_the_preset_is_refused() -> None:
    assert told(preset="paper", settings={"estimator_score": "cosine"}).startswith("temperature = 20000 is for inner")
    assert told(preset="paper", settings={"beams": 1}).startswith("repetition_penalty = 2.5 needs beam search")
    assert told(preset="paper", settings={"estimator_warmup": 50}).startswith("estimator_warmup = 50 leaves no epoch")
    assert RunSpec.make(TASKS, preset="paper", settings={"estimator_score": "cosine", "temperature": "auto"})


@pytest.mark.parametrize("seed", [-1, 2**31, 1.5, math.nan])
def test_an_impossible_seed_is_named(seed: Any) -> None:
    assert told(seed=seed).startswith(f"seed cannot be {seed} (")


@pytest.mark.parametrize(("method", "need"), [("replay", "old data"), ("joint", "old data"), ("bmtpt", "source data")])
def test_a_method_of_earlier_data_is_refused_where_there_is_no_earlier_task(method: str, need: str) -> None:
    said = told(tasks=["sst2"], method=method)
    assert said.startswith(f"{method} needs the training examples of earlier tasks ({need}), but 'sst2' is the only")
    assert "put at least one task before it" in said


def test_only_methods_of_earlier_data_need_a_second_task() -> None:
    made = {name for name in METHODS if name not in ("replay", "joint", "bmtpt") and RunSpec.make(["sst2"], name)}
    assert made | {"replay", "joint", "bmtpt"} == set(METHODS)
    assert all(RunSpec.make(TASKS, name) for name in METHODS)


def test_an_unknown_key_in_stored_json_is_refused() -> None:
    with pytest.raises(ValidationError, match="surprise"):
        RunSpec.model_validate(RunSpec.make(TASKS).to_json() | {"surprise": 1})


# --- settings as text and as forms --------------------------------------------------------
def test_a_setting_is_read_as_number_truth_or_word() -> None:
    known: dict[str, Any] = {"epochs=3": ("epochs", 3), "threshold=0.06": ("threshold", 0.06), "lr=1e-3": ("lr", 0.001)}
    known |= {"similar_transfer=false": ("similar_transfer", False), "temperature=auto": ("temperature", "auto")}
    known |= {" partition = instance ": ("partition", "instance"), "name=a=b": ("name", "a=b"), "name=": ("name", "")}
    found = {text: parse_setting(text) for text in known}
    assert found == known
    assert [type(value) for _, value in found.values()] == [type(value) for _, value in known.values()]


@pytest.mark.parametrize("text", ["epochs", "=3", "  =3", ""])
def test_a_setting_without_key_or_sign_is_answered_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match=r"write it as key=value, for example threshold=0\.06"):
        parse_setting(text)
