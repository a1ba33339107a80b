"""The part of the Tasks page that shows imported tasks and imports new ones, with the functions of the command line."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from shlpt.errors import UserError
from shlpt.plans.fit import fit, said
from shlpt.store.store import default_home
from shlpt.tasks import importing, reading, shelf
from shlpt.tasks.importing import Columns, Draft
from shlpt.tasks.reading import Table
from shlpt.tasks.task import Split
from shlpt.ui import page

NONE = "(none)"
PARTS: dict[Split, str] = {"train": "All examples, or those for training", "test": "Test examples (optional)"}


def stored() -> None:
    """The imported tasks in a table."""
    records = shelf.stored(default_home())
    if not records:
        st.caption("Nothing is imported yet.")
        return
    rows = [
        {"task": record.title, "asks": record.about, "classes": len(record.groups), "from": record.origin}
        | {split: sum(counts.values()) for split, counts in (record.counts or {}).items()}
        for record in records
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True)
    page.explain(
        "How imported tasks are related is not declared: measured transfer is all there is. They can be used in a "
        "sequence of your own by these names."
    )


def wizard() -> None:
    """From a file to a stored task: columns, answer words, splits; what was found; one button."""
    places = st.columns(2)
    files: dict[Split, Any] = {}
    for place, (split, text) in zip(places, PARTS.items(), strict=True):
        found = place.file_uploader(text, type=[kind[1:] for kind in reading.KINDS], key=f"import-{split}")
        if found is not None:
            files[split] = found
    if "train" not in files:
        page.explain("CSV, TSV, JSON lines or Parquet. The file stays on this machine, in the folder of the results.")
        return
    with page.guard():
        tables = {split: _table(file, file.name, file.file_id) for split, file in files.items()}
        first = tables["train"]
        left, middle, right = st.columns(3)
        name = left.text_input("Name", importing.name_of(first.name), key=f"import-name-{first.name}", max_chars=60)
        backbone = middle.text_input("Backbone to check the words with", "pocket", key="import-backbone")
        skip = right.checkbox("Leave out rows without text or label", key="import-skip")
        columns = _columns(first)
        words = _words(first, columns)
        made = importing.draft(name, tables, columns, words, skip)
        _report(made, backbone.strip() or "pocket")
        if st.button(f"Store as {made.record.title}", type="primary", icon=":material/save:", key="import-store"):
            made.store(default_home())
            st.success(f"Stored. Use it by the name {made.record.title}.")


def _read(_file: Any, name: str, id: str) -> Table:
    """`id` tells one upload from another, so that a file is read once and not at each click."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(_file.getvalue())
        return reading.read(path, name)


_table: Callable[[Any, str, str], Table] = st.cache_resource(_read, max_entries=4, show_spinner="Reading")


def _columns(table: Table) -> Columns:
    """The detected columns, which can be changed."""
    try:
        guess = importing.detect(table)
    except UserError:
        guess = Columns((), next(iter(table.columns)))
    names, key = list(table.columns), f"import-{table.name}"
    left, middle, right = st.columns(3)
    text = left.multiselect("Text", names, list(guess.text), key=f"{key}-text", help="Several stand with their names")
    label = middle.selectbox("Label", names, names.index(guess.label), key=f"{key}-label")
    splits = [NONE, *names]
    split = right.selectbox("Split", splits, splits.index(guess.split or NONE), key=f"{key}-split")
    if table.left_out:
        st.caption(page.plain(f"Not text, and left out: {', '.join(table.left_out)}"))
    return Columns(tuple(text), label, None if split == NONE else split)


def _words(table: Table, columns: Columns) -> dict[str, str]:
    """An answer word for each label, which can be changed."""
    labels = sorted({label.strip() for label in table.columns[columns.label]} - {""})
    if len(labels) > importing.MOST_CLASSES:
        return {}
    edited = st.data_editor(
        pd.DataFrame({"label": labels, "answer word": labels}),
        disabled=["label"],
        hide_index=True,
        key=f"import-{table.name}-{columns.label}-words",
    )
    return dict(zip(edited["label"], edited["answer word"].fillna("").astype(str), strict=True))


def _report(made: Draft, backbone: str) -> None:
    """What would be stored, and what was found."""
    counts = made.found["counts"]
    frame = pd.DataFrame({split: pd.Series(classes) for split, classes in counts.items()}).loc[list(made.record.groups)]
    st.dataframe(frame.rename_axis("class").reset_index(), hide_index=True)
    train = made.rows["train"]
    for line in (
        *importing.said(made.found),
        *said(fit([e.text for e in train], made.record.labels, backbone), backbone),
    ):
        st.markdown(f"- {page.plain(line)}")
    for place, example in zip(st.columns(2), train[:2], strict=False):
        with place.container(border=True):
            st.text(example.text)
            st.badge(page.plain(example.target), color="gray")
