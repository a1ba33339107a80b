"""Errors for the user: what is wrong, where, and what to do. Exit code 2."""

import difflib
from collections.abc import Iterable

MOST, NEAREST = 40, 5  # names listed in full; names shown of a longer list


class UserError(Exception):
    """A mistake that the user can correct. The message is shown without a traceback."""


def unknown(kind: str, name: str, known: Iterable[str]) -> UserError:
    """`unknown method 'shpt': did you mean 'shlpt'? Known: ...`; of a long list the nearest alone."""
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}? " if close else ""
    if len(names) <= MOST:
        return UserError(f"unknown {kind} {name!r}: {hint}Known: {', '.join(names)}")
    near = difflib.get_close_matches(name.lower(), names, n=NEAREST, cutoff=0.0)
    return UserError(f"unknown {kind} {name!r}: {hint}Nearest of {len(names)}: {', '.join(near)}")
