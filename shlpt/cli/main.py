"""`python -m shlpt COMMAND`: everything the app shows, on the command line."""

import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from shlpt.catalog import METHODS
from shlpt.cli import options as opt
from shlpt.cli import share, warn
from shlpt.cli.compare import compare
from shlpt.cli.gauge import app as gauges
from shlpt.cli.lessons import app as lessons
from shlpt.cli.look import app as looks
from shlpt.cli.masking import masking
from shlpt.cli.record import record
from shlpt.cli.report import Bar, errors, print_table, show
from shlpt.cli.route import route
from shlpt.cli.runs import app as runs_app
from shlpt.cli.steps import steps
from shlpt.cli.studies import app as studies
from shlpt.cli.surgery import surgery
from shlpt.cli.tasks import app as tasks_app
from shlpt.cli.threshold import threshold
from shlpt.errors import UserError
from shlpt.spec import RunSpec, Training, method_info, read_seeds, settings_of
from shlpt.store.store import Store
from shlpt.tasks.sequences import SEQUENCES, about

app = typer.Typer(
    name="shlpt",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Lifelong prompt tuning with SHLPT and the methods it is compared with: train, compare, inspect.",
    epilog="Start with: python -m shlpt run --sequence demo. Help on a command: python -m shlpt COMMAND --help",
)


@app.command(epilog="Example: python -m shlpt run --sequence demo --method shlpt --set threshold=0.3")
@opt.with_groups
def run(
    *,
    sequence: opt.Sequence = None,
    tasks: opt.Tasks = None,
    method: opt.Method = "shlpt",
    seeds: opt.Seeds = "42",
    alone: Annotated[
        bool, typer.Option(help="Also train each later task on its own, which forward transfer is measured against.")
    ] = True,
    how: opt.How,
    way: opt.Way,
) -> None:
    """Learn a sequence of tasks with one method.

    Trains one run per seed and shows the test scores: mean accuracy after the last task (ACC), backward transfer (BWT),
    forward transfer (FWT), and the score on each task. What is already stored is reused.
    """
    from shlpt.results.record import summarise

    begin = time.monotonic()
    names, settings = opt.tasks_of(sequence, tasks, how.suite, way.home), how.of(method, way.home)
    specs = [RunSpec.make(names, seed=seed, **settings) for seed in read_seeds(seeds)]
    warn.before(specs, way.home)
    if way.detach:
        submit_detached(specs, alone, way)
        return
    opt.set_threads(way.threads)
    from shlpt.cli.bar import BarWatch
    from shlpt.work.worker import run as train

    with BarWatch() as watch:
        records = train(specs, way.home, lanes=way.lanes, alone=alone, fresh=way.fresh, device=way.device, watch=watch)
    summary = summarise(records) | {"seconds": round(time.monotonic() - begin, 2)} | watch.counts()
    show_runs(records, summary, way.json, way.csv)
    warn.after(Store(way.home).open(), [record["id"] for record in records if record["state"] == "done"])
    if any(record["state"] != "done" for record in records):
        raise SystemExit(1)


def submit_detached(specs: list[Any], alone: bool, way: opt.Way) -> None:
    """Queue the runs, start a worker if none is free, and return."""
    from shlpt.queue.launch import ensure_worker
    from shlpt.queue.submit import planned, submit

    opt.require_device(way.device)
    store = Store(way.home)
    plans = planned(store, specs, alone=alone, fresh=way.fresh, device=way.device)
    sent = submit(store, plans, lanes=way.lanes, device=way.device)
    if sent.todo:
        ensure_worker(store, device=way.device, threads=way.threads)
    rows = [{"id": spec.id, "method": spec.method, "seed": spec.seed} for spec in sent.specs]
    counts = {"to_train": len(sent.todo), "reused": sent.reused}
    show(rows, "queued", as_json=way.json, as_csv=way.csv, document={"runs": rows, **counts})
    errors.print(f"{len(sent.todo)} stages to train, {sent.reused} reused; follow with `python -m shlpt runs watch`")


def show_runs(records: Iterable[Mapping[str, Any]], summary: dict[str, Any], json: bool, csv: bool) -> None:
    rows = [{key: r[key] for key in ("id", "method", "seed", "state", "acc", "bwt", "fwt", "tasks")} for r in records]
    show(rows, "runs", as_json=json, as_csv=csv, document={"runs": records, "summary": summary})
    if not json and not csv:
        last = [{"seed": r["seed"]} | dict(zip(r["tasks"], r["matrix"][-1], strict=True)) for r in records]
        print_table(last, "\ntest score on each task after the last one")
        errors.print(f"{summary['seconds']:.1f} s, {summary['trained']} stages trained, {summary['reused']} reused")
    for one in records:
        if one["error"]:
            errors.print(f"run {one['id']} {one['state']}: {one['error']}", markup=False)
        elif one["state"] != "done":
            errors.print(f"run {one['id']} is {one['state']}: run the same command again to resume it", markup=False)


