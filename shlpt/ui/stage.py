"""Which controls a page shows. A stage link is a page's address with one parameter more: a version, and the short
names of what a class may use. Without it everything is shown.

Each control goes through `DeltaGenerator._enqueue` of Streamlit and each fold through `_block`. They are wrapped here,
so that no page can forget to ask. A control that is left out is not sent to the browser, but it runs: its choice comes
from the address as always.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import wraps
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

PARAMETER = "stage"
VERSION = 1
MENU, FIGURES, MANAGE = "menu", "figures", "manage"
OWN = "stage-"  # keys of the controls that make and leave a stage: always shown
SEEN = "stage-seen"  # the parts of the page that this visitor looks at
CONTROLS = frozenset(
    (
        "button",
        "button_group",
        "checkbox",
        "color_picker",
        "date_input",
        "date_time_input",
        "download_button",
        "feedback",
        "file_uploader",
        "link_button",
        "menu_button",
        "multiselect",
        "number_input",
        "page_link",
        "radio",
        "selectbox",
        "slider",
        "text_area",
        "text_input",
        "time_input",
    )
)
FOLDS = ("expandable", "popover")
TABLES = ("dataframe", "arrow_data_frame")
NAME = re.compile(r"[a-z0-9_-]{1,60}")
LONGEST = 4000  # of the parameter


@dataclass(frozen=True)
class Part:
    """Controls that are shown together: their short name in links, their title, and which they are. `keys` are patterns
    of keys, of labels where there is no key, or of Streamlit's name of a kind of control."""

    name: str
    title: str
    keys: tuple[str, ...] = ()


# A control without a row here is a part of its own. Its name is then the one that its choice has in the address.
PARTS = (
    Part(MENU, "Menu of pages"),
    Part(FIGURES, "Clicks and drags in figures"),
    Part("lesson", "Guess, answer, next step", ("guess-*", "guessed", "check-*", "answered", "step-*", "next-lesson")),
    Part("lessons", "List of lessons", ("begin-*", "all-lessons")),
    Part("keyboard", "Draw with the keyboard", ("draw-with-the-keyboard",)),
    Part("teacher", "Teacher's notes, codes of the class", ("for-the-teacher-*", "codes-*")),
    Part("sequence", "Sequence of tasks", ("sequence", "tasks-in-the-order-*")),
    Part("first_task", "Parts of the first task", ("question", "texts", "answers")),
    Part("second_task", "Parts of the second task", ("to_question", "to_texts", "to_answers")),
    Part("settings", "Settings of training", ("settings", "s_*", "backbone", "dtype", "how-it-is-trained", "pair_*")),
    Part(
        "train",
        "Train, pause, resume, stop",
        (
            *("run-now", "demo-now", "run-lesson", "finding-*", "pair-now", "pair-resume", "pair-stop", "do-*"),
            *("*-pause", "*-resume", "*-stop", "resume-*", "*-new-seed", "*-same-seed"),
            *("train-this-matrix", "matrix-name", "more-seeds-*", "measure-it-here"),
        ),
    ),
    Part("steps", "Step by step", ("steps-*",)),
    Part("delta", "Threshold δ", ("delta", "delta-of-*")),
    Part("scale", "Weights of earlier prompts", ("scale-*", "all-out", "as-trained")),
    Part("text", "Text to edit", ("text-edited",)),
    Part(
        MANAGE, "Select, name and delete runs", ("select-all-*", "clear-*", "name-*", "note-*", "*names-save", "delete")
    ),
    Part("import", "Import a task", ("import-*",)),
    Part("files", "Downloads", ("download_button", "take-it-away", "prompt")),
    Part("commands", "Command line", ("command", "the-same-on-*", "the-same-run-*", "compute-them-*")),
    Part("links", "Links to other pages", ("page_link", "another")),
)


@dataclass(frozen=True)
class Asked:
    """What a link says about controls. A version of 0 could not be read."""

    names: frozenset[str]
    version: int
    is_torn: bool = False


@dataclass
class Seen:
    """The parts that a page has, and the keys of its controls."""

    parts: dict[str, str] = field(default_factory=dict)  # name -> title
    keys: set[str] = field(default_factory=set)


def written(names: Iterable[str]) -> str:
    """The value of the parameter that shows only these parts."""
    return ".".join([str(VERSION), *dict.fromkeys(names)])


