"""The live figure: what the browser is handed, and that the library comes from here."""

import asyncio
import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from shlpt.plots.library import FILE, TRACES, VERSION
from shlpt.ui.assets import FOLDER, plotly_url, routes
from shlpt.ui.live_plot import SCRIPT


def page() -> None:
    import plotly.graph_objects as go
    import streamlit as st

    from shlpt.ui.live_plot import live_plot

    figure = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]), layout={"height": 250})
    clicked = live_plot(figure, "one", "two points")
    live_plot(figure, "two", "the same", clicks=True)
    st.write(repr(clicked))
    st.write(f"revision {figure.layout.uirevision}")


def test_the_browser_gets_figure_text_alternative_and_library_and_the_same_chart_stays() -> None:
    app = AppTest.from_function(page).run()
    first, second = (json.loads(part.proto.json) for part in app.get("bidi_component"))
    assert first["alt"] == "two points"
    assert first["figure"]["layout"]["height"] == 250
    assert first["figure"]["layout"]["uirevision"] == "one"
    assert first["plotly"] == plotly_url()
    assert (first["clicks"], second["clicks"]) == (False, True)
    assert [m.value for m in app.markdown] == ["None", "revision None"]  # nothing clicked, the figure not changed
    # Its identity is its key, so the browser updates it in place.
    app = AppTest.from_function(page).run()
    before = [part.proto.id for part in app.get("bidi_component")]
    assert [part.proto.id for part in app.run().get("bidi_component")] == before


def test_the_script_updates_in_place_and_sends_nothing_away() -> None:
    script = SCRIPT.read_text(encoding="utf-8")
    assert "Plotly.react" in script
    assert "showSendToCloud: false" in script
    assert "http" not in script


def ask(path: str, host: str) -> tuple[int, int]:
    """Status and size of an answer of the mounted route, asked as a server would."""
    found = {"status": 0, "size": 0}

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()  # nobody hangs up
        return {}

    async def send(message: dict[str, Any]) -> None:
        found["status"] = message.get("status", found["status"])
        found["size"] += len(message.get("body", b""))

    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "query_string": b"", "scheme": "http"}
    scope |= {"headers": [(b"host", host.encode())], "server": ("127.0.0.1", 80)}
    route = routes()[0]
    _, child = route.matches(scope)
    asyncio.run(route.handle({**scope, **child}, receive, send))
    return found["status"], found["size"]


@pytest.mark.parametrize(("host", "status"), [("localhost:8501", 200), ("127.0.0.1", 200), ("evil.example", 400)])
def test_the_library_is_served_to_this_machine_only(host: str, status: int) -> None:
    found, size = ask(f"{FOLDER}/{FILE.name}", host)
    assert found == status
    assert (size > 1_000_000) == (status == 200)
    assert plotly_url() == f"{FOLDER}/{FILE.name}?v={VERSION}"


def test_the_library_is_the_version_it_is_served_as_and_draws_what_it_is_said_to() -> None:
    script = FILE.read_text(encoding="utf-8")
    assert f"(cartesian - minified) v{VERSION}\n" in script[:200]
    assert "Licensed under the MIT license" in script[:200]
    assert "Permission is hereby granted" in (FILE.parent / "LICENSE").read_text(encoding="utf-8")
    assert [name for name in TRACES if f'name:"{name}"' not in script] == []
