"""The command `compare`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli.options import IDS_HELP, Csv, Home, Json
from shlpt.cli.report import print_table, show
from shlpt.cli.runs import opened
from shlpt.errors import UserError
from shlpt.store.store import Store


def compare(
    ids: Annotated[list[str] | None, typer.Argument(help=f"{IDS_HELP} Recorded runs can be named too.")] = None,
    experiment: Annotated[str | None, typer.Option(help="Id or name of an experiment: compare all its runs.")] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Print the table of scores for LaTeX (booktabs).")] = False,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Compare runs: scores, settings and paired differences.

    Shows accuracy (ACC), backward transfer (BWT) and forward transfer (FWT) with 95 % intervals, the settings that
    differ, and how far each is from the first, paired by seed. Runs that differ only in the seed count as one.
    """
    from shlpt.analysis import compare as side_by_side

    labels, pairs = chosen(ids or [], experiment, home)
    found = side_by_side.sides([record for _, record in pairs], labels)
    rows = side_by_side.table(found)
    if latex:
        from shlpt.sharing import tables

        print(tables.latex(tables.sides(rows), f"{tables.OVER_SEEDS}. {tables.ABOUT}"), end="")
        return
    apart = [side_by_side.differences(side, found[0]) for side in found[1:]]
    document = {"sides": rows, "same_tasks": side_by_side.same_tasks(found), "differences": apart}
    if len(found) == 2:
        from shlpt.results.paired import compared

        answered, needed = compared(found[1], found[0], {record["id"]: store for store, record in pairs})
        document |= {"answers": answered, "power": needed}
    show([short(row) for row in rows], "side by side", as_json=json, as_csv=csv, document=document)
    if not json and not csv:
        if len(apart) == 1:  # with more than two sides, see --json
            print_table(named(apart[0]), "\nsettings that differ")
        print_table([line(row) for row in apart], f"\ndifference from {found[0].name}, paired by seed")
        if len(apart) == 1 and answered:
            title = f"\nthe same test examples, answer by answer: {found[1].name} minus {found[0].name}"
            print_table([example_line(task, row) for task, row in answered.items()], title)
            print(needed)


def chosen(
    ids: list[str], experiment: str | None, home: Path | None
) -> tuple[list[str] | None, Sequence[tuple[Store, Mapping[str, Any]]]]:
    """The runs with their stores, and their labels if they come from an experiment."""
    from shlpt.results import experiments, frames
    from shlpt.results.twins import locate

    if bool(ids) == bool(experiment):
        raise UserError("name what to compare: either run ids (see `runs list`) or --experiment NAME, not both")
    if experiment:
        store = opened(home, [])
        where, study = experiments.locate_with_runs(store, experiment)
        pairs = experiments.labelled(where, study["id"])
        return [label for label, _ in pairs], [(where, record) for _, record in pairs]
    found = {id: store for store, id in (locate(id, home) for id in ids)}
    return None, [(store, frames.run(store, id)) for id, store in found.items()]


def named(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings that differ, with a column for each side."""
    return [{"setting": s["setting"], row["one"]: s["one"], row["other"]: s["other"]} for s in row["settings"]]


def short(row: dict[str, Any]) -> dict[str, Any]:
    """One side as a row."""
    means = {metric: row[metric]["mean"] for metric in ("acc", "bwt", "fwt")}
    return {"name": row["name"], "n": row["n"], **means, "acc 95 %": ends(row["acc"]["ci95"]), "tasks": row["tasks"]}


def line(row: dict[str, Any]) -> dict[str, Any]:
    """The difference of one side from the first, in percentage points, with its interval."""
    acc = row["acc"]
    points = None if acc["difference"] is None else 100 * acc["difference"]
    interval = ends(acc["ci95"], 100)
    return {"name": row["one"], "seeds": acc["n"], "ACC (points)": points, "95 %": interval, "p": acc["p"]}


def example_line(task: str, row: Any) -> dict[str, Any]:
    """A task's answers on both sides, as a row."""
    points = None if row["difference"] is None else 100 * row["difference"]
    counts = {"examples": row["examples"], "seeds": row["seeds"], "only this": row["first"], "only that": row["second"]}
    about = {"difference (points)": points, "95 %": ends(row["ci95"], 100), "p": row["p"], "test": row["test"]}
    return {"task": task} | counts | about


def ends(interval: Any, scale: float = 1) -> str | None:
    return None if interval is None else f"{scale * interval[0]:+.3g} … {scale * interval[1]:+.3g}"
