"""`python -m shlpt runs …`: list, inspect and control runs."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli.options import ID_HELP, IDS_HELP, Csv, Home, Json
from shlpt.cli.report import Bar, errors, no_store, print_table, write_csv
from shlpt.cli.report import show as say
from shlpt.errors import UserError
from shlpt.results.export import rows_of_frame
from shlpt.store.find import find_run
from shlpt.store.store import Store

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, inspect, control and delete runs.")

Ids = Annotated[list[str], typer.Argument(help=IDS_HELP)]
Id = Annotated[str, typer.Argument(help=ID_HELP)]


def opened(home: Path | None, ids: list[str]) -> Any:
    """The visitor's store, which should hold these runs."""
    from shlpt.results.recorded import refuse_recorded

    for id in ids:
        refuse_recorded(id)
    store = Store(home)
    found = store.there()
    if found is None:
        raise UserError(f"unknown run {ids[0]!r}: {no_store(store.home)}" if ids else no_store(store.home))
    return found


@app.command("list", epilog="Example: python -m shlpt runs list --json")
def list_runs(
    recorded: Annotated[bool, typer.Option("--recorded", help="List the runs that came with the program.")] = False,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List your runs, the newest first."""
    from shlpt.results import listing
    from shlpt.results.frames import runs
    from shlpt.results.recorded import recorded as with_program

    store = Store(home)
    others, found = with_program(), store.there()
    found = others if recorded else found
    if found is None:
        errors.print(no_store(store.home), markup=False, soft_wrap=True)
    rows = rows_of_frame(runs(found)) if found is not None else []
    say(listing.short(rows), "runs", as_json=json, as_csv=csv, document={"runs": rows})
    if others is not None and not recorded:
        count = others.value("SELECT count(*) FROM runs")
        errors.print(f"{count} recorded runs came with the program: `runs list --recorded`", markup=False)


@app.command(epilog="Example: python -m shlpt runs show r1a2b3c --json")
def show(id: Id, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Show one run: state, progress, scores, stages, and for each later task whether its history helped.

    Says of each task that is not above chance why, and what to try. With --json also the settings, the accuracy matrix,
    the worker, and the numbers behind that.
    """
    from shlpt.results import cockpit, frames, health
    from shlpt.results.further import further
    from shlpt.results.twins import locate
    from shlpt.results.verdicts import verdicts
    from shlpt.results.weights import remark

    store, id = locate(id, home)
    record = frames.run(store, id)
    judged = verdicts(store, [record["id"]])
    more, well = rows_of_frame(further(store, record["id"])), health.health(store, record["id"])
    keys = ("id", "method", "seed", "state", "progress", "acc", "bwt", "fwt", "error", "warnings")
    row = {key: record[key] for key in keys} | {"remark": remark(record)}
    document = record | {"further": more, "health": rows_of_frame(well), "verdict": [one.to_json() for one in judged]}
    document |= cockpit.in_short(store, record["id"])
    say([row], "run", as_json=json, as_csv=csv, document=document)
    if not json and not csv:
        if more:
            print_table(more, "\nfurther measures")
        frame = frames.stages(store, record["id"]).drop(columns=["key", "planned_steps"])
        print_table(rows_of_frame(frame), "\nstages")
        for sentence in ("", *(one.sentence for one in judged if one.after is not None)):
            print(sentence)
        for sentence in health.said(well):
            errors.print(sentence, markup=False, soft_wrap=True)


def change(ids: list[str], home: Path | None, json: bool, csv: bool, act: str, **options: Any) -> None:
    from shlpt.queue import control
    from shlpt.results import frames

    store = opened(home, ids)
    runs = [find_run(store, id) for id in ids]
    before = {run: frames.marker(store, [run]) for run in runs}
    getattr(control, act)(store, runs, **options)
    same = [run for run in before if frames.marker(store, [run]) == before[run]]
    if act != "stop":  # a worker that waits at a paused group does not serve others
        from shlpt.queue.launch import ensure_worker

        ensure_worker(store)
    rows = [{key: frames.run(store, run)[key] for key in ("id", "state", "progress")} for run in runs]
    for row in rows:
        if row["id"] in same:
            errors.print(f"run {row['id']} is {row['state']}: {act} has no effect", markup=False, soft_wrap=True)
    say(rows, act, as_json=json, as_csv=csv, document={"runs": rows})


@app.command(epilog="Example: python -m shlpt runs stop r1a2b3c")
def stop(ids: Ids, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Stop runs; finished tasks and checkpoints are kept.

    Runs that train together (lanes of one group, such as the seeds of one command) stop together. `runs resume`
    continues from the newest checkpoint.
    """
    change(ids, home, json, csv, "stop")


@app.command(epilog="Example: python -m shlpt runs pause r1a2b3c")
def pause(ids: Ids, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Pause runs until `runs resume` or `runs step`.

    Runs that train together pause together.
    """
    change(ids, home, json, csv, "pause")


@app.command(epilog="Example: python -m shlpt runs step r1a2b3c --by epoch")
def step(
    ids: Ids,
    by: Annotated[str, typer.Option(help="How far to advance: a batch, an epoch or a task.")] = "batch",
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Advance runs by one batch, epoch or task, then pause."""
    change(ids, home, json, csv, "step", unit=by)


@app.command(epilog="Example: python -m shlpt runs resume r1a2b3c")
def resume(ids: Ids, home: Home = None, json: Json = False, csv: Csv = False) -> None:
    """Resume paused, stopped, lost or failed runs.

    Training resumes from the newest checkpoint. A worker is started if none is running.
    """
    change(ids, home, json, csv, "resume")


@app.command(epilog="Example: python -m shlpt runs again r1a2b3c --same")
def again(
    ids: Ids,
    same: Annotated[bool, typer.Option("--same", help="With the same seed: train all of it again.")] = False,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Train runs once more, with the next seed or with the same. Recorded runs can be named too.

    The runs are queued, and a worker is started if none is running. With the same seed the results are the same.
    """
    from shlpt.queue.launch import ensure_worker
    from shlpt.queue.submit import again as plans_again
    from shlpt.queue.submit import submit
    from shlpt.results import frames
    from shlpt.results.twins import locate

    specs = [frames.run_spec(*locate(id, home)) for id in ids]
    store = Store(home).open()
    sent = submit(store, plans_again(store, specs, same=same))
    ensure_worker(store)
    rows = [{"id": spec.id, "method": spec.method, "seed": spec.seed} for spec in sent.specs]
    say(rows, "queued", as_json=json, as_csv=csv, document={"runs": rows})


@app.command(epilog="Example: python -m shlpt runs delete r1a2b3c --force")
def delete(
    ids: Ids,
    force: Annotated[bool, typer.Option("--force", help="Delete runs even while they are training.")] = False,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Delete runs and their results.

    Trained stages that other runs share are kept.
    """
    from shlpt.queue import control

    store = opened(home, ids)
    runs = [find_run(store, id) for id in ids]
    control.delete(store, runs, force)
    say([{"deleted": run} for run in runs], "runs", as_json=json, as_csv=csv, document={"deleted": runs})


@app.command(epilog="Example: python -m shlpt runs watch r1a2b3c")
def watch(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of runs (default: all unfinished runs).")] = None,
    every: Annotated[float, typer.Option(min=0.1, max=60, help="Seconds between updates.")] = 1.0,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Follow the progress of runs until they end, and say whether their history helped.

    With --json, prints one line for each change; the last one has the verdicts.
    """
    import sys
    from json import dumps

    from shlpt.results import frames
    from shlpt.results.record import over
    from shlpt.results.verdicts import verdicts

    store = opened(home, ids or [])
    frame = frames.runs(store)
    chosen = [find_run(store, id) for id in ids or []] or list(frame["id"][~frame["state"].isin(over(store))])
    before: Any = None
    judged: dict[str, Any] = {}
    with Bar("watching", quiet=json or csv) as bar:
        while chosen:
            records = [frames.run(store, id) for id in chosen]
            rows = [{key: r[key] for key in ("id", "state", "progress", "acc", "error")} for r in records]
            states = {row["state"] for row in rows}
            if states <= over(store):
                judged = {row["id"]: verdicts(store, [row["id"]]) for row in rows}
            if rows != before and json:
                said = {"verdict": {id: [one.to_json() for one in mine] for id, mine in judged.items()}}
                print(dumps({"runs": rows} | (said if judged else {})), flush=True)
            if rows != before and csv:
                write_csv(rows)
                sys.stdout.flush()
            before = rows
            bar(sum(row["progress"] for row in rows) / len(rows), ", ".join(sorted(states)))
            if states <= over(store):
                break
            time.sleep(every)
    if not json and not csv:
        print_table(before or [], "runs")
        for id, mine in judged.items():
            for one in mine:
                print(f"{id}: {one.sentence}")
