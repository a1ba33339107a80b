"""Runs side by side, against numbers worked out by hand."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis import compare
from shlpt.analysis.metrics import summary

NAN = math.nan


def record(method: str, seed: int, acc: float | None, **more: Any) -> dict[str, Any]:
    """A finished run over two tasks whose scores are acc − 0.1 and acc + 0.1; without ACC it is still running."""
    scores = [None, None] if acc is None else [acc - 0.1, acc + 0.1]
    found = {"id": f"r{method}{seed}{more.get('state', '')}", "method": method, "seed": seed, "tasks": ["yelp", "sst2"]}
    found |= {"state": "running" if acc is None else "done", "matrix": [[scores[0], None], scores]}
    found |= {"acc": acc, "bwt": None if acc is None else 0.0, "fwt": None, "settings": {"epochs": 20}}
    found |= {"seconds": 2.0, "trainable": 10, "stored_bytes": 40, "suite": "pocket", "backbone": "pocket"}
    return found | more


OURS = [
    record("shlpt", 1, 0.8, settings={"epochs": 20, "threshold": 0.06}),
    record("shlpt", 2, 0.9, settings={"epochs": 20, "threshold": 0.06}),
]
THEIRS = [record("per_task", 1, 0.7), record("per_task", 2, 0.6), record("per_task", 3, 0.5)]


# --- who belongs together -----------------------------------------------------------------
def test_runs_that_differ_by_their_seed_are_one_side_and_a_seed_counts_once() -> None:
    found = compare.sides([THEIRS[1], *OURS, THEIRS[0]])
    assert [(side.name, side.seeds) for side in found] == [("per_task", [1, 2]), ("shlpt", [1, 2])]
    unfinished = record("per_task", 1, None, id="later")
    (side,) = compare.sides([THEIRS[0], unfinished])
    assert [r["id"] for r in side.records] == [THEIRS[0]["id"]]
    (side,) = compare.sides([unfinished, THEIRS[0] | {"id": "again"}])
    assert [r["id"] for r in side.records] == ["again"]


def test_names_and_labels_tell_the_sides_apart() -> None:
    low, high = OURS[0], OURS[0] | {"settings": {"epochs": 20, "threshold": 1.5}}
    assert [s.name for s in compare.sides([low, high])] == ["shlpt threshold=0.06", "shlpt threshold=1.5"]
    elsewhere = THEIRS[0] | {"tasks": ["rte", "cb"]}
    names = [s.name for s in compare.sides([THEIRS[0], elsewhere])]
    assert names == ["per_task on yelp → sst2", "per_task on rte → cb"]
    found = compare.sides([OURS[0], OURS[1], THEIRS[0]], ["ours", "ours", "theirs"])
    assert [(side.name, len(side.records)) for side in found] == [("ours", 2), ("theirs", 1)]
    found = compare.sides([OURS[0], THEIRS[0]], ["same", "same"])
    assert len({side.name for side in found}) == 2


def test_nothing_has_no_sides() -> None:
    assert compare.sides([]) == []
    assert compare.same_tasks([])
    assert compare.table([]) == []
    assert compare.metric_rows([]).empty
    assert compare.task_rows([]).empty
    assert compare.for_people([]).empty


# --- what came of them --------------------------------------------------------------------
def test_means_and_intervals_over_the_seeds() -> None:
    (row,) = compare.table(compare.sides(OURS))
    assert row["acc"]["mean"] == pytest.approx(0.85)
    assert row["acc"]["ci95"] == summary([0.8, 0.9], share=True)["ci95"]
    assert row["by_task"]["yelp"]["mean"] == pytest.approx(0.75)
    assert row["by_task"]["sst2"]["mean"] == pytest.approx(0.95)
    assert (row["n"], row["seconds"], row["trainable"], row["fwt"]["mean"]) == (2, 2.0, 10, None)


def test_frames_for_the_figures_leave_out_what_is_missing() -> None:
    found = compare.sides([*OURS, THEIRS[0], record("l2p", 1, None)])
    metrics = compare.metric_rows(found)
    counts = [(name, metric, n) for metric in ("acc", "bwt") for name, n in (("shlpt", 2), ("per_task", 1))]
    assert [tuple(row) for row in metrics[["method", "metric", "n"]].to_numpy()] == counts
    assert math.isnan(metrics["low"][1])  # one seed has no interval
    tasks = compare.task_rows(found)
    assert list(tasks["method"]) == ["shlpt", "shlpt", "per_task", "per_task"]
    assert list(tasks["mean"]) == pytest.approx([0.75, 0.95, 0.6, 0.8])


def test_lines_for_people_are_percent_and_points() -> None:
    lines = compare.for_people(compare.table(compare.sides([*THEIRS, record("l2p", 1, None)])))
    assert lines["ACC"][0] == pytest.approx(60)
    assert math.isnan(lines["ACC"][1])
    assert list(lines["seeds done"]) == ["3 of 3", "0 of 1"]


def test_matrices_and_curves_know_their_side() -> None:
    (side,) = compare.sides(OURS)
    assert compare.matrices(side).shape == (2, 2, 2)
    assert np.isnan(compare.matrices(side)[:, 0, 1]).all()
    assert compare.matrices(side)[1, 1] == pytest.approx([0.8, 1.0])
    found = compare.sides([*OURS, THEIRS[0]])
    frame = pd.DataFrame({"run": [THEIRS[0]["id"], OURS[1]["id"]], "epoch": [0, 0]})
    assert list(compare.named(frame, found)["method"]) == ["per_task", "shlpt"]


# --- two of them --------------------------------------------------------------------------
def test_differences_are_paired_by_seed() -> None:
    ours, theirs = compare.sides([*OURS, *THEIRS])
    rows = compare.seed_rows(ours, theirs)
    assert [row["seed"] for row in rows] == [1, 2]  # the third seed is on one side only
    assert [row["difference"] for row in rows] == pytest.approx([0.1, 0.3])
    found = compare.difference(ours, theirs)
    assert (found["n"], found["difference"]) == (2, pytest.approx(0.2))
    assert found["ci95"] == pytest.approx([0.2 - 12.7062 * 0.1, 0.2 + 12.7062 * 0.1], abs=1e-4)
    assert compare.difference(ours, theirs, "fwt") == {"n": 0, "difference": None, "ci95": None, "p": None}


def test_settings_and_tasks_apart() -> None:
    ours, theirs = compare.sides([*OURS, *THEIRS])
    assert compare.settings_apart(ours, theirs) == [
        {"setting": "method", "one": "shlpt", "other": "per_task"},
        {"setting": "threshold", "one": 0.06, "other": None},
    ]
    assert compare.settings_apart(ours, ours) == []
    one, other = compare.sides([THEIRS[0], THEIRS[0] | {"tasks": ["sst2", "yelp"]}])
    found = compare.differences(one, other)
    assert found["same_tasks"] is False
    assert found["settings"][0] == {"setting": "tasks", "one": "yelp → sst2", "other": "sst2 → yelp"}
    assert found["acc"]["seeds"][0]["difference"] == 0
