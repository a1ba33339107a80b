"""What a page shows to copy, read back by the real command line and by Python: the same runs."""

import shlex
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import BaseModel
from reading import Read, nothing_trained, read, specs_of

from shlpt.catalog import METHODS
from shlpt.plans import commands, experiments
from shlpt.results import twins
from shlpt.spec import NO_RUNS_SEED, PRESETS, RunSpec, Training
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.sequences import SEQUENCES

# --- any run ------------------------------------------------------------------------------
NAMES = some.one_of(
    some.sampled_from(sorted(TASKS)),
    some.sampled_from(["sst2", "rte", "yelp"]).map("contrary:{}".format),
    some.integers(-100, 100).map(lambda hundredths: f"dial:{hundredths / 100}"),
).map(lambda name: find_task(name).name)


PAIRS = some.lists(some.tuples(NAMES, NAMES).map(">".join), min_size=1, max_size=3).map(",".join)
OWN_WAY: dict[str, some.SearchStrategy[Any]] = {  # their annotations say less than what they take
    "temperature": some.just("auto") | some.floats(0, 1e300, exclude_min=True),
    "estimator_lr": some.just("auto") | some.floats(0, 10, exclude_min=True),
    "similar_pairs": some.sampled_from(["declared", "none", " rte > cb "]) | PAIRS,
}


def values(name: str, field: Any) -> some.SearchStrategy[Any]:
    """Any value that a setting takes, from its annotation and its bounds."""
    found = OWN_WAY[name] if name in OWN_WAY else some.from_type(Annotated[(field.annotation, "", *field.metadata)])
    return found.filter(lambda value: not isinstance(value, float) or isfinite(value))


@some.composite
def specs(draw: some.DrawFn) -> RunSpec:
    info = draw(some.sampled_from(list(METHODS.values())))
    models: list[type[BaseModel]] = [Training, info.params]
    fields = {name: field for model in models for name, field in model.model_fields.items()}
    chosen = draw(some.sets(some.sampled_from(sorted(fields)), max_size=6))
    given = {name: draw(values(name, fields[name])) for name in sorted(chosen)}
    if given.get("top_n", 1) > given.get("pool_size", 10):
        given["pool_size"] = 1024
    if given.get("beams") == 1:
        given["repetition_penalty"] = 1.0
    elif "repetition_penalty" in given:
        given.setdefault("beams", 2)
    if "estimator_warmup" in given:
        given["estimator_warmup"] = min(given["estimator_warmup"], given.get("epochs", 20) - 1)
    if given.get("estimator_score") == "cosine":
        given["temperature"] = "auto"
    named = some.sampled_from([list(tasks) for tasks in SEQUENCES.values()])
    return RunSpec.make(
        draw(some.one_of(named, some.lists(NAMES, min_size=2, max_size=4, unique=True))),
        info.name,
        seed=draw(some.integers(0, NO_RUNS_SEED - 1)),
        settings=given,
        preset=draw(some.sampled_from(list(PRESETS))),
        backbone=draw(some.sampled_from(["pocket", "t5-small", "./my model's", "$HOME; x"])),
        dtype=draw(some.sampled_from(["auto", "float32", "bfloat16"])),
    )


@settings(max_examples=60, deadline=None)
@given(specs(), some.booleans(), some.sampled_from([None, Path("runs"), Path("my runs"), Path("-x")]))
def test_any_run_is_read_back_as_it_was(spec: RunSpec, detach: bool, home: Path | None) -> None:
    line = commands.runs([spec], home, detach)
    assert "\n" not in line
    found = read(line)
    again, where = (found[0], found[2].home) if detach else found
    assert (again, [one.id for one in again]) == ([spec], [spec.id])
    assert where == (None if home == Path("runs") else home)


def test_runs_that_differ_by_their_seed_are_one_line_and_others_a_line_each() -> None:
    made = [RunSpec.make(["yelp", "rte"], method, seed=seed) for method in ("shlpt", "per_task") for seed in (7, 3)]
    lines = commands.runs(made)
    assert len(lines.splitlines()) == 2
    assert specs_of(lines) == made


def test_a_run_that_was_trained_anew_is_asked_for_as_the_first_time() -> None:
    spec = RunSpec.make(["yelp", "rte"])
    assert specs_of(commands.runs([spec.model_copy(update={"edition": 2})])) == [spec]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("method", METHODS)
