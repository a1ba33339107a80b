"""The command line: help, lists in three forms, and kind answers to mistakes. It trains nothing here."""

import csv
import io
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer.main
from saying import outcome, refused

from shlpt.catalog import METHODS
from shlpt.catalog.backbones import SHAPES
from shlpt.cli.main import app
from shlpt.cli.report import show
from shlpt.errors import UserError
from shlpt.results.export import safe
from shlpt.spec import RunSpec, read_seeds
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.sequences import SEQUENCES

ROOT = Path(__file__).resolve().parents[2]
TOP: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
COMMANDS = {
    f"{name} {below}".strip(): command
    for name, group in TOP.items()
    for below, command in getattr(group, "commands", {"": group}).items()
}
of_every_command = pytest.mark.parametrize("name", COMMANDS)


# --- help ---------------------------------------------------------------------------------
@of_every_command
def test_a_command_says_what_it_does_and_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMANDS[name].help
    assert COMMANDS[name].epilog.startswith(f"Example: python -m shlpt {name}")
    assert outcome(*name.split(), "--help") == 0
    assert f"Example: python -m shlpt {name}" in " ".join(capsys.readouterr().out.split())
    words = shlex.split(COMMANDS[name].epilog.removeprefix("Example: python -m shlpt "))
    COMMANDS[name].make_context(name, words[len(name.split()) :])  # its example is understood
    assert "--json" in {flag for option in COMMANDS[name].params for flag in option.opts}


def test_the_overview_lists_every_command_and_lists_say_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("--help") == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in TOP)
    assert outcome("runs", "--help") == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name.removeprefix('runs ')} " in shown for name in COMMANDS if name.startswith("runs "))
    outcome("tasks", "--json")
    row = next(row for row in json.loads(capsys.readouterr().out) if row["name"] == "agnews")
    assert (row["classes"], row["standin_for"], row["family"]) == (4, "AG News", "topics")
    assert row["labels"] == ["world", "sports", "business", "science"]
    outcome("methods", "--json")
    found = {row["name"]: [s["name"] for s in row["settings"]] for row in json.loads(capsys.readouterr().out)}
    assert found == {name: list(info.params.model_fields) for name, info in METHODS.items()}


# --- lists --------------------------------------------------------------------------------
LISTS = {
    "tasks": (list(TASKS), {"name", "family", "classes", "standin_for"}),
    "methods": (list(METHODS), {"name", "needs", "trainable", "kept_bytes"}),
    "sequences": (list(SEQUENCES), {"name", "tasks"}),
    "backbones": (["pocket", *SHAPES], {"name", "parameters", "memory_mb", "seconds_a_step"}),
}


