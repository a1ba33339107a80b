"""Whether a lesson may be taught: what the recorded results do not support, with its line. No torch."""

import re

from shlpt.lessons import claims
from shlpt.lessons.numbers import written
from shlpt.lessons.reading import Lesson

TYPED = re.compile(r"\d+(\.\d+)?\s*(%|percent|points?\b)")  # a result that somebody wrote by hand


def problems(lesson: Lesson) -> list[str]:
    """What the recorded results do not support, each with its line; empty if the lesson may be taught."""
    found = [line for name in lesson.front.claims for line in _unsupported(lesson, name)]
    for name, text in lesson.front.results.items():
        if text.partition(" ")[0] != (now := claims.locate(text)["id"]):
            where = lesson.where("results", name)
            found.append(f"{where}: {text} was recorded anew and is {now} now: read the lesson again, change the id")
    if lesson.front.guess.kind == "choice":
        found += _undecided(lesson)
    for heading, text in lesson.sections.items():
        found += [
            f"{lesson.line_of(match[0])}: {match[0]!r} in {heading!r} is typed: numbers come from claims, in braces"
            for match in TYPED.finditer(text)
        ]
        claims.filled(lesson, text)
    return found


def _unsupported(lesson: Lesson, name: str) -> list[str]:
    claim, one = lesson.front.claims[name], claims.found(lesson, name)
    if one.says == claim.says:
        return []
    said = f"says {claim.says} {claim.than:g}, but the recorded results give {written(one)}: {one.says}"
    return [f"{lesson.where('claims', name)}: {name} {said}"]


def _undecided(lesson: Lesson) -> list[str]:
    """A choice has one right answer: the whole interval lies in it."""
    guess, one = lesson.front.guess, claims.found(lesson, lesson.front.guess.of)
    if guess.options[0].says is not None:
        return [] if one.says in {o.says for o in guess.options} else [f"{lesson.where('guess')}: no option is right"]
    places = {
        next(k for k, o in enumerate(guess.options) if o.up_to is None or end < o.up_to) for end in (one.low, one.high)
    }
    return [] if len(places) == 1 else [f"{lesson.where('guess')}: the interval {written(one)} is in two options"]
