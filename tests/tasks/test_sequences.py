"""Named orders of tasks, against Tables 8 and 9 of the paper."""

import pytest

from shlpt.errors import UserError
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.sequences import BENCHMARKS, SEQUENCES, about, find_benchmark, find_sequence, read_tasks

TABLES_8_AND_9 = {
    "order1": "DBpedia→ Amazon→ Yahoo→ AG News",
    "order2": "DBpedia→ Amazon→ AG News→ Yahoo",
    "order3": "Yahoo→ Amazon→ AG News→ DBpedia",
    "order4": "MNLI→ CB→ WiC→ COPA→ QQP→ BoolQ→ RTE→ IMDB→ Yelp→ Amazon→ SST2→ DBpedia→ AG News→ MultiRC→ Yahoo",
    "order5": "MultiRC→ BoolQ→ WiC→ MNLI→ CB→ COPA→ QQP→ RTE→ IMDB→ SST2→ DBpedia→ AG News→ Yelp→ Amazon→ Yahoo",
    "order6": "Yelp→ Amazon→ MNLI→ CB→ COPA→ QQP→ RTE→ IMDB→ SST2→ DBpedia→ AG News→ Yahoo→ MultiRC→ BoolQ→ WiC",
    "negative1": "Yahoo→ RTE→ QQP→ CB→ MNLI",
    "negative2": "QQP→ RTE→ SQuAD v2→ MNLI→ CB",
    "negative3": "MultiRC→ RTE→ SQuAD v2→ WiC→ MNLI",
}


def key(printed: str) -> str:
    """`AG News` → `agnews`, `SQuAD v2` → `squad`."""
    return printed.removesuffix(" v2").replace(" ", "").lower()


@pytest.mark.parametrize("name", TABLES_8_AND_9)
def test_an_order_is_the_one_of_the_paper(name: str) -> None:
    assert find_sequence(name) == tuple(map(key, TABLES_8_AND_9[name].split("→ ")))


def test_only_the_demonstration_is_not_from_the_paper() -> None:
    assert set(SEQUENCES) == {*TABLES_8_AND_9, "demo"}


@pytest.mark.parametrize("name", ["order4", "order5", "order6"])
def test_a_long_order_has_all_tasks_but_squad(name: str) -> None:
    assert set(find_sequence(name)) == set(TASKS) - {"squad"}


@pytest.mark.parametrize("name", SEQUENCES)
def test_every_sequence_has_known_tasks_once_each_and_says_what_it_is(name: str) -> None:
    tasks = SEQUENCES[name]
    assert [find_task(task).name for task in tasks] == list(tasks)
    assert len(set(tasks)) == len(tasks) >= 2
    assert about(name)


def test_an_unknown_sequence_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown sequence 'negativ1': did you mean 'negative1'\?"):
        find_sequence("negativ1")


def test_tasks_are_read_with_spaces_and_spare_commas() -> None:
    assert read_tasks(" yelp, sst2 ,,agnews,") == ("yelp", "sst2", "agnews")


def test_made_tasks_are_read_by_the_name_they_are_known_by() -> None:
    assert read_tasks("dial:.5,dial:-1,contrary:sst2") == ("dial:+0.50", "dial:-1.00", "contrary:sst2")


@pytest.mark.parametrize("text", ["", " ", ",, ,"])
def test_no_tasks_are_answered_with_an_example(text: str) -> None:
    with pytest.raises(UserError, match="--tasks yelp,sst2,agnews"):
        read_tasks(text)


def test_one_unknown_task_among_known_ones_is_named() -> None:
    with pytest.raises(UserError, match=r"unknown task 'amazom': did you mean 'amazon'\?"):
        read_tasks("yelp,amazom")


def test_an_unknown_suite_is_named() -> None:
    with pytest.raises(UserError, match=r"unknown suite 'poket': did you mean 'pocket'\?"):
        read_tasks("yelp", "poket")


# --- benchmarks ---------------------------------------------------------------------------
def test_the_benchmarks_are_the_three_of_the_paper() -> None:
    assert {name: find_benchmark(name).sequences for name in BENCHMARKS} == {
        "standard_cl": ("order1", "order2", "order3"),
        "large": ("order4", "order5", "order6"),
        "negative": ("negative1", "negative2", "negative3"),
    }
    assert [b.title for b in BENCHMARKS.values()] == ["Standard CL", "Large Number of Tasks", "Negative Transfer"]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_knows_its_name_and_the_tasks_of_its_sequences(name: str) -> None:
    found = find_benchmark(name)
    assert found.name == name
    assert found.tasks == {sequence: find_sequence(sequence) for sequence in found.sequences}


def test_an_unknown_benchmark_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UserError, match=r"'standard': did you mean 'standard_cl'\? Known: large, negative, standard_cl$"
    ):
        find_benchmark("standard")