@pytest.mark.parametrize("command", LISTS)
def test_a_list_is_one_document_one_file_and_names_everything_to_people(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    names, required = LISTS[command]
    assert outcome(command, "--json") == 0
    said = capsys.readouterr()
    assert outcome(command, "--csv") == 0
    tables = json.loads(said.out), list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    for rows in tables:
        assert [row["name"] for row in rows] == names
        assert all(required <= set(row) and None not in row for row in rows)
    assert said.err == ""
    assert outcome(command) == 0
    shown = capsys.readouterr().out
    assert all(f"\n{name} " in shown for name in names)


def test_the_settings_of_a_method_are_listed_with_those_of_every_training(capsys: pytest.CaptureFixture[str]) -> None:
    outcome("methods", "dtvg", "--json")
    found = {row["setting"]: row for row in json.loads(capsys.readouterr().out)}
    assert {name: row["default"] for name, row in found.items()} == RunSpec.make(["rte", "cb"], "dtvg").settings
    assert all(row["meaning"] for row in found.values())
    assert found["batch_size"]["allowed"] == "≥ 1 and ≤ 1024"
    assert found["scored_on"]["allowed"] == "test, validation"


def test_listing_loads_no_model_and_no_page() -> None:
    code = (
        "import sys\nfrom shlpt.cli.main import main\n"
        "for command in ('tasks', 'methods', 'sequences', 'backbones'):\n"
        "    try: main([command])\n"
        "    except SystemExit as end: assert not end.code, end\n"
        "heavy = {'torch', 'transformers', 'streamlit', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_the_module_is_the_command_line() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "shlpt", "run", "--sequence", "dmo"], cwd=ROOT, capture_output=True, text=True
    )
    assert (found.returncode, found.stdout) == (2, "")
    assert found.stderr.startswith("error: unknown sequence 'dmo': did you mean 'demo'?")


# --- mistakes -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ("run", "name what to learn: either --sequence (such as demo) or --tasks (such as yelp,sst2)"),
        ("run --sequence demo --tasks sst2", "not both"),
        ("run --tasks ,", "no tasks given: name one at least, for example yelp,sst2,agnews"),
        ("run --tasks yelpp --json", "unknown task 'yelpp': did you mean 'yelp'?"),
        ("run --tasks sst2,sst2", "task 'sst2' is in the sequence twice"),
        ("run --tasks dial:0.5,dial:.50", "task 'dial:+0.50' is in the sequence twice"),
        ("run --tasks dial:7", "outside the dial: from -1"),
        ("run --tasks ask:prise/hotel/no-yes", "unknown question 'prise': did you mean 'price'?"),
        ("run --tasks ask:price/hotl/no-yes", "unknown texts 'hotl': did you mean 'hotel'?"),
        ("run --tasks ask:price/hotel/no-yess", "unknown answer word 'yess': did you mean 'yes'?"),
        ("run --tasks ask:price/news/no-yes", "'price' cannot be asked of 'news': it can be asked of hotel"),
        ("run --tasks ask:price/hotel/yes-blue", "are no answers to 'price': give one of no-yes"),
        ("run --tasks ask:price/hotel", "write it as ask:<question>/<texts>/<answers>"),
        ("run --tasks ask:../../etc/passwd", "write it as ask:<question>/<texts>/<answers>"),
        ("run --tasks sst2@0", "from 1 to 10000, as in sst2@32"),
        ("run --tasks sst2@8,sst2@08", "task 'sst2@8' is in the sequence twice"),
        ("run --tasks ask:topic/news/sports-world,ask:topic/news/world-sports", "is in the sequence twice"),
        ("run --tasks contrary:ask:price/hotel/no-yes,ask:price/hotel/yes-no", "is in the sequence twice"),
        ("run --sequence ordr1", "unknown sequence 'ordr1': did you mean 'order1'?"),
        ("run --tasks sst2 --suite poket", "unknown suite 'poket': did you mean 'pocket'?"),
        ("run --tasks sst2 --method shpt", "unknown method 'shpt': did you mean 'shlpt'?"),
        ("run --tasks sst2 --preset papr", "unknown preset 'papr': did you mean 'paper'?"),
        ("run --tasks sst2 --set treshold=1", "unknown setting 'treshold': did you mean 'threshold'?"),
        ("run --tasks sst2 --method continual --set threshold=1", "belongs to shlpt, not to continual"),
        ("run --tasks sst2 --set threshold=-1", "threshold cannot be -1 (allowed: ≥ 0)"),
        ("run --tasks sst2 --set epochs=0", "epochs cannot be 0 (allowed: ≥ 1 and ≤ 1000)"),
        ("run --tasks sst2 --set lr=NaN", "lr cannot be nan (allowed: > 0 and ≤ 10)"),
        ("run --tasks sst2 --set epochs", "write it as key=value"),
        ("run --tasks sst2 --seeds one", "cannot read the seeds 'one'"),
        ("run --tasks sst2 --seeds -3", "for example 42,142,242"),
        ("run --tasks sst2 --seeds 99999999999", "seed cannot be 99999999999"),
        ("run --tasks sst2 --lanes 0", "--lanes"),
        ("run --tasks sst2 --sedes 1", "--seeds"),
        ("tsks", "Did you mean 'tasks'?"),
        ("speed --rounds 1", "--rounds"),
        ("speed --device cudo", "unknown device 'cudo': use auto, cpu, cuda"),
        ("speed --backbone poket", "unknown backbone 'poket': did you mean 'pocket'?"),
        ("speed --dtype float8", "unknown dtype 'float8': use auto, float32 or bfloat16"),
        ("doctor --home tests/conftest.py --backbone t6-small", "unknown backbone 't6-small'"),
    ],
)
def test_a_mistake_is_answered_kindly(arguments: str, answer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer in refused(capsys, *arguments.split())


def test_results_cannot_go_where_a_file_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "home").write_text("a file")
    assert "Choose a folder with --home" in refused(capsys, "run", "--tasks=sst2", f"--home={tmp_path / 'home'}")
    assert (tmp_path / "home").read_text() == "a file"


