"""What a task is: labelled text in three splits that never share an example."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

Split = Literal["train", "validation", "test"]
Metric = Literal["accuracy", "f1"]


@dataclass(frozen=True)
class Example:
    """One instance. `group` is the class that few-shot sampling balances over."""

    text: str
    target: str
    group: str

    @cached_property
    def id(self) -> str:
        return hashlib.blake2s(f"{self.text}\0{self.target}".encode(), digest_size=8).hexdigest()


def without_shots(name: str) -> str:
    """A task's name without its own number of examples a class."""
    return name.partition("@")[0]


def with_shots(name: str, shots: int) -> str:
    """The name of the same task with this many examples a class."""
    return f"{without_shots(name)}@{shots}"


@dataclass(frozen=True)
class Task:
    """A data set to learn: name, family, labels and a way to draw examples.

    `draw(split, per_group, seed)` gives `per_group` examples of each group in a fixed order;
    the same arguments always give the same examples.
    """

    name: str
    family: str
    labels: tuple[str, ...]  # empty where the target is free text
    draw: Callable[[Split, int, int], list[Example]] = field(repr=False, compare=False)
    groups: tuple[str, ...] = ()  # the labels unless the target is free text
    metric: Metric = "accuracy"
    domain: str = ""
    rule: str = ""
    standin_for: str | None = None
    suite: str = "user"
    about: str = ""
    answers: tuple[str, ...] = ()  # the words a question is answered in, in the order of its values
    shots: int = 0  # its own number of training examples a class; 0: as many as every other
    prompt: str = ""  # digest of a prompt that was trained elsewhere: the task is not trained

    @property
    def base(self) -> str:
        """The name without its own number of examples: the same examples, more or fewer of them."""
        return without_shots(self.name)

    @property
    def classes(self) -> int:
        return len(self.groups)

    @property
    def chance(self) -> float:
        """Score of guessing a group: for spans, always answering 'unanswerable'."""
        return 1 / max(1, self.classes)

    @property
    def title(self) -> str:
        return self.name if self.name.startswith(f"{self.suite}/") else f"{self.suite}/{self.name}"
