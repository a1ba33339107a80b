"""The notebook runs from top to bottom, and says what it is stored with."""

import re
from pathlib import Path

import notebook
import pytest

PATH = Path(__file__).resolve().parents[1] / "docs" / "first_steps.ipynb"


def masked(text: str) -> str:
    """Without numbers and ids: they differ between machines."""
    return re.sub(r"\s+", " ", re.sub(r"\br[0-9a-f]{12}\b|[-−+]?\d+(\.\d+)?", "#", text))


def test_the_notebook_runs_and_says_what_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "home"))
    said = notebook.run(PATH)
    stored = ["".join(line for out in cell["outputs"] for line in out["text"]) for cell in notebook.cells(PATH)]
    assert [masked(text) for text in said] == [masked(text) for text in stored]
    assert any(stored)
    assert (tmp_path / "report.html").stat().st_size > 1_000_000


def test_it_is_small() -> None:
    assert PATH.stat().st_size < 20_000
