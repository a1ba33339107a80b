"""A fold with what a run can be taken away as: a report, a bundle, and the prompt of a task for PEFT."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from shlpt.errors import UserError
from shlpt.plots import theme
from shlpt.sharing import bundle, peft, tracking
from shlpt.sharing.report import report
from shlpt.sharing.which import Which
from shlpt.store.store import Store
from shlpt.ui import choose, page


def fold(store: Store, record: Mapping[str, Any]) -> None:
    """The files are made when they are asked for."""
    with st.expander("Take it away", icon=":material/ios_share:"):
        if record["state"] != "done":
            st.caption("When the run is done: a report, a bundle for another installation, its prompts for PEFT.")
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            _results(Which(store, (record["id"],)), record["id"])
            _adapter(store, record["id"], record["tasks"])


def _results(which: Which, id: str) -> None:
    common: dict[str, Any] = {"icon": ":material/download:", "on_click": "ignore"}
    st.download_button(
        "Report",
        lambda: report(which),
        f"{id}.html",
        "text/html",
        help="Figures, tables, settings and versions in one file of 1.6 MB, which opens without internet",
        **common,
    )
    st.download_button(
        "Bundle",
        lambda: bundle.pack(which),
        f"{id}.zip",
        "application/zip",
        help="Scores, curves, answers and prompts for another installation: `python -m shlpt import FILE` reads them",
        **common,
    )

    if tracking.is_installed("tensorboard"):
        st.download_button(
            "TensorBoard",
            lambda: tracking.zipped(which),
            f"{id}-tensorboard.zip",
            "application/zip",
            help="Curves and scores as event files: unpack them and start `tensorboard --logdir FOLDER`. For MLflow: "
            f"`python -m shlpt export {id} --mlflow FOLDER`",
            **common,
        )


def _adapter(store: Store, id: str, tasks: list[str]) -> None:
    """For a method without a prompt for each task: why not."""
    task = choose.kept("Prompt of", tasks, "prompt", kind="task", default=tasks[-1], write=theme.titled, width=220)
    try:
        peft.adapter_of(store, id, task)
    except UserError as error:
        said = str(error)
        st.caption(page.plain(said[0].upper() + said[1:]))
        return
    st.download_button(
        "Adapter for PEFT",
        lambda: peft.zipped(store, id, task),
        f"{id}-{tasks.index(task) + 1}.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        help="The prompt of this task with its configuration, for `PeftModel.from_pretrained`"
        + ("; compared with PEFT's logits before it is handed over" if peft.is_installed() else ""),
    )
