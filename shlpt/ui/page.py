"""Shared by all pages: heading, error messages, explanations, and charts with their table."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, wraps
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from shlpt.errors import UserError
from shlpt.lessons.equations import EQUATIONS, PAPER
from shlpt.ui.live_plot import live_plot, prepared

POLLED = "polled"  # begins the keys of parts that look for changes; `frame.py` has their style
TOP = Path(__file__).with_name("top.js")
LINKS = re.compile(r"(://|@|\bwww)")  # links even when escaped; an invisible joiner prevents it
MARKUP = re.compile(r"([!-/:-@\[-`{-~])")  # start of markdown, maths or a colour


def plain(text: str) -> str:
    """User text, escaped for markdown."""
    return MARKUP.sub(r"\\\1", LINKS.sub("\\1\u2060", str(text)))


def is_dark() -> bool:
    """Whether this visitor sees the dark theme."""
    return st.context.theme.type == "dark"


def head(title: str, explanation: str, badges: Sequence[str] = ()) -> None:
    """Title, one sentence, and badges."""
    st.title(title)
    st.caption(explanation)
    if badges:
        with st.container(horizontal=True):
            for text in badges:
                badge(text)


def badge(text: str, color: str = "gray") -> None:
    """A small label, for example the device or the store."""
    st.badge(plain(text), color=color)


@contextmanager
def guard() -> Iterator[None]:
    """Show a user error as a message without a traceback; the rest of the page still runs."""
    try:
        yield
    except UserError as error:
        st.error(plain(str(error)), icon=":material/error:")


def again(panel: Callable[..., None], every: float | None = None) -> Callable[..., None]:
    """A part of a page that runs again alone, every `every` seconds or when one of its widgets is used."""

    @wraps(panel)
    def guarded(*given: Any) -> None:
        with guard():
            panel(*given)

    found: Callable[..., None] = st.fragment(guarded, run_every=every)
    return found


def polled(panel: Callable[..., None], every: float | None) -> Callable[..., None]:
    """A part that looks for changes every `every` seconds, or no longer. Streamlit fades what is drawn anew after half
    a second, and a look takes longer where everything trains; this part never fades."""

    @wraps(panel)
    def lasting(*given: Any) -> None:
        with st.container(key=f"{POLLED}-{panel.__name__.strip('_')}"):
            panel(*given)

    return again(lasting, every)


def warn(sentences: Sequence[str]) -> None:
    """Warnings in one box."""
    if sentences:
        st.warning("\n\n".join(map(plain, sentences)), icon=":material/warning:")


def explain(text: str, equation: int | None = None) -> None:
    """A sentence under a figure, with the paper's equation behind a click."""
    if equation is None:
        st.caption(text)
        return
    formula, meaning = EQUATIONS[equation]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(text, width="content")
        with st.popover(f"Equation {equation}", type="tertiary", help="The equation in the paper"):
            st.latex(formula)
            st.write(f"{meaning} [The paper]({PAPER})")


def chart(figure: go.Figure, alt: str, table: pd.DataFrame | None = None, key: str = "chart") -> None:
    """A figure with its alt text and its numbers as a table. It keeps its zoom until its numbers change."""
    live_plot(prepared(figure, f"{key}: {alt}"), key, alt)
    if table is not None and len(table):
        numbers(table)


def draw(plot: Any, *given: Any, key: str, table: pd.DataFrame | None = None, **how: Any) -> go.Figure:
    """The figure of a module of `plots`, as `chart` shows it."""
    figure = plot.figure(*given, dark=is_dark(), **how)
    chart(figure, plot.alt(*given, **how), table, key)
    return figure


@cache
def _top() -> Callable[..., Any]:
    return st.components.v2.component("shlpt_top", html="", js=TOP.read_text(encoding="utf-8"), isolate_styles=False)


def to_top(step: str) -> None:
    """Begin at the top of the page when this is another step than before."""
    _top()(key="top", data={"step": step}, height=1)


def metric(name: str, value: Any, about: str, change: str | None = None) -> None:
    """A number in a box; `change` stands below it."""
    look = {"delta_color": "off", "delta_arrow": "off", "border": True, "width": "content"}
    st.metric(name, value, change, help=about, **look)


def numbers(table: pd.DataFrame, columns: dict[str, Any] | None = None) -> None:
    """The numbers of a figure as a table."""
    with st.expander("The numbers as a table", icon=":material/table:"):
        st.dataframe(table, hide_index=True, column_config=columns)
