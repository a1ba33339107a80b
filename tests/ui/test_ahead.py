"""Loading ahead imports what pages import, and nothing that they do not."""

import subprocess
import sys
from pathlib import Path

import pytest

from shlpt.ui import ahead

ROOT = Path(__file__).resolve().parents[2]


def test_every_page_is_loaded_and_the_overview_first(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []
    monkeypatch.setattr(ahead, "load_imports", loaded.append)
    ahead.load_all()
    assert loaded[0].stem == "overview"
    assert sorted(loaded) == sorted((ROOT / "pages").glob("*.py"))


def test_only_imports_are_run(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text("from __future__ import annotations\nimport json\nraise RuntimeError('the page itself')\n")
    ahead.load_imports(page)


def test_what_the_overview_draws_with_is_loaded_and_no_model() -> None:
    code = (
        "import sys; from shlpt.ui.ahead import PAGES, load_imports; load_imports(PAGES[0].file); "
        "print(*({'pandas', 'shlpt.plots.finding', 'torch'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(found.stdout.split()) == {"pandas", "shlpt.plots.finding"}
