"""Visits of the app without a browser: the router runs, then the page."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

# Each visit would look through all installed packages for components of others: a third of its time.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)

ROOT = Path(__file__).resolve().parents[2]
EVIL = "=1+1 <img src=x onerror=alert(1)> **$x$** [a](http://b) \u202eabc 🦜"  # what somebody may call a run
ROUTER = ROOT / "shlpt" / "ui" / "router.py"


def visit(page: str, address: Mapping[str, Any] | None = None) -> Any:
    """A page (`tasks.py`) as somebody sees it who opens its address."""
    app = AppTest.from_file(str(ROUTER), default_timeout=30)
    app._registered_pages = _menu()  # or Overview would have to be drawn first, in each of some 200 visits
    app.switch_page(f"../../pages/{page}")
    for name, value in (address or {}).items():
        app.query_params[name] = value
    return app.run()


@cache
def _menu() -> Any:
    return AppTest.from_file(str(ROUTER), default_timeout=30).run()._registered_pages


def errors(app: Any) -> list[str]:
    return [error.message for error in app.exception]


def press(app: Any, label: str, timeout: float = 30) -> Any:
    return next(button for button in app.button if button.label == label).click().run(timeout=timeout)


def said(app: Any) -> str:
    """Everything that the page says in words."""
    kinds = (app.title, app.header, app.markdown, app.caption, app.text, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def whole(page: str, address: Mapping[str, Any]) -> Any:
    """A page that opens without a traceback."""
    app = visit(page, address)
    assert errors(app) == []
    return app


def charts(app: Any) -> list[Any]:
    """What the browser gets of each chart: its figure, its sentence."""
    return [data for data in _sent(app) if "figure" in data]


def parts(app: Any) -> dict[str, Any]:
    """What the browser gets of each part of the cockpit."""
    return {data["part"]: data for data in _sent(app) if "part" in data}


def _sent(app: Any) -> list[Any]:
    return [json.loads(part.proto.json) for part in app.get("bidi_component")]


def figures(app: Any) -> list[Any]:
    return [chart["figure"] for chart in charts(app)]
