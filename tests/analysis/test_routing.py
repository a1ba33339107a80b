"""Accuracy with and without the task, and who is mistaken for whom, by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis import routing
from shlpt.analysis.benchmark import benchmark_table
from shlpt.analysis.compare import sides

# Two texts of a, one sent wrongly; four of b, one sent wrongly and right by chance.
ROWS = [("a", "a", 1, 1), ("a", "b", 1, 0), ("b", "b", 1, 1), ("b", "b", 0, 0), ("b", "a", 0, 1), ("b", "b", 1, 1)]
FRAME = pd.DataFrame(ROWS, columns=routing.COLUMNS)
RIGHT = FRAME.assign(chosen=FRAME["task"], untold=FRAME["told"])
TASKS = ["a", "b", "c"]


def record(id: str, seed: int, method: str = "shlpt", acc: float | None = 0.75) -> dict[str, Any]:
    about: dict[str, Any] = {"id": id, "method": method, "seed": seed, "tasks": ["a", "b"], "state": "done"}
    return about | {"settings": {}, "acc": acc, "bwt": 0.0, "fwt": None}


def test_every_task_counts_the_same() -> None:
    """Told (1 + 2/4)/2, untold (1/2 + 3/4)/2, sent rightly (1/2 + 3/4)/2."""
    assert routing.measures(FRAME) == pytest.approx({"told": 0.75, "untold": 0.625, "right": 0.625, "gap": 0.125})
    assert routing.measures(RIGHT) == pytest.approx({"told": 0.75, "untold": 0.75, "right": 1, "gap": 0})


def test_a_row_of_the_matrix_is_where_the_texts_of_a_task_went() -> None:
    found = routing.confusion(FRAME, TASKS)
    assert found.tolist() == [[0.5, 0.5, 0], [0.25, 0.75, 0], [0, 0, 0]]


def test_seeds_of_a_side_have_a_mean_and_an_interval() -> None:
    records = [record("r1", 1), record("r2", 2), record("r3", 3), record("f", 1, "finetune", 0.5)]
    found = {"r1": {"embeddings": FRAME}, "r2": {"embeddings": RIGHT}}  # the third seed was not measured
    compared = sides(records)
    first, second = routing.rows(compared, found)
    assert (first["side"], first["router"], first["seeds"]) == ("shlpt", "embeddings", 2)
    assert first["untold"]["mean"] == pytest.approx((0.625 + 0.75) / 2)
    assert first["gap"]["ci95"] == pytest.approx([0.0625 - 12.706205 * 0.0625, 0.0625 + 12.706205 * 0.0625])
    assert (second["side"], second["router"]) == ("finetune", routing.NOT_NEEDED)
    assert (second["told"]["mean"], second["untold"]["mean"], second["gap"]["mean"]) == (0.5, 0.5, 0.0)
    assert second["right"]["n"] == 0
    matrix = routing.matrix(compared[0], "embeddings", found)
    assert np.array_equal(matrix, [[0.75, 0.25], [0.125, 0.875]])
    assert routing.matrix(compared[0], "keys", found) is None


def test_a_benchmark_has_it_beside_the_accuracy() -> None:
    records = [record("r1", 1), record("r2", 2), record("f", 1, "finetune", 0.5)]
    found = {"r1": {"embeddings": FRAME}, "r2": {}}
    routed, names = routing.with_routing(records, found)
    assert names == ["untold_embeddings", "gap_embeddings"]
    rows = benchmark_table(routed, {"one": ("a", "b")}, further=names)["rows"]
    of = {row["method"]: row["further"] for row in rows}
    assert (of["shlpt"]["untold_embeddings"]["n"], of["shlpt"]["untold_embeddings"]["mean"]) == (1, 0.625)
    assert of["finetune"]["untold_embeddings"]["mean"] == 0.5
    assert of["finetune"]["gap_embeddings"]["mean"] == 0.0
    assert routing.with_routing(records, {"r1": {}})[1] == []
