"""The menu: one table, and the router stands where deep links work."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from visiting import ROOT, ROUTER, errors, visit

from shlpt.results import recorded
from shlpt.ui.navigation import ICON, PAGES, Entry


def test_every_page_file_is_in_the_table_once_and_the_router_is_found() -> None:
    files = {file.name for file in (ROOT / "pages").glob("*.py")}
    assert files == {entry.path for entry in PAGES}
    assert len({entry.path for entry in PAGES}) == len({entry.url for entry in PAGES}) == len(PAGES)
    assert [entry.path for entry in PAGES if entry.default] == ["overview.py"]
    # Beside them Streamlit would run a page's file without the router at a first deep link.
    assert not (ROUTER.parent / "pages").exists()
    assert all(entry.file.is_absolute() for entry in PAGES)
    from streamlit.web.server.app_discovery import discover_asgi_app

    found = discover_asgi_app(Path(ROOT / "app.py"))
    assert (found.is_asgi_app, found.app_name) == (True, "app")


@pytest.mark.parametrize("entry", PAGES, ids=lambda entry: entry.url)
def test_a_page_opens_without_error(entry: Entry) -> None:
    app = visit(entry.path)
    assert errors(app) == []
    assert app.title


NOTHING = {"activations.py": "no run to show", "similarity.py": "no run to show", "compare.py": "Choose runs"}


@pytest.mark.parametrize(("path", "note"), [*NOTHING.items(), ("runs.py", "no run yet")])
def test_without_runs_a_page_says_so(path: str, note: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing")
    app = visit(path)
    assert errors(app) == []
    assert note in app.info[0].value


def test_the_app_has_its_icon_before_the_menu_names_those_of_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit fetches the icon of a page from the internet if the app has none yet."""
    called: list[tuple[str, Any]] = []

    def heard(name: str) -> None:
        real = getattr(st, name)
        said = lambda *given, **named: called.append((name, named.get("page_icon"))) or real(*given, **named)  # noqa: E731
        monkeypatch.setattr(st, name, said)

    heard("set_page_config")
    heard("navigation")
    assert errors(visit("learn.py")) == []
    assert called[:2] == [("set_page_config", ICON), ("navigation", None)]
