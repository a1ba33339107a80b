"""One HTML document about a run, a matrix with the judgement of its threshold, or any other experiment: the figures and
tables of the pages and commands, what they were made with, and what the numbers are about. No torch."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from shlpt.analysis import calibration, cubes, transfer, vacuity
from shlpt.analysis.league import MEASURES, Judged, league
from shlpt.analysis.points import difference, points
from shlpt.catalog import METHODS
from shlpt.catalog.estimators import ESTIMATORS
from shlpt.catalog.titles import title_of
from shlpt.plans import commands
from shlpt.plots import accuracy_matrix, losses, partition, similarity, sweep, threshold, transfer_matrix, validation
from shlpt.plots import league as ranking
from shlpt.plots.theme import titled
from shlpt.results import experiments, frames, health
from shlpt.results.export import rows_of_frame
from shlpt.results.further import further
from shlpt.results.judging import Matter, matter
from shlpt.results.rows import ROWS
from shlpt.results.verdicts import verdicts
from shlpt.results.weights import remark
from shlpt.sharing import tables
from shlpt.sharing.bundle import made_with
from shlpt.sharing.html import Code, Figure, Fold, Part, Prose, Section, Table, document, drawn
from shlpt.sharing.which import Which
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.find import is_stored
from shlpt.tasks.sequences import with_titles
from shlpt.version import VERSION

STAND_INS = (
    "The tasks are **stand-ins** that bear the names of the paper's data sets: generated English. The numbers say what "
    "the methods do in this small world, and nothing about the real data sets or the paper's model."
)
IMPORTED = "These are results on imported texts; how such tasks are related is not declared."
VERSIONS = {
    "shlpt": "shlpt",
    "torch": "PyTorch",
    "transformers": "transformers",
    "device": "device",
    "dtype": "numbers",
}
VERSIONS |= {"threads": "threads", "cpu": "CPU capability", "machine": "machine", "backbone": "digest of the weights"}


def report(which: Which) -> bytes:
    """The document of a run or an experiment."""
    if which.experiment is None:
        title, sections = _run(which.store, which.id)
    elif which.experiment["kind"] == "matrix":
        title, sections = _matrix(which)
    else:
        title, sections = _experiment(which)
    title = with_titles(title) if which.is_recorded else title
    return document(title, [*sections, _origin(which)], _lead(which))


def _lead(which: Which) -> str:
    names = {name for run in which.runs for name in frames.spec(which.store, run)["tasks"]}
    about = [STAND_INS] * any(not is_stored(name) for name in names) + [IMPORTED] * any(map(is_stored, names))
    older = remark(frames.run(which.store, which.runs[0]))
    return "\n\n".join([*about, f"These results were {older}." if older else ""])


# --- a run ----------------------------------------------------------------------------------
def _run(store: Store, id: str) -> tuple[str, list[Section]]:
    record = frames.run(store, id)
    name = record["name"] or f"{METHODS[record['method']].title}: {' → '.join(map(titled, record['tasks']))}"
    return f"{name}, seed {record['seed']}", [
        _result(store, record),
        _learning(store, record),
        *_similarity(store, record),
    ]


def _result(store: Store, record: dict[str, Any]) -> Section:
    scores = {
        "ACC: mean score on all tasks after the last one (%)": points(record["acc"]),
        "BWT: change on earlier tasks since they were learned (points)": points(record["bwt"], "+"),
        "FWT: gain over learning each task alone (points)": points(record["fwt"], "+"),
    }
    matrix, tasks = np.asarray(record["matrix"], dtype=float), record["tasks"]
    said = [f"- {verdict.sentence}" for verdict in verdicts(store, [record["id"]])]
    ill = [f"- {sentence}" for sentence in health.said(health.health(store, record["id"]))]
    parts: list[Part] = [Table(pd.DataFrame(scores.items(), columns=["measure", "value"]), "One seed: no interval")]
    parts.append(drawn(accuracy_matrix, matrix, tasks, caption="Row: the task learned last. Column: the task tested."))
    parts += [Prose("**Did its history help each task?**\n\n" + "\n".join(said))] if said else []
    parts += [Prose("**What is not as it should be**\n\n" + "\n".join(ill))] if ill else []
    stages = frames.stages(store, record["id"])[["task", "alone", "state", "steps", "validation", "seconds"]]
    parts.append(Fold("Stages, one per task", (Table(stages, "alone: learned by itself, the reference of FWT"),)))
    more = further(store, record["id"])
    return Section("Result", [*parts, *([Table(more, "Other scores, from 0 to 1")] if len(more) else [])])


def _learning(store: Store, record: dict[str, Any]) -> Section:
    epochs, steps = (read(store, [record["id"]]) for read in (frames.epochs, frames.losses))
    numbers = validation.numbers(epochs)
    if numbers.empty:
        return Section("Learning", (Prose("The curves of this run are not recorded, only its scores."),))
    parts: list[Part] = [drawn(validation, epochs), Fold("The numbers as a table", (Table(numbers),))]
    return Section("Learning", [*parts, *([drawn(losses, steps)] if len(steps) else [])])


def _similarity(store: Store, record: dict[str, Any]) -> list[Section]:
    """α and the partition of each later task, as they moved."""
    frame = frames.similarity(store, [record["id"]], 300)
    delta, parts = record["settings"].get("threshold"), list[Part]()
    for task in dict.fromkeys(frame["task"]):
        parts.append(Prose(f"**{titled(task)}**"))
        parts.append(drawn(similarity, frame, delta, task=task))
        parts.append(drawn(partition, frame, task=task))
    said = Prose("α of each earlier task while a task was learned, and which tasks count as similar (α > δ).")
    return [Section("Similarity", [said, *parts])] if parts else []


# --- a matrix -------------------------------------------------------------------------------
def _matrix(which: Which) -> tuple[str, list[Section]]:
    assert which.experiment is not None
    tasks = which.experiment["about"]["tasks"]
    table = transfer.cells(experiments.pairs(which.store, which.id))
    _, known = ROWS["matrix"](which.store, which.id, False)
    about = Prose(
        "Transfer: the change of the target's test score, in points, when it is learned after the source instead of "
        "alone. Blue helps, orange harms; faded: not clear after the correction for the number of pairs.\n\n"
        + "\n".join(f"- {note}" for note in known["notes"])
    )
    numbers = Fold(
        "The numbers as a table", (Table(_pairs(table), "Mean over the seeds with 95 % intervals, in points"),)
    )
    sections = [Section("Transfer between pairs", (about, drawn(transfer_matrix, table, tasks), numbers))]
    given = matter(which.store, which.id)
    if len(given.scores):
        rows = league(given.pairs, given.scores, dict(given.seconds))
        sections += [_league(rows), *(_threshold(given, name) for name in _shown(rows))]
    return which.experiment["name"], sections


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    lines = []
    for row in rows_of_frame(table):
        ends = None if row["low"] is None else [row["low"] / 100, row["high"] / 100]
        said = difference({"difference": row["value"] / 100, "ci95": ends})
        lines.append({"source": row["source"], "target": row["target"], "transfer": said, "seeds": row["n"]})
        lines[-1] |= {"clear": row["clear"]}
    return pd.DataFrame(lines)


def _shown(rows: Sequence[Judged]) -> list[str]:
    """The forms of α, and of what can be measured without the transfer itself what tells best which pairs help."""
    judged = (row["estimator"] for row in rows if row["roc"]["value"] is not None)
    able = [name for name in judged if name not in ("oracle", "declared", "random")]
    return list(
        dict.fromkeys([*(row["estimator"] for row in rows if calibration.is_alpha(row["estimator"])), *able[:1]])
    )


def _league(rows: Sequence[Judged]) -> Section:
    frame = ranking.rows_of(rows, list(MEASURES))
    frame["estimator"] = [ESTIMATORS[name].title for name in frame["estimator"]]
    title, about = MEASURES["roc"]
    lines = []
    for row in rows:
        numbers: Any = row
        line = {"estimator": ESTIMATORS[row["estimator"]].title}
        lines.append(line | {MEASURES[name][0]: cubes.written(numbers[name]) for name in MEASURES})
    said = Prose(f"How well the score of each estimator tells the pairs that help. {title}: {about}.")
    return Section("Estimators of similarity", (said, drawn(ranking, frame, "roc", title), Table(pd.DataFrame(lines))))


def _threshold(given: Matter, estimator: str) -> Section:
    """The figure of the Threshold page at the δ that the transfer supports, or else in the middle of the scale."""
    scores, title = given.scores_of(estimator), ESTIMATORS[estimator].title
    found, means = calibration.calibrated(given.pairs, scores, estimator), cubes.means(given.pairs, scores)
    parts: list[Part] = [Prose(calibration.said(found.recommended))]
    if len(found.rows):
        usual = found.rows["delta"].iloc[len(found.rows) // 2]
        delta = float(found.recommended["delta"] if found.recommended["delta"] is not None else usual)
        known = zip(means["source"], means["target"], strict=True)
        named = means.assign(relation=[given.relations.get(pair, "not declared") for pair in known])
        scale = "Similarity α" if calibration.is_alpha(estimator) else f"Score: {title}"
        parts.append(drawn(threshold, named, delta, scale))
        light, dark = (threshold.figure_benefit(found.rows, delta, dark=dark) for dark in (False, True))
        parts.append(Figure(light, dark, threshold.alt_benefit(found.rows, delta), calibration.ESTIMATE))
        warnings = vacuity.of_pairs(delta, scores) if calibration.is_alpha(estimator) else []
        parts += [Prose("\n".join(f"- {warning}" for warning in warnings))] if warnings else []
    return Section(f"Threshold: {title}", parts)


# --- other experiments ----------------------------------------------------------------------
def _experiment(which: Which) -> tuple[str, list[Section]]:
    """The table that the command of the experiment prints, with its notes; of a sweep its figure too."""
    found = which.experiment
    assert found is not None
    _, known = ROWS[found["kind"]](which.store, which.id, False)
    parts: list[Part] = []
    if found["kind"] == "sweep":
        setting, frame = found["about"]["setting"], experiments.results(which.store, which.id)
        parts.append(drawn(sweep, frame.assign(value=frame[setting]), setting, {}))
    parts.append(Table(tables.table(which), tables.note(which)))
    notes = known.get("notes", []) if isinstance(known, dict) else []
    parts += [Prose("\n".join(f"- {note}" for note in notes))] if notes else []
    parts.append(Fold("Every run", (Table(tables.by_run(which), "One seed each"),)))
    return found["name"], [Section("Result", parts)]


# --- what it was made with ------------------------------------------------------------------
def _origin(which: Which) -> Section:
    specs = [frames.run_spec(which.store, run) for run in which.runs]
    parts: list[Part] = [Table(_settings(specs), "Settings; where runs differ, all values")]
    made = made_with(which.store, _groups(which))
    lines = [{title: one.get(key) for key, title in VERSIONS.items()} for one in made]
    parts.append(Table(pd.DataFrame(lines), "Trained with") if lines else Prose("Versions are not recorded."))
    seeds = sorted({spec.seed for spec in specs})
    parts.append(Prose(f"Seeds: {', '.join(map(str, seeds))}. Written by shlpt {VERSION}; id `{which.id}`."))
    command = commands.runs(specs) if which.experiment is None else f"python -m shlpt export {which.id} --bundle FILE"
    return Section("Settings and origin", [*parts, Code(command)])


def _settings(specs: Sequence[RunSpec]) -> pd.DataFrame:
    found: dict[str, dict[str, None]] = {}
    for spec in specs:
        shown = {"method": METHODS[spec.method].title, "backbone": spec.backbone, "suite": spec.suite} | spec.settings
        for key, value in shown.items():
            found.setdefault(title_of(key), {})[str(value)] = None
    return pd.DataFrame([(key, " · ".join(values)) for key, values in found.items()], columns=["setting", "value"])


def _groups(which: Which) -> list[str]:
    rows = which.store.rows(
        "SELECT DISTINCT s.grp FROM run_stages r JOIN stages s ON s.key=r.stage WHERE r.run IN "
        "(SELECT value FROM json_each(?))",
        (json.dumps([*which.runs]),),
    )
    return [row["grp"] for row in rows]
