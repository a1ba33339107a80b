"""Rows and records as files: what the command line prints and what pages offer for download. No torch."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from shlpt.store.store import clean

Row = Mapping[str, Any]


def csv_text(rows: Sequence[Row]) -> str:
    """All columns that any row has; what is missing is empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe(str(name)) for name in names])
    for row in rows:
        writer.writerow([safe(word(row.get(name))) for name in names])
    return out.getvalue()


def rows_of_frame(frame: Any) -> list[dict[str, Any]]:
    """Lines of a frame, with None for what is missing."""
    found = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in found]


def json_text(value: Any) -> str:
    return json.dumps(clean(value), allow_nan=False, ensure_ascii=False, indent=1)


def safe(text: str) -> str:
    """A spreadsheet must not take a text for a formula."""
    risky = text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text)
    return f"'{text}" if risky else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def word(value: Any) -> str:
    """A value in a cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
