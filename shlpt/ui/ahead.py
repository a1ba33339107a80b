"""What the first visitor would wait for: everything that pages import, loaded while the browser still starts."""

from __future__ import annotations

import ast
from pathlib import Path
from threading import Thread

from shlpt.ui.navigation import PAGES


def load_ahead() -> None:
    """In a thread of its own, so that the server answers meanwhile."""
    Thread(target=load_all, daemon=True).start()


def load_all() -> None:
    """In the order of the menu: the overview, which is opened first, stands first."""
    for entry in PAGES:
        load_imports(entry.file)


def load_imports(page: Path) -> None:
    """Only what the page imports, not the page."""
    tree = ast.parse(page.read_text(encoding="utf-8"))
    wanted: list[ast.stmt] = [line for line in tree.body if isinstance(line, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(wanted, []), str(page), "exec"), {})