@app.command(epilog="Example: python -m shlpt methods --json")
def methods(
    name: Annotated[str | None, typer.Argument(help="A method: list all settings of its runs.")] = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """List the methods, or all settings of one."""
    from shlpt.plans.estimate import sizes

    if name is not None:
        rows = settings_of(method_info(name).params) + settings_of(Training)
        usual = RunSpec.make(SEQUENCES["demo"], name).settings
        yes_no = {key: ["true", "false"] for key, value in usual.items() if isinstance(value, bool)}
        lines = []
        for row in rows:
            key, allowed = row["name"], row["range"] or ", ".join(row["choices"] or yes_no.get(row["name"], []))
            line = {"setting": key, "default": usual[key], "allowed": allowed, "meaning": row["help"]}
            lines.append(line | {"published": row["published"]})
        show(lines, f"settings of {name}", as_json=json, as_csv=csv)
        return
    full = [
        {"name": m.name, "title": m.title, "about": m.about, "needs": list(m.needs)}
        | sizes(RunSpec.make(SEQUENCES["demo"], m.name))
        | {"shares_backbone": m.shares_backbone, "settings": settings_of(m.params)}
        for m in METHODS.values()
    ]
    hidden = ("settings", "title", "shares_backbone")
    short = [{k: v for k, v in row.items() if k not in hidden} | {"needs": ", ".join(row["needs"])} for row in full]
    show(short, "methods", as_json=json, as_csv=csv, document=full)


@app.command(epilog="Example: python -m shlpt sequences")
def sequences(home: opt.Home = None, json: opt.Json = False, csv: opt.Csv = False) -> None:
    """List the named task sequences: the paper's, a short demo, and streams whose last task is related as they say."""
    rows = [{"name": name, "tasks": list(tasks), "about": about(name)} for name, tasks in SEQUENCES.items()]
    show(rows, "sequences", as_json=json, as_csv=csv)


@app.command(epilog="Example: python -m shlpt paper 2 --json")
def paper(
    table: Annotated[str | None, typer.Argument(help='2, table2 or "Table 2" (default: list all tables).')] = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Show a table of the paper (T5-large, the real data sets)."""
    from shlpt.paper import ORIGIN, as_printed, find_table, read, tables, wide

    if table is None:
        title = "the paper's tables"
        rows: list[Any] = [{"name": name, "about": about} for name, about in tables().items()]
        document: dict[str, Any] = {"origin": ORIGIN, "tables": rows}
    else:
        name = find_table(table)
        title = f"{name}: {tables()[name]}"
        document = {"origin": ORIGIN, "table": name, "about": tables()[name], "rows": read(name)}
        rows = [as_printed(row) for row in read(name)] if csv else wide(name)
    if csv:
        rows = [row | {"origin": ORIGIN} for row in rows]
    show(rows, title, as_json=json, as_csv=csv, document=document)
    if not json and not csv:
        print(f"\n{ORIGIN}")


@app.command(epilog="Example: python -m shlpt backbones google/flan-t5-base")
def backbones(
    names: Annotated[
        list[str] | None, typer.Argument(help="Folders, or names on the hub (default: the known ones).")
    ] = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """List frozen language models with what they need, before any is loaded.

    Parameters, memory for one run at its usual settings, and seconds for a training step on a CPU, as the embedded
    one's time scaled by the size of the layers.
    """
    from shlpt.catalog.backbones import SHAPES
    from shlpt.plans.estimate import needs

    rows = [needs(name) for name in names or ("pocket", *SHAPES)]
    show(rows, "backbones", as_json=json, as_csv=csv)


@app.command(epilog="Example: python -m shlpt doctor")
def doctor(
    home: opt.Home = None,
    backbone: opt.Model = "pocket",
    device: opt.Device = "auto",
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Check device, threads, backbone, store and versions."""
    from shlpt.cli.doctor import examine

    found = examine(home, backbone, device)
    rows = [{"what": key, "found": value} for key, value in found.items()]
    show(rows, "doctor", as_json=json, as_csv=csv, document=found)


@app.command(epilog="Example: python -m shlpt speed --json")
def speed(
    backbone: opt.Model = "pocket",
    shape: Annotated[
        str | None,
        typer.Option(help="Instead: random weights in the shape of a T5, such as t5-large, with the paper's settings."),
    ] = None,
    lanes: Annotated[int, typer.Option(min=1, max=32, help="With --shape: most runs to train together.")] = 32,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="With --shape: also with an encoder compiled by PyTorch.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=3, max=10_000, help="Number of steps to time for each case.")] = 60,
    device: opt.Device = "auto",
    dtype: opt.Dtype = "auto",
    threads: opt.Threads = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Time the training step, as ratios.

    Compares SHLPT with plain prompt tuning, runs trained together (lanes) with one run, and this program with PEFT.
    With --shape in numbers of the device: tokens a second, share of its rate of matrix products, memory.
    """
    opt.set_threads(threads)
    if shape is not None:
        if backbone != "pocket":
            raise UserError("--shape has random weights of its own: leave out --backbone")
        show_shape(shape, lanes, rounds, device, dtype, json, csv, "inductor" if compiled else "")
        return
    if compiled:
        raise UserError("--compiled goes with --shape, such as --shape t5-large: add one")
    from shlpt.backbone.t5 import load
    from shlpt.training.speed import measure

    with Bar("timing") as bar:
        found = measure(load(backbone, device, dtype), rounds, bar)
    rows = [
        {"what": f"{key} {part}".strip(), "value": value}
        for key, group in found.items()
        for part, value in (group.items() if isinstance(group, dict) else [("", group)])
    ]
    show(rows, "speed (ratios of medians)", as_json=json, as_csv=csv, document=found)


def show_shape(
    shape: str, lanes: int, rounds: int, device: str, dtype: str, json: bool, csv: bool, compiled: str = ""
) -> None:
    from shlpt.training import shapes

    name = shapes.known(shape)
    with Bar("timing") as bar:
        model = shapes.random_backbone(name, device, dtype)
        together = [count for count in shapes.LANES if count <= lanes]
        found = shapes.measure(model, rounds, together, progress=bar, compiled=compiled)
    title = f"{name} with random weights, {found['dtype']}, {found['device']}: {found['matrix_tflops']:.3g} TFLOP/s"
    show(found["cases"], title, as_json=json, as_csv=csv, document=found)


@app.command(epilog="Example: python -m shlpt pretrain --out my-backbone --scale 0.1")
def pretrain(
    out: Annotated[Path | None, typer.Option(help="Folder to write to (default: data/pocket).")] = None,
    scale: Annotated[
        float, typer.Option(min=0.0001, max=100, help="Training steps, as a multiple of the usual number.")
    ] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing backbone.")] = False,
    threads: opt.Threads = None,
    home: opt.Home = None,
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Pre-train the embedded backbone again (about 35 minutes).

    It is a small T5, trained on the generated texts of the pocket world.
    """
    opt.set_threads(threads)
    from shlpt.backbone.files import EMBEDDED
    from shlpt.backbone.pretrain import pretrain_to

    out = out or EMBEDDED
    if (out / "model.safetensors").exists() and not force:
        raise UserError(
            f"{out} already contains a backbone: choose another folder with --out, or overwrite with --force"
        )
    with Bar("pre-training") as bar:
        record = pretrain_to(out, scale, lambda row: bar(row["step"] / row["of"], f"loss {row['loss']:.3f}"))
    rows = [{"task": name, "exact match": value} for name, value in record["scores"].items()]
    show(rows, f"backbone in {out}", as_json=json, as_csv=csv, document=record)


@app.command(epilog="Example: python -m shlpt worker --idle 60")
def worker(
    idle: Annotated[float, typer.Option(min=0, help="Seconds to wait for more work before exiting.")] = 600.0,
    stop: Annotated[
        bool, typer.Option("--stop", help="Ask the workers of this store to finish what they are training and exit.")
    ] = False,
    home: opt.Home = None,
    device: opt.Device = "auto",
    threads: opt.Threads = None,
    log: Annotated[str, typer.Option(help="Name of this worker's log file.", hidden=True)] = "",
    json: opt.Json = False,
    csv: opt.Csv = False,
) -> None:
    """Train queued runs, then wait for more.

    Several workers, on one machine or several, can share the same store.
    """
    from shlpt.queue.control import stop_workers

    store = Store(home).open()
    if stop:
        show([{"stopping": stop_workers(store)}], "workers", as_json=json, as_csv=csv)
        return
    opt.set_threads(threads)
    from shlpt.work.worker import leave_on_signal, work

    leave_on_signal()
    groups = work(store, device=device, idle_seconds=idle, log=log)
    show([{"groups": groups}], "trained", as_json=json, as_csv=csv)


app.command(epilog="Example: python -m shlpt compare r1a2b3c r4d5e6f --json")(compare)
app.command(epilog="Example: python -m shlpt route r1a2b3c --router embeddings --json")(route)
app.command(epilog="Example: python -m shlpt threshold 'transfer between ten tasks' --estimator logme,alpha")(threshold)
app.command(epilog="Example: python -m shlpt masking 'matrix of 4 tasks' --seeds 42")(masking)
app.command(epilog="Example: python -m shlpt steps r1a2b3c --task rte --count 5 --json")(steps)
app.command(epilog="Example: python -m shlpt surgery r1a2b3c --task rte --without sst2 --json")(surgery)
app.command(epilog="Example: python -m shlpt record --out recorded")(record)
app.command("export", epilog="Example: python -m shlpt export r1a2b3c --task sst2 --peft sst2-adapter")(share.export)
app.command("import", epilog="Example: python -m shlpt import sst2-adapter --task sst2")(share.take_in)
app.add_typer(tasks_app, name="tasks")
app.add_typer(runs_app, name="runs")
app.add_typer(studies)
app.add_typer(gauges)
app.add_typer(lessons)
app.add_typer(looks)


def main(arguments: list[str] | None = None) -> None:
    """Exit codes: 0 done, 1 unfinished runs or a fault of the program, 2 a mistake of the user, 130 interrupted."""
    try:
        app(args=arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        if end.code == 130:
            print("interrupted: finished stages are kept; run the same command again to resume", file=sys.stderr)
        raise
