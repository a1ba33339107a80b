"""Importing on the Tasks page: columns are confirmed, findings shown, and nothing is stored before the button."""

from pathlib import Path

import pytest
from visiting import errors, press, said, visit

from shlpt.tasks import shelf

ROWS = "\n".join(f"it was the {n}th {'superb' if n % 2 else 'awful'} day,{n % 2}" for n in range(40))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_a_file_is_confirmed_and_stored(home: Path) -> None:
    app = visit("tasks.py")
    assert "Nothing is imported yet" in said(app)
    app.file_uploader("import-train").set_value(("mood.csv", f"text,label\n{ROWS}".encode(), "text/csv")).run()
    assert errors(app) == []
    assert "of the words" in said(app)
    assert app.selectbox("import-mood.csv-label").value == "label"
    assert not (home / "tasks").exists()
    press(app, "Store as own/mood")
    assert [record.title for record in shelf.stored(home)] == ["own/mood"]
    shown = visit("tasks.py")
    assert ["own/mood"] in [list(frame.value.get("task", [])) for frame in shown.dataframe]


def test_what_cannot_be_imported_is_said(home: Path) -> None:
    app = visit("tasks.py")
    app.file_uploader("import-train").set_value(("mood.csv", f"text,label\n{ROWS}\n ,1".encode(), "text/csv")).run()
    assert "1 rows have an empty text or no label" in said(app)
    app.checkbox("import-skip").check().run()
    assert "1 rows without text or label were left out" in said(app)
    app.file_uploader("import-train").set_value(("mood.csv", b"PK\x03\x04", "text/csv")).run()
    assert "is a zip archive or a spreadsheet" in said(app)
    assert not (home / "tasks").exists()
