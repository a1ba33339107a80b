"""Lessons as files: all of them can be read, and a mistake is said with its line."""

import re
from pathlib import Path

import pytest

from shlpt.errors import UserError
from shlpt.lessons import glossary, reading
from shlpt.lessons.equations import EQUATIONS
from shlpt.ui.navigation import PAGES

WHOLE = reading.read("harm").source


def written(tmp_path: Path, text: str, name: str = "4-harm.md") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def wrong(tmp_path: Path, old: str, new: str) -> tuple[str, int]:
    """What is said of the lesson with one thing changed, and the line that it is in."""
    assert WHOLE.count(old) >= 1, old
    with pytest.raises(UserError) as found:
        reading.read_file(written(tmp_path, WHOLE.replace(old, new, 1)))
    said = re.match(r"4-harm\.md:(\d+): (.*)", str(found.value), re.DOTALL)
    assert said, str(found.value)
    return said[2], int(said[1])


def line(text: str) -> int:
    return WHOLE[: WHOLE.index(text)].count("\n") + 1


@pytest.mark.parametrize("name", reading.names())
def test_a_lesson_is_read_whole(name: str) -> None:
    lesson = reading.read(name)
    assert (lesson.name, [*lesson.sections]) == (name, [*reading.SECTIONS])
    assert [number for number in lesson.front.equations if number not in EQUATIONS] == []
    assert [link.page for link in lesson.front.links if link.page not in {entry.url for entry in PAGES}] == []
    assert re.search(r"(Section|Table|Figure|Appendix) ", lesson.front.paper)
    used = {found[1] for text in lesson.sections.values() for found in reading.NAMED.finditer(text)}
    assert {*lesson.front.facts, *lesson.front.printed} <= used  # nothing is worked out for nobody


def test_lessons_are_numbered_one_after_the_other() -> None:
    numbers = [reading.read(name).number for name in reading.names()]
    assert numbers == sorted({*numbers})


@pytest.mark.parametrize(
    ("old", "new", "said", "where"),
    [
        ('title = "Harm', 'title = "Harm"\ntitle = "', "Cannot overwrite", 3),
        ("minutes = 12", "minutes = 40", "minutes: Input should be less than or equal to 15", "minutes = 12"),
        ("minutes = 12", "minuts = 12", "minutes: Field required", 1),
        (", right = true", "", "exactly one option must be `right = true`", "[check]"),
        ('of = "trap"', 'of = "tarp"', "unknown result 'tarp': did you mean 'trap'?", "[claims.trap]"),
        (
            'says = "below"\nlabel = "another question, other',
            'says = "less"\nlabel = "another',
            "says",
            'says = "below"\nlabel = "another question, other',
        ),
        ('of = "swapped"', 'of = "swopped"', "did you mean 'swapped'?", 'of = "swapped"'),
        ('"trap"]', '"tarp"]', "unknown claim 'tarp'", "shows ="),
        ("{swapped.second}", "{swappd.second}", "unknown number in 'What happened'", "{swapped.second}"),
        ("{agnews_alone}", "{harms}", "unknown number in 'In the paper'", None),
        ("## Why", "## Wherefore", "unknown section 'Wherefore'", "## Why"),
        ('kind = "cell"\nof = "swapped"\ntasks', 'kind = "choice"\nof = "swapped"\ntasks', "a choice needs", "[guess]"),
        ('"soft prompt", ', '"soft promt", ', "did you mean 'soft prompt'?", "terms ="),
    ],
)
def test_a_mistake_is_said_with_its_line(
    tmp_path: Path, old: str, new: str, said: str, where: str | int | None
) -> None:
    found, at = wrong(tmp_path, old, new)
    assert said in found
    if where is not None:
        assert abs(at - (line(where) if isinstance(where, str) else where)) <= 1


def test_a_file_without_front_matter_or_with_an_empty_section_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"4-harm\.md:1: a lesson begins with its front matter"):
        reading.read_file(written(tmp_path, "## Situation\n\nNothing."))
    with pytest.raises(UserError, match="'For the teacher' is missing or empty"):
        reading.read_file(written(tmp_path, WHOLE[: WHOLE.index("- Nearly everybody")]))
    with pytest.raises(UserError, match="unknown lesson 'harms': did you mean 'harm'"):
        reading.read("harms")


def test_words_and_symbols_are_explained_once() -> None:
    terms = glossary.terms()
    assert len(terms) == sum(row.startswith("| ") for row in glossary.FILE.read_text(encoding="utf-8").splitlines()) - 1
    assert terms["similarity"].symbol == r"$\alpha_i$"
    assert all(len(term.meaning) > 20 for term in terms.values())
    used = {term for name in reading.names() for term in reading.read(name).front.terms}
    assert used <= {*terms}
    with pytest.raises(UserError, match="did you mean 'seed'"):
        glossary.find("seeds")
