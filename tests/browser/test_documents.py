"""Documents in one file, opened from the disk in a browser that is offline."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import axe
import numpy as np
import pytest

from shlpt.plots import accuracy_matrix, theme
from shlpt.results import recorded
from shlpt.sharing.html import LARGEST, Fold, Prose, Section, document, drawn
from shlpt.sharing.report import report
from shlpt.sharing.which import locate

DRAWN = "[...document.querySelectorAll('.plot')].map(box => box.querySelectorAll('.main-svg').length > 0)"
PAPER = "getComputedStyle(document.querySelector('.plot .main-svg')).backgroundColor"


@pytest.fixture
def read(browser: Any) -> Iterator[Any]:
    """Opens a file offline; what it asks for and what goes wrong are noted."""
    contexts = []

    def open_file(path: Path, scheme: str = "light", width: int = 1440) -> Any:
        context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}, offline=True, bypass_csp=False
        )
        contexts.append(context)
        page = context.new_page()
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        return SimpleNamespace(page=page, asked=asked, wrong=wrong)

    yield open_file
    for context in contexts:
        context.close()


def assert_whole(one: Any, path: Path) -> None:
    assert one.asked == [path.as_uri()]  # itself, and nothing else
    assert one.wrong == []
    found = one.page.evaluate(DRAWN)
    assert found
    assert all(found)


def test_a_document_opens_offline_in_both_themes_and_on_a_phone(read: Any, tmp_path: Path) -> None:
    matrix = drawn(accuracy_matrix, np.array([[0.5, np.nan], [0.25, 1.0]]), ("rte", "sst2"))
    parts = (Prose("Some **words**."), matrix, Fold("Folded", (matrix,)))
    path = tmp_path / "one.html"
    path.write_bytes(document("One", [Section(name, parts) for name in ("First", "Second", "Third")], "A lead."))
    for scheme, width in (("light", 1440), ("dark", 390)):
        one = read(path, scheme, width)
        assert_whole(one, path)
        assert one.page.evaluate(PAPER) == _rgb(theme.GROUND[scheme == "dark"])
        assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    one.page.emulate_media(color_scheme="light")  # the reader changes the theme
    one.page.wait_for_timeout(300)
    assert one.page.evaluate(PAPER) == _rgb(theme.GROUND[False])
    one.page.get_by_text("Folded").first.click()
    one.page.wait_for_timeout(300)
    assert one.page.locator("details .main-svg").first.bounding_box()["width"] > 300
    assert b"/Page" in one.page.pdf()


@pytest.mark.parametrize("what", ["run", "matrix"])
def test_a_report_of_recorded_results_opens_offline(read: Any, tmp_path: Path, what: str) -> None:
    """A run with its curves, and a matrix with the league of estimators and the threshold."""
    store = recorded.recorded()
    assert store is not None
    run = store.value("SELECT id FROM runs WHERE name LIKE 'SHLPT%the demonstration' AND note=''")
    which = locate(Path("nowhere"), run if what == "run" else "transfer between ten tasks")
    path = tmp_path / "report.html"
    path.write_bytes(report(which))
    assert path.stat().st_size <= LARGEST
    one = read(path, "dark" if what == "run" else "light", 390 if what == "run" else 1440)
    one.page.wait_for_timeout(700)
    assert_whole(one, path)
    assert len(one.page.evaluate(DRAWN)) >= (9 if what == "run" else 4)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= one.page.viewport_size["width"]
    assert axe.PACKAGE is None or axe.faults(one) == []
    assert "stand-ins" in one.page.inner_text("header")


def _rgb(color: str) -> str:
    return "rgb({}, {}, {})".format(*(int(color[at : at + 2], 16) for at in (1, 3, 5)))
