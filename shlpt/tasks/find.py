"""Tasks by name, in any suite: generated ones by their plain names, stored ones as `own/reviews`."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from shlpt.errors import UserError, unknown
from shlpt.tasks import pocket, prompts, shelf
from shlpt.tasks.grammar import QUESTIONS
from shlpt.tasks.task import Example, Split, Task, with_shots

STORED = (*shelf.SUITES, prompts.SUITE)
SUITES = ("pocket", *STORED)
MOST_SHOTS = 10_000
FORMS = ("contrary:<task>", "dial:<from -1 to 1>", "ask:<question>/<texts>/<answers>", "<task>@<examples a class>")


def find_task(name: str, suite: str = "pocket", home: Path | None = None) -> Task:
    """A task by name; in the pocket world also `contrary:sst2`, `dial:0.5`, `ask:price/hotel/yes-no` and `sst2@32`.

    A name without its suite is one of `suite`. Stored tasks are looked for in `home`, the folder of a store.
    """
    if suite not in SUITES:
        raise unknown("suite", suite, SUITES)
    suite, name = in_suite(name, suite)
    if suite == "pocket":
        return _generated(name)
    plain, at, shots = name.partition("@")
    found = _given(plain, home) if suite == prompts.SUITE else shelf.find(plain, suite, home)
    return _with_shots(found, shots) if at else found


def in_suite(name: str, suite: str = "pocket") -> tuple[str, str]:
    """The suite of a task, and its name there."""
    before, _, after = name.partition("/")
    return (before, after) if before in STORED else (suite, name)


def is_stored(name: str) -> bool:
    """Whether a task's whole name is that of a stored one: its texts are imported and its relatedness is not known."""
    return in_suite(name)[0] in STORED


def is_given(name: str) -> bool:
    """Whether it stands for a prompt that was trained elsewhere."""
    return in_suite(name)[0] == prompts.SUITE


def _given(name: str, home: Path | None) -> Task:
    """The texts of the task that an imported prompt answers, under the prompt's name."""
    found = prompts.find(name, home)
    return replace(
        find_task(found.task, home=home),
        name=found.title,
        suite=prompts.SUITE,
        about=f"{found.task}, with an imported prompt",
        standin_for=None,
        prompt=found.digest,
    )


@lru_cache(4096)  # its own number of examples is tried, which takes a while
def _generated(name: str) -> Task:
    plain, at, shots = name.partition("@")
    return _with_shots(_find(plain), shots) if at else _find(plain)


def _find(name: str) -> Task:
    kind, sign, rest = name.partition(":")
    try:
        if sign and kind == "contrary":
            if is_stored(rest):
                raise ValueError(
                    "the answers of an imported task cannot be swapped: only generated tasks have a contrary"
                )
            return _contrary(find_task(rest))
        if sign and kind == "dial":
            return pocket.dial(round(float(rest), 2) + 0.0)
        if sign and kind == "ask":
            return pocket.compose(rest)
    except ValueError as error:
        raise UserError(f"task {name!r}: {error}") from None
    if name not in pocket.TASKS:
        raise unknown("task", name, [*pocket.TASKS, *FORMS])
    return pocket.TASKS[name]


def _contrary(base: Task) -> Task:
    """Of a composed task it is the composed task with the answers read backwards."""
    if not base.name.startswith("ask:"):
        return pocket.contrary(base.name)
    if not (QUESTIONS[base.rule].cuts and base.labels):
        raise ValueError(f"the answers of {base.name!r} are names: they cannot be swapped")
    return pocket.compose(f"{base.rule}/{base.domain}/{'-'.join(base.answers[::-1])}")


def _with_shots(base: Task, shots: str) -> Task:
    """The task with its own number of training examples a class, wherever it stands in a sequence."""
    if not shots.isascii() or not shots.isdigit() or not 1 <= int(shots[:9]) <= MOST_SHOTS:
        raise UserError(
            f"task '{base.name}@{shots}': after @ stands how many training examples of each class it has, "
            f"from 1 to {MOST_SHOTS}, as in {base.name}@32"
        )

    def draw_own(split: Split, per_group: int, seed: int) -> list[Example]:
        return base.draw(split, int(shots) if split == "train" else per_group, seed)

    found = replace(base, name=with_shots(base.name, int(shots)), shots=int(shots), draw=draw_own)
    draw(found, "train", int(shots), 0)
    return found


def draw(task: Task, split: str, per_group: int, seed: int) -> list[Example]:
    """Examples of a split, with a readable message where there are too few."""
    try:
        return task.draw(split, per_group, seed)  # type: ignore[arg-type]
    except ValueError as error:
        raise UserError(str(error)) from None


def probe_examples(per_group: int = 1, seed: int = 0) -> list[Example]:
    """A fixed batch of texts to look at every prompt with: two of each generated stand-in, whatever the suite of a run,
    so that the states of any two prompts can be compared."""
    rows = []
    for task in pocket.TASKS.values():
        rows += task.draw("validation", per_group, seed)[:2]
    return rows
