"""The command `threshold`: the numbers of Python, what is missing, and refusals."""

import shlex
from pathlib import Path

import pytest
from saying import outcome, refused, say

from shlpt.analysis import calibration
from shlpt.analysis.league import league
from shlpt.analysis.transfer import gains
from shlpt.catalog.estimators import ESTIMATORS
from shlpt.plans import experiments as plans
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import start_experiment
from shlpt.results import experiments, scores
from shlpt.spec import RunSpec
from shlpt.store.find import groups_of
from shlpt.store.store import Store
from shlpt.work.worker import work

SMALL = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 6, "prompt_length": 2}
TASKS = ("sst2", "rte", "ask:price/hotel/no-yes", "ask:noise/hotel/no-yes")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(tmp_path_factory.mktemp("judged")).open()
    made = plans.matrix(TASKS, (1, 2), {"method": "continual", "settings": SMALL}, "m")
    _, sent = start_experiment(store, made, plans_of(made.specs))
    work(store, device="cpu", groups=groups_of(store, sent.runs))
    return store.home


def test_the_league_is_that_of_python_and_missing_alpha_has_its_command(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = say(capsys, "threshold", "m", f"--home={home}")
    store = Store(home).open()
    id = experiments.find(store, "m")["id"]
    scored, pairs = scores.stored(store, id), gains(experiments.pairs(store, id))
    assert [row["estimator"] for row in found["league"]] == [
        row["estimator"] for row in league(pairs, scored.frame, scored.seconds)
    ]
    assert {row["estimator"] for row in found["league"]} == set(ESTIMATORS) - {"alpha", "alpha_published"}
    assert found["missing"] == ["alpha", "alpha_published"]
    assert found["calibration"] == {}
    assert f"alphas m --home {home}" in found["notes"][1]
    assert outcome("threshold", "m", f"--home={home}", "--estimator=logme,oracle", "--csv") == 0
    header, *lines = capsys.readouterr().out.strip().splitlines()
    assert header.startswith("estimator,helping,roc,roc_low,roc_high,pr")
    assert {line.partition(",")[0] for line in lines} == {"logme", "oracle"}


def test_alpha_is_trained_by_its_command_and_its_threshold_judged(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = say(capsys, "alphas", "m", f"--home={home}", "--device=cpu")
    assert {row["form"] for row in trained["pairs"]} == {"alpha", "alpha_published"}
    found = say(capsys, "threshold", "m", f"--home={home}", "--estimator=alpha", "--delta=0.4", "--cost=0.25")
    part = found["calibration"]["alpha"]
    store = Store(home).open()
    id = experiments.find(store, "m")["id"]
    scored = scores.stored(store, id, ["alpha"]).frame
    got = calibration.calibrated(gains(experiments.pairs(store, id)), scored, "alpha")
    row = got.rows[(got.rows["delta"] - 0.4).abs() < 1e-9].iloc[0]
    assert part["at"]["similar"] == pytest.approx(row["similar"])
    assert part["at"]["cost"] == pytest.approx(0.25 * row["false_similar"] + 0.75 * row["false_dissimilar"])
    assert part["notes"][0] == f"learned α: {calibration.said(got.recommended)}"
    assert not any("α is always 1" in said for said in part["warnings"])  # or none of them is similar
    old = say(capsys, "threshold", "m", f"--home={home}", "--estimator=alpha_published", "--delta=0.4")
    warned = old["calibration"]["alpha_published"]["warnings"]
    assert any("With one earlier task α is always 1" in said for said in warned)
    words = shlex.split(part["command"])
    assert words[:4] == ["python", "-m", "shlpt", "run"]
    settings = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    assert "threshold=0.4" in settings
    named = words[words.index("--tasks") + 1].split(",")
    assert set(named) == set(TASKS)
    assert RunSpec.make(named).tasks == tuple(named)


def test_mistakes_are_answered_in_words(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "unknown estimator 'logm': did you mean 'logme'?" in refused(capsys, "threshold", "m", "--estimator=logm")
    assert "unknown experiment" in refused(capsys, "threshold", "nothing", f"--home={home}")
    assert "is not a matrix" in refused(capsys, "threshold", "α for m", f"--home={home}")
    assert "--cost" in refused(capsys, "threshold", "m", "--cost=2", f"--home={home}")
    shown = say(capsys, "threshold", f"--home={tmp_path}", "--estimator=declared,logme")  # the recorded matrix
    assert {row["estimator"] for row in shown["league"]} >= {"declared"}
