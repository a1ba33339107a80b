"""Links from one page to another. Their parameters have the names under which the other page keeps its choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from shlpt.plans.commands import changed
from shlpt.ui.navigation import place

SETTING = "s_"  # before the names of settings in the address of the page Live
OWN_SEQUENCE = "my own"  # a sequence without a name


def live_address(record: Mapping[str, Any]) -> dict[str, str]:
    """What the page Live reads: tasks, method, seeds, and the settings that differ from the defaults."""
    settings = changed(record["method"], record["settings"])
    return {
        "sequence": OWN_SEQUENCE,
        "tasks": ", ".join(record["tasks"]),
        "method": record["method"],
        "seeds": str(record["seed"]),
        **{f"{SETTING}{key}": _word(value) for key, value in settings.items()},
    }


def _word(value: Any) -> str:
    """As the widgets of a form write it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def to_page(url: str, label: str, address: Mapping[str, Any] | None = None, help: str | None = None) -> None:
    st.page_link(place(url), label=label, icon=":material/open_in_new:", query_params=dict(address or {}), help=help)
