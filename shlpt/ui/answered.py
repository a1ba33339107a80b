"""Part of the Compare page: two sides on the same test examples."""

from typing import Any

import pandas as pd
import streamlit as st

from shlpt.analysis import points
from shlpt.analysis.compare import Side
from shlpt.plots import theme
from shlpt.results import paired
from shlpt.store.store import Store
from shlpt.ui import page


def show(one: Side, other: Side, where: dict[str, Store]) -> None:
    """Both sides on the same test examples."""
    rows, needed = paired.compared(one, other, where)
    st.markdown("**The same test examples, answer by answer**")
    if not rows:
        st.caption("No test example has stored answers on both sides with the same seed.")
        return
    st.dataframe(
        pd.DataFrame([answer_line(task, row) for task, row in rows.items()]), hide_index=True, height="content"
    )
    page.explain(
        "After the last task. With answers of one seed McNemar's exact test of the examples that only one side has "
        "right, which says nothing about other seeds; with several seeds the interval is for other seeds and other "
        "examples. Not corrected for the number of tasks."
    )
    if needed:
        st.caption(page.plain(needed))


def answer_line(task: str, row: Any) -> dict[str, Any]:
    return {
        "task": task if task == paired.ALL else theme.titled(task),
        "examples": row["examples"],
        "seeds": row["seeds"],
        "only first right": row["first"],
        "only second right": row["second"],
        "difference": points.difference(row),
        "p": points.probability(row["p"]),
        "test": row["test"],
    }
