"""Links from one page to another. Their parameters have the names under which the other page keeps its choices."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from shlpt.plans.commands import asked
from shlpt.spec import PRESET_ABOUT, RunSpec
from shlpt.ui.navigation import place

SETTING = "s_"  # before the names of settings in the address of the page Live
FORM_PRESETS = tuple(PRESET_ABOUT)[:2]  # the third is for a large model on a GPU
OWN_SEQUENCE = "my own"  # a sequence without a name


def live_address(specs: Sequence[RunSpec]) -> dict[str, str]:
    """What the page Live reads to compose runs that differ by their seed only."""
    spec = specs[0]
    given = asked(spec, FORM_PRESETS)
    settings = given.pop("settings", {})
    return {
        "sequence": OWN_SEQUENCE,
        "tasks": ", ".join(spec.tasks),
        "method": spec.method,
        "seeds": ",".join(str(each.seed) for each in specs),
        **given,
        **{f"{SETTING}{key}": _word(value) for key, value in settings.items()},
    }


def _word(value: Any) -> str:
    """As the widgets of a form write it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def to_page(url: str, label: str, address: Mapping[str, Any] | None = None, help: str | None = None) -> None:
    st.page_link(place(url), label=label, icon=":material/open_in_new:", query_params=dict(address or {}), help=help)
