"""What a lesson draws: its question as a figure, the result over the guess, and the answers of a class. No torch.

`Drawn` has a module of `plots` and what it takes, so that pages and the lecture draw the same."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd

from shlpt.lessons import answers, claims, curves
from shlpt.lessons.answers import Answer, Votes
from shlpt.lessons.numbers import Found
from shlpt.lessons.reading import Lesson
from shlpt.plots import claims as claims_figure
from shlpt.plots import guess_cell, guess_curve, theme, votes

AXES = {"points": "Difference (points)", "share": "Share", "number": "Value"}


@dataclass(frozen=True)
class Drawn:
    plot: Any
    given: tuple[Any, ...]
    table: pd.DataFrame | None = None
    how: Mapping[str, Any] = field(default_factory=dict)


def question(lesson: Lesson, values: Sequence[float] | None, revealed: bool, others: Sequence[Answer] = ()) -> Drawn:
    """The figure that a curve or a cell is drawn into, without or with the recorded result."""
    guess = lesson.front.guess
    if guess.kind == "curve":
        truth, drawn = curves.found(lesson, guess.of), list(values or ())
        given = (truth.rows, guess.places, drawn, guess.given, truth.x, truth.y, (guess.low, guess.high))
        more = (truth.ticks, truth.share, revealed, [list(one) for one in others])
        return Drawn(guess_curve, (*given, *more), guess_curve.numbers(truth.rows) if revealed else None)
    claim = lesson.front.claims[guess.of]
    _, table = claims.cells(claims.store().home, claims.locate(lesson.front.results[claim.of])["id"])
    shown = table[table["source"].isin(guess.tasks) & table["target"].isin(guess.tasks)]
    value = None if values is None else values[0]
    return Drawn(guess_cell, (shown, guess.tasks, claim.source, claim.target, value, guess.high, revealed))


@dataclass(frozen=True)
class Asked:
    """What is drawn into the figure of a question: a name for each value, where they begin, and what `plots/guess.js`
    needs: `kind`, `low` and `high`; of a curve `places`, how many are `given`, the values `known` there, and whether
    they are a `share`; of a cell `row` and `column`."""

    labels: list[str]
    begin: float
    how: str
    about: dict[str, Any]


def asked(lesson: Lesson) -> Asked:
    guess = lesson.front.guess
    about: dict[str, Any] = {"kind": guess.kind, "low": guess.low, "high": guess.high}
    if guess.kind == "cell":
        claim = lesson.front.claims[guess.of]
        about |= {"row": guess.tasks.index(claim.source), "column": guess.tasks.index(claim.target)}
        source, target = (theme.label(task).removeprefix("ask:") for task in (claim.source, claim.target))
        label = f"Gain of {target} from {source}, in points"
        how = "Press on the framed cell and drag up for help, down for harm."
        return Asked([label], (guess.low + guess.high) / 2, how, about)
    truth, places = curves.found(lesson, guess.of), guess.places[guess.given :]
    known = guess_curve.known_at(truth.rows, guess.places[: guess.given])
    about |= {"places": list(guess.places), "given": guess.given, "known": known, "share": truth.share}
    labels = [truth.ticks[int(place)] if truth.ticks else f"{truth.x} {place:g}" for place in places]
    begin = known[-1] if known else (guess.low + guess.high) / 2
    return Asked(labels, begin, "Draw with the mouse or a finger: the dashed line follows.", about)


def result(lesson: Lesson, answer: Sequence[float] | None, others: Sequence[Answer] = ()) -> list[Drawn]:
    """The recorded result over the guess, and the claims that the lesson makes of it."""
    front, found = lesson.front, shown(lesson)
    kind = front.guess.kind
    parts = (
        [] if kind == "choice" else [question(lesson, answer, revealed=True, others=others if kind == "curve" else ())]
    )
    if found:
        first = next(iter(found.values()))
        band = None if answer is None or kind == "curve" else guessed(lesson, answer, found)
        claim = front.claims[next(iter(found))]
        given = (rows(lesson, found), claim.axis or AXES[first.unit], first.unit, first.than, claim.limit, band)
        parts.append(Drawn(claims_figure, given, rows(lesson, found)))
    return parts


def shown(lesson: Lesson) -> dict[str, Found]:
    """The claims of the figure; that of the question first, unless it is a curve."""
    front = lesson.front
    names = [] if front.guess.kind == "curve" else [front.guess.of]
    return {name: claims.found(lesson, name) for name in dict.fromkeys([*names, *front.shows])}


def rows(lesson: Lesson, found: Mapping[str, Found]) -> pd.DataFrame:
    lines = [(lesson.front.claims[name].label, f.value, f.low, f.high, f.says) for name, f in found.items()]
    return pd.DataFrame(lines, columns=claims_figure.COLUMNS)


def guessed(lesson: Lesson, answer: Sequence[float], found: Mapping[str, Found]) -> tuple[float, float]:
    """The values that a guess means, on the axis of its claim: a range, or one value of a cell."""
    guess = lesson.front.guess
    if guess.kind == "cell":
        return answer[0], answer[0]
    place, first = int(answer[0]), found[guess.of]
    option = guess.options[place]
    if option.says is not None:
        reach = max(abs(end - f.than) for f in found.values() for end in (f.low, f.high))
        low, high = {"above": (0.0, math.inf), "unclear": (-reach / 5, reach / 5), "below": (-math.inf, 0.0)}[
            option.says
        ]
        return first.than + low, first.than + high
    before = guess.options[place - 1].up_to if place else None
    return (-math.inf if before is None else before), (math.inf if option.up_to is None else option.up_to)


def right(lesson: Lesson) -> int:
    """The option of a choice that the recorded result supports."""
    found = claims.found(lesson, lesson.front.guess.of)
    return answers.right_option(lesson, found.value, found.says)


def of_class(lesson: Lesson, question_: str, found: Votes) -> Drawn:
    """The answers of a class beside the result."""
    guess, check = lesson.front.guess, lesson.front.check
    if question_ == answers.CHECK or guess.kind == "choice":
        checked = question_ == answers.CHECK
        texts = [o.text for o in check.options] if checked else [o.text for o in guess.options]
        place = check.right if checked else right(lesson)
        counted = answers.counts(found, len(texts))
        lines = [(text, n, k == place) for k, (text, n) in enumerate(zip(texts, counted, strict=True))]
        frame = pd.DataFrame(lines, columns=votes.COLUMNS)
        return Drawn(votes, (frame,), frame)
    if guess.kind == "curve":
        return question(lesson, None, revealed=True, others=found.answers)
    claim = claims.found(lesson, guess.of)
    edges = [guess.low + k * (guess.high - guess.low) / 6 for k in range(7)]
    lines = []
    for low, high in pairwise(edges):
        last = high == edges[-1]
        count = sum(low <= one[0] < high or (last and one[0] == high) for one in found.answers)
        name = f"{guess_cell.written(low)} to {guess_cell.written(high)}"
        lines.append((name, count, low <= claim.value < high))
    frame = pd.DataFrame(lines, columns=votes.COLUMNS)
    return Drawn(votes, (frame,), frame)
