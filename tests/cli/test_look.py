"""`alpha` and `activations` on the command line: the numbers of the pages, and kind answers to mistakes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from saying import outcome, refused, say

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import load
from shlpt.methods.views import Views
from shlpt.results import frames, lens, recorded, seeds, twins
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks.find import probe_examples
from shlpt.training.checkpoint import state_of


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")


def asked(looked: Any, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    return say(capsys, *words, f"--home={looked.home}")


def test_alpha_of_a_text(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    run, text = looked.ids["still"], "the food was superb ."
    found = asked(looked, capsys, "alpha", run[:9], "agnews", "--text", text)
    reading = lens.read(Store(looked.home).open(), run, "agnews", text)
    assert found["alpha"] == dict(zip(reading.alpha["earlier"], reading.alpha["alpha"], strict=True))
    assert [word["word"] for word in found["words"]] == [*text.split(), lens.END]
    assert found["threshold"] == 0.06
    assert found["similar"] == [name for name, value in found["alpha"].items() if value > 0.06]


def test_beside_alpha_stands_whether_the_seeds_agree(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """`shlpt` and `seed_2` differ in their seed; no other run has their settings."""
    store, ids = Store(looked.home).open(), [looked.ids["shlpt"], looked.ids["seed_2"]]
    assert seeds.siblings(store, ids[0]) == seeds.siblings(store, ids[1]) == ids
    means = [frames.alphas(store, id, "agnews").groupby("earlier", sort=False)["alpha"].mean() for id in ids]
    frame = seeds.similarities(store, ids[1], "agnews")
    assert frame["seed"].tolist() == [1, 1, 2, 2]
    assert frame["alpha"].tolist() == pytest.approx([value for mean in means for value in mean])
    most = [mean.idxmax() for mean in means]
    expected = {"earlier": most[0], "agree": 2 if most[0] == most[1] else 1, "seeds": 2}
    for words in ((), ("--text", "the food was superb .")):
        assert asked(looked, capsys, "alpha", ids[1], "agnews", *words)["nearest"] == expected
    assert asked(looked, capsys, "alpha", ids[0], "sst2")["nearest"] is None  # one earlier task
    assert outcome("alpha", ids[0], "agnews", f"--home={looked.home}") == 0
    assert f"The same nearest task in {expected['agree']} of 2 seeds" in " ".join(capsys.readouterr().out.split())


def test_alpha_of_a_task_and_of_a_training_text(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(looked, capsys, "alpha", looked.ids["still"], "agnews", "--threshold", "0.9")
    assert [row["earlier"] for row in found["earlier"]] == ["rte", "sst2"]
    assert found["retrained"] is False
    assert found["examples"] == len(found["instances"]) == 16
    first = found["instances"][0]
    one = asked(looked, capsys, "alpha", looked.ids["still"], "agnews", "--example", first["example"])
    assert one["alpha"] == first["alpha"]
    assert {row["which"] for row in one["neighbours"]} == {"nearest", "farthest"}


def test_activations_are_those_of_the_stored_prompts(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The map, from states stored in half precision, against a forward pass under each stored prompt."""
    run = looked.ids["shlpt"]
    found = asked(looked, capsys, "activations", run)
    store = Store(looked.home).open()
    last = frames.stages(store, run).set_index("task").loc[found["tasks"][-1], "key"]
    backbone = load("pocket")
    texts, views = Encoded(backbone, probe_examples(), 256), Views(backbone)
    pool = state_of(artifact_bytes(store, last, "tensors"), torch.device("cpu")).pool
    seen = [views.whole(prompt, texts).states[:, 0] for prompt in pool]
    for row, number in [(0, 1), (2, 0), (2, 1)]:
        expected = torch.cosine_similarity(seen[row], seen[number], dim=-1).mean().item()
        assert found["matrix"][row][number] == pytest.approx(expected, abs=2e-3)
    assert found["other"]["run"] == looked.ids["no_asc"]
    np.testing.assert_allclose(
        found["difference"]["matrix"], np.subtract(found["matrix"], found["other"]["matrix"]), atol=1e-12
    )


def test_neurons_and_measures(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--measure", "jaccard", "--layer", "1", "--neurons", "rte,agnews", "--most", "5")
    found = asked(looked, capsys, "activations", looked.ids["shlpt"], *words)
    assert (found["measure"], found["layer"], len(found["neurons"])) == ("jaccard", 1, 5)
    changes = [abs(row["difference"]) for row in found["neurons"]]
    assert changes == sorted(changes, reverse=True)


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("still", ("alpha", "RUN", "agnews", "--text", " "), "write some words"),
        ("still", ("alpha", "RUN", "rte"), "has no α for"),
        ("still", ("alpha", "RUN", "qqp"), "unknown task of this run"),
        ("still", ("alpha", "RUN", "agnews", "--example", "x"), "ids look like"),
        ("still", ("alpha", "RUN", "agnews", "--example", "x", "--text", "y"), "cannot be combined"),
        ("oracle", ("alpha", "RUN", "sst2", "--text", "y"), "no estimator"),
        ("finetune", ("activations", "RUN"), "no activation states"),
        ("still", ("activations", "RUN", "--layer", "9"), "no decoder layer 9"),
        ("still", ("activations", "RUN", "--measure", "dot"), "unknown measure"),
        ("still", ("activations", "RUN", "--neurons", "rte"), "for example yelp,sst2"),
        ("still", ("activations", "RUN", "--neurons", "rte,yelp"), "unknown learned task"),
        ("still", ("activations", "RUN", "--neurons", "rte,sst2", "--by", "x"), "unknown order of neurons"),
        ("still", ("activations", "nobody"), "unknown run"),
    ],
)
def test_mistakes_are_told(
    looked: Any, capsys: pytest.CaptureFixture[str], name: str, words: tuple[str, ...], message: str
) -> None:
    given = [looked.ids[name] if word == "RUN" else word for word in words]
    assert message in refused(capsys, *given, f"--home={looked.home}")


def test_a_recorded_run_is_found_too(
    looked: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recorded, "HOME", looked.home)
    store, id = twins.locate(looked.ids["shlpt"][:8], tmp_path / "own")
    assert (store.home, id) == (looked.home, looked.ids["shlpt"])
