"""Results of an experiment as rows: formatted for people, or plain numbers for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from shlpt.analysis.points import difference, probability, spread
from shlpt.catalog import METHODS
from shlpt.paper import ORIGIN
from shlpt.plans.paper_tables import (
    ALONE,
    PAIR_VARIANTS,
    WHOLE,
    WITHOUT_ASC,
    pair_label,
    printed_ablations,
    printed_orders,
    printed_pairs,
    printed_thresholds,
)
from shlpt.results.export import rows_of_frame
from shlpt.store.store import Store
from shlpt.tasks.sequences import find_benchmark

if TYPE_CHECKING:
    from shlpt.results.record import Record

# Store, id of an experiment, whether a program reads the rows -> rows, and everything as one document.
RowsOf = Callable[["Store", str, bool], tuple[list[dict[str, Any]], Any]]


def matrix_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """A row per source and a column per target; if flat, a row per pair."""
    from shlpt.analysis import agreement, finding
    from shlpt.analysis.transfer import cells, counts, helping, sentence, wide
    from shlpt.results.experiments import find, pairs

    frame = pairs(store, id)
    table = cells(frame)
    cells_found = rows_of_frame(table)
    about = find(store, id)["about"]
    found, declared = counts(table), agreement.of_tasks(table, about["tasks"])
    document: dict[str, Any] = {"cells": cells_found, "pairs": rows_of_frame(frame), "similar_pairs": helping(table)}
    clearest = finding.clearest(table)
    said = [finding.statement(clearest)] if clearest else []
    document |= {"counts": found, "agreement": declared}
    document |= {"notes": [*said, sentence(found), *agreement.sentences(declared)]}
    return cells_found if flat else wide(table, about["tasks"]), document


def grouped_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """Mean and interval over the seeds of each label; the document also has the runs."""
    from shlpt.analysis.metrics import summary
    from shlpt.results.experiments import results

    rows = rows_of_frame(results(store, id))
    lines = []
    for label, members in by_label(rows):
        found = {
            name: summary([m[name] for m in members if m[name] is not None], share=name == "acc")
            for name in ("acc", "bwt", "fwt")
        }
        means = {name: part["mean"] for name, part in found.items()}
        spread = {"acc_ci95": found["acc"]["ci95"], "n": found["acc"]["n"]}
        lines.append(label | means | spread)
    return lines, {"groups": lines, "rows": rows}


def by_label(rows: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any], list[Mapping[str, Any]]]]:
    """Rows of an experiment by all that is neither a result nor a seed: the label, and the rows of its seeds."""
    from shlpt.results.experiments import RESULT

    keys = [key for key in rows[0] if key not in (*RESULT, "seed", "run")]
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return [(dict(zip(keys, label, strict=True)), members) for label, members in groups.items()]


def sweep_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """The same; of thresholds also what is similar, who changes side, and the paper's Table 11 if it has the tasks."""
    from shlpt.analysis import sweeps
    from shlpt.results.experiments import find, swept_alphas, swept_places

    about = find(store, id)["about"]
    lines, document = grouped_rows(store, id, flat)
    document["positions"] = rows_of_frame(sweeps.by_position(swept_places(store, id)))
    if about["setting"] != "threshold":
        return lines, document
    alphas = swept_alphas(store, id)
    sides = {row["value"]: row for row in sweeps.by_value(alphas)}
    printed = printed_thresholds(about["tasks"])
    for line in lines:
        found = sides.get(line["threshold"], {"similar": None, "changed": []})
        line |= {"similar": found["similar"], "change side": ", ".join(found["changed"])}
        line |= {"paper": printed[delta] / 100 if (delta := line["threshold"]) in printed else None} if printed else {}
    document["alpha"] = rows_of_frame(sweeps.distribution(alphas))
    document["sides"] = rows_of_frame(sweeps.sides(alphas))
    document["notes"] = sweeps.sentences(alphas, [line["acc"] for line in lines])
    document["notes"] += [f"Column paper: Table 11. {ORIGIN}"] if printed else []
    return lines, document


def order_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """Mean and interval over the seeds of each order; how far the order matters, and what of it."""
    from shlpt.analysis import orders
    from shlpt.results.experiments import placed

    lines, document = grouped_rows(store, id, flat)
    frame = placed(store, id)
    document["positions"] = rows_of_frame(orders.by_position(frame))
    document |= {"spread": orders.spread(frame), "explained": orders.explained(frame)}
    printed = printed_orders({*frame["task"]})
    document["notes"] = orders.sentences(frame)
    if printed:
        apart = ", ".join(f"{task} {max(values) - min(values):.1f}" for task, values in printed.items())
        document["notes"].append(f"Best minus worst of the orders in the paper's Table 6, in points: {apart}. {ORIGIN}")
    return lines, document | {"paper": printed}


