"""What the embedded backbone has never been asked: whole combinations of question, texts and answer words."""

import hashlib
from functools import cache

from shlpt.tasks.grammar import Asked, parse
from shlpt.tasks.pocket import STANDINS
from shlpt.tasks.sequences import MATRIX, SEQUENCES
from shlpt.tasks.task import without_shots

EVERY = 4  # beside those that are named, one combination in so many: composed tasks that are new to the backbone


def combination(asked: Asked) -> tuple[str, str, frozenset[str]]:
    """Without the order of the words: a task that is held out is held out with its contrary."""
    return asked.question, asked.domain, frozenset(asked.words)


@cache
def named() -> frozenset[tuple[str, str, frozenset[str]]]:
    """All stand-ins and every composed task of a sequence or of the recorded matrix."""
    names = {name for tasks in (*SEQUENCES.values(), MATRIX) for name in tasks}
    composed = [parse(without_shots(name).removeprefix("ask:")) for name in names if name.startswith("ask:")]
    return frozenset(combination(asked) for asked in (*STANDINS.values(), *composed))


def held_out(asked: Asked) -> bool:
    """Whether the pre-training must not ask this, in either direction."""
    if combination(asked) in named():
        return True
    text = f"{asked.question}/{asked.domain}/{'-'.join(sorted(asked.words))}"
    return hashlib.blake2s(text.encode()).digest()[0] % EVERY == 0
