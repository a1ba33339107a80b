"""The paper's data sets, from small local copies with the same columns."""

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from shlpt.errors import UserError
from shlpt.spec import RunSpec
from shlpt.tasks import hub, shelf
from shlpt.tasks.find import draw, find_task
from shlpt.tasks.hub import DATA, fetch
from shlpt.tasks.sequences import find_sequence, read_tasks
from shlpt.tasks.task import Split

TABLE_7 = {
    "sentiment analysis": {"yelp", "amazon", "sst2", "imdb"},
    "topic classification": {"dbpedia", "yahoo", "agnews"},
    "NLI": {"mnli", "rte", "cb"},
    "paraphrase detection": {"qqp"},
    "word sense disambiguation": {"wic"},
    "QA": {"copa", "multirc"},
    "boolean QA": {"boolq"},
    "extractive QA": {"squad"},
}


def row(name: str, number: int) -> dict[str, Any]:
    """A row with the columns of the hub."""
    data = DATA[name]
    found: dict[str, Any] = {column: f"{column} {number} of {name}" for column in data.columns.values()}
    found |= {"idx": number}
    if name == "squad":
        return found | {"answers": {"text": [f"it {number}"] if number % 2 else [], "answer_start": [3] * (number % 2)}}
    return found | {data.label: number % len(data.words)}


def saved(folder: Path, name: str, train: int = 60, test: int = 40) -> Path:
    """A copy that `save_to_disk` wrote."""
    parts = {"train": range(train), DATA[name].test: range(1000, 1000 + test)}
    made = {part: Dataset.from_list([row(name, n) for n in numbers]) for part, numbers in parts.items()}
    DatasetDict(made).save_to_disk(str(folder / name))
    return folder


def test_the_sixteen_are_those_of_table_7() -> None:
    families: dict[str, set[str]] = {}
    for data in DATA.values():
        families.setdefault(data.family, set()).add(data.name)
    assert families == TABLE_7
    assert {name for name, data in DATA.items() if data.metric == "f1"} == {"squad"}
    assert {name: len(data.groups) for name, data in DATA.items()} == {
        name: task.classes for name, task in ((n, find_task(n)) for n in DATA)
    }


@pytest.mark.parametrize("name", DATA)
def test_each_is_stored_from_a_local_copy_and_drawn(tmp_path: Path, name: str) -> None:
    record = fetch(name, tmp_path / "home", saved(tmp_path / "copies", name))
    task = find_task(name, "paper", tmp_path / "home")
    assert (record.title, task.name, task.labels) == (f"paper/{name}", f"paper/{name}", DATA[name].words)
    parts: tuple[Split, ...] = ("train", "validation", "test")
    texts = {split: {e.text for e in draw(task, split, 100, 1)} for split in parts}
    assert sum(map(len, texts.values())) == 100
    assert not texts["train"] & texts["validation"]
    assert all(text.startswith(f"{next(iter(DATA[name].columns))}: ") for text in texts["test"])
    numbers = {int(text.split(" of ")[0].split()[-1]) for text in texts["test"]}
    assert numbers == set(range(1000, 1040))


def test_texts_and_answers_are_those_of_the_authors_code(tmp_path: Path) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for name in ("rte", "copa", "squad"):
        fetch(name, tmp_path, saved(tmp_path / "copies", name))
        rows = draw(find_task(name, "paper", tmp_path), "test", 100, 0)
        found[name] = {(e.text, e.target) for e in rows}
    assert ("sentence1: sentence1 1000 of rte sentence2: sentence2 1000 of rte", "entailment") in found["rte"]
    copa = " ".join(f"{key}: {key} 1001 of copa" for key in ("choice1", "choice2", "premise", "question"))
    assert (copa, "true") in found["copa"]
    assert ("question: question 1000 of squad context: context 1000 of squad", "unanswerable") in found["squad"]
    assert ("question: question 1001 of squad context: context 1001 of squad", "it 1001") in found["squad"]


def test_draws_are_as_many_as_in_the_paper(tmp_path: Path) -> None:
    for name in ("rte", "squad", "cb"):
        fetch(name, tmp_path, saved(tmp_path / "copies", name, 1000))
    counts = {name: len(draw(find_task(name, "paper", tmp_path), "train", 75, 42)) for name in ("rte", "squad")}
    assert counts == {"rte": 150, "squad": 300}
    (path,) = [p for p in (tmp_path / shelf.FOLDER).iterdir() if b'"paper","name":"cb"' in p.read_bytes()[:60]]
    assert path.stat().st_size > 1000
    assert len(draw(find_task("cb", "paper", tmp_path), "test", 100, 0)) == 40  # all there are


