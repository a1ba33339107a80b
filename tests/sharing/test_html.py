"""A document in one file: everything inside, nobody's text as markup, not larger than mail takes."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from shlpt.errors import UserError
from shlpt.plots import accuracy_matrix, library, theme
from shlpt.sharing import html
from shlpt.sharing.html import Code, Fold, Markup, Prose, Section, Table, document, drawn, prose

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
MATRIX = drawn(accuracy_matrix, np.array([[0.5, np.nan], [0.25, 1.0]]), ("rte", f"own/{EVIL}"), caption="Scores")


class Reader(HTMLParser):
    """The tags with their attributes, and the content of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.words += data


def test_everything_is_inside_and_the_policy_allows_only_that() -> None:
    one = Reader(document("A & B", [Section("One", (MATRIX, MATRIX))]).decode())
    outside = {"src", "href", "srcset", "action", "data", "poster"}
    asked = [(tag, name, value) for tag, attrs in one.tags for name, value in attrs.items() if name in outside]
    assert [found for found in asked if not (found[2] or "").startswith("#")] == []
    policy = next(attrs["content"] for tag, attrs in one.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    data, *scripts = one.scripts
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    assert re.findall(r"'sha256-(.*?)'", policy) == hashes
    assert scripts[0] == library.FILE.read_text(encoding="utf-8")  # once, though there are two figures
    assert [looks.keys() for looks in json.loads(data)] == [{"light", "dark"}] * 2


def test_a_figure_is_in_both_themes_and_says_what_it_shows() -> None:
    one = Reader(document("A", [Section("One", (MATRIX,))]).decode())
    figure = json.loads(one.scripts[0])[0]
    for name, dark in (("light", False), ("dark", True)):
        assert figure[name]["layout"]["template"]["layout"]["paper_bgcolor"] == theme.GROUND[dark]
    box = next(attrs for _, attrs in one.tags if attrs.get("id") == "figure-1")
    assert box["aria-label"] == MATRIX.alt
    assert (box["role"], box["tabindex"]) == ("figure", "0")


def test_nobodys_text_is_markup() -> None:
    table = Table(pd.DataFrame({EVIL: [EVIL], "n": [0.5]}), EVIL)
    parts = (Prose(EVIL), table, Code(EVIL), Fold(EVIL, (Prose(EVIL),)), MATRIX)
    one = Reader(document(EVIL, [Section(EVIL, parts)], EVIL).decode())
    assert len(one.scripts) == 3
    assert "img" not in [tag for tag, _ in one.tags]
    assert one.words.count("alert(1)</script>") >= 9


def test_a_document_without_figures_needs_no_script() -> None:
    found = document("A", [Section("One", (Markup('<svg class="on-light"></svg>'),))])
    assert len(found) < 10_000
    assert b"<script>" not in found
    assert b"script-src 'none'" in found
    assert b'<svg class="on-light"></svg>' in found


def test_tables_align_numbers_and_leave_out_what_is_missing() -> None:
    frame = pd.DataFrame({"task": ["rte", None], "score": [0.123456789, np.nan], "done": [True, False]})
    found = document("A", [Section("One", (Table(frame, "Scores"), Table(frame, write=lambda v: f"<{v}>")))]).decode()
    assert '<th scope="col" class="words">task</th><th scope="col">score</th>' in found
    assert '<td class="words">rte</td><td>0.123457</td>' in found
    assert '<td class="words"></td><td></td>' in found
    assert "<caption>Scores</caption>" in found
    assert 'aria-label="Table 2"' in found
    assert "&lt;True&gt;" in found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("one\n\ntwo", "<p>one</p><p>two</p>"),
        ("a **b** `c**d**` [e](#part-1)", '<p>a <strong>b</strong> <code>c**d**</code> <a href="#part-1">e</a></p>'),
        ("- a\n- b\n  c", "<ul><li>a</li><li>b\n  c</li></ul>"),
        ("[a](javascript:alert)", "<p>[a](javascript:alert)</p>"),
        ("", ""),
    ],
)
def test_prose(text: str, wanted: str) -> None:
    assert prose(text) == wanted


def test_sections_are_listed_where_there_are_several() -> None:
    sections = [Section(name, ()) for name in ("One", "Two", "Three")]
    assert b'<nav aria-label="Contents"><ol><li><a href="#part-1">One</a>' in document("A", sections)
    assert b"<nav" not in document("A", sections[:2])


def test_a_document_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "LARGEST", 1_000_000)
    with pytest.raises(UserError, match=r"'A' would have 1\.5 MB, more than the 1 MB"):
        document("A", [Section("One", (MATRIX,))])