def test_only_what_differs_is_written(method: str, preset: str) -> None:
    named = {} if preset == "quick" else {"preset": preset}
    assert commands.asked(RunSpec.make(["yelp", "rte"], method, preset=preset)) == named
    other = RunSpec.make(["yelp", "rte"], method, preset=preset, settings={"epochs": 3})
    assert commands.asked(other) == named | {"settings": {"epochs": 3}}


# --- faults that were ---------------------------------------------------------------------
def line_of(method: str, **common: Any) -> str:
    spec = RunSpec.make(["yelp", "rte"], method, **common)
    line = commands.runs([spec])
    assert specs_of(line) == [spec]
    return line


def test_truth_is_written_as_json() -> None:
    assert line_of("shlpt", settings={"similar_transfer": False}).endswith("--set similar_transfer=false")


@pytest.mark.parametrize("written", ["False", "false", " False "])
def test_truth_is_read_as_python_writes_it_too(written: str) -> None:
    words = ["python", "-m", "shlpt", "run", "--tasks=rte,cb", f"--set=similar_transfer={written}"]
    (spec,) = specs_of(shlex.join(words))
    assert spec.settings["similar_transfer"] is False


def test_pairs_are_quoted_so_that_a_terminal_makes_no_file_of_them() -> None:
    line = line_of("oracle_partition", settings={"similar_pairs": "rte>cb,yelp>rte"})
    assert line.endswith("--set 'similar_pairs=rte>cb,yelp>rte'")


def test_backbone_number_format_and_preset_are_written() -> None:
    line = line_of("shlpt", preset="paper", backbone="t5-large", dtype="bfloat16")
    assert line.endswith("--preset paper --backbone t5-large --dtype bfloat16")


def test_another_suite_is_written() -> None:
    """There is one so far that the command line reads."""
    spec = RunSpec.make(["yelp", "rte"], suite="real")
    assert commands.runs([spec]).endswith("--suite real")
    assert commands.asked(spec) == {"suite": "real"}


def test_the_run_without_asc_keeps_everything_else() -> None:
    how: dict[str, Any] = {"preset": "standard", "backbone": "t5-small", "dtype": "float32"}
    rest = {"similar_transfer": False, "lr": 0.2}
    one = RunSpec.make(["yelp", "rte"], settings=rest, **how)
    without = RunSpec.make(["yelp", "rte"], settings=rest | {"lambda_asc": 0.0}, **how)
    for spec, other in ((one, without), (without, one)):
        found = twins.other_way(spec.to_json() | {"settings": spec.settings})
        assert found == other
        assert specs_of(commands.runs([found])) == [other]


# --- experiments --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tasks", "method", "name", "common"),
    [
        (("rte", "cb"), "continual", "", {}),
        (("yelp", "sst2", "agnews", "rte"), "shlpt", "x; rm -rf / $(id)", {"preset": "standard", "dtype": "float32"}),
        (
            ("rte", "dial:+0.50"),
            "oracle_partition",
            "-x",
            {
                "settings": {"similar_transfer": False, "similar_pairs": "rte>cb"},
                "backbone": "t5-small",
                "preset": "paper",
            },
        ),
        (("rte", "cb"), "joint", "", {"settings": {"lr": 1}}),
    ],
)
@pytest.mark.parametrize("source_shots", [None, 64])
def test_a_matrix_is_read_back_as_it_was(
    tasks: tuple[str, ...], method: str, name: str, common: dict[str, Any], source_shots: int | None
) -> None:
    made = experiments.matrix(tasks, (1, 2), {"method": method, **common}, name, source_shots)
    again, way, _ = read(commands.matrix(made.about, made.name, Path("my runs")))
    assert (again.id, again.specs, way.home) == (made.id, made.specs, Path("my runs"))
    assert ("--name" in commands.matrix(made.about, made.name)) == bool(name)
    made = experiments.matrix(tasks, (1,), {"method": method, **common}, name, source_shots, [tasks[1::-1]])
    again, _, _ = read(commands.matrix(made.about, made.name))
    assert (again.id, len(again.specs), again.about["pairs"]) == (made.id, 1, [[tasks[1], tasks[0]]])


# --- Python -------------------------------------------------------------------------------
@settings(max_examples=40, deadline=None)
@given(specs(), some.sampled_from([None, Path("runs"), Path("my runs' home")]))
def test_python_makes_the_same_runs(spec: RunSpec, home: Path | None) -> None:
    made = [spec.model_copy(update={"seed": seed}) for seed in (5, 2)]
    with nothing_trained(), pytest.raises(Read) as found:
        exec(commands.python(made, home), {})
    again, where = found.value.args[0]
    assert again == made
    assert where == (None if home in (None, Path("runs")) else str(home))