def test_a_copy_gives_the_same_examples_in_any_order_and_kind_of_file(tmp_path: Path) -> None:
    numbers, test = list(range(60)), range(1000, 1040)
    for folder, order in (("one", numbers), ("two", numbers[::-1])):
        (tmp_path / folder / "cb").mkdir(parents=True)
        for part, chosen in (("train", order), ("validation", test)):
            lines = [json.dumps(row("cb", n)) for n in chosen]
            (tmp_path / folder / "cb" / f"{part}.jsonl").write_text("\n".join(lines))
    found = []
    for folder in ("one", "two"):
        fetch("cb", tmp_path / f"home {folder}", tmp_path / folder)
        found.append([e.text for e in draw(find_task("cb", "paper", tmp_path / f"home {folder}"), "train", 8, 3)])
    assert found[0] == found[1]


def test_the_published_csv_of_amazon_has_no_head_and_counts_from_one(tmp_path: Path) -> None:
    folder = tmp_path / "copies" / "amazon"
    folder.mkdir(parents=True)
    for part, start in (("train", 0), ("test", 1000)):
        lines = [f'"{n % 5 + 1}","title {n}","text, {n}"' for n in range(start, start + 60)]
        (folder / f"{part}.csv").write_text("\n".join(lines))
    fetch("amazon", tmp_path, tmp_path / "copies")
    rows = draw(find_task("amazon", "paper", tmp_path), "test", 100, 0)
    assert ("title: title 1000 content: text, 1000", "terrible") in {(e.text, e.target) for e in rows}
    assert len(rows) == 60


def test_the_papers_sequences_and_settings_work_with_its_data(tmp_path: Path) -> None:
    for name in find_sequence("negative1"):
        fetch(name, tmp_path, saved(tmp_path / "copies", name))
    names = read_tasks(",".join(find_sequence("negative1")), "paper", tmp_path)
    assert names == ("paper/yahoo", "paper/rte", "paper/qqp", "paper/cb", "paper/mnli")
    assert RunSpec.make(names, preset="paper").settings["threshold"] == 1.5
    with pytest.raises(UserError, match=r"no task paper/squad in .*tasks fetch squad"):
        read_tasks("squad", "paper", tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"premise": None}, "has no train example"),
        ({"label": 7}, "has the label '7', not 0 to 2"),
        ({"hypothesis": ...}, "has no column 'hypothesis'"),
    ],
)
def test_another_data_set_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    folder = tmp_path / "copies" / "cb"
    folder.mkdir(parents=True)
    for part in ("train", "validation"):
        rows = [{k: v for k, v in (row("cb", n) | change).items() if v is not ...} for n in range(9)]
        (folder / f"{part}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(UserError, match=said):
        fetch("cb", tmp_path / "home", tmp_path / "copies")
    assert shelf.stored(tmp_path / "home") == []


def test_what_cannot_be_reached_is_said_with_what_to_get_and_where_to_put_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets

    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("Couldn't reach 'nyu-mll/glue' on the Hub (LocalEntryNotFoundError)")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(UserError) as refusal:
        fetch("rte", tmp_path)
    said = str(refusal.value)
    assert "cannot get RTE from the hub (Couldn't reach" in said
    assert "load_dataset('nyu-mll/glue', 'rte').save_to_disk('FOLDER/rte')" in said
    assert "tasks fetch rte --from FOLDER" in said
    with pytest.raises(UserError, match="amazon_review_full_csv of Zhang"):
        fetch("amazon", tmp_path)
    with pytest.raises(UserError, match=r"no folder rte in .*a saved copy of RTE"):
        fetch("rte", tmp_path, tmp_path)
    (tmp_path / "rte").mkdir()
    with pytest.raises(UserError, match=r"neither a data set that save_to_disk wrote nor one of train.csv"):
        fetch("rte", tmp_path, tmp_path)
    with pytest.raises(UserError, match="unknown data set of the paper 'rtee': did you mean 'rte'"):
        hub.find("rtee")
