"""The commands `alpha` and `activations`: what the pages that look inside show."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from shlpt.cli.options import Csv, Home, Json
from shlpt.errors import UserError

app = typer.Typer(rich_markup_mode=None)

Id = Annotated[str, typer.Argument(help="The id of a run, or how it begins; recorded runs too.")]


@app.command(epilog="Example: python -m shlpt alpha r1a2b3c rte --text 'the food was superb .' --json")
def alpha(
    run: Id,
    task: Annotated[str, typer.Argument(help="A task of the run that is not its first.")],
    text: Annotated[str | None, typer.Option(help="Any text: its α by the stored estimator, and its words.")] = None,
    example: Annotated[str | None, typer.Option(help="A training text by its id: its nearest and farthest.")] = None,
    threshold: Annotated[float | None, typer.Option(min=0, help="δ, by default that of the run.")] = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """How similar a text, or every training text, is to each earlier task, and what δ makes of it."""
    from shlpt.cli.report import show
    from shlpt.results import frames, twins

    if text is not None and example is not None:
        raise UserError("give a text with --text or a training text with --example, not both")
    store, id = twins.locate(run, home)
    spec = frames.spec(store, id)
    delta = spec["settings"].get("threshold", 0.0) if threshold is None else threshold
    about: dict[str, Any] = {"run": id, "task": task, "threshold": delta}
    if text is not None:
        rows, document = _of_text(store, id, task, text, delta)
    elif example is not None:
        rows, document = _of_example(store, id, task, example)
    else:
        rows, document = _of_task(store, id, task, delta)
    show(rows, f"α of {task} (δ = {delta:g})", as_json=json, as_csv=csv, document=about | document)


def _of_text(store: Any, id: str, task: str, text: str, delta: float) -> tuple[list[Any], dict[str, Any]]:
    from shlpt.results import lens

    reading = lens.read(store, id, task, text)
    words = reading.words.pivot(index=["place", "word"], columns="earlier", values="weight").reset_index()
    rows = reading.alpha.assign(similar=reading.alpha["alpha"] > delta).to_dict("records")
    return rows, {
        "text": text,
        "alpha": {row["earlier"]: row["alpha"] for row in rows},
        "similar": [row["earlier"] for row in rows if row["similar"]],
        "estimator": "as stored (best epoch)",
        "temperature": reading.temperature,
        "cut": reading.is_cut,
        "words": words.to_dict("records"),
    }


def _frame(store: Any, id: str, task: str) -> Any:
    from shlpt.errors import unknown
    from shlpt.results import frames

    tasks = frames.spec(store, id)["tasks"]
    if task not in tasks:
        raise unknown("task of this run", task, tasks)
    frame = frames.alphas(store, id, task)
    if frame.empty:
        raise UserError(
            f"no α is stored for {task} in run {id}: it is the first task, is not learned yet, or the method "
            "knows no similarity (shlpt and its bounds do)"
        )
    return frame


def _of_task(store: Any, id: str, task: str, delta: float) -> tuple[list[Any], dict[str, Any]]:
    from shlpt.analysis import partition

    frame = _frame(store, id, task)
    rows = partition.divide(frame, delta).to_dict("records")
    vacuous = partition.vacuous(frame, delta)
    document = {"examples": frame["example"].nunique(), "earlier": rows, "vacuous": vacuous or None}
    instances = [
        {
            "example": e,
            "target": mine["target"].iloc[0],
            "alpha": dict(zip(mine["earlier"], mine["alpha"], strict=True)),
        }
        for e, mine in frame.groupby("example", sort=False)
    ]
    return rows, document | {"retrained": False, "alpha": "as last seen in training", "instances": instances}


def _of_example(store: Any, id: str, task: str, example: str) -> tuple[list[Any], dict[str, Any]]:
    from shlpt.analysis import partition

    frame = _frame(store, id, task)
    mine = frame[frame["example"] == example]
    if mine.empty:
        first = frame["example"].iloc[0]
        raise UserError(f"no training text {example!r} in {task}: ids look like {first!r} (the page lists them)")
    rows = partition.neighbours(frame, example).to_dict("records")
    given = dict(zip(mine["earlier"], mine["alpha"], strict=True))
    return rows, {"example": example, "text": mine["text"].iloc[0], "alpha": given, "neighbours": rows}


@app.command(epilog="Example: python -m shlpt activations r1a2b3c --measure jaccard --json")
def activations(
    run: Id,
    other: Annotated[str | None, typer.Option(help="A run to compare with (default: the same without ASC).")] = None,
    layer: Annotated[int | None, typer.Option(min=1, help="Decoder layer from 1 (default: the last).")] = None,
    measure: Annotated[str, typer.Option(help="cosine of states, or jaccard overlap of their signs.")] = "cosine",
    neurons: Annotated[str | None, typer.Option(help="Two tasks with a comma: neurons that differ most.")] = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="How many neurons.")] = 12,
    by: Annotated[str, typer.Option(help="Neurons by difference, or active most often.")] = "difference",
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """How alike the activation states of the tasks' prompts are, beside a run with or without ASC."""
    from shlpt.cli.report import show
    from shlpt.plots import activation_map
    from shlpt.results import frames, twins

    store, id = twins.locate(run, home)
    probe = frames.probe(store, id)
    if not probe:
        raise UserError(f"run {id} has no activation states: no task is learned yet, or its method keeps no prompts")
    found = twins.activation_map(probe, layer, measure)
    document: dict[str, Any] = {
        "run": id,
        "measure": measure,
        "layer": found.layer,
        "layers": found.layers,
        "tasks": found.tasks,
        "matrix": found.matrix.tolist(),
        "pairs": activation_map.numbers(found.matrix),
    }
    place = (store, other) if other is None else twins.locate(other, home)
    against = twins.twin_in(store, id) if other is None else place[1]
    if against is not None:
        beside = twins.activation_map(frames.probe(place[0], against), found.layer, measure)
        difference = twins.minus(found, beside)
        document["other"] = {
            "run": against,
            "tasks": beside.tasks,
            "matrix": beside.matrix.tolist(),
            "pairs": activation_map.numbers(beside.matrix),
        }
        document["difference"] = {"tasks": difference.tasks, "matrix": difference.matrix.tolist()}
    rows = [
        {"task": task} | dict(zip(found.tasks, row, strict=True))
        for task, row in zip(found.tasks, found.matrix.tolist(), strict=True)
    ]
    if neurons is not None:
        pair = [name.strip() for name in neurons.split(",")]
        if len(pair) != 2:
            raise UserError(f"cannot read the tasks {neurons!r}: write two of the run with a comma, as yelp,sst2")
        rows = twins.neurons(probe, found.layer, pair[0], pair[1], by, most).to_dict("records")
        document |= {"neurons": rows, "neurons_of": pair}
    show(rows, f"{measure}, decoder layer {found.layer}", as_json=json, as_csv=csv, document=document)
