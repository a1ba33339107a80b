"""The command line called in this process."""

import json
from typing import Any

import pytest

from shlpt.cli.main import main


def outcome(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of a mistake: no result beside it, no traceback."""
    assert outcome(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


def say(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert outcome(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)
