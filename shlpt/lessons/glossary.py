"""Words and symbols, each explained once: data/glossary.md, which people can read as it is. No torch."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shlpt.errors import UserError, unknown

FILE = Path(__file__).resolve().parents[2] / "data" / "glossary.md"


@dataclass(frozen=True)
class Term:
    name: str
    symbol: str  # as LaTeX between $; empty if it has none
    meaning: str


@cache
def terms() -> dict[str, Term]:
    """The rows of the table by name, in its order."""
    try:
        lines = FILE.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UserError(f"cannot read {FILE}: {error}; restore it with `git checkout -- data/glossary.md`") from None
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: Term(*row) for row in rows[2:]}  # after the head and its line


def find(name: str) -> Term:
    if name not in terms():
        raise unknown("word of the glossary", name, terms())
    return terms()[name]


def line(term: Term) -> str:
    """As markdown: **prompt** ($P$): what it is."""
    symbol = f" ({term.symbol})" if term.symbol else ""
    return f"**{term.name}**{symbol}: {term.meaning}"
