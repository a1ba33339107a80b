"""The commands `lessons` and `lecture`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli.options import Csv, Json
from shlpt.cli.report import errors, show, write_file
from shlpt.errors import UserError

app = typer.Typer(rich_markup_mode=None)
QUESTIONS = {"guess": "G", "check": "C"}


@app.command(epilog="Example: python -m shlpt lessons harm --codes '4G-J0-PPK 4G-6G-S8B'")
def lessons(
    name: Annotated[str | None, typer.Argument(help="A lesson: show what it claims (default: list all).")] = None,
    codes: Annotated[str | None, typer.Option(help="Codes of a class: count its answers beside the result.")] = None,
    question: Annotated[str, typer.Option(help="Which question the codes answer: guess or check.")] = "guess",
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List the lessons, or the claims of one with the recorded results behind them.

    Every claim is worked out anew, with its 95 % interval. With --codes: the answers of a class.
    """
    from shlpt.lessons import reading

    if name is None:
        if codes is not None:
            raise UserError("--codes needs the lesson that they answer: python -m shlpt lessons harm --codes '…'")
        found = [reading.read(one) for one in reading.names()]
        rows = [{"lesson": one.name, "title": one.front.title, "minutes": one.front.minutes} for one in found]
        show(rows, "lessons", as_json=json, as_csv=csv)
        return
    lesson = reading.read(name)
    if codes is not None:
        _count(lesson, codes, question, json, csv)
        return
    from shlpt.lessons import claims

    rows = []
    for key, claim in lesson.front.claims.items():
        one = claims.found(lesson, key)
        result = claims.locate(lesson.front.results[claim.of])["id"]
        numbers = {"value": one.value, "low": one.low, "high": one.high, "unit": one.unit, "seeds": one.n}
        rows.append({"claim": key, "says": claim.says, "than": claim.than, **numbers, "result": result})
    show(rows, lesson.front.title, as_json=json, as_csv=csv)


def _count(lesson: Any, codes: str, question: str, json: bool, csv: bool) -> None:
    from shlpt.errors import unknown
    from shlpt.lessons import answers, reveal
    from shlpt.results.export import rows_of_frame

    if question not in QUESTIONS:
        raise unknown("question", question, QUESTIONS)
    found = answers.votes(lesson, QUESTIONS[question], codes)
    table = reveal.of_class(lesson, QUESTIONS[question], found).table
    counted = lesson.front.guess.kind != "curve" or question == "check"
    rows = rows_of_frame(table) if counted and table is not None else [{"answer": list(one)} for one in found.answers]
    about = {"answers": len(found.answers), "unreadable": found.unreadable}
    show(
        rows,
        f"{len(found.answers)} answers, {found.unreadable} unreadable",
        as_json=json,
        as_csv=csv,
        document={**about, "rows": rows},
    )


@app.command(epilog="Example: python -m shlpt lecture harm order --out lecture.html")
def lecture(
    names: Annotated[list[str], typer.Argument(help="Lessons, in the order of the lecture (see `lessons`), or all.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("lecture.html"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    json: Json = False,
) -> None:
    """Write lessons as one file that opens without internet: guess, reveal, notes for the speaker."""
    from shlpt.lessons import reading
    from shlpt.lessons.lecture import lecture as made

    if out.exists() and not force:
        raise UserError(f"{out} is there already: write another file, or add --force to replace it")
    chosen = reading.names() if names == ["all"] else list(dict.fromkeys(names))
    page = made([reading.read(name) for name in chosen])
    write_file(out, page)
    about = {"file": str(out), "bytes": len(page), "lessons": chosen}
    if json:
        show([about], "lecture", as_json=True, as_csv=False, document=about)
    else:
        errors.print(f"{out}: {len(chosen)} lesson{'s' * (len(chosen) != 1)}, {len(page) / 1e6:.1f} MB", markup=False)
