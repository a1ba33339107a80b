"""The commands `lessons` and `lecture`."""

from pathlib import Path

import pytest
from saying import outcome, refused, say

from shlpt.lessons import answers, claims, reading


def test_lessons_are_listed_and_their_claims_have_intervals(capsys: pytest.CaptureFixture[str]) -> None:
    assert [row["lesson"] for row in say(capsys, "lessons")] == reading.names()
    rows = {row["claim"]: row for row in say(capsys, "lessons", "harm")}
    found = claims.found(reading.read("harm"), "trap")
    assert (rows["trap"]["value"], rows["trap"]["low"]) == (found.value, found.low)
    assert "did you mean 'harm'" in refused(capsys, "lessons", "harn")


def test_codes_of_a_class_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    lesson = reading.read("harm")
    codes = [answers.code(lesson, answers.GUESS, [value]) for value in (-50.0, 5.0)]
    found = say(capsys, "lessons", "harm", "--codes", f"{codes[0]}, {codes[1]}, torn")
    assert (found["answers"], found["unreadable"]) == (2, 1)
    assert [row["count"] for row in found["rows"]] == [1, 0, 0, 1, 0, 0]
    assert "needs the lesson" in refused(capsys, "lessons", "--codes", "x")
    assert "did you mean 'check'" in refused(capsys, "lessons", "harm", "--codes", "x", "--question", "chek")


def test_a_lecture_is_written_and_nothing_is_replaced_by_accident(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "lecture.html"
    about = say(capsys, "lecture", "forgetting", "--out", str(out))
    assert about == {"file": str(out), "bytes": out.stat().st_size, "lessons": ["forgetting"]}
    assert "is there already" in refused(capsys, "lecture", "forgetting", "--out", str(out))
    assert outcome("lecture", "forgetting", "--out", str(out), "--force") == 0
    assert "cannot write" in refused(capsys, "lecture", "forgetting", "--out", str(tmp_path / "no" / "x.html"))
    assert "did you mean 'forgetting'" in refused(capsys, "lecture", "forgeting", "--out", str(tmp_path / "y.html"))
