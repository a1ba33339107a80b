"""The command `steps`: the training of a task one batch at a time, as the Live page shows it."""

from typing import Annotated, Any

import typer

from shlpt.cli.options import ID_HELP, Csv, Device, Home, Json, Threads, set_threads
from shlpt.cli.report import Bar, show


def steps(
    run: Annotated[str, typer.Argument(help=f"{ID_HELP} Recorded runs work too.")],
    task: Annotated[str | None, typer.Option(help="A task of the run (default: the last that can be stepped).")] = None,
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of steps, from the initial prompt.")] = 10,
    device: Device = "cpu",
    threads: Threads = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Train a task of a run again, one batch at a time, and say what each step does.

    Starts from the same initial prompt as the run and trains on the same batches. Each step shows the loss, α, answers
    and distances of the prompt before and after it. Nothing is stored.
    """
    from shlpt.analysis.steps import as_brief_row, as_document, as_row, said
    from shlpt.results import stepping, twins

    set_threads(threads)
    store, id = twins.locate(run, home)
    walked = stepping.walk(store, id, task or stepping.last_task(store, id), device)
    with Bar("stepping") as bar:
        for number in range(1, count + 1):
            found = walked.to(number)
            bar(len(found) / count)
            if len(found) < number:
                break
    notes = [*said(found[-1], walked.about), stepping.in_run(store, walked, found)]
    if len(found) < count:
        notes.append(f"The run takes {len(found)} steps for this task, not {count}.")
    document: dict[str, Any] = {"run": id, "task": walked.about.task, "stored": False}
    document |= {"steps": [as_document(step, walked.about) for step in found], "notes": notes}
    rows = [(as_row if csv else as_brief_row)(step, walked.about) for step in found]
    title = f"{walked.about.task}, step by step; below the table: step {found[-1].number}"
    show(rows, title, as_json=json, as_csv=csv, document=document)
