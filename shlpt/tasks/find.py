"""Tasks by name, in any suite."""

from shlpt.errors import UserError, unknown
from shlpt.tasks import pocket
from shlpt.tasks.task import Example, Task

SUITES = ("pocket",)


def find_task(name: str, suite: str = "pocket") -> Task:
    """A task by name; in the pocket world also `contrary:sst2` and `dial:0.5`."""
    if suite not in SUITES:
        raise unknown("suite", suite, SUITES)
    kind, sign, rest = name.partition(":")
    try:
        if sign and kind == "contrary":
            return pocket.contrary(find_task(rest, suite).name)
        if sign and kind == "dial":
            return pocket.dial(round(float(rest), 2) + 0.0)
    except ValueError as error:
        raise UserError(f"task {name!r}: {error}") from None
    if name not in pocket.TASKS:
        raise unknown("task", name, [*pocket.TASKS, "contrary:<task>", "dial:<from -1 to 1>"])
    return pocket.TASKS[name]


def draw(task: Task, split: str, per_group: int, seed: int) -> list[Example]:
    """Examples of a split, with a readable message where there are too few."""
    try:
        return task.draw(split, per_group, seed)  # type: ignore[arg-type]
    except ValueError as error:
        raise UserError(str(error)) from None


def probe_examples(suite: str = "pocket", per_group: int = 1, seed: int = 0) -> list[Example]:
    """A fixed batch of texts to look at every prompt with: two of each kind of task in the suite."""
    rows = []
    for name in pocket.TASKS:
        rows += find_task(name, suite).draw("validation", per_group, seed)[:2]
    return rows
