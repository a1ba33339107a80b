"""Lessons as files: Markdown with front matter in TOML. A mistake is said with its file and line.

The front matter names the recorded results, what the lesson claims of them, and the questions. The sections below it
are the text. Numbers in the text stand in braces, `{helps}`, and are filled in from the claims."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from shlpt.errors import UserError, unknown
from shlpt.lessons import glossary

FOLDER = Path(__file__).resolve().parents[2] / "data" / "lessons"
PAPER_SECTION = "In the paper"  # the only section with the paper's numbers
BEFORE = ("Situation", "Question")
SECTIONS = (*BEFORE, "What happened", "Why", PAPER_SECTION, "Check", "Now change this", "For the teacher")
NAMED = re.compile(r"(?<![\w^}])\{([a-z]\w*)(?:\.(\w+))?\}")  # not the braces of LaTeX
_FRONT = re.compile(r"\A\+\+\+\n(.*?)^\+\+\+\n(.*)\Z", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
_FILE = re.compile(r"(\d)-([a-z]+)\.md")

One = TypeVar("One")
Says = Literal["above", "unclear", "below"]
Text = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """Frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Claim(Part):
    """What the lesson says of a recorded result: a number with its interval lies above or below `than`, or cannot be
    told from it. Which of the other keys it needs depends on its kind (`claims.KINDS`)."""

    kind: Text
    says: Says
    label: Text  # in figures
    limit: str = ""  # what `than` is, in figures
    axis: str = ""
    of: Text  # a key of `results`
    than: float = 0.0
    first: str = ""
    second: str = ""
    metric: Literal["last", "acc", "before", "bwt", "fwt"] = "last"
    source: str = ""
    target: str = ""
    earlier: str = ""
    estimator: str = ""
    other: str = ""  # another key of `results`


class Series(Part):
    """A recorded curve."""

    kind: Text
    of: Text
    method: Text
    task: int = 0  # place in the sequence
    earlier: str = ""


class Fact(Part):
    """A recorded number that has no direction and so no interval: a count, a size."""

    kind: Text
    of: Text
    method: str = ""
    earlier: str = ""


class Printed(Part):
    """One number printed in a table of the paper."""

    table: Text
    where: dict[str, str | float] = {}


class Range(Part):
    """An answer to choose: right if the claim's interval is on this side, or if its value lies up to a limit."""

    text: Text
    says: Says | None = None
    up_to: float | None = None


class Guess(Part):
    """What is asked before the result is shown."""

    kind: Literal["choice", "curve", "cell"]
    of: Text  # a claim, or a series for a curve
    options: tuple[Range, ...] = ()
    places: tuple[float, ...] = ()  # of a curve, on its horizontal axis
    given: int = 0  # how many of them are shown already
    tasks: tuple[str, ...] = ()  # of the matrix around a cell
    low: float = -60.0
    high: float = 60.0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "choice":
            by_side = [option.says for option in self.options]
            limits = [option.up_to for option in self.options]
            if len(self.options) < 2:
                raise ValueError("a choice needs `options`, two at least")
            if not any(by_side):
                if None in limits[:-1] or limits[-1] is not None:
                    raise ValueError("each option but the last needs `up_to`, or each option `says`")
            elif None in by_side or len({*by_side}) < len(by_side):
                raise ValueError("each option needs another `says`: above, unclear or below")
        if self.kind == "curve" and not 3 <= len(self.places) <= 8:
            raise ValueError("a curve needs three to eight `places`")
        if self.kind == "cell" and len(self.tasks) < 2:
            raise ValueError("a cell needs the `tasks` of the matrix around it")
        return self


class Answer(Part):
    text: Text
    right: bool = False
    because: Text


