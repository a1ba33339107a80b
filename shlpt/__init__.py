"""SHLPT: similarity heuristic lifelong prompt tuning, with the systems it is compared with."""

__version__ = "0.1.0"
