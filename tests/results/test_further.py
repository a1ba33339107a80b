"""Exact match of SQuAD and F1 of MultiRC, from the stored answers of a trained run."""

from pathlib import Path
from typing import Any

import pytest

from shlpt.analysis.metrics import further as measured
from shlpt.results import frames
from shlpt.results.further import COLUMNS, further
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.find import find_task
from shlpt.work.worker import run

TINY = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 4, "prompt_length": 4}


@pytest.mark.parametrize("method", ["per_task", "finetune"])
def test_the_answers_of_a_run_have_exact_match_and_f1(tmp_path: Path, method: str) -> None:
    (record,) = run(
        [RunSpec.make(("squad", "multirc", "rte"), method, settings=TINY)], tmp_path, device="cpu", alone=False
    )
    store, id = Store(tmp_path), record["id"]
    rows = further(store, id).set_index("task")
    assert rows["measure"].to_dict() == {"squad": "exact_match", "multirc": "f1"}
    last = None if method == "per_task" else "rte"  # per-task answers stay as they are
    for task in rows.index:
        for column, after in (("learned", None), ("last", last)):
            answers = frames.answers(store, id, task, after=after)
            assert len(answers) == 8
            labels: tuple[Any, ...] = find_task(task).labels
            (value,) = measured(task, labels, list(answers["answer"]), list(answers["target"])).values()
            assert rows.loc[task, column] == value


def test_other_tasks_and_unfinished_ones_have_none(looked: Any) -> None:
    store = Store(looked.home)
    assert list(further(store, looked.ids["shlpt"]).columns) == COLUMNS
    assert further(store, looked.ids["shlpt"]).empty
