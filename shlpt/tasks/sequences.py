"""Named orders of tasks: Tables 8 and 9 of the paper, and a demonstration. Benchmarks are named sets of orders."""

from dataclasses import dataclass

from shlpt.errors import UserError, unknown
from shlpt.tasks.find import find_task

_NAMED = {
    "order1": "dbpedia amazon yahoo agnews",
    "order2": "dbpedia amazon agnews yahoo",
    "order3": "yahoo amazon agnews dbpedia",
    "order4": "mnli cb wic copa qqp boolq rte imdb yelp amazon sst2 dbpedia agnews multirc yahoo",
    "order5": "multirc boolq wic mnli cb copa qqp rte imdb sst2 dbpedia agnews yelp amazon yahoo",
    "order6": "yelp amazon mnli cb copa qqp rte imdb sst2 dbpedia agnews yahoo multirc boolq wic",
    "negative1": "yahoo rte qqp cb mnli",
    "negative2": "qqp rte squad mnli cb",
    "negative3": "multirc rte squad wic mnli",
    "demo": "yelp sst2 agnews rte",
}
SEQUENCES: dict[str, tuple[str, ...]] = {name: tuple(tasks.split()) for name, tasks in _NAMED.items()}
ABOUT = {
    "order": "Table 8 of the paper: orders 1 to 3 are Standard CL, 4 to 6 the Large Number of Tasks",
    "negative": "Table 9 of the paper: the Negative Transfer Benchmark",
    "demo": "four quick tasks: two that help each other and two that do not",
}


@dataclass(frozen=True)
class Benchmark:
    """Sequences that are reported together."""

    name: str
    title: str  # as the paper calls it, and data/paper
    sequences: tuple[str, ...]

    @property
    def tasks(self) -> dict[str, tuple[str, ...]]:
        return {name: SEQUENCES[name] for name in self.sequences}


BENCHMARKS: dict[str, Benchmark] = {
    b.name: b
    for b in (
        Benchmark("standard_cl", "Standard CL", ("order1", "order2", "order3")),
        Benchmark("large", "Large Number of Tasks", ("order4", "order5", "order6")),
        Benchmark("negative", "Negative Transfer", ("negative1", "negative2", "negative3")),
    )
}


def find_benchmark(name: str) -> Benchmark:
    if name not in BENCHMARKS:
        raise unknown("benchmark", name, BENCHMARKS)
    return BENCHMARKS[name]


def find_sequence(name: str) -> tuple[str, ...]:
    if name not in SEQUENCES:
        raise unknown("sequence", name, SEQUENCES)
    return SEQUENCES[name]


def read_tasks(text: str, suite: str = "pocket") -> tuple[str, ...]:
    """`a,b,c` as task names, each looked up and named as it is known."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise UserError("no tasks given: write them as --tasks yelp,sst2,agnews")
    return tuple(find_task(name, suite).name for name in names)


def about(name: str) -> str:
    return ABOUT[name.rstrip("0123456789")]
