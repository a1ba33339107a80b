"""What a headroom gauge trains, and that the command says what came out."""

from pathlib import Path

import pytest
from saying import refused, say

from shlpt.errors import UserError
from shlpt.plans import headroom

TINY = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 2, "prompt_length": 2}
THREE = {"three": ("rte", "sst2", "cb")}


def test_every_condition_has_its_method_and_plenty_eight_times_the_examples() -> None:
    made = headroom.headroom(THREE, (1, 2), {"settings": TINY}, "sst2>cb,cb>rte,yelp>rte")
    assert len(made.cells) == 5 * 2
    spec = {cell.label["condition"]: cell.spec for cell in made.cells if cell.label["seed"] == 1}
    assert spec["plenty"].training.shots == 8 * spec["few"].training.shots == 16
    assert spec["measured"].settings["similar_pairs"] == "sst2>cb"  # cb never comes before rte, yelp not at all
    assert spec["declared"].settings["similar_pairs"] == "declared"
    usual = headroom.headroom(THREE, (1,), {"preset": "standard"})
    assert {c.label["condition"]: c.spec.training.shots for c in usual.cells}["plenty"] == 8 * 32
    assert "measured" not in {c.label["condition"] for c in usual.cells}


def test_plenty_is_eight_times_a_task_s_own_number_of_examples_too() -> None:
    made = headroom.headroom({"two": ("rte@4", "sst2")}, (1,), {"settings": TINY})
    tasks = {cell.label["condition"]: cell.spec.tasks for cell in made.cells}
    assert (tasks["few"], tasks["plenty"]) == (("rte@4", "sst2"), ("rte@32", "sst2"))


def test_transfer_is_measured_on_other_seeds_and_on_pairs_that_occur() -> None:
    made = headroom.measuring(THREE, (1,), (5, 6), {"settings": TINY})
    assert [cell.spec.tasks for cell in made.cells][::2] == [("rte", "sst2"), ("rte", "cb"), ("sst2", "cb")]
    with pytest.raises(UserError, match="seed 1 is among"):
        headroom.measuring(THREE, (1,), (1, 2), {})


def test_the_command_trains_both_steps_and_again_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["headroom", "--tasks=rte,sst2", "--seeds=1", "--measure-seeds=5", f"--home={tmp_path}"]
    asked += [f"--set={key}={value}" for key, value in TINY.items()]
    found = say(capsys, *asked)
    assert (found["kind"], found["runs"], found["left"]) == ("headroom", 5, {})
    assert set(found["conditions"]) == {"few", "random", "declared", "measured", "plenty"}
    assert found["tells_apart"] is False
    assert "Without a second seed" in found["notes"][0]
    again = say(capsys, *asked)
    assert (again["id"], again["trained"], again["conditions"]) == (found["id"], 0, found["conditions"])
    assert say(capsys, "experiments", found["id"], f"--home={tmp_path}")["notes"] == found["notes"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ([], "one of --sequence"),
        (["--sequence=demo", "--benchmark=large"], "one of --sequence"),
        (["--tasks=rte"], "two tasks"),
        (["--benchmark=larg"], "large"),
        (["--sequence=demo", "--detach"], "--measure-seeds none"),
        (["--sequence=demo", "--measure-seeds=42"], "other seeds"),
    ],
)
def test_what_cannot_be_gauged_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert message in refused(capsys, "headroom", f"--home={tmp_path}/new", *more)
    assert not (tmp_path / "new").exists()