def test_a_backbone_is_not_overwritten_by_accident(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"mine")
    assert "--force" in refused(capsys, "pretrain", f"--out={tmp_path}", "--scale=0.001")
    assert (tmp_path / "model.safetensors").read_bytes() == b"mine"


def test_seeds_are_read_in_order_and_once_or_answered_with_an_example() -> None:
    assert [read_seeds(text) for text in ("42", "42, 142,242", "3,3,0,")] == [[42], [42, 142, 242], [3, 0]]
    for text in ("", ",", "1.5", "1,-1", "1 2"):
        with pytest.raises(UserError, match="for example 42,142,242"):
            read_seeds(text)


# --- how things are said ------------------------------------------------------------------
def test_a_spreadsheet_does_not_take_a_text_for_a_formula_and_plain_ones_stay() -> None:
    for text in ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=", "--"):
        assert safe(text) == f"'{text}"
    for text in ("", "sst2", "-0.25", "+1.5", "-1e-05", "a=b", "1-2", "order1 @ home"):
        assert safe(text) == text


ROWS: list[dict[str, Any]] = [
    {"text": '=HYPERLINK("x")', "value": -0.25, "parts": ["a", "b"]},
    {"text": "two\nlines", "more": None},
]


def test_csv_has_all_columns_and_no_formulas_and_json_has_null(capsys: pytest.CaptureFixture[str]) -> None:
    show(ROWS, "title", as_json=False, as_csv=True)
    found = list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))
    assert found == [
        {"text": '\'=HYPERLINK("x")', "value": "-0.25", "parts": "a b", "more": ""},
        {"text": "two\nlines", "value": "", "parts": "", "more": ""},
    ]
    show([{"acc": float("nan"), "δ": 0.5}], "title", as_json=True, as_csv=False)
    assert json.loads(capsys.readouterr().out) == [{"acc": None, "δ": 0.5}]
    show([], "nothing", as_json=True, as_csv=False)
    assert json.loads(capsys.readouterr().out) == []
    show([], "nothing", as_json=False, as_csv=True)
    assert capsys.readouterr().out.strip() == ""


def test_a_table_shows_texts_as_they_are_and_missing_as_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"what": "[red]bold[/]", "value": 0.12345, "gone": None, "on": True}], "title", as_json=False, as_csv=False)
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("title", "[red]bold[/]", "0.123", "–", "yes"))
    assert "0.1234" not in shown
    show(WIDE, "methods", as_json=False, as_csv=False)
    assert capsys.readouterr().out.splitlines()[2].split() == [*" ".join(map(str, WIDE[0].values())).split()]


WIDE = [{"method": "oracle_partition", "about": "told which tasks are related", "n": 9, "acc": 90.379}]


@pytest.mark.parametrize(("columns", "is_whole"), [(45, True), (20, False)])
def test_in_a_narrow_terminal_sentences_wrap_and_nothing_is_lost(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int, is_whole: bool
) -> None:
    for name, value in {"TTY_COMPATIBLE": "1", "COLUMNS": str(columns), "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    show(WIDE, "methods", as_json=False, as_csv=False)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(len, lines)) <= columns
    assert any(line.startswith("oracle_partition") for line in lines) == is_whole
    letters = Counter("".join(lines))
    assert not Counter("".join(map(str, WIDE[0].values())).replace(" ", "")) - letters
