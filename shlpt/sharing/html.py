"""One document in one file: text, tables and interactive figures that open from a disk, without internet.

    section = Section("Transfer", (Prose("Help is **blue**."), drawn(transfer_matrix, cells)))
    Path("report.html").write_bytes(document("A matrix", [section]))

Plotly.js is inside, once. The document asks for nothing else: its content security policy allows only its own two
scripts and no connection. It is light or dark as the reader's system is, and light on paper.
"""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from shlpt.errors import UserError
from shlpt.plots import library, theme

LARGEST = 10_000_000  # bytes
HERE = Path(__file__)


@dataclass(frozen=True)
class Prose:
    """Paragraphs and lists (`- `), apart by empty lines, with **strong**, `code` and [links](#place). All else is
    shown literally."""

    text: str


@dataclass(frozen=True)
class Table:
    """Columns that hold numbers are aligned to the right; missing values are empty."""

    frame: pd.DataFrame
    caption: str = ""
    write: Callable[[Any], str] | None = None  # a value as text; by default six digits


@dataclass(frozen=True)
class Figure:
    """A plotly figure in both themes, and the sentence that says what it shows."""

    light: go.Figure
    dark: go.Figure
    alt: str
    caption: str = ""
    over: str = ""  # the name of a guess that is drawn over it


@dataclass(frozen=True)
class Guess:
    """A figure that the reader draws into, and a slider for each value. `about` is what `plots/guess.js` needs."""

    name: str
    figure: Figure
    how: str  # to draw
    labels: Sequence[str]
    begin: Sequence[float]
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Code:
    """A command or a program, letter by letter."""

    text: str


@dataclass(frozen=True)
class Markup:
    """HTML that the program itself wrote, such as an SVG or MathML: never anybody's text. What differs between the
    themes has the class `on-light` or `on-dark`."""

    html: str


@dataclass(frozen=True)
class Fold:
    """Parts behind a click; open on paper."""

    title: str
    parts: "Sequence[Part]"


Part = Prose | Table | Figure | Guess | Code | Markup | Fold


@dataclass(frozen=True)
class Section:
    title: str
    parts: Sequence[Part]


@dataclass
class _Body:
    """The markup so far, and the figures that the script draws into it."""

    figures: list[dict[str, Any]] = field(default_factory=list)
    tables: int = 0


def drawn(plot: Any, *given: Any, caption: str = "", **how: Any) -> Figure:
    """The figure of a module of `plots`, as the pages draw it."""
    light, dark = (plot.figure(*given, dark=dark, **how) for dark in (False, True))
    return Figure(light, dark, plot.alt(*given, **how), caption)


def figure(title: str, plot: Any, *given: Any, **how: Any) -> bytes:
    """A document with one figure."""
    one = drawn(plot, *given, **how)
    return document(title, [Section(plot.__name__.rpartition(".")[2].replace("_", " ").capitalize(), (one,))])


def document(title: str, sections: Sequence[Section], lead: str = "") -> bytes:
    """The whole document. `lead` is prose under the title."""
    body = _Body()
    parts = "".join(
        f'<section id="part-{number}" aria-labelledby="title-{number}"><h2 id="title-{number}">{escape(one.title)}</h2>'
        f"{_markup(one.parts, body)}</section>"
        for number, one in enumerate(sections, 1)
    )
    data = json.dumps(body.figures, allow_nan=False, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    scripts = [_library(), _script()] if body.figures else []
    allowed = " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in scripts) or "'none'"
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        f"img-src data: blob:; script-src {allowed}; base-uri 'none'; form-action 'none'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><meta name="referrer" content="no-referrer"><title>{escape(title)}</title>'
        f"<style>{_style()}</style></head>\n<body><header><h1>{escape(title)}</h1>{prose(lead)}</header>"
        f"{_contents(sections)}<main>{parts}</main>\n"
        + f'<script type="application/json" id="figures">{data}</script>\n'
        + "".join(f"<script>{text}</script>\n" for text in scripts)
        + "</body></html>\n"
    ).encode()
    if len(page) > LARGEST:
        raise UserError(
            f"the document {title!r} would have {len(page) / 1e6:.1f} MB, more than the {LARGEST / 1e6:.0f} MB that "
            "mail and browsers take: put fewer runs or figures into it"
        )
    return page


# --- parts --------------------------------------------------------------------------------
def _markup(parts: Sequence[Part], body: _Body) -> str:
    return "".join(_part(one, body) for one in parts)


def _part(one: Part, body: _Body) -> str:
    match one:
        case Prose():
            return prose(one.text)
        case Table():
            return _table(one, body)
        case Figure():
            return _figure(one, body)
        case Guess():
            return _guess(one, body)
        case Code():
            return f'<pre tabindex="0"><code>{escape(one.text)}</code></pre>'
        case Markup():
            return one.html
        case Fold():
            return f"<details><summary>{escape(one.title)}</summary>{_markup(one.parts, body)}</details>"


