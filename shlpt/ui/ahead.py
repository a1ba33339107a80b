"""Imports the modules of all pages while the browser starts, so that the first visitor does not wait."""

import ast
from pathlib import Path
from threading import Thread

from shlpt.ui.navigation import PAGES


def load_ahead() -> None:
    """In a thread, so that the server can answer meanwhile."""
    Thread(target=load_all, daemon=True).start()


def load_all() -> None:
    """In menu order, because Overview is opened first."""
    for entry in PAGES:
        load_imports(entry.file)


def load_imports(page: Path) -> None:
    """Run only the imports of a page."""
    tree = ast.parse(page.read_text(encoding="utf-8"))
    wanted: list[ast.stmt] = [line for line in tree.body if isinstance(line, ast.Import | ast.ImportFrom)]
    exec(compile(ast.Module(wanted, []), str(page), "exec"), {})
