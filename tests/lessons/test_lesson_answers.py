"""Codes of answers: what is written is read, and nothing else is."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shlpt.lessons import answers, reading, reveal
from shlpt.lessons.answers import ALPHABET, CHECK, GUESS
from shlpt.lessons.reading import Lesson

LESSONS = [reading.read(name) for name in reading.names()]
KINDS = [next(lesson for lesson in LESSONS if lesson.front.guess.kind == kind) for kind in ("curve", "cell")]


@st.composite
def answered(draw: Any) -> tuple[Lesson, str, list[float]]:
    """An answer to a question of a lesson."""
    lesson = draw(st.sampled_from(LESSONS))
    question, guess = draw(st.sampled_from([GUESS, CHECK])), lesson.front.guess
    if question == CHECK or guess.kind == "choice":
        options = lesson.front.check.options if question == CHECK else guess.options
        return lesson, question, [float(draw(st.integers(0, len(options) - 1)))]
    count = len(guess.places) - guess.given if guess.kind == "curve" else 1
    value = st.floats(guess.low, guess.high)
    return lesson, question, draw(st.lists(value, min_size=count, max_size=count))


@settings(max_examples=150, deadline=None)
@given(answered(), st.booleans(), st.sampled_from(["\n", ", ", "  ", ";"]))
def test_codes_are_read_as_they_were_written(found: Any, lower: bool, between: str) -> None:
    lesson, question, answer = found
    code = answers.code(lesson, question, answer)
    text = between.join([code.lower() if lower else code, code.replace("-", ""), code.replace("0", "o")])
    read = answers.votes(lesson, question, text)
    assert (len(read.answers), read.unreadable) == (3, 0)
    guess = lesson.front.guess
    exact = question == CHECK or guess.kind == "choice"
    step = 0 if exact else (guess.high - guess.low) / (62 if guess.kind == "curve" else 1900)
    assert all(abs(a - b) <= step * 1.01 for one in read.answers for a, b in zip(one, answer, strict=True))
    assert len(code) <= 16


@settings(max_examples=150, deadline=None)
@given(answered(), st.data())
def test_torn_and_changed_codes_are_counted_as_unreadable(found: Any, data: Any) -> None:
    lesson, question, answer = found
    code = answers.code(lesson, question, answer).replace("-", "")
    torn = code[: data.draw(st.integers(1, len(code) - 1))]
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from([letter for letter in ALPHABET if letter != code[place]]))
    changed = code[:place] + other + code[place + 1 :]
    read = answers.votes(lesson, question, f"{torn} {changed}")
    # of 32,768 wrong codes one is right by chance
    assert read.unreadable >= 1
    assert read.unreadable + len(read.answers) == 2


def test_made_up_codes_are_unreadable_and_do_no_harm() -> None:
    rng = __import__("random").Random(0)
    lesson = KINDS[1]
    words = ["".join(rng.choices(ALPHABET, k=rng.randint(1, 12))) for _ in range(300)]
    words += ["<script>", "√(2)", "🦜" * 50, "-" * 90, f"{lesson.number}G", f"{lesson.number}G" + "0" * 500]
    read = answers.votes(lesson, GUESS, "\n".join(words))
    assert (read.answers, read.unreadable) == ((), len(words))
    assert answers.votes(lesson, GUESS, " \n ") == answers.Votes((), 0)


def test_a_code_of_another_lesson_or_question_is_unreadable() -> None:
    curve, cell = KINDS
    codes = answers.code(curve, GUESS, [0.5] * 3), answers.code(cell, GUESS, [12.0]), answers.code(cell, CHECK, [1])
    read = answers.votes(cell, GUESS, " ".join(codes))
    assert len(read.answers) == 1
    assert read.answers[0][0] == pytest.approx(12, abs=0.1)
    assert read.unreadable == 2


def test_zero_and_the_ends_of_a_cell_are_kept_exactly() -> None:
    for value in (-60.0, 0.0, 60.0):
        assert answers.unpacked(KINDS[1], GUESS, answers.packed(KINDS[1], GUESS, [value])) == (value,)


@pytest.mark.parametrize("text", ["", "!", "ZZZZ", "ZZ", "00000000", "é"])
def test_what_is_no_answer_is_none(text: str) -> None:
    assert answers.unpacked(KINDS[1], GUESS, text) is None
    assert answers.unpacked(KINDS[0], CHECK, text) is None


def test_the_answers_of_a_class_stand_beside_the_result() -> None:
    curve, cell = KINDS
    codes = " ".join(answers.code(cell, GUESS, [value]) for value in (-55, -50, -50, 10, 60))
    table = reveal.of_class(cell, GUESS, answers.votes(cell, GUESS, codes)).table
    assert table is not None
    assert list(table["count"]) == [3, 0, 0, 1, 0, 1]
    assert [row.option for row in table.itertuples() if row.right] == ["0 to +20"]  # the recorded value is +6.9
    right = curve.front.check.right
    codes = " ".join(answers.code(curve, CHECK, [place]) for place in (right, right, 0))
    table = reveal.of_class(curve, CHECK, answers.votes(curve, CHECK, codes)).table
    assert table is not None
    assert list(table["count"][table["right"]]) == [2 + (right == 0)]
    drawn = reveal.of_class(curve, GUESS, answers.votes(curve, GUESS, answers.code(curve, GUESS, [0.9, 0.5, 0.1])))
    lines = drawn.plot.figure(*drawn.given).data
    assert any(list(line.y[1:]) == pytest.approx([0.9, 0.5, 0.1], abs=0.02) for line in lines if len(line.y or ()) == 4)
