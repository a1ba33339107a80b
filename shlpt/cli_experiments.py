"""How an experiment is carried out, and its results as rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from shlpt.cli_options import Way, set_threads
from shlpt.errors import unknown

# Store, id of an experiment, whether a program reads the rows -> rows, and the whole as one document.
RowsOf = Callable[[Any, str, bool], tuple[list[dict[str, Any]], Any]]


@dataclass(frozen=True)
class Study(Way):
    """The same for an experiment, which has a name and may be spread over a cluster."""

    name: Annotated[str, typer.Option(help="What to call the experiment.")] = ""
    executor: Annotated[str, typer.Option(help="local, or ray (see docs/cluster.md).")] = "local"
    address: Annotated[
        str | None, typer.Option(help="Address of a Ray cluster; without one, a private one is started.")
    ] = None


def carry_out(experiment: Any, way: Study, rows_of: RowsOf, quiet: bool = False) -> dict[str, Any]:
    """Say what it costs, train what is missing, show what came out."""
    from shlpt.report import errors, show
    from shlpt.runs import experiments
    from shlpt.runs.costs import duration
    from shlpt.runs.pace import estimate
    from shlpt.runs.store import Store

    begin = time.monotonic()
    if way.executor not in ("local", "ray"):
        raise unknown("executor", way.executor, ("local", "ray"))
    store = Store(way.home).open()
    set_threads(way.threads)
    cost = estimate(store, experiment.specs, calibrated(store, experiment, way), fresh=way.fresh)
    said = f"{len(experiment.specs)} runs: {cost.stages} stages to train, {cost.reused} reused"
    errors.print(f"{said}, about {duration(cost.seconds)} for one worker" if cost.stages else said)
    id, sent = experiments.start(store, experiment, lanes=way.lanes, fresh=way.fresh, device=way.device)
    counts = train(store, sent, way)
    rows, document = rows_of(store, id, way.csv)
    document = {
        "id": id, "kind": experiment.kind, "name": experiment.name, "runs": len(sent.runs),
        "estimate": vars(cost), "seconds": round(time.monotonic() - begin, 2), **counts, **document,
    }  # fmt: skip
    if not quiet:
        show(rows, f"{experiment.name} ({id})", as_json=way.json, as_csv=way.csv, document=document)
    errors.print(f"{document['seconds']:.1f} s, {counts['trained']} stages trained, {counts['reused']} reused")
    return document


def train(store: Any, sent: Any, way: Study) -> dict[str, int]:
    """Here, on a cluster, or by a worker that goes on when this command has ended."""
    if way.detach:
        from shlpt.runs.launch import ensure_worker

        if sent.todo:
            ensure_worker(store, device=way.device, threads=way.threads)
        return {"trained": 0, "reused": sent.reused}
    from shlpt.runs.watch import BarWatch

    with BarWatch() as watch:
        watch.planned(sent.todo, sent.reused)
        if way.executor == "ray":
            from shlpt.runs.cluster import work_on_cluster

            work_on_cluster(store, sent.runs, device=way.device, address=way.address, watch=watch)
        else:
            from shlpt.runs.control import groups_of
            from shlpt.runs.worker import work

            work(store, device=way.device, groups=groups_of(store, sent.runs), watch=watch)
        return watch.counts()


def calibrated(store: Any, experiment: Any, way: Study) -> float:
    """Seconds of a plain training step by a short trial, where the store has measured nothing yet."""
    from shlpt.runs.costs import LAPTOP_SECONDS_PER_STEP
    from shlpt.runs.pace import measured
    from shlpt.runs.submit import default_width

    if measured(store).usual is not None or way.detach:
        return LAPTOP_SECONDS_PER_STEP
    from shlpt.backbone.t5 import load
    from shlpt.training.speed import calibrate

    spec, lanes = experiment.specs[0], way.lanes or default_width(way.device, many=True)
    return calibrate(load(spec.backbone, way.device, spec.dtype), spec.training, lanes)


def matrix_rows(store: Any, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """A line a source, a column a target; flat, a line a pair."""
    from shlpt.analysis.transfer import cells, helping, wide
    from shlpt.runs.experiments import find, pairs
    from shlpt.runs.export import rows_of_frame

    frame = pairs(store, id)
    table = cells(frame)
    cells_found = rows_of_frame(table)
    document = {"cells": cells_found, "pairs": rows_of_frame(frame), "similar_pairs": helping(table)}
    return cells_found if flat else wide(table, find(store, id)["about"]["tasks"]), document


def grouped_rows(store: Any, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """Mean and interval over the seeds of each label, runs beside them."""
    from shlpt.analysis.metrics import summary
    from shlpt.runs.experiments import RESULT, results
    from shlpt.runs.export import rows_of_frame

    rows = rows_of_frame(results(store, id))
    keys = [key for key in rows[0] if key not in (*RESULT, "seed", "run")]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    lines = []
    for label, members in groups.items():
        found = {name: summary([m[name] for m in members if m[name] is not None]) for name in ("acc", "bwt", "fwt")}
        means = {name: part["mean"] for name, part in found.items()}
        spread = {"acc_ci95": found["acc"]["ci95"], "n": found["acc"]["n"]}
        lines.append(dict(zip(keys, label, strict=True)) | means | spread)
    return lines, {"groups": lines, "rows": rows}


def bench_rows(store: Any, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """One row a method, with the difference from the reference."""
    _, _, table = _bench(store, id)
    return [(bench_numbers if flat else bench_line)(row) for row in table["rows"]], table


def _bench(store: Any, id: str) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """What the experiment is, its runs, and their table."""
    from shlpt.analysis.benchmark import benchmark_table
    from shlpt.runs.experiments import find, labelled
    from shlpt.tasks.sequences import find_benchmark

    about = find(store, id)["about"]
    runs = [record for _, record in labelled(store, id)]
    tasks = find_benchmark(about["benchmark"]).tasks
    return about, runs, benchmark_table(runs, tasks, about["methods"], about["seeds"], reference=about["reference"])


def bench_line(row: dict[str, Any]) -> dict[str, Any]:
    """A method's row for people: points of a hundred."""
    from shlpt.analysis.benchmark_page import difference, probability, spread

    apart = row["difference"]
    return {
        "method": row["method"], "runs": f"{row['n']} of {row['expected']}",
        **{metric: spread(row[metric]) for metric in ("acc", "bwt", "fwt")},
        "difference": "reference" if apart is None else difference(apart),
        "p (Holm)": "" if apart is None else probability(apart["p_holm"]),
        "trainable": row["trainable"], "stored": row["stored_bytes"], "seconds": row["seconds"],
    }  # fmt: skip


