"""Answers of students: as a few characters for the address, and as a short code for the class. Pure.

A code has the lesson, which of its two questions, the answer and a checksum, and nothing of who answered:
`4G-RC-K7QD`. Letters are Crockford's base 32, which people read aloud without mistakes."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from shlpt.lessons.reading import Lesson

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LEVELS = len(ALPHABET) - 1  # each place of a curve, and each half of a cell's number
MARKS = 3  # letters of the checksum: one made-up code of 32,768 passes
GUESS, CHECK = "G", "C"
MOST = 2000  # codes read at once
Answer = tuple[float, ...]  # the place of an option, the value of a cell, the values of a curve


# --- an answer as characters --------------------------------------------------------------
def packed(lesson: Lesson, question: str, answer: Sequence[float]) -> str:
    guess = lesson.front.guess
    if question == CHECK or guess.kind == "choice":
        return ALPHABET[int(answer[0])]
    shares = [(min(max(value, guess.low), guess.high) - guess.low) / (guess.high - guess.low) for value in answer]
    if guess.kind == "curve":
        return "".join(ALPHABET[round(share * LEVELS)] for share in shares)
    level = round(shares[0] * CELL)
    return ALPHABET[level // len(ALPHABET)] + ALPHABET[level % len(ALPHABET)]


CELL = len(ALPHABET) ** 2 - 1 - 63  # 960 steps: an eighth of a point from −60 to +60, with zero among them


def unpacked(lesson: Lesson, question: str, text: str) -> Answer | None:
    """None if it is no answer to this question."""
    guess, front = lesson.front.guess, lesson.front
    if not text or any(letter not in ALPHABET for letter in text):
        return None
    places = [ALPHABET.index(letter) for letter in text]
    if question == CHECK or guess.kind == "choice":
        options = len(front.check.options if question == CHECK else guess.options)
        return (float(places[0]),) if len(text) == 1 and places[0] < options else None
    width = guess.high - guess.low
    if guess.kind == "curve":
        asked = len(guess.places) - guess.given
        return tuple(guess.low + width * place / LEVELS for place in places) if len(text) == asked else None
    if len(text) != 2:
        return None
    level = places[0] * len(ALPHABET) + places[1]
    return (guess.low + width * level / CELL,) if level <= CELL else None


# --- codes --------------------------------------------------------------------------------
def code(lesson: Lesson, question: str, answer: Sequence[float]) -> str:
    """`4G-RC-K7QD`: lesson and question, answer, checksum."""
    body = packed(lesson, question, answer)
    return "-".join([f"{lesson.number}{question}", body, _checksum(lesson, question, body)])


def _checksum(lesson: Lesson, question: str, body: str) -> str:
    """Of the question too, so that a code of another version of it is not read as this one."""
    options = lesson.front.check.options if question == CHECK else lesson.front.guess.options
    asked = [lesson.name, question, *(option.text for option in options), body]
    number = int.from_bytes(hashlib.blake2s("\0".join(asked).encode(), digest_size=4).digest(), "big")
    letters = [ALPHABET[number >> 5 * place & LEVELS] for place in range(MARKS)]
    return "".join(letters)


@dataclass(frozen=True)
class Votes:
    """What a class answered to one question."""

    answers: tuple[Answer, ...]
    unreadable: int  # torn codes, codes of other lessons or questions, and what is no code


def votes(lesson: Lesson, question: str, text: str) -> Votes:
    """Codes apart by spaces, commas or lines, in any case. The same code twice is two students with one answer."""
    said = [word for word in re.split(r"[\s,;]+", text) if word][:MOST]
    found = [_read(lesson, question, word) for word in said]
    known = tuple(answer for answer in found if answer is not None)
    return Votes(known, len(found) - len(known))


def _read(lesson: Lesson, question: str, word: str) -> Answer | None:
    plain = re.sub("[-–—]", "", word.upper()).translate(str.maketrans("OIL", "011"))
    head, body, marks = plain[:2], plain[2:-MARKS], plain[-MARKS:]
    if head != f"{lesson.number}{question}" or marks != _checksum(lesson, question, body):
        return None
    return unpacked(lesson, question, body)


# --- right or not -------------------------------------------------------------------------
def right_option(lesson: Lesson, value: float, says: str) -> int:
    """The option of a choice that the recorded result supports."""
    options = lesson.front.guess.options
    if options[0].says is not None:
        return next((place for place, option in enumerate(options) if option.says == says), -1)
    return next(place for place, o in enumerate(options) if o.up_to is None or value < o.up_to)


def counts(found: Votes, options: int) -> list[int]:
    """How many chose each option."""
    chosen = np.array([int(answer[0]) for answer in found.answers], dtype=int)
    return [int(number) for number in np.bincount(chosen, minlength=options)]
