"""The paper's sixteen data sets (its Table 7), from the Hugging Face hub or from a folder of saved copies.

Texts and answer words are those of the authors' code: each column stands with its name (`premise: … hypothesis: …`).
The public validation set is the test set, and the validation set is a part of training, as in the paper. What is
fetched once is a stored task: a fixed choice of examples of each class, by a hash of their texts, and no internet is
needed again. A draw takes all examples of a class that has too few, as the authors' code does.
"""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shlpt.errors import UserError, unknown
from shlpt.internet import hub_answers
from shlpt.tasks import importing, reading, shelf
from shlpt.tasks.shelf import Record
from shlpt.tasks.task import Example, Metric, Split

GRADES = ("terrible", "bad", "middle", "good", "wonderful")
NEWS = ("world", "sports", "business", "science")
_FORUM = "society and culture,science,health,education and reference,computers and internet,sports,business,"
FORUM = tuple(f"{_FORUM}entertainment and music,family and relationships,politics and government".split(","))
_ENTRIES = "company educationalinstitution artist athlete officeholder meanoftransportation building naturalplace "
ENTRIES = tuple(f"{_ENTRIES}village animal plant album film writtenwork".split())
ENTAILED, TRUE, POSITIVE = ("entailment", "not_entailment"), ("false", "true"), ("negative", "positive")
UNANSWERABLE, ANSWERABLE = "unanswerable", "answerable"
MOST = {"train": 1000, "validation": 500, "test": 500}  # examples of a class that are kept
PARTS = ("train", "test")


@dataclass(frozen=True)
class DataSet:
    """One of the sixteen: where it is, and how its rows become examples."""

    name: str
    title: str  # as the paper calls it
    family: str  # the task in Table 7
    hub: str  # its name on the hub; empty if no copy there is known to be the same
    config: str | None
    columns: Mapping[str, str]  # name in the text → column
    words: tuple[str, ...]  # of the labels 0, 1, …; empty where the answer is free text
    test: str = "validation"  # split of the hub that is the test set
    label: str = "label"
    metric: Metric = "accuracy"
    without_head: tuple[str, ...] = ()  # columns of the published CSV files, whose labels count from 1

    @property
    def groups(self) -> tuple[str, ...]:
        return self.words or (UNANSWERABLE, ANSWERABLE)


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


GLUE, SUPER = "nyu-mll/glue", "aps/super_glue"
ZHANG = ("label", "title", "content")
_WIC = ("start1", "end1", "sentence1", "start2", "end2", "sentence2", "word")
_YAHOO = _same("question_title", "question_content", "best_answer")
DATA: dict[str, DataSet] = {
    d.name: d
    for d in (
        DataSet(
            "yelp", "Yelp", "sentiment analysis", "Yelp/yelp_review_full", None, {"content": "text"}, GRADES, "test"
        ),
        DataSet(
            "amazon",
            "Amazon",
            "sentiment analysis",
            "",
            None,
            _same("title", "content"),
            GRADES,
            "test",
            without_head=ZHANG,
        ),
        DataSet(
            "dbpedia",
            "DBpedia",
            "topic classification",
            "fancyzhx/dbpedia_14",
            None,
            _same("title", "content"),
            ENTRIES,
            "test",
        ),
        DataSet(
            "yahoo",
            "Yahoo",
            "topic classification",
            "community-datasets/yahoo_answers_topics",
            None,
            _YAHOO,
            FORUM,
            "test",
            "topic",
        ),
        DataSet(
            "agnews", "AG News", "topic classification", "fancyzhx/ag_news", None, {"content": "text"}, NEWS, "test"
        ),
        DataSet(
            "mnli",
            "MNLI",
            "NLI",
            GLUE,
            "mnli",
            _same("premise", "hypothesis"),
            ("entailment", "neutral", "contradiction"),
            "validation_matched",
        ),
        DataSet(
            "qqp",
            "QQP",
            "paraphrase detection",
            GLUE,
            "qqp",
            _same("question1", "question2"),
            ("not_duplicate", "duplicate"),
        ),
        DataSet("rte", "RTE", "NLI", GLUE, "rte", _same("sentence1", "sentence2"), ENTAILED),
        DataSet("sst2", "SST2", "sentiment analysis", GLUE, "sst2", _same("sentence"), POSITIVE),
        DataSet("wic", "WiC", "word sense disambiguation", SUPER, "wic", _same(*_WIC), TRUE),
        DataSet(
            "cb", "CB", "NLI", SUPER, "cb", _same("premise", "hypothesis"), ("entailment", "contradiction", "neutral")
        ),
        DataSet("copa", "COPA", "QA", SUPER, "copa", _same("choice1", "choice2", "premise", "question"), TRUE),
        DataSet("boolq", "BoolQ", "boolean QA", SUPER, "boolq", _same("passage", "question"), TRUE),
        DataSet("multirc", "MultiRC", "QA", SUPER, "multirc", _same("question", "answer", "paragraph"), TRUE),
        DataSet("imdb", "IMDB", "sentiment analysis", "stanfordnlp/imdb", None, {"sentence": "text"}, POSITIVE, "test"),
        DataSet(
            "squad",
            "SQuAD v2",
            "extractive QA",
            "rajpurkar/squad_v2",
            None,
            _same("question", "context"),
            (),
            metric="f1",
            label="answers",
        ),
    )
}