def bench_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """The same for programs: a column for every number, shares from 0 to 1."""
    apart = row["difference"] or {}
    parts = {**{metric: row[metric] for metric in ("acc", "bwt", "fwt")},
             "difference": {"mean": apart.get("difference"), "ci95": apart.get("ci95")}}  # fmt: skip
    found: dict[str, Any] = {"method": row["method"], "runs": row["n"], "expected": row["expected"]}
    for name, part in parts.items():
        low, high = part["ci95"] or (None, None)
        found |= {name: part["mean"], f"{name}_sd": part.get("sd"), f"{name}_low": low, f"{name}_high": high}
    del found["difference_sd"]
    return found | {"p": apart.get("p"), "p_holm": apart.get("p_holm"), "trainable": row["trainable"],
                    "stored_bytes": row["stored_bytes"], "seconds": row["seconds"]}  # fmt: skip


def beside_rows(store: Any, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """One row a method with the paper's table next to it, and what was measured otherwise."""
    from shlpt.analysis.beside import beside_paper
    from shlpt.tasks.sequences import find_benchmark

    about, runs, table = _bench(store, id)
    benchmark = find_benchmark(about["benchmark"])
    run = next((run for run in runs if run["method"] == "shlpt"), runs[0])
    settings = run["settings"] | {"backbone": run["backbone"], "suite": run["suite"], "seeds": about["seeds"]}
    beside = beside_paper(table["rows"], benchmark, settings)
    theirs = {row["method"]: row for row in beside["metrics"]["acc"]["rows"]}
    rows = [(bench_numbers if flat else bench_line)(row) for row in table["rows"]]
    for row in rows:
        printed = theirs.get(row["method"], {})
        row |= {"rank": printed.get("our_rank"), "paper": printed.get("paper"), "paper rank": printed.get("paper_rank")}
    return rows, table | {"title": benchmark.title, "beside_paper": beside}


ROWS: dict[str, RowsOf] = {
    "matrix": matrix_rows, "sweep": grouped_rows, "orders": grouped_rows, "ablations": grouped_rows,
    "pairs": grouped_rows, "methods": grouped_rows, "bench": bench_rows,
}  # fmt: skip
