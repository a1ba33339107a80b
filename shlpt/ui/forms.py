"""A form built from the specification: new settings in `spec` or `catalog` appear automatically. Empty fields show the
default in grey; only changed settings are returned, so links contain only changes and empty fields follow the preset.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from math import floor, log10
from typing import Any, Literal

import streamlit as st
from pydantic import BaseModel

from shlpt.catalog import METHODS
from shlpt.catalog.titles import GROUPS, title_of, value_of
from shlpt.spec import Training, method_info, parse_setting, settings_of, usual
from shlpt.ui import page
from shlpt.ui.choose import kept_if_any

Kind = Literal["integer", "number", "boolean", "choice", "text", "number or word"]
LONGEST = 60  # maximum length of a changed setting beside the form
FIRST = ("epochs", "lr", "shots", "prompt_length", "threshold")  # the few that matter most


@dataclass(frozen=True)
class Field:
    """The description of a setting for its widget."""

    name: str
    kind: Kind
    default: Any
    low: float | None
    high: float | None
    step: float
    choices: tuple[str, ...]
    help: str


def fields(model: type[BaseModel], defaults: Mapping[str, Any] | None = None) -> list[Field]:
    """All settings of a model, with the defaults of the preset or method."""
    schema = model.model_json_schema()["properties"]
    found = []
    for row in settings_of(model):
        parts = [schema[row["name"]], *schema[row["name"]].get("anyOf", [])]
        kind = _kind(parts)
        default = (defaults or {}).get(row["name"], row["default"])
        step = 1.0 if kind == "integer" else _step(default)
        low = _bound(parts, "minimum")
        above = _bound(parts, "exclusiveMinimum")
        low = low if low is not None or above is None else above + step / 1000
        choices, high = tuple(row["choices"] or ()), _bound(parts, "maximum")
        found.append(Field(row["name"], kind, default, low, high, step, choices, _help(row, default)))
    return found


def _kind(parts: list[dict[str, Any]]) -> Kind:
    """The input type of a field."""
    types = {part.get("type") for part in parts}
    if "number" in types and any("const" in part for part in parts):  # 0.01 or `auto`
        return "number or word"
    for kind in ("boolean", "integer", "number"):
        if kind in types:
            return kind
    return "choice" if any("enum" in part or "const" in part for part in parts) else "text"


def _bound(parts: list[dict[str, Any]], name: str) -> float | None:
    return next((part[name] for part in parts if name in part), None)


def _step(default: Any) -> float:
    """One unit of the default's first digit: 0.01 for 0.06."""
    number = isinstance(default, int | float) and not isinstance(default, bool) and default > 0
    return float(10 ** floor(log10(default))) / (10 if default == 10 ** floor(log10(default)) else 1) if number else 0.1


def _help(row: Mapping[str, Any], default: Any) -> str:
    allowed = f" Allowed: {row['range']}." if row["range"] else ""
    published = f" {row['published']}" if row["published"] else ""
    usual = shown(default, row["name"])
    return f"{row['help']}.{allowed} Default: {usual}.{published} On the command line: `--set {row['name']}=…`"


def shown(value: Any, name: str = "") -> str:
    """A value of a setting in readable form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else value_of(name, str(value))


def widget(field: Field, prefix: str = "") -> Any:
    """The widget of a setting; returns None for the default."""
    label, key = title_of(field.name), f"{prefix}{field.name}"
    common: dict[str, Any] = {"key": key, "help": field.help, "bind": "query-params"}
    if field.kind in ("boolean", "choice"):
        options = ("yes", "no") if field.kind == "boolean" else field.choices
        write = partial(shown, name=field.name)
        chosen = kept_if_any(label, options, key, default=shown(field.default), write=write, help=field.help)
        return None if chosen is None else chosen == "yes" if field.kind == "boolean" else chosen
    if field.kind in ("text", "number or word"):
        text = st.text_input(label, placeholder=shown(field.default, field.name), **common).strip()
        return None if not text else text if field.kind == "text" else parse_setting(f"{field.name}={text}")[1]
    cast = int if field.kind == "integer" else float
    return st.number_input(
        label,
        min_value=None if field.low is None else cast(field.low),
        max_value=None if field.high is None else cast(field.high),
        value=None,
        step=cast(field.step),
        format="%d" if cast is int else "%g",
        placeholder=shown(field.default, field.name),
        **common,
    )


def folded_settings(method: str, preset: str, prefix: str) -> dict[str, Any]:
    """The folded form, and below it the changed settings, which may come from a link."""
    with st.expander("Settings", icon=":material/tune:"):
        changed = settings_form(method, preset, prefix)
    if changed:
        words = ", ".join(f"{title_of(name)} {_cut(shown(value, name))}" for name, value in changed.items())
        st.caption(page.plain(f"Changed: {words}"))
    return changed


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def settings_form(method: str, preset: str = "quick", prefix: str = "") -> dict[str, Any]:
    """The settings of a method and its training that differ from the defaults, as `RunSpec.make(..., settings=...)`
    takes them. `prefix` goes before the keys in the address."""
    info, defaults = method_info(method), usual(method, preset)
    every = {f.name: f for f in (*fields(Training, defaults), *fields(info.params, defaults))}
    groups = grouped(list(every), METHODS[method].title)
    changed: dict[str, Any] = {}
    for tab, names in zip(st.tabs(list(groups)), groups.values(), strict=True):
        with tab:
            changed |= _row([every[name] for name in names], prefix)
    named = {field.name: field.default for field in every.values()}
    return {name: value for name, value in changed.items() if value is not None and value != named[name]}


def grouped(names: list[str], method: str) -> dict[str, list[str]]:
    """Settings by the heading they stand under, the few that matter most first. `method` is the heading of those of its
    own that belong to no group."""
    placed = {name for some in GROUPS.values() for name in some}
    groups = {"Main": [name for name in FIRST if name in names]}
    groups[method] = [name for name in names if name not in placed and name not in FIRST]
    groups |= {title: [name for name in some if name in names and name not in FIRST] for title, some in GROUPS.items()}
    return {title: some for title, some in groups.items() if some}


def _row(some: list[Field], prefix: str) -> dict[str, Any]:
    """Side by side, or below each other on a phone."""
    columns = st.columns(4)
    found = {}
    for place, field in enumerate(some):
        with columns[place % 4]:
            found[field.name] = widget(field, prefix)
    return found
