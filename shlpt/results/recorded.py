"""The recorded results that come with the program, so that every page has something to show at once. No torch.

They are a normal store under data/recorded, written only by `python -m shlpt record`.
"""

from pathlib import Path

from shlpt.store.store import Store

HOME = Path(__file__).resolve().parents[2] / "data" / "recorded"


def recorded() -> Store | None:
    """The store that comes with the program; None if its file was removed."""
    return Store(HOME).there()