def find(name: str) -> DataSet:
    if name not in DATA:
        raise unknown("data set of the paper", name, DATA)
    return DATA[name]


# --- fetching -----------------------------------------------------------------------------
def fetch(name: str, home: Path, folder: Path | None = None) -> Record:
    """Store a data set of the paper as a task: from the hub, or from FOLDER/name."""
    data = find(name)
    parts = {split: _chosen(data, _rows(data, split, folder), split) for split in PARTS}
    validation, train = importing.cut([(e.text, e.group, e) for e in parts["train"]], importing.VALIDATION_OF_TRAIN)
    test = {e.text for e in parts["test"]}
    rows: dict[Split, list[Example]] = {
        "train": [e for text, _, e in train if text not in test],
        "validation": [e for text, _, e in validation if text not in test],
        "test": parts["test"],
    }
    importing.require_all_classes(rows, data.groups)
    where = f"{folder.name}/{name}" if folder else " ".join(filter(None, [data.hub, data.config]))
    record = Record(
        "paper",
        name,
        data.words,
        data.groups,
        data.metric,
        data.family,
        f"{data.title}, the data set itself",
        where,
        takes_all=True,
        times=1 if data.words else 2,  # 300 examples for training where a task of two classes has 150
    )
    shelf.write(home, record, rows)
    return shelf.record_of(name, "paper", home)


def _chosen(data: DataSet, rows: Iterable[Mapping[str, Any]], split: str) -> list[Example]:
    """Those examples of each class whose texts have the smallest hashes, each text once: the same from any copy."""
    heaps: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for row in rows:
        example = _example(data, row)
        if example is None:
            continue
        rank = -int.from_bytes(hashlib.blake2s(example.text.encode(), digest_size=8).digest(), "big")
        heap, item = heaps[example.group], (rank, example.text, example.target)
        if len(heap) < 2 * MOST[split]:  # some texts are there twice
            heapq.heappush(heap, item)
        else:
            heapq.heappushpop(heap, item)
    found: list[Example] = []
    for group in data.groups:
        once = {text: Example(text, target, group) for _, text, target in sorted(heaps[group], reverse=True)}
        found += list(once.values())[: MOST[split]]
    seen: dict[str, int] = defaultdict(int)
    for example in found:
        seen[example.text] += 1
    return [example for example in found if seen[example.text] == 1]  # a text with two labels says nothing


def _example(data: DataSet, row: Mapping[str, Any]) -> Example | None:
    """None for a row without a label or with an empty column, which the authors leave out too."""
    missing = [column for column in (*data.columns.values(), data.label) if column not in row]
    if missing:
        raise UserError(
            f"the copy of {data.title} has no column {missing[0]!r} but {', '.join(map(str, row))}: it is another one"
        )
    cells = {name: str(row[column] if row[column] is not None else "").strip() for name, column in data.columns.items()}
    if not all(cells.values()):
        return None
    text = " ".join(f"{name}: {cell}" for name, cell in cells.items())
    if not data.words:
        answers = [str(answer) for answer in (row[data.label] or {}).get("text", []) if str(answer).strip()]
        return Example(text, answers[0] if answers else UNANSWERABLE, ANSWERABLE if answers else UNANSWERABLE)
    label = row[data.label]
    if label in data.words:
        return Example(text, label, label)
    try:
        number = int(label)
        word = data.words[number] if number >= 0 else ""  # -1: not labelled
    except (TypeError, ValueError, IndexError):
        raise UserError(
            f"the copy of {data.title} has the label {str(label)[:40]!r}, not 0 to {len(data.words) - 1}"
        ) from None
    return Example(text, word, word) if word else None


