"""The commands of tasks: list them, bring one's own, fetch the paper's."""

from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.cli import options as opt
from shlpt.cli.report import errors, show
from shlpt.errors import UserError, unknown
from shlpt.store.store import default_home
from shlpt.tasks import describe, prompts, shelf
from shlpt.tasks.find import SUITES, in_suite
from shlpt.tasks.pocket import TASKS
from shlpt.tasks.task import Split

app = typer.Typer(invoke_without_command=True, no_args_is_help=False, rich_markup_mode=None)
NAMES = ("name", "family", "classes", "standin_for", "metric", "labels", "about", "suite")
Name = Annotated[str, typer.Argument(help="Name of a stored task, as own/reviews.")]


@app.callback(epilog="Examples: python -m shlpt tasks --json; python -m shlpt tasks add reviews.csv")
def tasks(
    context: typer.Context,
    parts: Annotated[bool, typer.Option("--parts", help="List what composed tasks can be made of.")] = False,
    suite: Annotated[
        str | None,
        typer.Option(help="Only pocket (generated), own (imported), paper (its data sets) or prompts (imported ones)."),
    ] = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """List the tasks: generated stand-ins for the paper's data sets, and imported ones.

    Every command also takes composed tasks: ask:price/hotel/yes-no is a question, asked of texts, answered in words
    (--parts lists them; the words read backwards are the contrary task). sst2@32 is sst2 with 32 examples of each
    class, dial:0.5 a task of that relatedness to dial:1. Imported tasks are named with their suite, as own/reviews.
    """
    if context.invoked_subcommand is not None:
        return
    if parts:
        found = describe.parts()
        lines = [row | {key: " ".join(row[key]) for key in ("texts", "answers")} for row in found]
        show(lines, "ask:<question>/<texts>/<answers>", as_json=json, as_csv=csv, document=found)
        return
    if suite is not None and suite not in SUITES:
        raise unknown("suite", suite, SUITES)
    rows = (
        [{name: getattr(task, name) for name in NAMES} for task in TASKS.values()] if suite in (None, "pocket") else []
    )
    here = home or default_home()
    rows += [_row(record) for record in shelf.stored(here) if suite in (None, record.suite)]
    if suite in (None, prompts.SUITE):
        rows += [_row_of_prompt(one) for one in prompts.stored(here)]
    show(
        rows, "tasks (those of the suite pocket are stand-ins, not the data sets themselves)", as_json=json, as_csv=csv
    )


def _row(record: shelf.Record) -> dict[str, Any]:
    row = {name: getattr(record, name, None) for name in NAMES}
    return row | {"name": record.title, "classes": len(record.groups)}


def _row_of_prompt(given: prompts.Given) -> dict[str, Any]:
    about = f"an imported prompt of {given.length} rows for {given.task}"
    return dict.fromkeys(NAMES) | {"name": given.title, "about": about, "suite": prompts.SUITE}


@app.command(
    epilog="Example: python -m shlpt tasks add reviews.train.csv --test reviews.test.csv --word 0=bad --word 1=good"
)
def add(
    file: Annotated[
        Path, typer.Argument(help="CSV, TSV, JSON lines (.jsonl) or Parquet file: all examples, or those for training.")
    ],
    test: Annotated[
        Path | None, typer.Option(help="File with the test examples (default: a fifth of each class).")
    ] = None,
    validation: Annotated[Path | None, typer.Option(help="File with the validation examples.")] = None,
    name: Annotated[str, typer.Option(help="Name of the task (default: the file's).")] = "",
    text: Annotated[
        list[str] | None,
        typer.Option(help="Column of the text; repeat it for several, such as a pair (default: detected)."),
    ] = None,
    label: Annotated[str | None, typer.Option(help="Column of the label (default: detected).")] = None,
    split: Annotated[str | None, typer.Option(help="Column that says train, validation or test.")] = None,
    word: Annotated[
        list[str] | None, typer.Option(help="Answer word for a label, as 0=negative (repeatable; default: the label).")
    ] = None,
    skip_empty: Annotated[bool, typer.Option("--skip-empty", help="Leave out rows without text or label.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only show what would be stored.")] = False,
    backbone: opt.Model = "pocket",
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Import a task from files, to be used as own/NAME.

    Shows the columns that were found, splits, class counts, lengths, and how much of the text the backbone knows.
    Repeated texts, texts with two labels and texts in both training and test are left out and counted.
    """
    from shlpt.plans.fit import fit, said
    from shlpt.tasks import importing

    files: dict[Split, Path | None] = {"train": file, "validation": validation, "test": test}
    tables = importing.read_all({part: path for part, path in files.items() if path is not None})
    columns = importing.detect(tables["train"], text or (), label, split)
    words = dict(_pair(item) for item in word or [])
    made = importing.draft(name or importing.name_of(file.name), tables, columns, words, skip_empty)
    found = fit([example.text for example in made.rows["train"]], made.record.labels, backbone)
    document = made.report() | {"fit": None if found is None else vars(found), "stored": not check}
    notes = [*importing.said(made.found), *said(found, backbone)]
    if not check:
        made.store(home or default_home())
    rows = [{"class": c, **{s: n[c] for s, n in made.found["counts"].items()}} for c in made.record.groups]
    show(rows, f"{made.record.title}: examples", as_json=json, as_csv=csv, document=document | {"notes": notes})
    if not check:
        errors.print(f"use it with: python -m shlpt run --tasks {made.record.title},…", markup=False, soft_wrap=True)


def _pair(item: str) -> tuple[str, str]:
    label, sign, word = item.partition("=")
    if not sign:
        raise UserError(f"cannot read the answer word {item!r}: write it as LABEL=WORD, for example --word 0=negative")
    return label.strip(), word


@app.command(epilog="Example: python -m shlpt tasks fetch rte cb --from copies")
def fetch(
    names: Annotated[
        list[str] | None, typer.Argument(help="Data sets of the paper, as rte cb (default: list all sixteen).")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--from", help="Folder with a saved copy of each, as FOLDER/rte (default: the hub).")
    ] = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Get data sets of the paper, to be used with --suite paper; internet is needed once.

    A copy is what `save_to_disk` of the library datasets wrote, or a folder with train and test (or validation) as
    CSV, JSON lines or Parquet, with the columns of the hub.
    """
    from shlpt.tasks import hub

    found = home or default_home()
    if not names:
        here = {record.name: record for record in shelf.stored(found, "paper")}
        rows: list[dict[str, Any]] = [_of_paper(data, here.get(name)) for name, data in hub.DATA.items()]
        show(rows, "the paper's data sets (its Table 7)", as_json=json, as_csv=csv)
        return
    for name in names:
        hub.find(name.removeprefix("paper/"))
    records = []
    for name in names:
        errors.print(f"getting {name} …", markup=False)
        records.append(hub.fetch(name.removeprefix("paper/"), found, folder))
    rows = [_row(record) | {"counts": record.counts} for record in records]
    short = [
        {"name": row["name"], "classes": row["classes"], **_totals(r)} for row, r in zip(rows, records, strict=True)
    ]
    show(short, "stored", as_json=json, as_csv=csv, document=rows)


def _of_paper(data: Any, record: shelf.Record | None) -> dict[str, Any]:
    row = {key: getattr(data, key) for key in ("name", "title", "family", "metric")} | {"classes": len(data.groups)}
    return row | {"hub": " ".join(filter(None, [data.hub, data.config])), "here": record is not None}


def _totals(record: shelf.Record) -> dict[str, int]:
    return {split: sum(counts.values()) for split, counts in (record.counts or {}).items()}


@app.command(epilog="Example: python -m shlpt tasks remove own/reviews")
def remove(name: Name, home: opt.Home = None, json: opt.Json = False, csv: opt.Csv = False) -> None:
    """Delete an imported task or prompt. Finished results stay; runs that still need its texts fail with a message."""
    suite, plain = in_suite(name, "own")
    here = home or default_home()
    record = prompts.remove(here, plain) if suite == prompts.SUITE else shelf.remove(here, plain, suite)
    show([{"removed": record.title, "origin": record.origin}], "removed", as_json=json, as_csv=csv)
