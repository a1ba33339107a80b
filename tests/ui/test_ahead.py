"""Loading ahead imports what pages import, and nothing that they do not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shlpt.ui.ahead import load_imports, pages

ROOT = Path(__file__).resolve().parents[2]


def test_the_overview_comes_first() -> None:
    assert [page.stem for page in pages()][:2] == ["overview", "activations"]
    assert len(pages()) == len(list((ROOT / "pages").glob("*.py")))


def test_only_imports_are_run(tmp_path: Path) -> None:
    page = tmp_path / "page.py"
    page.write_text("from __future__ import annotations\nimport json\nraise RuntimeError('the page itself')\n")
    load_imports(page)


def test_what_the_overview_draws_with_is_loaded_and_no_model() -> None:
    code = (
        "import sys; from shlpt.ui.ahead import load_imports, pages; load_imports(pages()[0]); "
        "print(*({'pandas', 'shlpt.plots.compare', 'torch'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(found.stdout.split()) == {"pandas", "shlpt.plots.compare"}
