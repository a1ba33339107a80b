"""Files that people bring: read within budgets, refused in words, whatever is in them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shlpt.errors import UserError
from shlpt.tasks import reading
from shlpt.tasks.reading import read

ROWS = [{"text": 'a "good", warm day', "label": "yes"}, {"text": "two\nlines; ünïcode 漢字", "label": "no"}]


def written(folder: Path, kind: str) -> Path:
    path = folder / f"some.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table({key: [row[key] for row in ROWS] for key in ROWS[0]}), path)
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in ROWS) + "\n\n", encoding="utf-8")
    else:
        mark = {"csv": ",", "tsv": "\t", "semicolon.csv": ";"}[kind]
        cells = [["text", "label"], *([row["text"], row["label"]] for row in ROWS)]
        quoted = [mark.join('"' + cell.replace('"', '""') + '"' for cell in line) for line in cells]
        path.write_text("\r\n".join(quoted), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "semicolon.csv", "jsonl", "parquet"])
def test_every_kind_gives_the_same_columns(tmp_path: Path, kind: str) -> None:
    found = read(written(tmp_path, kind))
    assert found.columns == {key: [row[key] for row in ROWS] for key in ROWS[0]}


def test_numbers_and_flags_are_text_and_all_else_is_left_out(tmp_path: Path) -> None:
    table = pa.table(
        {"text": ["a", None], "label": pa.array([0, 1], pa.int64()), "flag": [True, False], "when": [1.5, 2.0]}
        | {"parts": [["x"], ["y"]], "raw": [b"\x00", b"\x01"]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = read(tmp_path / "a.parquet")
    assert found.columns == {"text": ["a", ""], "label": ["0", "1"], "flag": ["true", "false"]}
    assert found.left_out == ("when", "parts", "raw")
    (tmp_path / "a.jsonl").write_text('{"text": "a", "label": 1, "more": ["x"]}\n{"label": false, "text": "b"}')
    assert read(tmp_path / "a.jsonl").columns == {"text": ["a", "b"], "label": ["1", "false"]}


WRONG: dict[str, tuple[bytes, str]] = {
    "empty.csv": (b"", "is empty"),
    "head.csv": (b"text,label\n", "has no rows"),
    "cells.csv": (b"text,label\na,b\na,b,c\n", "line 3: 3 cells, but the first line names 2 columns"),
    "quote.csv": (b'text,label\n"a,b\n' + b"x" * 200_000, "Is a quote not closed?"),
    "twice.csv": (b"text,text\na,b\n", "two columns named 'text'"),
    "latin.csv": ("text,label\ncafé,yes\n".encode("latin-1"), "is not in UTF-8 (byte 0xe9)"),
    "wide.csv": ("text,label\na,b\n".encode("utf-16"), "save it in UTF-8"),
    "zero.csv": (b"text,label\n" + b"a,b\n" * 200 + b"a\0b,c\n", "zero byte"),
    "zip.csv": (b"PK\x03\x04abc", "is a zip archive or a spreadsheet: unpack it"),
    "gz.jsonl": (b"\x1f\x8babc", "is a gzip archive"),
    "old.xls": (b"\xd0\xcf\x11\xe0abc", "is a spreadsheet"),
    "table.xlsx": (b"abc", "CSV, TSV, JSON lines (.jsonl) and Parquet files are read"),
    "list.jsonl": (b'["a"]\n', "line 1: no JSON object"),
    "array.jsonl": (b'[\n{"text": "a"}]\n', "line 1: no JSON object"),
    "deep.jsonl": (b'{"a": ' + b"[" * 100_000, "line 1: no JSON object"),
    "number.jsonl": (b'{"a": ' + b"9" * 10_000 + b"}", "line 1: no JSON object"),
    "half.jsonl": (b'{"text": "a"}\n{"text": "b"', "line 2: no JSON object"),
    "lone.jsonl": (b'{"text": "\\ud800", "label": "a"}', "row 1: it has characters that are no text"),
    "long.jsonl": (b'{"text": "' + b"a" * 2_000_000 + b'"}', "more than 1,000,000 characters in one line"),
    "keys.jsonl": (json.dumps({str(n): "a" for n in range(200)}).encode(), "more than 100 columns"),
    "half.parquet": (b"PAR1abcdef", "half.parquet"),
    "other.parquet": (b"text,label\na,b\n", "is no Parquet file"),
    "really.csv": (b"PAR1abc", "is a Parquet file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_read_is_refused_in_words(tmp_path: Path, name: str) -> None:
    content, said = WRONG[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as refusal:
        read(tmp_path / name)
    assert said in str(refusal.value)
    assert len(str(refusal.value)) < 400


@pytest.mark.parametrize(
    ("budget", "said"),
    [({"ROWS": 3}, "more than 3 rows"), ({"CELLS": 5}, "more than 5 cells"), ({"TEXT_BYTES": 20}, "MB of text")],
)
def test_more_than_the_budget_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: dict[str, int], said: str
) -> None:
    for key, value in budget.items():
        monkeypatch.setattr(reading, key, value)
    (tmp_path / "a.csv").write_text("text,label\n" + "some words,yes\n" * 9)
    with pytest.raises(UserError, match=said):
        read(tmp_path / "a.csv")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read gone\.csv: No such file"):
        read(tmp_path / "gone.csv")


# --- fuzzing ------------------------------------------------------------------------------
def tried(path: Path) -> None:
    """Read or refused: no other exception."""
    try:
        table = read(path)
    except UserError:
        return
    assert len({len(column) for column in table.columns.values()}) <= 1


@given(content=st.binary(max_size=300), kind=st.sampled_from([".csv", ".tsv", ".jsonl"]))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_are_read_or_refused(tmp_path: Path, content: bytes, kind: str) -> None:
    path = tmp_path / f"fuzz{kind}"
    path.write_bytes(content)
    tried(path)


@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["csv", "tsv", "jsonl"]))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_text_files_are_read_or_refused(tmp_path: Path, seed: int, kind: str) -> None:
    path = written(tmp_path, kind)
    path.write_bytes(damaged(path.read_bytes(), Random(seed)))
    tried(path)


@pytest.mark.slow
def test_damaged_parquet_files_are_read_or_refused(tmp_path: Path) -> None:
    """A few: each is another process."""
    whole = written(tmp_path, "parquet").read_bytes()
    for seed in range(8):
        path = tmp_path / f"{seed}.parquet"
        path.write_bytes(b"PAR1" + damaged(whole[4:], Random(seed)))
        tried(path)


def damaged(data: bytes, rng: Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        place = rng.randrange(len(found))
        match rng.randrange(4):
            case 0:
                found[place] = rng.randrange(256)
            case 1:
                del found[place : place + rng.randint(1, 20)]
            case 2:
                found[place:place] = rng.randbytes(rng.randint(1, 20))
            case _:
                found[place:place] = rng.choice([b'"', b"\n", b",", b"\0", b"\xff", b"{", b"[" * 50])
        if not found:
            break
    return bytes(found)


# --- memory -------------------------------------------------------------------------------
def hidden(path: Path) -> None:
    """400 MB in a file of a few KB: every row points to one entry of a dictionary."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 4500, pa.int32()), pa.array(["x" * 90_000]))
    pq.write_table(pa.table({"text": texts, "label": ["a", "b"] * 2250}), path, compression="zstd")


