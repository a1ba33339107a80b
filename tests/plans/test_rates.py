"""Learning rates that belong to a backbone: found by the tuning command, used by runs, said where they come from."""

import json
from pathlib import Path
from typing import Any

import pytest
from saying import refused, say
from storing import TINY

from shlpt.cli.options import How
from shlpt.errors import UserError
from shlpt.plans import rates, tuning
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store

TUNED: dict[str, Any] = {
    "trials": [
        {"trial": 0, "settings": {}, "score": {"mean": 0.6, "n": 3}},
        {"trial": 1, "settings": {"lr": 0.3}, "score": {"mean": 0.7, "n": 3}},
        {"trial": 2, "settings": {"lr": 0.03}, "score": {"mean": 0.7, "n": 3}},
        {"trial": 3, "settings": {"lr": 1.0, "own_start": "words"}, "score": {"mean": 0.9, "n": 3}},
        {"trial": 4, "settings": {"lr": 9.0}, "score": {"mean": None, "n": 0}},
    ]
}


@pytest.fixture
def home(tmp_path: Path, gated_folder: Path) -> Path:
    rates.keep(tmp_path, str(gated_folder), {"shlpt": TUNED}, "x12ab")
    return tmp_path


def test_the_best_trial_of_the_rate_alone_is_kept_with_where_it_came_from(home: Path, gated_folder: Path) -> None:
    model = str(gated_folder)
    assert rates.stored(home, model) == {"shlpt": {"lr": 0.3, "experiment": "x12ab", "score": 0.7, "seeds": 3}}
    rates.keep(home, model, {"per_task": {"trials": TUNED["trials"][:1]}}, "x34cd")
    assert rates.rates(home, model) == {"shlpt": 0.3, "per_task": RunSpec.make(("a",), "per_task").training.lr}
    assert rates.rates(home, "pocket") == {}
    (gated_folder / "other.json").write_text("{}")  # other files, other weights
    assert rates.rates(home, model) == {}
    (gated_folder / "other.json").unlink()
    with pytest.raises(UserError, match="for other backbones"):
        rates.keep(home, "pocket", {"shlpt": TUNED}, "x")
    (home / rates.FILE).write_text('{"a": {"methods": {"shlpt": {}}}}')
    with pytest.raises(UserError, match=r"rates\.json cannot be read .*remove it"):
        rates.rates(home, model)


def test_it_is_a_setting_like_any_other(home: Path, gated_folder: Path) -> None:
    how = How(backbone=str(gated_folder))

    def lr(**rest: Any) -> float:
        return RunSpec.make(("rte", "sst2"), **{**how.of("shlpt", home), **rest}).training.lr

    usual = RunSpec.make(("rte", "sst2")).training.lr
    assert (lr(), lr(settings={"lr": 0.5}), lr(preset="standard")) == (0.3, 0.5, 0.3)
    assert (
        RunSpec.make(("rte",), **How(backbone=str(gated_folder), set=["lr=0.5"]).of("shlpt", home)).training.lr == 0.5
    )
    every = how.of(home=home) | {"method": "continual"}
    assert RunSpec.make(("rte", "sst2"), **every).training.lr == usual  # nothing was found for this method
    assert RunSpec.make(("rte", "sst2"), **{**every, "method": "shlpt"}).training.lr == 0.3
    assert RunSpec.make(("rte",), preset="paper", rates={"shlpt": 0.7}).training.lr == 0.3  # the paper's own
    assert How().of("shlpt", home)["settings"] == {}


def test_a_run_says_whose_rate_it_has(home: Path, gated_folder: Path) -> None:
    name = str(gated_folder)

    def said(method: str, **settings: float) -> list[str]:
        return rates.said([RunSpec.make(("rte", "sst2"), method, settings=settings, backbone=name)], home)

    assert "0.3 of shlpt was found for" in said("shlpt", lr=0.3)[0]
    assert "(x12ab)" in said("shlpt", lr=0.3)[0]
    assert f"tune --methods continual --backbone {name} --keep" in said("continual")[0]
    assert "found for the embedded backbone, not for" in said("shlpt")[0]
    assert said("shlpt", lr=0.7) == []  # somebody chose it
    assert rates.said([RunSpec.make(("rte", "sst2"))], home) == []


def test_the_command_finds_keeps_and_uses_it(
    tmp_path: Path, gated_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(tuning.SEQUENCES, "tuning1", ("rte",))
    monkeypatch.delitem(tuning.SEQUENCES, "tuning2")
    common = [f"--backbone={gated_folder}", "--device=cpu", f"--home={tmp_path}"]
    common += [f"--set={key}={value}" for key, value in TINY.items()]
    tuned = say(capsys, "tune", "--methods=per_task", "--trials=2", "--seeds=7", "--keep", *common)
    kept = json.loads((tmp_path / rates.FILE).read_text())
    ((one,),) = [each["methods"].values() for each in kept.values()]
    assert one["experiment"] == tuned["id"]
    assert one["lr"] == max(tuned["methods"]["per_task"]["trials"], key=lambda t: (t["score"]["mean"], -t["trial"]))[
        "settings"
    ].get("lr", 0.1)
    one["lr"] = 0.25  # as another result would have it
    (tmp_path / rates.FILE).write_text(json.dumps(kept))
    found = say(capsys, "run", "--tasks=rte", "--method=per_task", *common)
    (run,) = found["runs"]
    assert run["settings"]["lr"] == 0.25
    assert frames.run(Store(tmp_path).open(), run["id"])["spec"]["training"]["lr"] == 0.25
    assert "for other backbones" in refused(capsys, "tune", "--methods=per_task", "--keep", f"--home={tmp_path}")
