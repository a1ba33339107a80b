"""The command `surgery`: answers with other weights of the earlier prompts, as the Similarity page shows them."""

from typing import Annotated, Any

import typer

from shlpt.cli.options import ID_HELP, Csv, Device, Home, Json, Threads, set_threads
from shlpt.cli.report import errors, show


def surgery(
    run: Annotated[str, typer.Argument(help=f"{ID_HELP} Recorded runs work too.")],
    task: Annotated[str | None, typer.Option(help="A task of the run, except its first (default: the last).")] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(help="An earlier task whose prompt is taken out (repeatable); all: each of them."),
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option(help="An earlier task with the factor of its weight, 0 to 2, as yelp=0.5 (repeatable)."),
    ] = None,
    device: Device = "cpu",
    threads: Threads = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Answer a task's test texts with earlier prompts taken out of its prompt.

    SHLPT adds a mixture of earlier prompts to a task's own. Here the weights in this mixture are multiplied by factors
    and the test texts are answered again. Nothing is trained. Without --without and --scale, each earlier prompt is
    taken out in turn, and all of them.
    """
    from shlpt.analysis import surgery as pure
    from shlpt.results import frames, surgery, twins
    from shlpt.results.export import rows_of_frame

    set_threads(threads)
    store, id = twins.locate(run, home)
    mixed = surgery.mixture(store, id, task or frames.spec(store, id)["tasks"][-1], device)
    if said := surgery.reproduced(mixed):
        errors.print(f"warning: {said}", markup=False, soft_wrap=True)
    scaled = pure.factors(mixed.earlier, without or (), scale or ())
    about: dict[str, Any] = {"run": id, "task": mixed.task, "trained": False, "warnings": [said] if said else []}
    about["weights"] = dict(zip(mixed.earlier, mixed.weights, strict=True))
    if not (without or scale):
        rows = rows_of_frame(surgery.in_turn(mixed))
        show(
            rows,
            f"{mixed.task} without each earlier prompt",
            as_json=json,
            as_csv=csv,
            document=about | {"rows": rows, "notes": [pure.UNCORRECTED]},
        )
        return
    found = surgery.operate(mixed, scaled)
    rows = rows_of_frame(found.changed)
    document = about | {"factors": scaled, **found.effect, "changed": rows, "notes": [pure.said(found.effect)]}
    title = f"changed answers of {mixed.task}, with {', '.join(pure.asked(scaled)) or 'the weights of the training'}"
    show(rows, title, as_json=json, as_csv=csv, document=document)
