"""`python -m shlpt runs …`: look at runs, stop them, go on with them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli.options import Csv, Home, Json
from shlpt.store.find import find_run

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What is stored: look, stop, go on, delete.")

Ids = Annotated[list[str], typer.Argument(help="Ids of runs, or how they begin.")]
Id = Annotated[str, typer.Argument(help="The id of a run, or how it begins.")]


def opened(home: Path | None, ids: list[str]) -> Any:
    """The store in which these runs are looked for."""
    from shlpt.cli.report import no_store
    from shlpt.errors import UserError
    from shlpt.store.store import Store

    store = Store(home)
    found = store.there()
    if found is None:
        raise UserError(f"unknown run {ids[0]!r}: {no_store(store.home)}" if ids else no_store(store.home))
    return found


@app.command("list", epilog="Example: python -m shlpt runs list --json")
def list_runs(home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Every run in a line, the newest first."""
    from shlpt.cli.report import errors, no_store, show
    from shlpt.results.export import rows_of_frame
    from shlpt.results.frames import runs
    from shlpt.store.store import Store

    store = Store(home)
    found = store.there()
    if found is None:
        errors.print(no_store(store.home), markup=False, soft_wrap=True)
    rows = rows_of_frame(runs(found)) if found is not None else []
    short = [{k: v for k, v in row.items() if k not in ("backbone", "created", "note", "experiment")} for row in rows]
    show(short, "runs", as_json=json, as_csv=csv, document={"runs": rows})


@app.command(epilog="Example: python -m shlpt runs show r1a2b3c --json")
def show(id: Id, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """One run: state, progress, worker, accuracy matrix, settings."""
    from shlpt.cli.report import print_table
    from shlpt.cli.report import show as say
    from shlpt.results import frames
    from shlpt.results.export import rows_of_frame

    store = opened(home, [id])
    record = frames.run(store, id)
    keys = ("id", "method", "seed", "state", "progress", "acc", "bwt", "fwt", "error", "warnings")
    say([{key: record[key] for key in keys}], "run", as_json=json, as_csv=csv, document=record)
    if not json and not csv:
        frame = frames.stages(store, record["id"]).drop(columns=["key", "planned_steps"])
        print_table(rows_of_frame(frame), "\nstages")


def change(ids: list[str], home: Path | None, json: bool, csv: bool, act: str, **options: Any) -> None:
    from shlpt.cli.report import errors
    from shlpt.cli.report import show as say
    from shlpt.queue import control
    from shlpt.results import frames

    store = opened(home, ids)
    runs = [find_run(store, id) for id in ids]
    before = {run: frames.marker(store, [run]) for run in runs}
    getattr(control, act)(store, runs, **options)
    same = [run for run in before if frames.marker(store, [run]) == before[run]]
    if act != "stop":  # a worker that holds what is paused does not serve the others
        from shlpt.queue.launch import ensure_worker

        ensure_worker(store)
    rows = [{key: frames.run(store, run)[key] for key in ("id", "state", "progress")} for run in runs]
    for row in rows:
        if row["id"] in same:
            errors.print(f"run {row['id']} is {row['state']}: {act} changed nothing", markup=False, soft_wrap=True)
    say(rows, act, as_json=json, as_csv=csv, document={"runs": rows})


@app.command(epilog="Example: python -m shlpt runs stop r1a2b3c")
def stop(ids: Ids, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Keep what is finished and the best prompt so far. Seeds that train together stop together."""
    change(ids, home, json, csv, "stop")


@app.command(epilog="Example: python -m shlpt runs pause r1a2b3c")
def pause(ids: Ids, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Hold where it is, until `resume` or `step`."""
    change(ids, home, json, csv, "pause")


@app.command(epilog="Example: python -m shlpt runs step r1a2b3c --by epoch")
def step(
    ids: Ids,
    by: Annotated[str, typer.Option(help="batch, epoch or task.")] = "batch",
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Advance by a batch, an epoch or a task, and hold again."""
    change(ids, home, json, csv, "step", unit=by)


@app.command(epilog="Example: python -m shlpt runs resume r1a2b3c")
def resume(ids: Ids, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Go on with what is paused, stopped or lost, and try again what failed; a worker is started if none lives."""
    change(ids, home, json, csv, "resume")


@app.command(epilog="Example: python -m shlpt runs delete r1a2b3c --force")
def delete(
    ids: Ids,
    force: Annotated[bool, typer.Option("--force", help="Also while it is running.")] = False,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Delete runs, and stages that no other run uses."""
    from shlpt.cli.report import show as say
    from shlpt.queue import control

    store = opened(home, ids)
    runs = [find_run(store, id) for id in ids]
    control.delete(store, runs, force)
    say([{"deleted": run} for run in runs], "runs", as_json=json, as_csv=csv, document={"deleted": runs})


@app.command(epilog="Example: python -m shlpt runs watch r1a2b3c")
def watch(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of runs (default: all that are not over).")] = None,
    every: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds between looks.")] = 1.0,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Follow runs until they are over: with --json, one line whenever something changed."""
    import sys
    from json import dumps

    from shlpt.cli.report import Bar, write_csv
    from shlpt.results import frames
    from shlpt.results.record import over
    from shlpt.store.find import find_run

    store = opened(home, ids or [])
    frame = frames.runs(store)
    chosen = [find_run(store, id) for id in ids or []] or list(frame["id"][~frame["state"].isin(over(store))])
    before: Any = None
    with Bar("watching", quiet=json or csv) as bar:
        while chosen:
            records = [frames.run(store, id) for id in chosen]
            rows = [{key: r[key] for key in ("id", "state", "progress", "acc", "error")} for r in records]
            if rows != before and json:
                print(dumps({"runs": rows}), flush=True)
            if rows != before and csv:
                write_csv(rows)
                sys.stdout.flush()
            before = rows
            states = {row["state"] for row in rows}
            bar(sum(row["progress"] for row in rows) / len(rows), ", ".join(sorted(states)))
            if states <= over(store):
                break
            time.sleep(every)
    if not json and not csv:
        from shlpt.cli.report import print_table

        print_table(before or [], "runs")
