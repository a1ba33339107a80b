"""Stores and runs that a page can show: the visitor's own, and the recorded ones."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.catalog import METHODS
from shlpt.errors import UserError, unknown
from shlpt.results import frames
from shlpt.results.recorded import recorded
from shlpt.store.store import Store
from shlpt.tasks.sequences import with_titles
from shlpt.ui.page import plain


@dataclass(frozen=True)
class Shown:
    """A run and its store."""

    store: Store
    id: str
    line: dict[str, Any]  # its row in frames.runs

    @property
    def is_recorded(self) -> bool:
        return bool(self.line["recorded"])

    @property
    def label(self) -> str:
        return label(self.line)


def own() -> Store:
    """The visitor's store, opened at each run of a page because connections belong to threads."""
    return at().open()


def at(home: str | None = None) -> Store:
    """A store for a page, which reports a lock after 4 s."""
    return Store(home, patience=4.0)


def label(line: dict[str, Any]) -> str:
    """A run in a list: its description and the beginning of its id."""
    what = line["name"] or f"{METHODS[line['method']].title} · {' → '.join(line['tasks'])}"
    state = ("recorded" if line["recorded"] else line["state"]) + " · older backbone" * bool(line["older"])
    return f"{what} · seed {line['seed']} · {state} · {line['id'][:7]}"


def both() -> Iterator[tuple[bool, Store]]:
    """The visitor's store and the recorded one (True), if they exist; store errors are shown on the page."""
    for is_recorded, opened in ((False, own), (True, recorded)):
        try:
            store = opened()
        except UserError as error:
            st.error(plain(str(error)), icon=":material/error:")
        else:
            if store is not None:
                yield is_recorded, store


def known_runs() -> tuple[pd.DataFrame, dict[bool, Store]]:
    """All runs, the visitor's first, with a column `recorded`; and the stores by its value."""
    stores, tables = {}, [pd.DataFrame(columns=[*frames.LIST_COLUMNS, "recorded"])]
    for is_recorded, store in both():
        stores[is_recorded] = store
        frame = frames.runs(store).assign(recorded=is_recorded)
        tables.append(titled(frame) if is_recorded else frame)
    filled = [frame for frame in tables if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else tables[0], stores


def titled(frame: pd.DataFrame) -> pd.DataFrame:
    """Recorded runs, with the titles of sequences in their names. What visitors wrote stays as it is."""
    return frame.assign(**{key: frame[key].map(with_titles, na_action="ignore") for key in ("name", "experiment")})


def shown(id: str) -> Shown:
    """A run by the beginning of its id, from either store."""
    frame, stores = known_runs()
    found = frame[frame["id"].str.startswith(id)] if id else frame[:0]
    if not len(found):
        raise unknown("run", id, list(frame["id"]))
    line = {str(key): value for key, value in found.iloc[0].items()}
    return Shown(stores[bool(line["recorded"])], line["id"], line)
