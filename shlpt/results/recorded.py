"""Results that come with the program, so that every page has something true to show at once. No torch.

They are a store like any other, under data/recorded, made by `python -m shlpt record` and never
written by anything else. Whatever shows them calls them recorded.
"""

from pathlib import Path

from shlpt.store.store import Store

HOME = Path(__file__).resolve().parents[2] / "data" / "recorded"


def recorded() -> Store | None:
    """The store that comes with the program; None where its file was removed."""
    return Store(HOME).there()
