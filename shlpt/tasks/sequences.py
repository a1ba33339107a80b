"""Named orders of tasks: Tables 8 and 9 of the paper, and a demonstration. Benchmarks are named sets of orders."""

import re
from dataclasses import dataclass
from pathlib import Path

from shlpt.errors import UserError, unknown
from shlpt.tasks.find import find_task
from shlpt.tasks.words import ANSWERS, ASPECTS, PARTS

STANDIN_PAIRS = (
    ("negative", "positive"),
    ("not_duplicate", "duplicate"),
    ("entailment", "not_entailment"),
    ("choice1", "choice2"),
)
# The ten tasks of the recorded transfer matrix: three questions, of several texts and in several words each.
MATRIX = (
    "ask:price/hotel/no-yes",
    "ask:price/hotel/yes-no",
    "ask:price/cafe/bad-good",
    "ask:price/shop/left-right",
    "ask:noise/hotel/no-yes",
    "ask:noise/shop/left-right",
    "ask:noise/cafe/up-down",
    "sst2",
    "imdb",
    "ask:verdict/train/red-blue",
)

# Streams after CTrL: what was learned early, three others, and the task that is looked at.
_BETWEEN = "ask:noise/cafe/left-right@32 ask:mood/news/bad-good@32 ask:speed/train/red-blue@32"
_STREAMS = {
    "stream_plus": ("ask:price/hotel/no-yes@8", "ask:price/hotel/no-yes@64"),
    "stream_minus": ("ask:price/hotel/no-yes@64", "ask:price/hotel/no-yes@8"),
    "stream_inputs": ("ask:price/hotel/no-yes@64", "ask:price/shop/no-yes@8"),
    "stream_words": ("ask:price/hotel/no-yes@64", "ask:price/hotel/up-down@8"),
    "stream_none": ("ask:price/hotel/no-yes@64", "ask:told/story/up-down@16"),
}


def _long() -> list[str]:
    """Fifty tasks: every question to reviews and feelings, of other texts and in other words from time to time."""
    words = [pair for pair in ANSWERS[2] if pair not in STANDIN_PAIRS]
    asked = [(question, place) for place in PARTS for question in (*ASPECTS, "verdict")] + [
        ("mood", place) for place in ("news", "forum", "entry", "scene", "report", "inquiry", "event", "story")
    ]
    return [f"ask:{q}/{place}/{'-'.join(words[n * 3 % len(words)])}" for n, (q, place) in enumerate(asked)]


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
    **{name: f"{early} {_BETWEEN} {last}" for name, (early, last) in _STREAMS.items()},
    "stream_trap": "ask:noise/cafe/left-right@32 ask:mood/news/bad-good@32 ask:speed/train/red-blue@32 "
    "ask:price/hotel/no-yes@64 ask:staff/hotel/yes-no@16",
    "stream_long": " ".join(_long()),
}
SEQUENCES: dict[str, tuple[str, ...]] = {name: tuple(tasks.split()) for name, tasks in _NAMED.items()}
STREAMS = (*_STREAMS, "stream_trap")  # judged by their last task, as in CTrL
ABOUT = {
    "order": "Table 8 of the paper: orders 1 to 3 are Standard CL, 4 to 6 the Large Number of Tasks",
    "negative": "Table 9 of the paper: the Negative Transfer Benchmark",
    "demo": "four quick tasks: two that help each other and two that do not",
    "stream_plus": "after CTrL: the last task repeats the first with eight times the examples",
    "stream_minus": "after CTrL: the last task repeats the first with an eighth of the examples",
    "stream_inputs": "after CTrL: the last task asks the first's question of other texts",
    "stream_words": "after CTrL: the last task asks the first's question, answered in other words",
    "stream_trap": "the last task asks another question of the texts before it, answered in the same words, swapped",
    "stream_none": "after CTrL: the last task has nothing to do with the others",
    "stream_long": "fifty tasks of parts",
}
TITLES = {
    "order": "order",
    "negative": "Negative Transfer",
    "demo": "demonstration",
    "stream_plus": "stream: the first task again, with more examples",
    "stream_minus": "stream: the first task again, with fewer examples",
    "stream_inputs": "stream: the first question of other texts",
    "stream_words": "stream: the first question in other words",
    "stream_trap": "stream: a trap",
    "stream_none": "stream: nothing related",
    "stream_long": "stream: fifty tasks",
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


def split_names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def read_tasks(text: str, suite: str = "pocket", home: Path | None = None) -> tuple[str, ...]:
    """`a,b,c` as task names, each looked up and named as it is known."""
    names = split_names(text)
    if not names:
        raise UserError("no tasks given: name one at least, for example yelp,sst2,agnews")
    return tuple(find_task(name, suite, home).name for name in names)


def title(name: str) -> str:
    """A named sequence as people read it: `order 1`; what is none stays as it is."""
    kind = name.rstrip("0123456789")
    return f"{TITLES.get(kind, kind)} {name.removeprefix(kind)}".strip()


_NAMES = "|".join(SEQUENCES)
MANY = 3  # sequences in a row that are counted, not listed


def with_titles(text: str) -> str:
    """A name that the program made of sequences, as people read it: `SHLPT · stream: a trap`."""
    counted = re.compile(rf"\b(?:{_NAMES})\b(?:, (?:{_NAMES})\b){{{MANY - 1},}}")
    text = counted.sub(lambda found: f"{found[0].count(',') + 1} sequences", text)
    return re.sub(rf"\b(?:{_NAMES})\b", lambda found: f"{'the ' * (found[0] == 'demo')}{title(found[0])}", text)


def about(name: str) -> str:
    return ABOUT[name.rstrip("0123456789")]
