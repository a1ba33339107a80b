"""Named orders of tasks, against Tables 8 and 9 of the paper."""

import pytest

from shlpt.errors import UserError
from shlpt.tasks.find import find_task
from shlpt.tasks.pocket import TASKS, relation
from shlpt.tasks.sequences import BENCHMARKS, SEQUENCES, about, find_benchmark, find_sequence, read_tasks, with_titles

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


STREAMS = {f"stream_{kind}" for kind in ("plus", "minus", "inputs", "words", "trap", "none", "long")}


def test_only_the_demonstration_and_the_streams_are_not_from_the_paper() -> None:
    assert set(SEQUENCES) == {*TABLES_8_AND_9, *STREAMS, "demo"}


# What the last task of a stream shares with the first (with the one before it in the trap).
@pytest.mark.parametrize(
    ("name", "place", "expected"),
    [
        ("stream_plus", 0, "same"),
        ("stream_minus", 0, "same"),
        ("stream_inputs", 0, "same question and answers"),
        ("stream_words", 0, "same question, other answer words"),
        ("stream_trap", -2, "other question, same texts and answers"),
        ("stream_none", 0, "unrelated"),
    ],
)
def test_the_last_task_of_a_stream_is_related_as_the_stream_says(name: str, place: int, expected: str) -> None:
    tasks = [find_task(task) for task in find_sequence(name)]
    assert len(tasks) == 5
    assert relation(tasks[place], tasks[-1])[0] == expected
    others = [task for task in tasks[:-1] if task is not tasks[place]]
    assert all(relation(task, tasks[-1])[1] < 0 for task in others)


def test_only_minus_has_fewer_and_plus_more_examples_than_the_first() -> None:
    shots = {name: [find_task(task).shots for task in find_sequence(name)] for name in ("stream_plus", "stream_minus")}
    assert shots["stream_plus"][-1] == 8 * shots["stream_plus"][0]
    assert shots["stream_minus"][0] == 8 * shots["stream_minus"][-1]


def test_the_long_stream_has_fifty_tasks_of_parts() -> None:
    tasks = [find_task(task) for task in find_sequence("stream_long")]
    assert len({task.name for task in tasks}) == 50
    assert len({task.rule for task in tasks}) >= 7
    assert len({task.domain for task in tasks}) >= 10


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
    with pytest.raises(UserError, match=r"no tasks given: .*for example yelp,sst2,agnews"):
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


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("SHLPT · stream_trap", "SHLPT · stream: a trap"),
        ("the estimator on demo", "the estimator on the demonstration"),
        ("SHLPT · the demonstration", "SHLPT · the demonstration"),
        ("order1, order2: order10", "order 1, order 2: order10"),
        ("headroom of order1, order2, stream_none", "headroom of 3 sequences"),
    ],
)
def test_names_made_of_sequences_are_read_with_their_titles(name: str, read: str) -> None:
    assert with_titles(name) == read
