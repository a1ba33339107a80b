"""The command `compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli.options import Csv, Home, Json
from shlpt.errors import UserError


def compare(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of runs, or how they begin.")] = None,
    experiment: Annotated[str | None, typer.Option(help="All runs of an experiment: its id or name.")] = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Runs side by side: ACC, BWT, FWT with intervals, settings that differ, differences seed by seed."""
    from shlpt.analysis import compare as side_by_side
    from shlpt.cli.report import print_table, show

    labels, records = chosen(ids or [], experiment, home)
    found = side_by_side.sides(records, labels)
    rows = side_by_side.table(found)
    apart = [side_by_side.differences(side, found[0]) for side in found[1:]]
    document = {"sides": rows, "same_tasks": side_by_side.same_tasks(found), "differences": apart}
    show([short(row) for row in rows], "side by side", as_json=json, as_csv=csv, document=document)
    if not json and not csv:
        if len(apart) == 1:  # of more, the document has them
            print_table(named(apart[0]), "\nsettings that differ")
        print_table([line(row) for row in apart], f"\ndifference from {found[0].name}, seed by seed")


def chosen(ids: list[str], experiment: str | None, home: Path | None) -> tuple[list[str] | None, list[dict[str, Any]]]:
    """The runs, and their labels where an experiment has given them some."""
    from shlpt.cli.report import no_store
    from shlpt.results import experiments, frames
    from shlpt.store.find import find_run
    from shlpt.store.store import Store

    if bool(ids) == bool(experiment):
        raise UserError(
            "say what to compare: either ids of runs or --experiment NAME (one of the two), see `runs list`"
        )
    store = Store(home).there()
    if store is None:
        raise UserError(no_store(Store(home).home))
    if experiment:
        pairs = experiments.labelled(store, experiments.find_with_runs(store, experiment)["id"])
        return [label for label, _ in pairs], [record for _, record in pairs]
    return None, [frames.run(store, id) for id in dict.fromkeys(find_run(store, id) for id in ids)]


def named(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Settings that differ, in a column for each side."""
    return [{"setting": s["setting"], row["one"]: s["one"], row["other"]: s["other"]} for s in row["settings"]]


def short(row: dict[str, Any]) -> dict[str, Any]:
    """A side in a line."""
    means = {metric: row[metric]["mean"] for metric in ("acc", "bwt", "fwt")}
    return {"name": row["name"], "n": row["n"], **means, "acc 95 %": ends(row["acc"]["ci95"]), "tasks": row["tasks"]}


def line(row: dict[str, Any]) -> dict[str, Any]:
    """What one side has more than the first: points of a hundred, and their interval."""
    acc = row["acc"]
    points = None if acc["difference"] is None else 100 * acc["difference"]
    return {
        "name": row["one"],
        "seeds": acc["n"],
        "ACC (points)": points,
        "95 %": ends(acc["ci95"], 100),
        "p": acc["p"],
    }


def ends(interval: Any, scale: float = 1) -> str | None:
    return None if interval is None else f"{scale * interval[0]:+.3g} … {scale * interval[1]:+.3g}"
