"""The command `route`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shlpt.analysis.points import points, spread
from shlpt.catalog import METHODS
from shlpt.catalog.routers import ROUTERS, routers_of
from shlpt.cli.compare import chosen
from shlpt.cli.options import IDS_HELP, Csv, Device, Home, Json, Threads, set_threads
from shlpt.cli.report import Bar, print_table, show
from shlpt.errors import UserError, unknown
from shlpt.results.rows import numbers

if TYPE_CHECKING:
    from shlpt.analysis.compare import Side
    from shlpt.analysis.routing import Found

ABOUT = "; ".join(f"{name}: {about}" for name, about in ROUTERS.items())


def route(
    ids: Annotated[list[str] | None, typer.Argument(help=f"{IDS_HELP} Recorded runs can be named too.")] = None,
    experiment: Annotated[
        str | None, typer.Option(help="Id or name of an experiment: its finished runs of several tasks.")
    ] = None,
    router: Annotated[
        str, typer.Option(help=f"How a prompt is chosen, separated by commas, or all that suit. {ABOUT}.")
    ] = "all",
    device: Device = "cpu",
    threads: Threads = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Answer test texts without being told their task.

    A router chooses from the text whose prompt answers it. Shows accuracy with the task given and without, the gap, and
    which tasks are mistaken for which. Stored prompts answer, nothing is retrained; what was measured once is reused.
    """
    from shlpt.analysis import routing
    from shlpt.analysis.compare import sides

    named = _routers(router)
    set_threads(threads)
    labels, pairs = chosen(ids or [], experiment, home)
    strict = experiment is None and router != "all"
    jobs = [
        (store, record, name)
        for store, record in pairs
        for name in (named if strict else routers_of(record["method"]))
        if name in named and METHODS[record["method"]].is_told_the_task and (ids or _suits(record))
    ]
    found, compared = _measured(jobs, device), sides([record for _, record in pairs], labels)
    rows = routing.rows(compared, found)
    if not rows:
        raise UserError("nothing to measure: this needs a finished run of several tasks (see `runs list`)")
    matrices = _matrices(compared, rows, found)
    document = {"rows": rows, "matrices": matrices, "routers": {name: ROUTERS[name] for name in named}}
    lines = [(_flat if csv else _line)(row) for row in rows]
    show(lines, "answers without being told the task", as_json=json, as_csv=csv, document=document)
    if len(matrices) == 1 and not json and not csv:
        tasks, shares = matrices[0]["tasks"], matrices[0]["matrix"]
        table = [
            {"texts of": task} | dict(zip(tasks, map(points, line), strict=True))
            for task, line in zip(tasks, shares, strict=True)
        ]
        print_table(table, "\ntexts of a task that the prompt of each task answers, in percent")


def _matrices(compared: list[Side], rows: list[dict[str, Any]], found: Found) -> list[dict[str, Any]]:
    """Who is mistaken for whom, for each row that was measured."""
    from shlpt.analysis.routing import matrix
    from shlpt.plots.confusion import numbers as mistaken

    of, lines = {side.name: side for side in compared}, []
    for row in rows:
        side = of[row["side"]]
        shares = matrix(side, row["router"], found)
        if shares is not None:
            about = {"side": side.name, "router": row["router"], "tasks": side.tasks, "matrix": shares.tolist()}
            lines.append(about | {"mistaken": mistaken(shares, side.tasks).to_dict("records")})
    return lines


def _routers(text: str) -> list[str]:
    names = [part.strip() for part in text.split(",") if part.strip()]
    if names == ["all"]:
        return list(ROUTERS)
    for name in names:
        if name not in ROUTERS:
            raise unknown("router", name, [*ROUTERS, "all"])
    if not names:
        raise UserError(f"no router given: write all, or names separated by commas. Known: {', '.join(ROUTERS)}")
    return list(dict.fromkeys(names))


def _suits(record: Mapping[str, Any]) -> bool:
    return record["state"] == "done" and len(record["tasks"]) > 1


def _measured(jobs: list[Any], device: str) -> dict[str, dict[str, Any]]:
    """Run -> router -> its test texts."""
    from shlpt.results.routing import measure

    found: dict[str, dict[str, Any]] = {}
    with Bar("routing") as bar:
        for number, (store, record, name) in enumerate(jobs):

            def watch(share: float, done: int = number, label: str = f"{record['method']} by {name}") -> None:
                bar((done + share) / len(jobs), label)

            found.setdefault(record["id"], {})[name] = measure(store, record["id"], name, device, watch)
    return found


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    """For people, in percentage points."""
    about = {"name": row["side"], "router": row["router"], "seeds": row["seeds"]}
    heads = {"told": "told the task", "untold": "not told", "gap": "gap", "right": "sent rightly (%)"}
    return about | {heads[name]: spread(row[name]) for name in heads}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: row[key] for key in ("side", "method", "router", "seeds")}
    for name in ("told", "untold", "gap", "right"):
        found |= numbers(name, row[name])
    return found
