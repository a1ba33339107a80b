"""What tuning tries: as much for each method, on sequences that nothing is reported on."""

import json
from pathlib import Path
from typing import Any

import pytest

from shlpt.catalog import METHODS
from shlpt.cli.main import main
from shlpt.errors import UserError
from shlpt.plans import tuning
from shlpt.spec import RunSpec
from shlpt.tasks.find import find_task
from shlpt.tasks.grammar import parse
from shlpt.tasks.heldout import combination, held_out, named
from shlpt.tasks.pocket import relation

TINY = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 2, "prompt_length": 2}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_as_many_different_trials_the_learning_rate_first(method: str) -> None:
    found = tuning.trials(method, 9)
    assert found == tuning.trials(method, 9)
    assert tuning.trials(method, 3) == found[:3]
    assert found[0] == {}
    assert [list(trial) for trial in found[1:5]] == [["lr"]] * 4
    ids = {RunSpec.make(("yelp", "rte"), method, settings=trial).id for trial in found}
    assert len(ids) == 9


def test_tuning_is_on_tasks_without_results_that_the_backbone_was_never_asked() -> None:
    for tasks in (*tuning.SEQUENCES.values(), *tuning.STREAMS.values()):
        asked = [parse(task.removeprefix("ask:").partition("@")[0]) for task in tasks]
        assert [find_task(task).name for task in tasks] == list(tasks)
        assert all(held_out(one) for one in asked)
        assert not named() & {combination(one) for one in asked}


def test_a_memory_is_never_all_that_was_learned_from() -> None:
    """A task of two classes has 32 training examples at 16 a class."""
    assert max(tuning.GRID["memory_size"]) <= 2 * 16 / 2


def test_the_forms_of_the_estimator_are_tried_and_all_of_them_are_valid() -> None:
    found = [RunSpec.make(("yelp", "rte"), "shlpt", settings=trial).settings for trial in tuning.trials("shlpt", 60)]
    for key in ("estimator_center", "estimator_score", "estimator_lr"):
        assert {settings[key] for settings in found} == set(tuning.GRID[key])
    assert not {"estimator_center", "estimator_score"} & set().union(*tuning.trials("oracle_partition", 30))
    cosine = [settings for settings in found if settings["estimator_score"] == "cosine"]
    assert all(settings["temperature"] == "auto" for settings in cosine)


def test_a_start_matters_in_tuning() -> None:
    """The last two tasks of each sequence ask what an earlier one asks."""
    for tasks in tuning.SEQUENCES.values():
        found = [find_task(task) for task in tasks]
        for late in found[3:]:
            assert max(relation(early, late)[1] for early in found[:3]) > 0
            assert min(relation(early, late)[1] for early in found[:3]) < 0


def test_in_a_tuning_stream_the_last_task_is_related_to_one_earlier_task_or_to_none() -> None:
    found = {}
    for name, tasks in tuning.STREAMS.items():
        *early, last = (find_task(task) for task in tasks)
        found[name] = sum(relation(one, last)[1] > 0 for one in early)
    assert found == {"tuning3": 1, "tuning4": 1, "tuning5": 0, "tuning6": 0}


def test_all_is_scored_on_validation_with_the_same_seeds() -> None:
    made = tuning.tune(("per_task", "l2p"), 2, (7, 17), {"settings": TINY})
    assert len(made.cells) == 2 * 2 * 2 * 2
    assert {cell.spec.training.scored_on for cell in made.cells} == {"validation"}
    for key in ("lr", "lambda_pull", "scored_on"):
        with pytest.raises(UserError, match=f"{key} is what this command chooses"):
            tuning.tune(("l2p",), 2, (7,), {"settings": {key: 0.1}})


def test_a_grid_is_tried_in_every_combination_the_default_first() -> None:
    grid = {"estimator_center": [False, True], "estimator_width": [16, 8]}
    usual = RunSpec.make(("yelp", "rte"), "shlpt").settings["estimator_center"]
    found = tuning.every("shlpt", grid)
    assert found[0] == {}
    other = {"estimator_center": not usual}
    assert sorted(found[1:], key=str) == sorted(
        [other, {"estimator_width": 8}, other | {"estimator_width": 8}], key=str
    )
    assert tuning.every("per_task", grid) == [{}]
    made = tuning.tune(("shlpt", "per_task"), 6, (7,), {"settings": {"lr": 0.3}}, grid=grid)
    assert len(made.cells) == (4 + 1) * 2
    assert {cell.spec.training.lr for cell in made.cells} == {0.3}
    with pytest.raises(UserError, match=r"estimator_with.*did you mean 'estimator_width'"):
        tuning.tune(("shlpt",), 6, (7,), {}, grid={"estimator_with": [1]})


def test_the_command_writes_what_it_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tuning.SEQUENCES, "tuning1", ("rte", "sst2"))
    monkeypatch.delitem(tuning.SEQUENCES, "tuning2")
    asked = ["tune", "--methods=per_task", "--trials=2", "--seeds=7", f"--home={tmp_path}"]
    asked += [f"--set={key}={value}" for key, value in TINY.items()]

    def say(*more: str) -> str:
        with pytest.raises(SystemExit) as end:
            main([*asked, *more])
        assert end.value.code == 0
        return capsys.readouterr().out

    found = json.loads(say("--json"))
    mine: dict[str, Any] = found["methods"]["per_task"]
    assert [one["settings"] for one in mine["trials"]] == [{}, {"lr": 0.033}]
    assert found["kind"] == "tune"
    again = json.loads(say("--json"))
    assert (again["trained"], again["methods"]) == (0, found["methods"])
    assert say("--csv").startswith("method,trial,settings,n,score")
    assert "validation scores" in say()
    ranked = json.loads(say("--json", "--methods=shlpt", "--grid=estimator_width=4"))["methods"]["shlpt"]
    assert [one["settings"] for one in ranked["trials"]] == [{}, {"estimator_width": 4}]
    assert all(one["ranking"]["stages"] == 0 for one in ranked["trials"])  # two tasks: one earlier one