def ablation_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """Score of each variant, ACC or of a stream's last task, and its difference from full SHLPT. The document also has
    the activation states with and without the loss ASC, by layer and paired by seed (Fig. 4)."""
    from shlpt.analysis import activations
    from shlpt.analysis.headroom import SCORES, judged_by
    from shlpt.results import overlaps
    from shlpt.results.experiments import find, results

    frame = results(store, id)
    judged = judged_by(find(store, id)["about"].get("sequence", ""))
    values: dict[str, dict[int, float | None]] = {}
    for row in rows_of_frame(frame):
        values.setdefault(row["variant"], {})[row["seed"]] = row[judged]
    printed = printed_ablations(find(store, id)["about"].get("sequence", ""))
    lines, document = _variant_rows(values, {name: WHOLE for name in values if name != WHOLE}, judged, flat, printed)
    layers = activations.paired(overlaps.of_seeds(store, id), WHOLE, WITHOUT_ASC)
    notes = [SCORES[judged], *document["notes"], *activations.difference_said(layers, WHOLE, WITHOUT_ASC)]
    return lines, document | {"activations": layers, "notes": notes}


def pair_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """Score on the target of each pair, and its difference from training the target alone (eq. 1); averages last."""
    from shlpt.analysis.variants import average
    from shlpt.results.experiments import labelled

    values: dict[str, dict[int, float | None]] = {}
    of_label: dict[str, tuple[str, str]] = {}
    for label, record in labelled(store, id):
        of_label[label] = (record["tasks"][0], record["tasks"][1])
        values.setdefault(label, {})[record["seed"]] = record["matrix"][-1][-1]
    pairs = dict.fromkeys(of_label.values())
    alone = {pair: pair_label(*pair, ALONE) for pair in pairs}
    baseline = {label: alone[pair] for label, pair in of_label.items() if label != alone[pair]}
    averages = {
        f"average {name}": average(values, [pair_label(*pair, name) for pair in pairs]) for name in PAIR_VARIANTS
    }
    baseline |= {name: f"average {ALONE}" for name in averages if name != f"average {ALONE}"}
    return _variant_rows(values | averages, baseline, "target", flat, printed_pairs())


