"""Tables as tasks: columns, answer words, splits without leaks, and what is refused."""

from pathlib import Path
from typing import Any

import pytest

from shlpt.errors import UserError
from shlpt.tasks import importing, shelf
from shlpt.tasks.importing import Columns, detect, draft
from shlpt.tasks.reading import Table
from shlpt.tasks.task import Split


def table(name: str = "a.csv", **columns: list[str]) -> Table:
    return Table(name, columns)


def labelled(count: int = 20, start: int = 0, classes: int = 2) -> Table:
    numbers = range(start, start + count)
    return table(text=[f"text number {n}" for n in numbers], label=[str(n % classes) for n in numbers])


BOTH = Columns(("text",), "label")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"text": ["a b", "c d"], "label": ["0", "1"]}, Columns(("text",), "label")),
        (
            {"premise": ["a", "b"], "hypothesis": ["c", "d"], "label": ["0", "1"]},
            Columns(("premise", "hypothesis"), "label"),
        ),
        ({"Sentence": ["a", "b"], "Sentiment": ["0", "1"]}, Columns(("Sentence",), "Sentiment")),
        (
            {"id": ["1", "2", "3", "4"], "what": ["longer texts here", "b", "c", "d"], "kind": ["x", "y", "x", "y"]},
            Columns(("what",), "kind"),
        ),
        (
            {"text": ["a", "b", "c", "d"], "label": ["0", "1"] * 2, "split": ["train", "train", "Test", "dev"]},
            Columns(("text",), "label", "split"),
        ),
        ({"text": ["a", "b"], "label": ["0", "1"], "set": ["blue", "red"]}, Columns(("text",), "label")),
    ],
)
def test_columns_are_detected_by_name_or_content(columns: dict[str, list[str]], expected: Columns) -> None:
    assert detect(table(**columns)) == expected


def test_named_columns_win() -> None:
    columns = {"text": ["a", "b"], "label": ["0", "1"], "other": ["c c c", "d"], "mood": ["2", "3"]}
    assert detect(table(**columns), label="mood") == Columns(("text",), "mood")
    assert detect(table(**columns), text=["other", "text"]) == Columns(("other", "text"), "label")


def test_several_columns_stand_with_their_names() -> None:
    pair = table(premise=[f"p{n}" for n in range(20)], hypothesis=[f"h{n}" for n in range(20)], label=["0", "1"] * 10)
    made = draft("pair", {"train": pair}, detect(pair))
    assert {e.text for rows in made.rows.values() for e in rows} == {
        f"premise: p{n} hypothesis: h{n}" for n in range(20)
    }


def test_answer_words_can_be_chosen_and_are_in_the_order_of_the_labels() -> None:
    made = draft("a", {"train": labelled(60, classes=12)}, BOTH, {"0": "none at all"})
    assert made.record.labels == ("none at all", *map(str, range(1, 12)))


def splits(made: importing.Draft) -> dict[Split, set[str]]:
    return {split: {e.text for e in rows} for split, rows in made.rows.items()}


def test_one_file_is_divided_class_by_class_whatever_its_order() -> None:
    whole = labelled(50)
    made = draft("a", {"train": whole}, BOTH)
    assert made.found["counts"] == {s: {"0": n, "1": n} for s, n in (("train", 15), ("validation", 5), ("test", 5))}
    turned = table(text=whole.columns["text"][::-1], label=whole.columns["label"][::-1])
    assert splits(draft("a", {"train": turned}, BOTH)) == splits(made)
    assert sum(map(len, splits(made).values())) == 50


def test_given_splits_are_taken() -> None:
    made = draft("a", {"train": labelled(40), "test": labelled(8, 100)}, BOTH)
    assert {s: len(texts) for s, texts in splits(made).items()} == {"train": 30, "validation": 10, "test": 8}
    both = draft("a", {"train": labelled(40), "validation": labelled(8, 100)}, BOTH)
    assert splits(both)["test"] == {f"text number {n}" for n in range(100, 108)}
    rows = labelled(12)
    column = table(**rows.columns, split=["train", "train", "valid", "valid", "TEST", "test"] * 2)
    made = draft("a", {"train": column}, detect(column))
    assert {s: len(texts) for s, texts in splits(made).items()} == {"train": 4, "validation": 4, "test": 4}


def test_repeats_contradictions_and_leaks_are_left_out_and_counted() -> None:
    train, test = labelled(40), labelled(8, 100)
    texts, labels = train.columns["text"], train.columns["label"]
    more = table(text=[*texts, texts[0], "text number 100", texts[1]], label=[*labels, labels[0], "0", "0"])
    made = draft("a", {"train": more, "test": test}, BOTH)
    found = {key: made.found[key] for key in ("duplicates", "contradictions", "leaks")}
    assert found == {"duplicates": 1, "contradictions": 1, "leaks": 1}
    parts = splits(made)
    assert "text number 100" in parts["test"]
    assert "text number 1" not in parts["train"] | parts["validation"]
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert [line.split()[0] for line in importing.said(made.found)[1:]] == ["1", "1", "1"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "one class": ({"tables": {"train": labelled(9, classes=1)}}, "the same label '0'"),
    "no such column": ({"columns": Columns(("txt",), "label")}, "unknown column 'txt': did you mean 'text'?"),
    "text as label": ({"columns": Columns(("text",), "text")}, "cannot be text and label at once"),
    "empty text": (
        {"tables": {"train": table(text=["a", " "], label=["0", "1"])}},
        "1 rows have an empty text or no label (the first: a.csv, row 2)",
    ),
    "no label at all": (
        {"tables": {"train": table(text=["a"], label=[""])}, "skip_empty": True},
        "no row has a text and a label",
    ),
    "texts as labels": ({"tables": {"train": labelled(900, classes=900)}}, "it holds no labels"),
    "unknown label": ({"words": {"2": "two"}}, "unknown label '2'"),
    "same words": ({"words": {"0": "Yes", "1": "yes"}}, "two labels have the answer word 'yes'"),
    "no word": ({"words": {"0": "  "}}, "cannot be used"),
    "too few of a class": (
        {"tables": {"train": table(text=list("abcde"), label=["0"] * 4 + ["1"])}},
        "has no train example",
    ),
    "leaves the folder": ({"name": "../../etc/passwd"}, "give one of letters, digits"),
    "is hidden": ({"name": ".bashrc"}, "give one of letters, digits"),
    "another suite": ({"name": "paper/rte"}, "give one of letters, digits"),
    "with examples": ({"name": "rte@32"}, "give one of letters, digits"),
    "no name": ({"name": ""}, "give one of letters, digits"),
    "long name": ({"name": "a" * 200}, "at most 40 characters"),
    "unknown split": (
        {
            "tables": {"train": table(text=["a", "b"], label=["0", "1"], split=["train", "blue"])},
            "columns": Columns(("text",), "label", "split"),
        },
        "unknown split 'blue'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_task_is_refused_with_what_to_do(case: str) -> None:
    given, said = REFUSED[case]
    usual: dict[str, Any] = {"name": "a", "tables": {"train": labelled()}, "columns": BOTH}
    with pytest.raises(UserError) as refusal:
        draft(**usual | given)
    assert said in str(refusal.value)


def test_a_name_comes_from_the_file_and_may_have_any_letters(tmp_path: Path) -> None:
    assert importing.name_of("agnews.train.csv") == "agnews"
    made = draft("Prüfung_2.b", {"train": labelled()}, BOTH)
    assert made.store(tmp_path).parent == tmp_path / shelf.FOLDER
    assert [record.title for record in shelf.stored(tmp_path)] == ["own/Prüfung_2.b"]