def read(value: str) -> Asked:
    """What a link shows. Names that cannot be read are left out."""
    version, *names = value[:LONGEST].split(".")
    whole = [name for name in names if NAME.fullmatch(name)]
    known = version.isdecimal() and len(version) < 6
    torn = not known or len(whole) < len(names) or len(value) > LONGEST
    return Asked(frozenset(whole), int(version) if known else 0, torn)


def asked() -> Asked | None:
    """What this visitor's address says; None where it says nothing."""
    value = st.query_params.get(PARAMETER)
    return None if value is None else read(value)


def shows(name: str) -> bool:
    """Whether a part can be used. If a link cannot be read, everything can."""
    found = asked()
    return found is None or not found.version or name in found.names


def offers(name: str) -> bool:
    """The same for what Streamlit does not draw; the page is said to have this part."""
    title = next(part.title for part in PARTS if part.name == name)
    _note(Part(name, title), name)
    return shows(name)


def carried() -> dict[str, str]:
    """The parameter for a page that a control leads to."""
    value = st.query_params.get(PARAMETER)
    return {} if value is None else {PARAMETER: value}


# --- names --------------------------------------------------------------------------------
def slug(text: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-")


def bare(key: str) -> str:
    """The key in the address of a control of `ui/choose.py`; any other key as it is."""
    return re.sub(r"-choices?$", "", key)


def part_of(kind: str, key: str, label: str) -> Part:
    """The part that a control belongs to."""
    name = slug(bare(key) or label)
    found = (part for part in PARTS if any(fnmatchcase(one, key) for key in part.keys for one in (name, kind)))
    return next(found, Part(name[:60] or kind, label))


def _key(element: Any) -> str:
    """The key that a page gave to a control: the end of its id."""
    key = "-".join(str(getattr(element, "id", "")).split("-")[2:])
    return "" if key == "None" else key


def _note(part: Part, key: str) -> None:
    seen = st.session_state.get(SEEN)
    if seen is not None:
        seen.parts[part.name] = part.title
        seen.keys.add(bare(key))


# --- the gate -----------------------------------------------------------------------------
def install() -> None:
    """Once for the server."""
    if hasattr(DeltaGenerator._enqueue, "__wrapped__"):
        return
    enqueue, block = DeltaGenerator._enqueue, DeltaGenerator._block

    @wraps(enqueue)
    def _enqueue(self: Any, delta_type: str, element_proto: Any, *more: Any, **named: Any) -> Any:
        return (
            self._active_dg
            if _left_out(delta_type, element_proto)
            else enqueue(self, delta_type, element_proto, *more, **named)
        )

    @wraps(block)
    def _block(self: Any, block_proto: Any = None, dg_type: Any = None, *more: Any, **named: Any) -> Any:
        kind = block_proto.WhichOneof("type") if block_proto is not None else None
        if kind in FOLDS and _folded(kind, getattr(block_proto, kind).label):
            return (dg_type or DeltaGenerator)(
                root_container=None, cursor=None, parent=self._active_dg, block_type=kind
            )
        return block(self, block_proto, dg_type, *more, **named)

    DeltaGenerator._enqueue, DeltaGenerator._block = _enqueue, _block


def _left_out(kind: str, element: Any) -> bool:
    if kind in TABLES:
        return _read_only(element)
    if kind not in CONTROLS or get_script_run_ctx() is None:
        return False
    key = _key(element)
    if key.startswith(OWN):
        return False
    part = part_of(kind, key, element.label)
    _note(part, key)
    return not shows(part.name)


def _read_only(table: Any) -> bool:
    """A table that is edited is a control; one whose rows are selected is shown without its boxes."""
    if table.editing_mode != type(table).READ_ONLY and get_script_run_ctx():
        part = part_of("table", _key(table), "Table")
        _note(part, "")
        return not shows(part.name)
    if len(table.selection_mode) and get_script_run_ctx() and not offers(MANAGE):
        del table.selection_mode[:]
    return False


def _folded(kind: str, label: str) -> bool:
    """Whether a fold is left out with all that is in it. A fold that is no part of its own is something to read."""
    if get_script_run_ctx() is None:
        return False
    part = part_of(kind, "", label)
    if part not in PARTS:
        return False
    _note(part, "")
    return not shows(part.name)