def _variant_rows(
    values: Any, baseline: dict[str, str], what: str, flat: bool, printed: dict[str, float]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """`printed`: what the paper prints of these variants, in percent."""
    from shlpt.analysis.variants import compared

    found, lines = compared(values, baseline), []
    for row in found:
        apart, theirs = row["difference"], printed.get(row["variant"])
        if flat:
            line = {"variant": row["variant"], "n": row["n"], **numbers(what, row), **compared_numbers(apart)}
        else:
            score = {what: spread(row), "minus": (apart or {}).get("baseline", "")}
            line = {"variant": row["variant"], "seeds": row["n"], **score, **compared_words(apart, "")}
        lines.append(line | ({"paper": theirs} if printed else {}))
    return lines, {"variants": found, "values": values, "printed": printed, "notes": [ORIGIN] if printed else []}


def numbers(name: str, part: Any) -> dict[str, Any]:
    """A summary as columns: shares from 0 to 1."""
    low, high = part["ci95"] or (None, None)
    return {name: part["mean"], f"{name}_sd": part["sd"], f"{name}_low": low, f"{name}_high": high}


def compared_numbers(apart: Any) -> dict[str, Any]:
    """A difference as columns; empty for the baseline."""
    found = apart or {}
    low, high = found.get("ci95") or (None, None)
    ends = {"difference": found.get("difference"), "difference_low": low, "difference_high": high}
    return ends | {key: found.get(key) for key in ("p", "p_holm")}


def compared_words(apart: Any, itself: str) -> dict[str, str]:
    """The same for people; `itself` is the text for the baseline."""
    if apart is None:
        return {"difference": itself, "p (Holm)": ""}
    return {"difference": difference(apart), "p (Holm)": probability(apart["p_holm"])}


def bench_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """One row per method, with the difference from the reference."""
    _, _, table = _bench(store, id)
    return [(bench_numbers if flat else bench_line)(row) for row in table["rows"]], table


def _bench(store: Store, id: str) -> tuple[dict[str, Any], list[Record], dict[str, Any]]:
    """The experiment, its runs, and their table."""
    from shlpt.analysis.benchmark import benchmark_table
    from shlpt.analysis.routing import with_routing
    from shlpt.results.experiments import find, labelled
    from shlpt.results.routing import stored

    about = find(store, id)["about"]
    runs = [record for _, record in labelled(store, id)]
    tasks = find_benchmark(about["benchmark"]).tasks
    routed, further = with_routing(runs, stored(store, [run["id"] for run in runs]))
    asked = (about["methods"], about["seeds"])
    return about, runs, benchmark_table(routed, tasks, *asked, reference=about["reference"], further=further)


def bench_line(row: dict[str, Any]) -> dict[str, Any]:
    """A method's row for people, in percentage points."""
    scores = {metric: spread(row[metric]) for metric in ("acc", "bwt", "fwt")}
    cost = {"trainable": row["trainable"], "stored": row["stored_bytes"], "seconds": row["seconds"]}
    about = {"method": row["method"], "runs": f"{row['n']} of {row['expected']}"}
    scores |= {name.replace("_", " by "): spread(part) for name, part in row.get("further", {}).items()}
    return about | scores | compared_words(row["difference"], "reference") | cost


def bench_numbers(row: dict[str, Any]) -> dict[str, Any]:
    """The same for programs, with a column per number."""
    found = {"method": row["method"], "runs": row["n"], "expected": row["expected"]}
    for metric in ("acc", "bwt", "fwt"):
        found |= numbers(metric, row[metric])
    for name, part in row.get("further", {}).items():
        found |= numbers(name, part)
    cost = {key: row[key] for key in ("trainable", "stored_bytes", "seconds")}
    return found | compared_numbers(row["difference"]) | cost


def beside_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """One row per method with the paper's numbers next to ours, and how the two measurements differ."""
    from shlpt.analysis.beside import beside_paper

    about, runs, table = _bench(store, id)
    benchmark = find_benchmark(about["benchmark"])
    run = next((run for run in runs if METHODS[run["method"]].alpha == "estimated"), runs[0])
    settings = run["settings"] | {"backbone": run["backbone"], "suite": run["suite"], "seeds": about["seeds"]}
    settings["lr"] = _rates(runs)
    beside = beside_paper(table["rows"], benchmark, settings)
    theirs = {row["method"]: row for row in beside["metrics"]["acc"]["rows"]}
    rows = [(bench_numbers if flat else bench_line)(row) for row in table["rows"]]
    for row in rows:
        printed = theirs.get(row["method"], {})
        row |= {"rank": printed.get("our_rank"), "paper": printed.get("paper"), "paper rank": printed.get("paper_rank")}
    return rows, table | {"title": benchmark.title, "beside_paper": beside}


def _rates(runs: list[Record]) -> str:
    """The most common learning rate, then the methods with another: `0.1; 0.3 for BMTPT, Online EWC`."""
    methods: dict[float, dict[str, None]] = {}
    for run in runs:
        methods.setdefault(run["settings"]["lr"], {})[METHODS[run["method"]].title] = None
    usual, *others = sorted(methods.items(), key=lambda item: -len(item[1]))
    return "; ".join([f"{usual[0]:g}", *(f"{rate:g} for {', '.join(names)}" for rate, names in others)])


def alphas_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """A row per form of the estimator and pair: mean α over the seeds, and the number of tasks that it was shared
    among."""
    from shlpt.analysis.metrics import summary
    from shlpt.results.experiments import runs_with_cells
    from shlpt.results.seeds import stage_alphas
    from shlpt.tasks.task import without_shots

    cells, groups = runs_with_cells(store, id), dict[tuple[str, str, str], list[tuple[float, int]]]()
    frame = stage_alphas(store, dict(cells))
    for run, label in cells:  # two forms may be one run
        for row in frame[(frame["run"] == run) & (frame["task"] == label["target"])].itertuples():
            key = (label["form"], without_shots(row.earlier), row.task)
            groups.setdefault(key, []).append((row.alpha, label["earlier"]))
    lines = []
    for (form, source, target), found in groups.items():
        alpha = summary([value for value, _ in found])
        earlier = sum(count for _, count in found) / len(found)
        line = {"form": form, "source": source, "target": target, "n": alpha["n"], "earlier": earlier}
        lines.append(line | numbers("alpha", alpha))
    return lines, {"pairs": lines}


def headroom_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """A row per condition and per difference."""
    from shlpt.analysis.headroom import by_condition, gauge, rows, scores_said
    from shlpt.results.experiments import results

    found = gauge(by_condition(runs := rows_of_frame(results(store, id))))
    found["notes"] += scores_said(runs)
    return rows(found, flat), found | {"rows": runs}


def tune_rows(store: Store, id: str, flat: bool = False) -> tuple[list[dict[str, Any]], Any]:
    """A row per method with its best trial; if flat, a row per trial."""
    from shlpt.analysis.agreement import declared
    from shlpt.analysis.sources import ranking
    from shlpt.analysis.tuning import NOTE, by_trial, rows, selected
    from shlpt.results.experiments import find, results
    from shlpt.results.seeds import stage_alphas

    about = find(store, id)["about"]
    degrees = {pair: degree for tasks in about["sequences"].values() for pair, degree in declared(tasks).items()}
    frame = results(store, id)
    values, found = by_trial(runs := rows_of_frame(frame), about.get("judged", "acc")), {}
    for method, trials in values.items():
        found[method] = selected(trials, about["trials"][method])
        if METHODS[method].alpha == "estimated":
            for one in found[method]["trials"]:
                mine = frame[(frame["method"] == method) & (frame["trial"] == one["trial"])]
                one["ranking"] = ranking(stage_alphas(store, mine["run"]), degrees)
    return rows(found, flat), {"methods": found, "rows": runs, "notes": [NOTE]}


ROWS: dict[str, RowsOf] = {
    "matrix": matrix_rows,
    "alphas": alphas_rows,
    "sweep": sweep_rows,
    "orders": order_rows,
    "ablations": ablation_rows,
    "pairs": pair_rows,
    "methods": grouped_rows,
    "bench": bench_rows,
    "headroom": headroom_rows,
    "tune": tune_rows,
}