def packed(path: Path) -> int:
    """400 MB of text that compresses well; returns what the first part says of its size."""
    part = pa.table({"text": [f"{number:06d}" + "x" * 90_000 for number in range(450)], "label": ["a", "b"] * 225})
    with pq.ParquetWriter(path, part.schema, compression="zstd", use_dictionary=False) as file:
        for _ in range(10):
            file.write_table(part)
    return int(pq.read_metadata(path).row_group(0).column(0).total_uncompressed_size)


def lying(path: Path) -> None:
    """The same, and the end of the file says that there is little."""
    true = padded(packed(path), 0)
    data = path.read_bytes()
    assert data.count(true) >= 10
    path.write_bytes(data.replace(true, padded(1, len(true))))


def padded(number: int, size: int) -> bytes:
    """A number as Thrift writes it, in at least `size` bytes."""
    number, found = number * 2, bytearray()
    while number >= 128 or len(found) + 1 < size:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="NOT TESTED: memory is measured through /proc")
@pytest.mark.parametrize("make", [hidden, packed, lying])
def test_a_small_file_that_hides_400_mb_is_refused_in_under_500_mb(tmp_path: Path, make: object) -> None:
    path = tmp_path / "bomb.parquet"
    make(path)  # type: ignore[operator]
    assert path.stat().st_size < 2_000_000
    code = (
        "import re, resource, sys\nfrom pathlib import Path\nfrom shlpt.errors import UserError\n"
        "from shlpt.tasks.reading import read\n"
        "try: read(Path(sys.argv[1])); print('read')\n"
        "except UserError as error: print(error)\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', Path('/proc/self/status').read_text())[1])\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    found = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    said, *peaks = found.stdout.splitlines()
    assert "is not read" in said or "is damaged" in said or "MB of text" in said
    assert max(map(int, peaks)) < 500 * 1024
    assert os.listdir(tmp_path) == ["bomb.parquet"]
