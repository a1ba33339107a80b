"""Runs, stages and workers as tables for people. Pure; no torch."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from shlpt.catalog import METHODS
from shlpt.results.weights import remark


def matching(
    frame: pd.DataFrame,
    text: str = "",
    methods: Collection[str] = (),
    states: Collection[str] = (),
    recorded: bool | None = None,
) -> pd.DataFrame:
    """Runs with every word of `text` in id, name, note, method, tasks or experiment; empty filters match all."""
    rows = frame
    if methods:
        rows = rows[rows["method"].isin(list(methods))]
    if states:
        rows = rows[rows["state"].isin(list(states))]
    if recorded is not None and "recorded" in rows:
        rows = rows[rows["recorded"].astype(bool) == recorded]
    for word in text.lower().split():
        rows = rows[[word in _words(line) for line in rows.to_dict("records")]]
    return rows.reset_index(drop=True)


def _words(line: dict[str, object]) -> str:
    tasks = line["tasks"]
    parts = [line["id"], line["name"], line["note"], line["method"], line["experiment"], f"seed {line['seed']}"]
    return " ".join([*map(str, filter(None, parts)), *(tasks if isinstance(tasks, list) else [])]).lower()


HIDDEN = ("backbone", "weights", "older", "created", "note", "experiment", "recorded")


def short(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Runs as the command line and the pages export them: shares from 0 to 1, one row per run."""
    return [{k: v for k, v in row.items() if k not in HIDDEN} | {"remark": remark(row)} for row in rows]


def for_people(rows: pd.DataFrame) -> pd.DataFrame:
    """Readable columns: titles of methods, tasks in one line, dates, ACC in %, BWT and FWT in points."""
    return pd.DataFrame(
        {
            "name": rows["name"],
            "state": rows["state"].where(~rows["recorded"].astype(bool), "recorded"),
            "progress": rows["progress"].astype(float),
            "method": [METHODS[name].title for name in rows["method"]],
            "tasks": [" → ".join(tasks) for tasks in rows["tasks"]],
            "seed": rows["seed"].astype(int).astype(str),
            "ACC": 100 * rows["acc"].astype(float),
            "BWT": 100 * rows["bwt"].astype(float),
            "FWT": 100 * rows["fwt"].astype(float),
            "note": ["; ".join(filter(None, (remark(line), line["note"]))) for line in rows.to_dict("records")],
            "experiment": rows["experiment"].fillna(""),
            "created": pd.to_datetime(rows["created"].astype(float), unit="s", utc=True),
            "id": rows["id"],
        }
    )


def stages_for_people(rows: pd.DataFrame) -> pd.DataFrame:
    """The stages of a run, in the order in which they are learned."""
    if rows.empty:
        return rows
    return pd.DataFrame(
        {
            "task": rows["task"],
            "alone": rows["alone"].map({True: "alone", False: ""}),
            "state": rows["state"],
            "reused": rows["reused"].map({True: "reused", False: ""}),
            "steps": rows["steps"].astype("Int64"),
            "planned steps": rows["planned_steps"].astype("Int64"),
            "best validation": rows["validation"].astype(float).round(3),
            "seconds": rows["seconds"].astype(float).round(1),
            "trained parameters": rows["trainable"].astype("Int64"),
            "remark": rows["note"].fillna(""),
        }
    )


def workers_for_people(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "worker": rows["id"],
            "state": rows["alive"].map({True: "alive", False: "gone"}),
            "device": rows["device"],
            "host": rows["host"],
            "process": rows["pid"].astype(str),
            "heartbeats": rows["beat"].astype(int),
            "started": pd.to_datetime(rows["started"].astype(float), unit="s", utc=True),
        }
    )