class Check(Part):
    """The question after the explanation."""

    options: tuple[Answer, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _one_is_right(self) -> Self:
        if sum(option.right for option in self.options) != 1:
            raise ValueError("exactly one option must be `right = true`")
        return self

    @property
    def right(self) -> int:
        return next(place for place, option in enumerate(self.options) if option.right)


class Live(Part):
    """A run of a few seconds that shows the same with one seed."""

    about: Text  # what is trained, and what to look at
    figure: Literal["pair", "tasks", "matrix"]  # the second task with and without the first, each task, what is kept
    tasks: tuple[str, ...] = Field(min_length=2, max_length=2)
    method: str
    seed: int = 42
    settings: dict[str, Any] = {}


class Link(Part):
    """A page of the app with this state."""

    page: Text
    label: Text
    address: dict[str, str] = {}


class Front(Part):
    """The front matter."""

    title: Text
    question: Text  # in the list of lessons
    minutes: int = Field(ge=5, le=15)
    paper: Text  # where the paper treats this
    results: dict[str, str]
    claims: dict[str, Claim]
    series: dict[str, Series] = {}
    facts: dict[str, Fact] = {}
    printed: dict[str, Printed] = {}
    guess: Guess
    shows: tuple[str, ...] = ()  # claims drawn in the result
    check: Check
    links: tuple[Link, ...] = Field(min_length=1)
    live: Live | None = None
    equations: tuple[int, ...] = ()
    terms: tuple[str, ...] = ()  # of the glossary


class Lesson(Part):
    file: Path
    number: int
    name: str
    front: Front
    sections: dict[str, str]

    @cached_property
    def source(self) -> str:
        return self.file.read_text(encoding="utf-8")

    def line_of(self, text: str) -> str:
        """File and line of the first place where the lesson says this."""
        return f"{self.file.name}:{self.source[: max(0, self.source.find(text))].count(chr(10)) + 1}"

    def where(self, *keys: str | int) -> str:
        """File and line of a key of the front matter."""
        return _where(self.file, self.source, keys)


@contextmanager
def placed(lesson: Lesson, *keys: str) -> Iterator[None]:
    """A mistake inside is said with the file and line of this key of the front matter."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{lesson.where(*keys)}: {error}") from None


def of_kind(kinds: Mapping[str, One], kind: str, what: str) -> One:
    if kind not in kinds:
        raise unknown(f"kind of {what}", kind, kinds)
    return kinds[kind]


def names() -> list[str]:
    """The lessons in their order, whether they can be read or not."""
    return [found[2] for path in sorted(FOLDER.glob("*.md")) if (found := _FILE.fullmatch(path.name))]


def read(name: str) -> Lesson:
    paths = {found[2]: path for path in FOLDER.glob("*.md") if (found := _FILE.fullmatch(path.name))}
    if name not in paths:
        raise unknown("lesson", name, names())
    return read_file(paths[name])


def read_file(path: Path) -> Lesson:
    text = path.read_text(encoding="utf-8")
    found = _FRONT.match(text)
    if found is None:
        raise UserError(f"{path.name}:1: a lesson begins with its front matter, between two lines +++")
    try:
        front = Front.model_validate(tomllib.loads(found[1]))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path.name}:{_line_of(error)}: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        said = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{_where(path, text, first['loc'])}: {'.'.join(map(str, first['loc']))}: {said}") from None
    named = _FILE.fullmatch(path.name)
    if named is None:
        raise UserError(f"{path.name}:1: a lesson's file is named by its number and a word, such as 3-help.md")
    sections = _sections(path, found[2], text[: found.start(2)].count("\n"))
    lesson = Lesson(file=path, number=int(named[1]), name=named[2], front=front, sections=sections)
    _check_names(lesson)
    return lesson


def _line_of(error: tomllib.TOMLDecodeError) -> int:
    """tomllib says the line within the front matter, which begins in line 2."""
    found = re.search(r"line (\d+)", str(error))
    return int(found[1]) + 1 if found else 1


def _where(path: Path, text: str, keys: Iterable[str | int]) -> str:
    """The line of the table and key that a path of keys leads to, as far as it can be followed."""
    lines, line, table = text.splitlines(), 1, ""
    for key in map(str, keys):
        inner = f"{table}.{key}" if table else key
        heads = [n for n, said in enumerate(lines, 1) if re.match(rf"\[+{re.escape(inner)}\]+", said)]
        if heads:
            line, table = heads[0], inner
            continue
        ends = (n for n, said in enumerate(lines[line:], line) if said.startswith(("[", "+++")))
        inside = range(line, next(ends, len(lines)) + 1)
        line = next((n for n in inside if re.match(rf"{re.escape(key)}\s*=", lines[n - 1])), line)
        table = inner
    return f"{path.name}:{line}"


def _sections(path: Path, body: str, before: int) -> dict[str, str]:
    parts = _HEADING.split(body)
    found = dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))
    for heading in found:
        if heading not in SECTIONS:
            line = before + body[: body.index(f"## {heading}")].count("\n") + 1
            raise UserError(f"{path.name}:{line}: {unknown('section', heading, SECTIONS)}")
    for heading in SECTIONS:
        if not found.get(heading):
            raise UserError(f"{path.name}:{before + 1}: the section {heading!r} is missing or empty")
    return found


def _check_names(lesson: Lesson) -> None:
    """What the front matter refers to is there, and every number in the text has a source."""
    front = lesson.front
    groups: list[tuple[str, Mapping[str, Any]]] = [("claims", front.claims), ("series", front.series)]
    for group, members in [*groups, ("facts", front.facts)]:
        for key, one in members.items():
            for result in filter(None, (one.of, getattr(one, "other", ""))):
                if result not in front.results:
                    raise UserError(f"{lesson.where(group, key)}: {unknown('result', result, front.results)}")
    of = front.series if front.guess.kind == "curve" else front.claims
    if front.guess.of not in of:
        raise UserError(f"{lesson.where('guess', 'of')}: {unknown('claim or series', front.guess.of, of)}")
    for name in front.shows:
        if name not in front.claims:
            raise UserError(f"{lesson.where('shows')}: {unknown('claim', name, front.claims)}")
    for term in front.terms:
        if term not in glossary.terms():
            raise UserError(f"{lesson.where('terms')}: {unknown('word of the glossary', term, glossary.terms())}")
    ours, printed = {*front.claims, *front.facts}, {*front.printed}
    if twice := ours & printed or {*front.claims} & {*front.facts}:
        name = min(twice)
        raise UserError(f"{lesson.where('printed', name)}: there are two numbers named {name!r}")
    for heading, text in lesson.sections.items():
        known = printed if heading == PAPER_SECTION else ours
        for found in NAMED.finditer(text):
            if found[1] not in known:
                said = unknown(f"number in {heading!r}", found[1], known)
                raise UserError(f"{lesson.line_of(found[0])}: {said}")
