"""The commands `alpha` and `activations`: the numbers of the pages Similarity and Activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shlpt.cli.options import ID_HELP, Csv, Home, Json
from shlpt.cli.report import errors, show
from shlpt.errors import UserError, unknown
from shlpt.store.store import Store

if TYPE_CHECKING:
    from shlpt.results.twins import Map

app = typer.Typer(rich_markup_mode=None)

Id = Annotated[str, typer.Argument(help=f"{ID_HELP} Recorded runs work too.")]


@app.command(epilog="Example: python -m shlpt alpha r1a2b3c rte --text 'the food was superb .' --json")
def alpha(
    run: Id,
    task: Annotated[str, typer.Argument(help="A task of the run, except its first.")],
    text: Annotated[str | None, typer.Option(help="Any text: show its α and the weight of each word.")] = None,
    example: Annotated[
        str | None, typer.Option(help="Id of a training text: show the texts with the most and least similar α.")
    ] = None,
    threshold: Annotated[float | None, typer.Option(min=0, help="Threshold δ (default: that of the run).")] = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Show the similarity α of texts to each earlier task.

    A task is similar to an earlier one if α is above the threshold δ. Without --text or --example, all training
    texts of the task are summarised.
    """
    from shlpt.analysis import nearest, vacuity
    from shlpt.results import frames, seeds, twins

    if text is not None and example is not None:
        raise UserError("--text and --example cannot be combined: give one of them")
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
    across = seeds.similarities(store, id, task)
    found = nearest.over_seeds(across)
    document["nearest"] = None if found is None else vars(found)
    document["warnings"] = vacuity.warnings(delta, across["earlier"].nunique(), seeds.every_alpha(store, id, task))
    for said in document["warnings"]:
        errors.print(f"warning: {said}", markup=False, soft_wrap=True)
    show(
        rows,
        " ".join([f"α of {task} (δ = {delta:g}).", nearest.said(across)]).rstrip(),
        as_json=json,
        as_csv=csv,
        document=about | document,
    )


def _of_text(store: Store, id: str, task: str, text: str, delta: float) -> tuple[list[Any], dict[str, Any]]:
    from shlpt.results import lens

    reading = lens.read(store, id, task, text)
    words = reading.words.pivot(index=["place", "word"], columns="earlier", values="weight").reset_index()
    rows = reading.alpha.assign(similar=reading.alpha["alpha"] > delta).to_dict("records")
    alpha = {row["earlier"]: row["alpha"] for row in rows}
    similar = [row["earlier"] for row in rows if row["similar"]]
    made = {"estimator": "as stored (best epoch)", "temperature": reading.temperature, "cut": reading.is_cut}
    return rows, {"text": text, "alpha": alpha, "similar": similar, **made, "words": words.to_dict("records")}


def _frame(store: Store, id: str, task: str) -> Any:
    from shlpt.results import frames

    tasks = frames.spec(store, id)["tasks"]
    if task not in tasks:
        raise unknown("task of this run", task, tasks)
    frame = frames.alphas(store, id, task)
    if frame.empty:
        raise UserError(
            f"run {id} has no α for {task}: it is the first task, is not trained yet, or the method estimates no "
            "similarity (shlpt, oracle_partition and random_partition do)"
        )
    return frame


def _of_task(store: Store, id: str, task: str, delta: float) -> tuple[list[Any], dict[str, Any]]:
    from shlpt.analysis import partition

    frame = _frame(store, id, task)
    rows = partition.divide(frame, delta).to_dict("records")
    document: dict[str, Any] = {"examples": frame["example"].nunique(), "earlier": rows}
    instances = []
    for e, mine in frame.groupby("example", sort=False):
        alpha = dict(zip(mine["earlier"], mine["alpha"], strict=True))
        instances.append({"example": e, "target": mine["target"].iloc[0], "alpha": alpha})
    return rows, document | {"retrained": False, "alpha": "as last seen in training", "instances": instances}


def _of_example(store: Store, id: str, task: str, example: str) -> tuple[list[Any], dict[str, Any]]:
    from shlpt.analysis import partition

    frame = _frame(store, id, task)
    mine = frame[frame["example"] == example]
    if mine.empty:
        first = frame["example"].iloc[0]
        raise UserError(
            f"unknown training text {example!r} of {task}: ids look like {first!r}, `alpha {id} {task} --json` has all"
        )
    rows = partition.neighbours(frame, example).to_dict("records")
    given = dict(zip(mine["earlier"], mine["alpha"], strict=True))
    return rows, {"example": example, "text": mine["text"].iloc[0], "alpha": given, "neighbours": rows}


@app.command(epilog="Example: python -m shlpt activations r1a2b3c --measure jaccard --json")
def activations(
    run: Id,
    other: Annotated[
        str | None, typer.Option(help="Run to compare with (default: the same run without or with the ASC loss).")
    ] = None,
    layer: Annotated[int | None, typer.Option(min=1, help="Decoder layer, counted from 1 (default: the last).")] = None,
    measure: Annotated[
        str, typer.Option(help="cosine (similarity of the states) or jaccard (overlap of the active neurons).")
    ] = "cosine",
    neurons: Annotated[
        str | None, typer.Option(help="Two tasks, separated by a comma: list single neurons under their prompts.")
    ] = None,
    most: Annotated[int, typer.Option(min=1, max=100_000, help="Number of neurons to list.")] = 12,
    by: Annotated[
        str, typer.Option(help="Order of the neurons: difference (largest first) or active (most often first).")
    ] = "difference",
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Compare the activation states under the prompts of a run.

    Shows how similar the decoder's states are under each pair of prompts. With --json, also for a second run and the
    difference of the two.
    """
    from shlpt.results import frames, twins

    store, id = twins.locate(run, home)
    probe = frames.probe(store, id)
    if not probe:
        raise UserError(f"run {id} has no activation states: no task is trained yet, or its method keeps no prompts")
    found = twins.activation_map(probe, layer, measure)
    document = {"run": id, "measure": measure, "layer": found.layer, "layers": found.layers, **_of_map(found)}
    place = (store, other) if other is None else twins.locate(other, home)
    against = twins.twin_in(store, id) if other is None else place[1]
    if against is not None:
        twins.require_same_backbone(frames.spec(store, id), frames.spec(place[0], against))
        beside = twins.activation_map(frames.probe(place[0], against), found.layer, measure)
        difference = twins.minus(found, beside)
        document["other"] = {"run": against, **_of_map(beside)}
        document["difference"] = {"tasks": difference.tasks, "matrix": difference.matrix.tolist()}
    lines = zip(found.tasks, found.matrix.tolist(), strict=True)
    rows = [{"task": task} | dict(zip(found.tasks, line, strict=True)) for task, line in lines]
    if neurons is not None:
        pair = [name.strip() for name in neurons.split(",")]
        if len(pair) != 2:
            raise UserError(f"cannot read the tasks {neurons!r}: name two tasks of the run, for example yelp,sst2")
        rows = twins.neurons(probe, found.layer, pair[0], pair[1], by, most).to_dict("records")
        document |= {"neurons": rows, "neurons_of": pair}
    show(rows, f"{measure}, decoder layer {found.layer}", as_json=json, as_csv=csv, document=document)


def _of_map(found: Map) -> dict[str, Any]:
    from shlpt.plots.activation_map import numbers

    return {"tasks": found.tasks, "matrix": found.matrix.tolist(), "pairs": numbers(found.matrix)}
