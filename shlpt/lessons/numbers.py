"""A number with its 95 % interval, and how it is written in a text. Pure."""

from dataclasses import dataclass
from typing import Literal

from shlpt.analysis.points import signed
from shlpt.errors import UserError, unknown
from shlpt.lessons.reading import Says

Unit = Literal["points", "share", "number"]


@dataclass(frozen=True)
class Found:
    """A number with its 95 % interval over the seeds (of an area, over tasks and seeds)."""

    value: float
    low: float
    high: float
    n: int
    unit: Unit
    than: float = 0.0
    first: float | None = None  # the two sides of a difference, as shares
    second: float | None = None

    @property
    def says(self) -> Says:
        return "above" if self.low > self.than else "below" if self.high < self.than else "unclear"


FORMS = ("value", "size", "interval", "first", "second", "n")


def written(one: Found, form: str | None = None) -> str:
    """`+30.3 points [+21.9, +38.7]`; `form` asks for one of FORMS."""
    if form in ("first", "second"):
        return _percent(one.first if form == "first" else one.second)
    ends = f"[{number(one.low, one.unit)}, {number(one.high, one.unit)}]"
    value = number(one.value, one.unit) + {"points": " points", "share": " %", "number": ""}[one.unit]
    whole = {"value": value, "size": value.lstrip("+−"), "interval": ends, "n": str(one.n), None: f"{value} {ends}"}
    if form not in whole:
        raise unknown("form of a number", str(form), FORMS)
    return whole[form]


def number(value: float, unit: Unit) -> str:
    """Without its unit; with a sign if it is a difference."""
    if unit == "number":
        return f"{value:.2f}"
    return signed(value) if unit == "points" else signed(100 * value, ".0f")


def _percent(share: float | None) -> str:
    if share is None:
        raise UserError("this claim has no two sides")
    return f"{100 * share:.0f} %"
