"""A figure to draw a guess into: a curve, or one cell of a matrix. Sliders do the same with the keyboard."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from shlpt import plots
from shlpt.ui import stage
from shlpt.ui.assets import plotly_url
from shlpt.ui.live_plot import LIBRARY, prepared

SCRIPT = Path(__file__).with_suffix(".js")
HAND = Path(plots.__file__).with_name("guess.js")
HTML = '<div class="shlpt-guess" role="figure" tabindex="0"></div>'
CSS = """
.shlpt-guess { width: 100%; overflow: hidden; }
.shlpt-guess .nsewdrag { cursor: crosshair !important; touch-action: none; }
"""


@cache
def _component() -> Callable[..., Any]:
    """Registered once per server."""
    script = "".join(file.read_text(encoding="utf-8") for file in (LIBRARY, HAND, SCRIPT))
    return st.components.v2.component("shlpt_guess", html=HTML, css=CSS, js=script, isolate_styles=False)


def drawing(
    figure: go.Figure,
    key: str,
    alt: str,
    values: Sequence[float],
    about: Mapping[str, Any],
    on_drawn: Callable[[list[float]], None],
) -> None:
    """The figure; `on_drawn` gets what was drawn before the page runs again. `about` is what the script needs
    (`reveal.Asked`)."""
    data = {"figure": prepared(figure, key), "alt": alt, "plotly": plotly_url(), "values": list(values), **about}
    data["still"] = not stage.offers("lesson")

    def drawn() -> None:
        sent = st.session_state[key].drawn
        if sent:
            on_drawn([float(value) for value in sent["values"]])

    _component()(key=key, data=data, on_drawn_change=drawn)
