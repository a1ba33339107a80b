"""What `sweep` and `orders` print beside accuracy: sides, positions, how far the order matters, the paper's tables."""

from pathlib import Path

import pytest
from saying import outcome, say

from shlpt.results import experiments
from shlpt.store.store import Store

TINY = "epochs=1 validation_shots=1 test_shots=2 prompt_length=2"


def settings(shots: int) -> list[str]:
    return [f"--set={part}" for part in (*TINY.split(), f"shots={shots}")]


def test_a_sweep_of_thresholds_says_who_changes_side_and_what_the_paper_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = [f"--home={tmp_path}", *settings(1), "--device=cpu"]
    found = say(capsys, "sweep", "--sequence=order1", "--values=threshold=0.02,1.5", "--seeds=1", *where)
    low, high = found["groups"]
    assert (low["paper"], high["paper"]) == (0.8, None)  # Table 11, in shares as ours
    assert high["similar"] == 0.0
    assert len(high["change side"].split(", ")) == round(6 * low["similar"]) > 0
    assert any("The mean ACC" in note for note in found["notes"])
    assert found["notes"][-1].startswith("Column paper: Table 11.")
    assert {row["value"] for row in found["alpha"]} == {0.02, 1.5}
    assert len(found["sides"]) == 2 * 6
    assert {(row["value"], row["position"]) for row in found["positions"]} == {
        (value, place) for value in (0.02, 1.5) for place in (1, 2, 3, 4)
    }
    again = say(capsys, "experiments", found["id"], f"--home={tmp_path}")
    assert again["groups"] == found["groups"]


def test_orders_say_how_far_they_matter_beside_the_paper(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = [f"--home={tmp_path}", *settings(2), "--device=cpu", "--method=continual"]
    found = say(capsys, "orders", "--tasks=rte,sst2", "--seeds=1,2", *where)
    assert (found["spread"]["orders"], found["spread"]["seeds"]) == (2, 2)
    assert {part["factor"] for part in found["explained"]} == {"position", "task before it"}
    assert found["notes"][0].startswith("The best and the worst of 2 orders are")
    assert "Table 6, in points: rte 6.0. These numbers are the paper's" in found["notes"][-1]
    store = Store(tmp_path).open()
    placed = experiments.placed(store, found["id"])
    assert set(placed["before"]) == {"", "rte", "sst2"}
    assert outcome("experiments", found["id"], f"--home={tmp_path}", "--csv") == 0
    assert capsys.readouterr().out.startswith("order,acc,bwt,fwt,acc_ci95,n")
