"""Projector mode: one figure at a time fills the screen, and keys step. `projector.js` shows the figures that are on
the page, so they move on and can be used as before."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from shlpt.plots import theme
from shlpt.ui.page import is_dark

PARAMETER = "projector"  # in the address: the number of what is shown
KEY = "stage-projector"
SCRIPT, STYLE = (Path(__file__).with_suffix(suffix) for suffix in (".js", ".css"))
HTML = '<div class="shlpt-projector-mark"></div>'


def is_on() -> bool:
    return PARAMETER in st.query_params


def start() -> None:
    st.query_params[PARAMETER] = "1"
    st.rerun()


def mount() -> None:
    """The part of the page that listens to keys, if the address asks for it."""
    if is_on():
        st.fragment(_listen)()


@cache
def _component() -> Callable[..., Any]:
    script, style = (file.read_text(encoding="utf-8") for file in (SCRIPT, STYLE))
    return st.components.v2.component("shlpt_projector", html=HTML, css=style, js=script, isolate_styles=False)


def _listen() -> None:
    if not is_on():
        st.rerun()  # it was left
    dark = is_dark()
    colors = {"accent": theme.ACCENT[dark], "ink": theme.TEXT[dark], "ground": theme.GROUND[dark]}
    colors |= {"grid": theme.GRID[dark], "faint": theme.FAINT[dark], "card": theme.SECOND[dark]}
    step = [st.query_params[key] for key in ("lesson", "step") if key in st.query_params]
    data = {"at": _place(), "colors": colors, "parameter": PARAMETER, "step": " ".join(step)}
    _component()(key=KEY, data=data, on_left_change=_left, height=1)


def _place() -> int:
    said = st.query_params.get(PARAMETER, "1")
    return max(1, int(said)) if said.isdecimal() and len(said) < 4 else 1


def _left() -> None:
    st.query_params.pop(PARAMETER, None)
