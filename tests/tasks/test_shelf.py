"""Stored tasks: found by name, drawn the same every time, safe in their folder."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shlpt.errors import UserError
from shlpt.tasks import prompts, shelf
from shlpt.tasks.find import draw, find_task
from shlpt.tasks.sequences import read_tasks
from shlpt.tasks.shelf import Gone, Record
from shlpt.tasks.task import Example

RECORD = Record("own", "mood", ("bad", "good"), ("bad", "good"), family="own", about="imported", origin="a.csv")


def rows(train: int = 12, others: int = 4, mark: str = "") -> shelf.Rows:
    counts = {"train": train, "validation": others, "test": others}
    return {
        split: [Example(f"{mark}{split} {label} {n}", label, label) for label in RECORD.labels for n in range(count)]
        for split, count in counts.items()
    }  # type: ignore[return-value]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    shelf.write(tmp_path, RECORD, rows())
    return tmp_path


def test_a_task_is_found_by_its_whole_name_or_by_its_name_in_the_suite(home: Path) -> None:
    task = find_task("own/mood", home=home)
    assert (task.name, task.title, task.labels, task.chance) == ("own/mood", "own/mood", ("bad", "good"), 0.5)
    assert find_task("mood", "own", home).name == "own/mood"
    assert find_task("mood@3", "own", home).name == "own/mood@3"
    assert read_tasks("own/mood, sst2", home=home) == ("own/mood", "sst2")
    assert [record.counts["train"] for record in shelf.stored(home) if record.counts] == [{"bad": 12, "good": 12}]


def test_draws_are_balanced_the_same_every_time_and_shorter_ones_begin_longer_ones(home: Path) -> None:
    task = find_task("own/mood", home=home)
    few, many = (draw(task, "train", count, 7) for count in (3, 9))
    assert few == many[:6] == draw(find_task("own/mood", home=home), "train", 3, 7)
    assert Counter(e.group for e in few) == {"bad": 3, "good": 3}
    assert {e.id for e in draw(task, "train", 3, 8)} != {e.id for e in few}
    assert not {e.id for e in many} & {e.id for e in draw(task, "test", 4, 7)}


def test_too_few_examples_are_refused_with_the_most_there_are(home: Path) -> None:
    with pytest.raises(UserError, match=r"12 train examples of the class 'bad'.*set shots to at most 12"):
        draw(find_task("own/mood", home=home), "train", 13, 0)
    with pytest.raises(UserError, match="12 train examples"):
        find_task("own/mood@13", home=home)


def test_a_task_of_the_paper_takes_what_there_is(home: Path) -> None:
    shelf.write(home, replace(RECORD, suite="paper", takes_all=True), rows(5))
    assert len(draw(find_task("paper/mood", home=home), "train", 100, 0)) == 10


def test_the_same_texts_are_one_file_and_others_need_another_name(home: Path) -> None:
    assert len(list((home / shelf.FOLDER).iterdir())) == 1
    shelf.write(home, RECORD, rows())
    assert len(list((home / shelf.FOLDER).iterdir())) == 1
    with pytest.raises(UserError, match="there is a task own/mood with other texts"):
        shelf.write(home, RECORD, rows(mark="other "))
    assert shelf.remove(home, "mood").origin == "a.csv"
    assert shelf.stored(home) == []
    shelf.write(home, RECORD, rows(mark="other "))


def test_a_missing_task_is_refused_with_the_nearest_name(home: Path) -> None:
    with pytest.raises(Gone, match=r"no task own/mod in .*tasks add.*did you mean 'mood'"):
        find_task("own/mod", home=home)
    with pytest.raises(Gone, match="tasks fetch rte"):
        find_task("rte", "paper", home)
    with pytest.raises(UserError, match="only generated tasks have a contrary"):
        find_task("contrary:own/mood", home=home)


def test_a_changed_file_is_refused(home: Path) -> None:
    (path,) = (home / shelf.FOLDER).iterdir()
    path.write_bytes(path.read_bytes().replace(b"bad 3", b"bad 4", 1))
    with pytest.raises(UserError, match="its content has changed"):
        draw(find_task("own/mood", home=home), "train", 3, 0)
    path.write_text("no json\n")
    with pytest.raises(UserError, match="stored task damaged"):
        shelf.stored(home)


def test_a_changed_prompt_is_refused_too(tmp_path: Path) -> None:
    prompts.write(tmp_path, np.ones((2, 3)), "mine", "sst2", "0")
    (path,) = (tmp_path / prompts.FOLDER).iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(UserError, match=r"imported prompt damaged: .*its content has changed.*import the prompt again"):
        prompts.read("mine", tmp_path)
    path.unlink()
    with pytest.raises(Gone, match="no prompt prompts/mine"):
        prompts.read("mine", tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / shelf.FOLDER).write_text("a file is in the way")
    with pytest.raises(UserError, match=r"cannot write to .*tasks"):
        shelf.write(tmp_path, RECORD, rows())
