"""ACC, BWT and FWT of methods side by side: a figure each, since on one axis ACC hides the others."""

import pandas as pd
import streamlit as st

from shlpt.plots import compare
from shlpt.ui import page

ABOUT = {
    "acc": "mean score on all tasks after the last one",
    "bwt": "change on earlier tasks since they were learned (below 0: forgetting)",
    "fwt": "gain over learning each task alone (below 0: negative transfer)",
}


def side_by_side(frame: pd.DataFrame, key: str, ranked: bool = True) -> None:
    """The figures of `compare.metric_rows` in columns, which stand below each other on a phone, and their table."""
    measured = [metric for metric in ABOUT if metric in set(frame["metric"])] or ["acc"]
    for column, metric in zip(st.columns(len(measured)), measured, strict=True):
        with column:
            figure = compare.figure(frame, metric, dark=page.is_dark())
            page.chart(figure, compare.alt(frame, metric, ranked=ranked), key=f"{key}-{metric}")
    page.numbers(compare.numbers(frame))
    said = " ".join(f"{metric.upper()}: {ABOUT[metric]}." for metric in measured)
    page.explain(f"{said} Lines: 95 % intervals over the seeds; a single seed, and seeds without spread, have none.")