_STRONG, _CODE = re.compile(r"\*\*(.+?)\*\*"), re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\(((?:https://|#)[^\s)]+)\)")


def prose(text: str) -> str:
    """Paragraphs and lists as HTML."""
    found = []
    for block in filter(None, (part.strip() for part in text.split("\n\n"))):
        lines = block.splitlines()
        if all(line.startswith(("- ", "  ")) for line in lines):
            items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
            found.append("<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>")
        else:
            found.append(f"<p>{_inline(block)}</p>")
    return "".join(found)


def _inline(text: str) -> str:
    """Code stays as it is; elsewhere strong words and links are marked up."""
    parts = _CODE.split(escape(text.strip(), quote=False))
    plain = (_LINK.sub(r'<a href="\2">\1</a>', _STRONG.sub(r"<strong>\1</strong>", part)) for part in parts[::2])
    code = [f"<code>{part}</code>" for part in parts[1::2]]
    return "".join(text + mark for text, mark in zip(plain, [*code, ""], strict=True))


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_written, value))
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _table(one: Table, body: _Body) -> str:
    body.tables += 1
    frame, write = one.frame, one.write or _written
    sides = ["" if pd.api.types.is_numeric_dtype(frame[name]) else ' class="words"' for name in frame.columns]
    head = "".join(f'<th scope="col"{side}>{escape(str(n))}</th>' for n, side in zip(frame.columns, sides, strict=True))
    rows = (
        "".join(f"<td{side}>{escape(write(value))}</td>" for value, side in zip(row, sides, strict=True))
        for row in frame.itertuples(index=False, name=None)
    )
    said = f"<caption>{escape(one.caption)}</caption>" if one.caption else ""
    name = escape(one.caption or f"Table {body.tables}")
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<div class="table" role="region" tabindex="0" aria-label="{name}"><table>{said}<thead><tr>{head}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _figure(one: Figure, body: _Body, **more: Any) -> str:
    number, height = len(body.figures) + 1, one.light.layout.height or theme.HEIGHT
    looks = {"light": json.loads(one.light.to_json()), "dark": json.loads(one.dark.to_json())}
    body.figures.append(looks | more | ({"over": one.over} if one.over else {}))
    said = f"<figcaption>{escape(one.caption)}</figcaption>" if one.caption else ""
    return (
        f'<figure><div class="plot" id="figure-{number}" style="height:{height:g}px" role="figure" tabindex="0" '
        f'aria-label="{escape(one.alt)}"><noscript>{escape(one.alt)}</noscript></div>{said}</figure>'
    )


def _guess(one: Guess, body: _Body) -> str:
    low, high, step = one.about["low"], one.about["high"], 1 if one.about["kind"] == "cell" else 0.01
    kind = f'type="range" min="{low:g}" max="{high:g}" step="{step}"'
    sliders = "".join(
        f'<p><label><span>{escape(label)}</span> <input {kind} value="{value:g}"></label> <output></output>'
        for label, value in zip(one.labels, one.begin, strict=True)
    )
    about = {"name": one.name, "values": list(one.begin), "about": dict(one.about)}
    keys = f"<details><summary>Draw with the keyboard</summary>{sliders}</details>"
    drawn = f"<p>{escape(one.how)}</p>{_figure(one.figure, body, guess=about)}{keys}"
    return f'<div class="guess" data-guess="{escape(one.name)}">{drawn}</div>'


def _contents(sections: Sequence[Section]) -> str:
    """Links to the sections, where there are several."""
    if len(sections) < 3:
        return ""
    items = (f'<li><a href="#part-{n}">{escape(one.title)}</a></li>' for n, one in enumerate(sections, 1))
    return f'<nav aria-label="Contents"><ol>{"".join(items)}</ol></nav>'


# --- what every document has ---------------------------------------------------------------
@cache
def _library() -> str:
    return library.FILE.read_text(encoding="utf-8")


@cache
def _script() -> str:
    files = Path(library.__file__).with_name("guess.js"), HERE.with_suffix(".js")
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


@cache
def _style() -> str:
    def colors(dark: bool) -> str:
        named = {"ground": theme.GROUND, "second": theme.SECOND, "text": theme.TEXT}
        named |= {"faint": theme.FAINT, "grid": theme.GRID, "accent": theme.ACCENT}
        return ";".join(f"--{name}:{value[dark]}" for name, value in named.items())

    text = HERE.with_suffix(".css").read_text(encoding="utf-8")
    return (
        f":root{{{colors(False)};font-family:{theme.FONT}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{colors(True)}}}}}{text}"
    )