# --- rows ---------------------------------------------------------------------------------
def _rows(data: DataSet, split: str, folder: Path | None) -> Iterator[Mapping[str, Any]]:
    part = data.test if split == "test" else "train"
    return _from_hub(data, part) if folder is None else _from_folder(data, part, folder / data.name)


def _from_hub(data: DataSet, part: str) -> Iterator[Mapping[str, Any]]:
    if not data.hub:
        raise UserError(
            f"{data.title} with five grades is not on the hub under a name that is known here. Get "
            f"amazon_review_full_csv of Zhang et al., put its train.csv and test.csv into FOLDER/{data.name}, and run "
            f"`python -m shlpt tasks fetch {data.name} --from FOLDER`"
        )
    from datasets import config, load_dataset
    from huggingface_hub import constants

    # Out of reach, the library takes what it has downloaded before, or says at once that there is nothing.
    config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE or not hub_answers()
    try:
        found = load_dataset(data.hub, data.config, split=part)
    except Exception as error:  # the library raises nearly every kind
        given = ", ".join(repr(word) for word in (data.hub, data.config) if word)
        raise UserError(
            f"cannot get {data.title} from the hub ({_first(error)}). On a machine with internet, run python -c "
            f"\"from datasets import load_dataset; load_dataset({given}).save_to_disk('FOLDER/{data.name}')\", copy "
            f"FOLDER here, and run `python -m shlpt tasks fetch {data.name} --from FOLDER`"
        ) from None
    return _select(data, found)


def _select(data: DataSet, found: Any) -> Iterator[Mapping[str, Any]]:
    """Only the columns that are needed, if they are there."""
    wanted = [column for column in (*data.columns.values(), data.label) if column in found.column_names]
    return iter(found.select_columns(wanted) if len(wanted) == len(data.columns) + 1 else found)


def _from_folder(data: DataSet, part: str, folder: Path) -> Iterator[Mapping[str, Any]]:
    """A folder that `save_to_disk` wrote, or one with a file for each split."""
    if not folder.is_dir():
        raise UserError(f"no folder {folder.name} in {folder.parent}: a saved copy of {data.title} is expected there")
    if (folder / "dataset_dict.json").is_file():
        from datasets import load_from_disk

        try:
            found = load_from_disk(str(folder))
        except Exception as error:  # the library raises nearly every kind
            raise UserError(f"cannot read the copy of {data.title} in {folder} ({_first(error)})") from None
        if part not in found:
            raise UserError(f"the copy of {data.title} in {folder} has no split {part}: it has {', '.join(found)}")
        return _select(data, found[part])
    path = next((p for kind in reading.KINDS if (p := folder / f"{part}{kind}").is_file()), None)
    if path is None:
        names = ", ".join(f"{part}{kind}" for kind in reading.KINDS)
        raise UserError(f"{folder} has neither a data set that save_to_disk wrote nor one of {names}")
    return _of_file(data, path)


def _of_file(data: DataSet, path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix == ".parquet":
        table = reading.read(path)
        yield from (dict(zip(table.columns, row, strict=True)) for row in zip(*table.columns.values(), strict=True))
    elif not data.without_head or not _is_published(path):
        yield from reading.stream(path)
    else:
        for row in reading.stream(path, data.without_head):
            number = row[data.label]
            yield {**row, data.label: int(number) - 1 if number.isdecimal() else number}


def _is_published(path: Path) -> bool:
    """Whether a CSV file begins with a label and not with the names of its columns."""
    with path.open("rb") as file:
        return file.read(4).lstrip(b'"')[:1].isdigit()


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
