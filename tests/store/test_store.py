"""The file: made, checked, migrated; transactions whole or not at all; nothing of others touched."""

import errno
import math
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from storing import at_once

from shlpt.errors import UserError
from shlpt.store import store as module
from shlpt.store.artifacts import DiskFull
from shlpt.store.schema import APPLICATION, MIGRATIONS, VERSION
from shlpt.store.store import FILE, Store, clean, default_home, to_json


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- a home -------------------------------------------------------------------------------
def test_a_new_home_is_made_and_marked_as_ours_and_opening_again_changes_nothing(tmp_path: Path, store: Store) -> None:
    store = Store(tmp_path / "a" / "b").open()
    assert [entry.name for entry in store.home.iterdir()] == [FILE]
    assert (store.value("PRAGMA application_id"), store.value("PRAGMA user_version")) == (APPLICATION, VERSION)
    before = files(store.home)
    Store(store.home).open()
    assert files(store.home) == before


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("mine")
    Store(tmp_path).open()
    assert (tmp_path / "thesis.tex").read_text() == "mine"


def open_and_count(home: Path) -> None:
    os._exit(0 if Store(home).open().value("SELECT count(*) FROM runs") == 0 else 1)


def test_many_processes_may_open_a_new_home_at_once(tmp_path: Path) -> None:
    for number in range(5):
        assert at_once(open_and_count, *[(tmp_path / str(number),)] * 6) == [0] * 6


def test_write_ahead_logging_only_where_the_library_is_sound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sound = sqlite3.sqlite_version_info >= (3, 51, 3)
    assert store.db.execute("PRAGMA journal_mode").fetchone()[0] == "delete"  # made just now
    store.close()
    assert store.value("PRAGMA journal_mode") == ("wal" if sound else "delete")


def test_a_home_of_a_newer_version_is_refused_and_left_alone(store: Store) -> None:
    store.db.execute(f"PRAGMA user_version={VERSION + 1}")
    store.close()
    before = files(store.home)
    with pytest.raises(UserError, match=rf"newer version of shlpt \(format {VERSION + 1}, this one reads {VERSION}\)"):
        Store(store.home).open()
    assert files(store.home) == before


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute("CREATE TABLE photos (id)")
    before = files(tmp_path)
    with pytest.raises(UserError, match=r"database of another program: choose another folder with --home"):
        Store(tmp_path).open()
    assert files(tmp_path) == before


def left_behind(file: Path, *statements: str) -> None:
    """By a program that was killed."""
    script = (
        "import os, sqlite3, sys; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "for statement in sys.argv[2:]: db.execute(statement)\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, file, *statements], check=True)


@pytest.mark.parametrize(
    "statements",
    [
        ["PRAGMA journal_mode=WAL", "CREATE TABLE photos (id)"],
        ["PRAGMA journal_mode=WAL", "PRAGMA application_id=7", "CREATE TABLE photos (id)"],
        [
            "CREATE TABLE photos (id)",
            "PRAGMA cache_size=1",
            "BEGIN",
            *[f"INSERT INTO photos VALUES (zeroblob({9000 + i}))" for i in range(9)],
        ],
    ],
    ids=["WAL", "WAL, named", "hot journal"],
)
def test_what_another_program_has_not_merged_stays_so(tmp_path: Path, statements: list[str]) -> None:
    left_behind(tmp_path / FILE, *statements)
    before = files(tmp_path)
    assert {f"{FILE}-wal", f"{FILE}-journal"} & set(before)
    with pytest.raises(UserError, match=r"database of another program"):
        Store(tmp_path).open()
    assert files(tmp_path) == before


def test_what_our_own_program_has_not_merged_is_there(store: Store) -> None:
    store.close()
    insert = "INSERT INTO runs (id, spec, created) VALUES ('r', '{}', 0)"
    left_behind(store.file, "PRAGMA journal_mode=WAL", insert)
    assert Store(store.home).open().value("SELECT id FROM runs") == "r"
    left_behind(store.file, "PRAGMA journal_mode=WAL", f"PRAGMA user_version={VERSION + 1}")
    with pytest.raises(UserError, match="newer version"):
        Store(store.home).open()


