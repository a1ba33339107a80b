"""Commands that a page shows, read back by the real command line without training."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shlpt.cli import main as cli
from shlpt.cli import studies
from shlpt.spec import RunSpec
from shlpt.work import worker


class Read(Exception):
    """What the command would have trained."""


@contextmanager
def nothing_trained() -> Iterator[None]:
    """Commands do everything up to where runs are queued; what they would queue is raised."""

    def seen(*found: Any, **_: Any) -> None:
        raise Read(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker, "run", seen)
        patch.setattr(cli, "submit_detached", seen)
        patch.setattr(studies, "carry_out", seen)
        yield


def read(line: str) -> tuple[Any, ...]:
    """By the command that a terminal would start: for `run` specs and home, for an experiment it and its options."""
    words = shlex.split(line)
    assert words[:3] == ["python", "-m", "shlpt"]
    with nothing_trained(), pytest.raises(Read) as found:
        cli.main(words[3:])
    return found.value.args[0]


def specs_of(text: str) -> list[RunSpec]:
    return [spec for line in text.splitlines() for spec in read(line)[0]]
