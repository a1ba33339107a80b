"""The recorded results that come with the program, a store under data/recorded. No torch. Only `python -m shlpt record`
writes it."""

from pathlib import Path

from shlpt.store.store import Store

HOME = Path(__file__).resolve().parents[2] / "data" / "recorded"


def recorded() -> Store | None:
    """The store of recorded results; None if its file was removed."""
    return Store(HOME).there()
