"""What is reported of some tasks beside their score: exact match of SQuAD, F1 of MultiRC. No torch."""

import pandas as pd

from shlpt.analysis import metrics
from shlpt.catalog import METHODS
from shlpt.results import frames
from shlpt.store.store import Store
from shlpt.tasks.find import find_task

COLUMNS = ["task", "measure", "learned", "last"]


def further(store: Store, id: str) -> pd.DataFrame:
    """[task, measure, learned, last]: after the task was learned, and after the last task."""
    spec = frames.spec(store, id)
    # What answers a task that never changes after it is learned is not measured again.
    last = None if METHODS[spec["method"]].keeps_answers else spec["tasks"][-1]
    lines = []
    for task in spec["tasks"]:
        learned, later = _measured(store, id, task, None), _measured(store, id, task, last)
        lines += [(task, name, value, later.get(name)) for name, value in learned.items()]
    return pd.DataFrame(lines, columns=COLUMNS)


def _measured(store: Store, id: str, task: str, after: str | None) -> dict[str, float]:
    name = task.removeprefix("paper/")  # an own task of that name is another
    if name not in metrics.FURTHER:
        return {}
    rows = frames.answers(store, id, task, after=after)
    if rows.empty:
        return {}
    return metrics.further(name, find_task(name).labels, list(rows["answer"]), list(rows["target"]))
