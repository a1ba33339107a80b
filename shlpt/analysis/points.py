"""Scores for reading, in points: with spread, interval and sign. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

NOTHING = "–"


def spread(found: Mapping[str, Any]) -> str:
    """`90.4 ± 1.2 [89.3, 91.5]` in points; unknown parts are left out."""
    if not found["sd"]:
        return points(found["mean"])
    return f"{points(found['mean'])} ± {points(found['sd'])}{_interval(found['ci95'])}"


def difference(apart: Mapping[str, Any]) -> str:
    """`+0.7 [−0.2, +1.6]`"""
    return f"{points(apart.get('difference'), '+')}{_interval(apart.get('ci95'), '+')}"


def points(share: float | None, sign: str = "") -> str:
    """In points; zero after rounding has no sign."""
    if share is None:
        return NOTHING
    found = round(100 * share, 1)
    return signed(found, f"{sign}.1f")


def signed(value: float, form: str = "+.1f") -> str:
    """A number with a minus sign instead of a hyphen; zero after rounding has no sign."""
    text = f"{value:{form}}".replace("-", "−")
    return text if any(digit in text for digit in "123456789") else text.lstrip("+−")


def between(ends: Sequence[float], form: str = "+.1f") -> str:
    """`[−0.2, +1.6]`"""
    return f"[{', '.join(signed(end, form) for end in ends)}]"


def _interval(ends: Sequence[float] | None, sign: str = "") -> str:
    return "" if ends is None else f" [{', '.join(points(end, sign) for end in ends)}]"


def probability(p: float | None) -> str:
    if p is None:
        return NOTHING
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")
