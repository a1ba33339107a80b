"""Tasks on the command line: list, import, remove; what is refused leaves nothing behind."""

import io
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from saying import outcome, refused, say

from shlpt.tasks import shelf


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mood.train.csv"
    rows = [f"it was the {n}th superb day,1" if n % 2 else f"it was the {n}th awful day,0" for n in range(40)]
    path.write_text("\n".join(["text,label", *rows]))
    return path


def test_a_file_is_imported_listed_and_removed(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = ["--home", str(tmp_path / "home")]
    words = ["--word", "0=bad", "--word", "1=good"]
    found = say(capsys, "tasks", "add", str(file), *words, "--check", *home)
    assert (found["name"], found["labels"], found["stored"]) == ("own/mood", {"0": "bad", "1": "good"}, False)
    assert found["counts"]["train"] == {"bad": 12, "good": 12}
    assert 0 < found["fit"]["unknown"] < 1
    assert not (tmp_path / "home").exists()
    assert say(capsys, "tasks", "add", str(file), *words, *home)["stored"] is True
    rows = say(capsys, "tasks", "--suite", "own", *home)
    assert [(row["name"], row["classes"], row["labels"]) for row in rows] == [("own/mood", 2, ["bad", "good"])]
    assert len(say(capsys, "tasks", *home)) == 17
    assert say(capsys, "tasks", "remove", "own/mood", *home) == [{"removed": "own/mood", "origin": "mood.train.csv"}]
    assert say(capsys, "tasks", "--suite", "own", *home) == []


def test_a_run_with_more_examples_than_there_are_leaves_no_store(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(tmp_path / "home")]
    say(capsys, "tasks", "add", str(file), *home)
    wanted = ["--tasks", "own/mood,sst2", "--set", "shots=200", *home]
    for command in (["run"], ["run", "--fresh"], ["run", "--detach"], ["matrix"]):
        assert "set shots to at most 12" in refused(capsys, *command, *wanted)
    assert [path.name for path in (tmp_path / "home").iterdir()] == [shelf.FOLDER]


def test_what_is_read_is_shown(tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("tasks", "add", str(file), "--home", str(tmp_path / "home")) == 0
    said = capsys.readouterr()
    assert "own/mood: examples" in said.out
    assert "Splits: 20% of each class for test and 20% for validation." in said.out
    assert "of the words" in said.out
    assert "run --tasks own/mood" in said.err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--label", "lable"], "unknown column 'lable': did you mean 'label'?"),
        (["--name", "../mood"], "give one of letters, digits"),
        (["--word", "0"], "write it as LABEL=WORD"),
        (["--word", "2=two"], "unknown label '2'"),
        (["--test", "gone.csv"], "cannot read gone.csv"),
        (["--backbone", "pokcet"], "did you mean 'pocket'?"),
    ],
)
def test_a_mistake_is_refused_and_nothing_is_written(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    home = tmp_path / "home"
    assert said in refused(capsys, "tasks", "add", str(file), *more, "--home", str(home))
    assert not home.exists()


def test_an_unknown_suite_or_task_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean 'own'?" in refused(capsys, "tasks", "--suite", "owm")
    assert "no task own/mood" in refused(capsys, "tasks", "remove", "mood", "--home", str(tmp_path))
    assert "no task own/mood" in refused(capsys, "run", "--tasks", "own/mood", "--home", str(tmp_path))
    assert shelf.stored(tmp_path) == []


def test_a_file_that_makes_no_task_is_refused_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"text number {n},{'yes' if n % 2 else 'no'}" for n in range(40)]
    hidden = io.BytesIO()
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 4500, pa.int32()), pa.array(["x" * 90_000]))
    pq.write_table(pa.table({"text": texts, "label": ["a", "b"] * 2250}), hidden, compression="zstd")
    files = {
        "noise.csv": (Random(1).randbytes(100_000), "is not a text in UTF-8"),
        "noise.parquet": (Random(1).randbytes(100_000), "is no Parquet file"),
        "zeros.jsonl": (b"\0" * 100_000, "is not a text in UTF-8"),
        "latin.csv": ("text,label\ncafé,yes\n".encode("latin-1"), "is not in UTF-8"),
        "wide.csv": ("text,label\na,b\n".encode("utf-16"), "save it in UTF-8"),
        "hidden.parquet": (hidden.getvalue(), "more than 64 MB of text"),  # 400 MB
        "column.csv": (b"text\n" + b"a\n" * 20, "no column looks like labels: name it, as in --label COLUMN"),
        "class.csv": (("text,label\n" + "".join(f"text {n},yes\n" for n in range(20))).encode(), "needs two classes"),
        "empty.csv": ("\n".join(["text,label", *rows[:3], ",yes", *rows[3:]]).encode(), "--skip-empty"),
    }
    home = tmp_path / "home"
    for name, (content, said) in files.items():
        (tmp_path / name).write_bytes(content)
        assert said in refused(capsys, "tasks", "add", str(tmp_path / name), "--home", str(home))
        assert not home.exists(), name
    kept = tmp_path / "kept.csv"
    kept.write_text("\n".join(["text,label", *rows]))
    say(capsys, "tasks", "add", str(kept), "--home", str(home))
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    assert "of the class" in refused(capsys, "run", "--tasks", "own/kept", "--set", "shots=900", "--home", str(home))
    refused(capsys, "tasks", "add", str(kept), "--name", "../kept", "--home", str(home))
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*") if path in before} == before
    assert [task.name for task in shelf.stored(home)] == ["kept"]
