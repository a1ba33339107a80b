"""`export` and `import` on the command line."""

from pathlib import Path
from typing import Any

import pytest
from saying import refused, say

from shlpt.results import recorded


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")


def test_an_adapter_goes_out_and_comes_in(looked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, folder, home = looked.ids["pair"], tmp_path / "sst2 adapter", tmp_path / "home"
    (found,) = say(capsys, "export", run[:9], "--peft", str(folder), f"--home={looked.home}")
    assert (found["task"], found["rows"], found["width"]) == ("sst2", 4, 128)  # the last task of the run
    assert found["difference of logits"] <= 1e-5
    taken = say(capsys, "import", str(folder), "--task", "sst2", f"--home={home}")
    assert (taken["name"], taken["task"], taken["rows"]) == ("prompts/sst2-adapter", "sst2", 4)
    (listed,) = say(capsys, "tasks", "--suite", "prompts", f"--home={home}")
    assert (listed["name"], listed["about"]) == ("prompts/sst2-adapter", "an imported prompt of 4 rows for sst2")
    say(capsys, "tasks", "remove", "prompts/sst2-adapter", f"--home={home}")
    assert say(capsys, "tasks", "--suite", "prompts", f"--home={home}") == []


def test_mistakes_are_answered_kindly(looked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = f"--home={looked.home}"
    assert "say what to write" in refused(capsys, "export", looked.ids["pair"], here)
    assert "trains the weights" in refused(
        capsys, "export", looked.ids["finetune"], "--peft", str(tmp_path / "a"), here
    )
    assert "unknown run 'r0'" in refused(capsys, "export", "r0", "--peft", str(tmp_path / "a"), here)
    assert "is not learned yet" in refused(capsys, "export", looked.ids["waiting"], "--peft", str(tmp_path / "a"), here)
    assert "is not there" in refused(capsys, "import", str(tmp_path / "a"), "--task", "sst2", here)
    assert "name the task" in refused(capsys, "import", str(tmp_path), here)
    assert "is no adapter" in refused(capsys, "import", str(tmp_path), "--task", "sst2", here)


def test_a_bundle_goes_out_and_comes_in_once(looked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, file, home = looked.ids["pair"], tmp_path / "pair.zip", tmp_path / "home"
    (found,) = say(capsys, "export", run, "--bundle", str(file), f"--home={looked.home}")
    assert found == {"kind": "bundle", "path": str(file), "bytes": file.stat().st_size}
    taken = say(capsys, "import", str(file), f"--home={home}")
    shown = say(capsys, "runs", "show", taken["runs"][0]["id"], f"--home={home}")
    mine = say(capsys, "runs", "show", run, f"--home={looked.home}")
    assert (shown["matrix"], shown["settings"]) == (mine["matrix"], mine["settings"])
    assert taken["new"]
    assert taken["made"][0]["device"] == "cpu"
    assert not say(capsys, "import", str(file), f"--home={home}")["new"]
    file.write_bytes(file.read_bytes()[:-1])
    assert "is damaged" in refused(capsys, "import", str(file), f"--home={home}")
    waiting = ("export", looked.ids["waiting"], "--bundle", str(file), f"--home={looked.home}")
    assert "a bundle holds finished runs" in refused(capsys, *waiting)


def test_a_report_and_a_table_are_written_together(
    looked: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, here = looked.ids["pair"], f"--home={looked.home}"
    page, table = tmp_path / "pair.html", tmp_path / "pair.tex"
    found = say(capsys, "export", run, "--report", str(page), "--table", str(table), here)
    assert [(one["kind"], one["bytes"]) for one in found] == [
        ("report", page.stat().st_size),
        ("table", table.stat().st_size),
    ]
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert r"SHLPT & pocket/rte $\to$ pocket/sst2 & 1 &" in table.read_text(encoding="utf-8")
    assert "stand-ins" in table.read_text(encoding="utf-8")
    assert "a .tex or a .csv file, not .txt" in refused(capsys, "export", run, "--table", "x.txt", here)
    assert "--task belongs to --peft" in refused(capsys, "export", run, "--task", "sst2", "--report", "x.html", here)
