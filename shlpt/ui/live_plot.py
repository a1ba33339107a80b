"""A plotly figure that is updated in place. `st.plotly_chart` replaces the chart at each update and so loses zoom,
legend clicks and hover."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from shlpt.analysis.points import signed
from shlpt.ui import stage
from shlpt.ui.assets import plotly_url

SCRIPT = Path(__file__).with_suffix(".js")
LIBRARY = Path(__file__).with_name("library.js")  # before every script that draws
HTML = '<div class="shlpt-plot" role="figure" tabindex="0"></div>'
CSS = """
.shlpt-plot { width: 100%; overflow: hidden; }
.shlpt-holds * { cursor: ew-resize !important; }
"""


@cache
def _component() -> Callable[..., Any]:
    """Registered once per server, because a second registration replaces the charts on screen."""
    script = LIBRARY.read_text(encoding="utf-8") + SCRIPT.read_text(encoding="utf-8")
    return st.components.v2.component("shlpt_live_plot", html=HTML, css=CSS, js=script, isolate_styles=False)


def live_plot(
    figure: go.Figure | dict[str, Any],
    key: str,
    alt: str,
    clicks: bool = False,
    on_move: Callable[[float], None] | None = None,
) -> dict[str, Any] | None:
    """Draw a figure; the same `key` updates it in place. With `clicks`, returns the click of this run as `{"x", "y",
    "z", "curve", "at"}`: x and y are positions on the axes (column and row of a heat map). With `on_move`, the
    figure's first shape is a vertical line that can be dragged; it is called before the page runs again."""
    ready = figure if isinstance(figure, dict) else prepared(figure, key)
    moves = on_move is not None
    if (clicks or moves) and not stage.offers(stage.FIGURES):
        clicks = moves = False
    data = {"figure": ready, "alt": alt, "plotly": plotly_url(), "clicks": clicks, "moves": moves, "name": key}

    def moved() -> None:
        place = st.session_state[key].moved
        if on_move and place:
            on_move(float(place["x"]))

    result = _component()(key=key, data=data, on_click_change=_nothing, on_moved_change=moved)
    clicked: dict[str, Any] | None = result.click
    return clicked


def prepared(figure: go.Figure, key: str) -> dict[str, Any]:
    """The figure as sent to the browser; visitors of the same run share it."""
    found: dict[str, Any] = json.loads(figure.to_json())
    found["layout"] |= {"autosize": True, "uirevision": key}
    return found


def with_line(ready: dict[str, Any], x: float) -> dict[str, Any]:
    """The same figure with its first shape, a vertical line, and that line's label at x, as a drag leaves them. Nothing
    else is built or drawn again. An empty figure has no line."""
    if not ready["layout"].get("shapes"):
        return ready
    (line, *shapes), (label, *labels) = ready["layout"]["shapes"], ready["layout"]["annotations"]
    moved = {"shapes": [line | {"x0": x, "x1": x}, *shapes]}
    moved["annotations"] = [label | {"x": x, "text": f"δ = {signed(x, 'g')}"}, *labels]
    return ready | {"layout": ready["layout"] | moved}


def _nothing() -> None:
    """Streamlit returns a trigger only where there is a callback."""