def test_a_second_connection_leaves_the_locks_of_the_first(store: Store) -> None:
    script = (
        "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None).execute('BEGIN IMMEDIATE')"
    )
    with store.write():
        Store(store.home).open().close()
        other = subprocess.run([sys.executable, "-c", script, store.file], capture_output=True, text=True)
    assert "database is locked" in other.stderr


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(UserError, match=r"sqlite is a folder, but should be the file of a store: .*--home"):
        Store(tmp_path).open()


@pytest.mark.parametrize("content", [b"not a database at all" * 20, b"SQLite format 3\0" + b"\1" * 400])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(UserError, match="not a store of shlpt, or is damaged"):
        Store(tmp_path).open()
    assert files(tmp_path) == {FILE: content}


def test_damage_found_later_is_told_as_well(store: Store) -> None:
    with store.write() as db:
        db.executemany("INSERT INTO runs (id, spec, created) VALUES (?, '{}', 0)", [(str(i),) for i in range(3000)])
    store.close()
    data = bytearray(store.file.read_bytes())
    data[8192 : len(data) // 2] = b"\xaa" * (len(data) // 2 - 8192)
    store.file.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        Store(store.home).open().rows("SELECT * FROM runs ORDER BY id")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    for home in (tmp_path / "home", tmp_path / "home" / "below"):
        with pytest.raises(UserError, match=r"cannot write to .*home.*Choose a folder with --home"):
            Store(home).open()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")
def test_a_place_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(UserError, match=r"cannot write to /proc/shlpt: .*--home"):
        Store("/proc/shlpt").open()


def test_a_read_only_store_can_be_read_and_not_written(small_disk: Path) -> None:
    Store(small_disk / "there").open().close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    store = Store(small_disk / "there").open()
    assert store.value("SELECT count(*) FROM runs") == 0
    with pytest.raises(UserError, match="cannot write to"), store.write() as db:
        db.execute("DELETE FROM runs")
    for home in (small_disk, small_disk / "new"):
        with pytest.raises(UserError, match=r"cannot write to .*--home"):
            Store(home).open()
    store.close()


def test_the_home_is_runs_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SHLPT_HOME", raising=False)
    assert default_home() == Path("runs")
    monkeypatch.setenv("SHLPT_HOME", "")
    assert default_home() == Path("runs")
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "there"))
    assert Store().home == tmp_path / "there"
    assert Store(tmp_path / "given").home == tmp_path / "given"


# --- transactions -------------------------------------------------------------------------
def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def half_done() -> None:
        with store.write() as db:
            db.execute("INSERT INTO runs (id, spec, created) VALUES ('r', '{}', 0)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert store.value("SELECT count(*) FROM runs") == 0
    with store.write():
        pass  # the next one begins as if nothing had been


def test_a_store_that_is_locked_for_long_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.1)
    with store.write():
        other = Store(store.home)
        with pytest.raises(UserError, match=r"has been locked for over 0\.1 s by another program"), other.write():
            pass


def test_a_mistake_of_ours_is_not_blamed_on_the_file(store: Store) -> None:
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        store.rows("SELEKT 1")
    with pytest.raises(sqlite3.IntegrityError), store.write() as db:
        db.execute("INSERT INTO runs (id) VALUES ('r')")


