"""Links between pages, with the parameter names that the target page uses."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from shlpt.plans.commands import asked
from shlpt.spec import PRESET_ABOUT, RunSpec
from shlpt.tasks.task import without_shots
from shlpt.ui.navigation import place

SETTING = "s_"  # prefix of settings in the address of the Live page
FORM_PRESETS = tuple(PRESET_ABOUT)[:2]  # the third is for a large model on a GPU
OWN_SEQUENCE = "my own"  # an unnamed sequence


def live_address(specs: Sequence[RunSpec]) -> dict[str, str]:
    """Parameters of the Live page for runs that differ only in their seed."""
    spec = specs[0]
    given = asked(spec, FORM_PRESETS)
    settings = given.pop("settings", {})
    return {
        "sequence": OWN_SEQUENCE,
        "tasks": ",".join(spec.tasks),
        "method": spec.method,
        "seeds": ",".join(str(each.seed) for each in specs),
        **given,
        **{f"{SETTING}{key}": _word(value) for key, value in settings.items()},
    }


def _word(value: Any) -> str:
    """A value as form widgets write it."""
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def to_page(url: str, label: str, address: Mapping[str, Any] | None = None, help: str | None = None) -> None:
    st.page_link(place(url), label=label, icon=":material/open_in_new:", query_params=dict(address or {}), help=help)


def playground_address(source: str, target: str) -> dict[str, str]:
    """Parameters of the Tasks page for two tasks made of parts; empty for others."""
    found: dict[str, str] = {}
    for prefix, name in (("", source), ("to_", target)):
        if not name.startswith("ask:"):
            return {}
        parts = without_shots(name).removeprefix("ask:").split("/")
        found |= {f"{prefix}{key}": part for key, part in zip(("question", "texts", "answers"), parts, strict=True)}
    return found
