"""Whether each stage of a run is above chance, and what keeps it from that. No torch."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from shlpt.analysis import doctor
from shlpt.analysis.doctor import Facts
from shlpt.results import frames
from shlpt.store.store import Store

COLUMNS = ["task", "alone", "score", "restricted", "outside", "chance", "p", "above_chance"]
COLUMNS += ["cause", "sentence", "advice"]


def health(store: Store, id: str) -> pd.DataFrame:
    """A row for each finished stage with test answers: its scores, chance, and the finding of the doctor."""
    lines = []
    for row in frames.stages(store, id).itertuples():
        if row.state not in ("done", "failed") or (facts := facts_of(store, row.key)) is None:
            continue
        found = doctor.diagnose(facts)
        p = doctor.p_above(facts.score, len(facts.scores), facts.chance)
        numbers = (facts.score, facts.restricted, facts.outside, facts.chance, p, facts.above_chance)
        said = (found.cause, found.sentence, found.advice) if found else ("", "", "")
        lines.append((row.task, row.alone, *numbers, *said))
    return pd.DataFrame(lines, columns=COLUMNS)


def facts_of(store: Store, key: str) -> Facts | None:
    """None if only the mean of its scores is recorded."""
    stage = frames.stage(store, key)
    test = stage["tests"].get(stage["task"])
    if not test:
        return None
    summary: dict[str, Any] = stage["summary"]
    validation = [found["validation"] for found in frames.epochs_of(store, key)]
    return facts(summary, test["scores"], test["targets"], validation, len(stage.get("train_examples", [])))


def facts(
    summary: Mapping[str, Any], scores: Sequence[float], targets: Sequence[str], validation: Sequence[float], texts: int
) -> Facts:
    """`texts`: how many the stage was trained on."""
    known = ("train_loss", "constant_loss", "moved", "outside", "restricted")
    return Facts(
        scores,
        doctor.majority(targets),
        validation,
        summary.get("validation_texts", 0),
        cut=summary["cut_texts"] / texts if texts and "cut_texts" in summary else None,
        failure=summary.get("failure") or "",
        given=summary.get("given", False),
        **{name: summary.get(name) for name in known},
    )


def said(frame: pd.DataFrame) -> list[str]:
    """What is not as it should be, a sentence a stage."""
    return [
        f"{row.task}{' (alone)' * row.alone}: {row.sentence} {row.advice[0].upper()}{row.advice[1:]}."
        for row in frame.itertuples()
        if row.cause
    ]