def broken(code: int, text: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error


def test_a_disk_that_fails_is_not_called_full(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DiskFull), store.write():
        raise broken(sqlite3.SQLITE_FULL, "database or disk is full")
    with pytest.raises(UserError, match="check that its disk is there") as found, store.write():
        raise broken(sqlite3.SQLITE_IOERR_WRITE, "disk I/O error")
    assert not isinstance(found.value, DiskFull)
    assert [path.name for path in store.home.iterdir()] == [FILE]
    for reason, kind in ((errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EIO, UserError)):
        monkeypatch.setattr(os, "fsync", partial(refuse, reason))
        with pytest.raises(UserError) as found, store.write():
            raise broken(sqlite3.SQLITE_IOERR_WRITE, "disk I/O error")
        assert type(found.value) is kind


def refuse(reason: int, *_: object) -> None:
    raise OSError(reason, os.strerror(reason))


def test_rows_come_as_dictionaries_and_numbers_are_cleaned(store: Store) -> None:
    assert store.rows("SELECT 1 AS a, 'x' AS b") == [{"a": 1, "b": "x"}]
    assert store.row("SELECT 1 AS a WHERE 0") is None
    assert (store.value("SELECT 7"), store.value("SELECT 7 WHERE 0")) == (7, None)
    whole = {"a": 1, "b": True, "c": None, "d": "NaN", "e": 0.5, "f": [(1, 2)]}
    assert clean(whole) == whole | {"f": [[1, 2]]}
    assert clean([np.float64("nan"), np.float64(0.5), -math.inf]) == [None, 0.5, None]
    assert to_json({"α": math.nan}) == '{"α":null}'


# --- migrations ---------------------------------------------------------------------------
def newer(monkeypatch: pytest.MonkeyPatch, *changes: str) -> None:
    monkeypatch.setattr(module, "MIGRATIONS", (*MIGRATIONS, *changes))
    monkeypatch.setattr(module, "VERSION", VERSION + len(changes))


def test_an_older_store_is_copied_and_brought_to_this_version(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.write() as db:
        db.execute("INSERT INTO runs (id, spec, created) VALUES ('r', '{}', 0)")
    store.close()
    newer(monkeypatch, "ALTER TABLE runs ADD COLUMN colour TEXT", "UPDATE runs SET colour='red'")
    again = Store(store.home).open()
    assert again.value("SELECT colour FROM runs") == "red"
    assert again.value("PRAGMA user_version") == VERSION + 2
    with closing(sqlite3.connect(store.home / f"shlpt.v{VERSION}.sqlite")) as copy:
        assert copy.execute("SELECT id FROM runs").fetchall() == [("r",)]
        assert copy.execute("PRAGMA user_version").fetchone()[0] == VERSION


def test_stages_of_an_older_store_get_their_share_of_the_groups_time(tmp_path: Path) -> None:
    """Lanes that ended 3, 5 and 9 s after their group began: a third of 3, and half of 2, and the rest alone."""
    file = tmp_path / "shlpt.sqlite"
    rows = [("a", "g", 5.0), ("b", "g", 3.0), ("c", "g", 9.0), ("d", "h", 4.0), ("e", "g", None)]
    with closing(sqlite3.connect(file)) as db:
        db.executescript(MIGRATIONS[0] + f"PRAGMA user_version=1; PRAGMA application_id={APPLICATION};")
        db.executemany(
            "INSERT INTO stages (key, grp, seconds, task, method, plan, steps) VALUES (?,?,?,'','','',1)", rows
        )
        db.execute("INSERT INTO runs (id, spec, created, result) VALUES ('r', '{}', 0, '{}')")
        db.commit()
    store = Store(tmp_path).open()
    found = {row["key"]: row["seconds"] for row in store.rows("SELECT key, seconds FROM stages")}
    assert found == {"a": 2.0, "b": 1.0, "c": 6.0, "d": 4.0, "e": None}
    assert store.value("SELECT result FROM runs") is None  # computed again


def test_a_migration_that_fails_leaves_the_old_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    newer(monkeypatch, "ALTER TABLE runs ADD COLUMN colour TEXT; CREATE TABLE runs (id)")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        Store(store.home).open()
    monkeypatch.undo()
    assert "colour" not in [row["name"] for row in Store(store.home).open().rows("PRAGMA table_info(runs)")]


# --- values -------------------------------------------------------------------------------
