"""What a sweep or a study of orders shows, beside the comparison of its runs."""

import streamlit as st

from shlpt.analysis import orders, sweeps
from shlpt.paper import ORIGIN
from shlpt.plans.paper_tables import printed_orders, printed_thresholds
from shlpt.plots import positions, sides, sweep
from shlpt.results import experiments
from shlpt.ui import page
from shlpt.ui.choose import ShownExperiment


def section(shown: ShownExperiment) -> None:
    """Nothing for other kinds of experiments."""
    if shown.line["kind"] == "orders":
        of_orders(shown)
    if shown.line["kind"] == "sweep":
        of_sweep(shown)


def of_orders(shown: ShownExperiment) -> None:
    frame = experiments.placed(shown.store, shown.id)
    st.header("Does the order matter?", anchor="orders")
    st.markdown("\n\n".join(map(page.plain, orders.sentences(frame))))
    rows = orders.by_position(frame)
    page.draw(positions, rows, key="positions", table=positions.numbers(rows))
    page.explain(
        "Each task is compared with its own mean over the orders, so that easy tasks do not make a position look good. "
        "Bands: 95 % intervals over the seeds."
    )
    if printed := printed_orders({*frame["task"]}):
        with st.expander("Table 6 of the paper", icon=":material/menu_book:"):
            st.dataframe(printed, hide_index=True)
            st.caption(ORIGIN)


def of_sweep(shown: ShownExperiment) -> None:
    about = experiments.find(shown.store, shown.id)["about"]
    key = about["setting"]
    results = experiments.results(shown.store, shown.id).rename(columns={key: "value"})
    if not isinstance(results["value"].iloc[0], float | int):
        return
    printed = printed_thresholds(about["tasks"]) if key == "threshold" else {}
    st.header("What the values do", anchor="sweep")
    page.draw(sweep, results, key, printed, key="sweep", table=sweep.numbers(results, key, printed))
    page.explain(
        "Thin lines: seeds. Band: one standard deviation. Every value was trained by itself."
        + f" Dashed: Table 11. {ORIGIN}" * bool(printed)
    )
    if key != "threshold":
        return
    alphas = experiments.swept_alphas(shown.store, shown.id)
    accuracy = results.groupby("value")["acc"].mean()
    st.markdown("\n\n".join(map(page.plain, sweeps.sentences(alphas, list(accuracy.dropna())))))
    rows = sweeps.distribution(alphas).merge(sweeps.shares(alphas), on="value")
    page.draw(sides, rows, key="sides", table=sides.numbers(rows))
    page.explain(
        "α of tasks with two earlier ones at least: median and middle 90 %, a mean over the training texts of a task. "
        "What lies above the dotted line is similar."
    )
