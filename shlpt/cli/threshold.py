"""The command `threshold`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shlpt.analysis.points import NOTHING, signed
from shlpt.catalog.estimators import ESTIMATORS
from shlpt.catalog.params import ShlptParams
from shlpt.cli.options import AnyMatrix, Csv, Device, Home, Json, Threads, set_threads
from shlpt.cli.report import Bar, show

if TYPE_CHECKING:
    import pandas as pd

    from shlpt.store.store import Store

MEASURES = {"roc": ".2f", "pr": ".2f", "spearman": "+.2f", "ndcg": ".2f", "regret": ".1f"}
USUAL = ShlptParams.model_fields["threshold"].default
KNOWN = ", ".join(ESTIMATORS)


def threshold(
    experiment: AnyMatrix = None,
    estimator: Annotated[
        str, typer.Option(help=f"Estimators of similarity, separated by commas, or all. Known: {KNOWN}.")
    ] = "all",
    delta: Annotated[
        float | None, typer.Option(min=0, help="Threshold δ to judge (default: the recommended one, or that of a run).")
    ] = None,
    cost: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Weight of a harmful task called similar; the rest is that of the other mistake."
        ),
    ] = 0.5,
    device: Device = "cpu",
    threads: Threads = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Is the threshold right? Judge estimators of similarity by measured transfer, and recommend a δ.

    For each estimator: how well its scores tell the pairs that help from those that do not. For α (or the estimators
    that are named): the δ that the measured transfer supports, or that there is no evidence for any. Scores are
    computed once and stored with the matrix; nothing is trained.
    """
    from shlpt.analysis.league import league
    from shlpt.analysis.transfer import gains
    from shlpt.results import scores
    from shlpt.results.experiments import locate_matrix, pairs

    names = scores.find_estimators(estimator)
    set_threads(threads)
    store, found = locate_matrix(home, experiment)
    with Bar("similarity") as bar:
        scored = scores.measure(store, found["id"], names, device, bar)
    transfer = gains(pairs(store, found["id"])).dropna()
    judged = league(transfer, scored.frame, scored.seconds)
    chosen = [name for name in names if name in scored.seconds and (estimator != "all" or name.startswith("alpha"))]
    parts = {name: _calibration(store, found, transfer, scored.frame, name, delta, cost, home) for name in chosen}
    missing = [name for name in names if name not in scored.seconds]
    document: dict[str, Any] = {"experiment": found["id"], "league": judged, "calibration": parts, "missing": missing}
    document["estimators"] = {name: _about(name) for name in names}
    document["notes"] = [
        *_missing(missing, found["name"], home),
        *(said for part in parts.values() for said in part["notes"]),
    ]
    rows = [(_flat if csv else _line)(row) for row in judged]
    show(
        rows,
        f"similarity against measured transfer: {found['name']} ({found['id']})",
        as_json=json,
        as_csv=csv,
        document=document,
    )


def _about(name: str) -> dict[str, Any]:
    info = ESTIMATORS[name]
    return {"title": info.title, "about": info.about, "needs": list(info.needs), "cost": info.cost}


def _missing(names: list[str], experiment: str, home: Any) -> Iterable[str]:
    from shlpt.plans import commands

    if not names:
        return
    said = ", ".join(ESTIMATORS[name].title for name in names)
    yield f"Not measured: {said}."
    if any(name.startswith("alpha") for name in names):
        yield f"α needs runs of SHLPT over these tasks: {commands.alphas(experiment, home)}"


# --- the league ---------------------------------------------------------------------------
def _line(row: Any) -> dict[str, Any]:
    """For people."""
    from shlpt.analysis.league import MEASURES as TITLES

    found = {"estimator": ESTIMATORS[row["estimator"]].title}
    found |= {TITLES[name][0]: _said(row[name], form) for name, form in MEASURES.items()}
    return found | {"ms a pair": None if row["seconds"] is None else round(1000 * row["seconds"], 2)}


def _flat(row: Any) -> dict[str, Any]:
    """For programs, with a column per number."""
    found: dict[str, Any] = {"estimator": row["estimator"], "helping": row["helping"]}
    for name in MEASURES:
        low, high = row[name]["ci95"] or (None, None)
        found |= {name: row[name]["value"], f"{name}_low": low, f"{name}_high": high}
    return found | {"seconds": row["seconds"]}


def _said(number: Any, form: str) -> str:
    if number["value"] is None:
        return NOTHING
    ends = "" if number["ci95"] is None else f" [{', '.join(signed(end, form) for end in number['ci95'])}]"
    return signed(number["value"], form) + ends


# --- the threshold ------------------------------------------------------------------------
def _calibration(
    store: Store,
    found: dict[str, Any],
    transfer: pd.DataFrame,
    frame: pd.DataFrame,
    name: str,
    delta: float | None,
    cost: float,
    home: Any,
) -> dict[str, Any]:
    """What the transfer says of δ, in numbers and sentences."""
    from shlpt.analysis import calibration, vacuity
    from shlpt.results.export import rows_of_frame

    mine = frame[frame["estimator"] == name]
    got = calibration.calibrated(transfer, mine, name)
    is_alpha, recommended = calibration.is_alpha(name), got.recommended
    asked = delta if delta is not None else recommended["delta"] if recommended["evidence"] or not is_alpha else USUAL
    at = _at(got.rows, asked, cost)
    title = ESTIMATORS[name].title
    notes = [f"{title}: {calibration.said(recommended)}", *([_judged(title, at)] if at else [])]
    warnings = vacuity.of_pairs(asked, mine) if is_alpha and asked is not None else []
    part: dict[str, Any] = {"recommended": recommended, "at": at, "warnings": warnings}
    part["by_earlier"] = rows_of_frame(calibration.by_earlier(transfer, mine, name))
    part["command"] = _train(store, found["id"], name, asked, home) if is_alpha and asked is not None else None
    notes += [f"{title}, δ = {asked:g}: {said}" for said in warnings]
    notes += [f"Train with this δ: {part['command']}"] if part["command"] else []
    return part | {"notes": notes}


def _at(rows: pd.DataFrame, delta: float | None, weight: float) -> dict[str, Any] | None:
    """The line of the curve next to δ."""
    from shlpt.analysis.calibration import cost
    from shlpt.results.export import rows_of_frame

    if delta is None or rows.empty:
        return None
    place = (rows["delta"] - delta).abs().idxmin()
    return rows_of_frame(rows.assign(cost=cost(rows, weight)).loc[[place]])[0]


def _judged(title: str, at: dict[str, Any]) -> str:
    def share(value: float | None) -> str:
        return "none" if value is None else f"{value:.0%}"

    delta = signed(at["delta"], ".3g")
    said = (
        f"{title} at δ = {delta}: {share(at['similar'])} of the pairs are called similar; of these "
        f"{share(at['right_similar'])} help, of the others {share(at['right_dissimilar'])} do not. Cost of the "
        f"mistakes {at['cost']:.2f}."
    )
    if at["benefit"] is None:
        return said
    ends = "" if at["low"] is None else f" [{signed(at['low'])}, {signed(at['high'])}]"
    return f"{said} Estimated benefit over nobody similar: {signed(at['benefit'])}{ends} points."


def _train(store: Store, id: str, form: str, delta: float, home: Any) -> str:
    """The command that trains the tasks of the matrix with this δ."""
    from shlpt.plans import commands
    from shlpt.results.scores import with_delta

    return commands.runs(with_delta(store, id, form, delta), home)
