"""The commands that run experiments (`matrix`, `sweep`, `orders`, `bench`, `ablations`, `pairs`) and list them."""

import shlex
from typing import Annotated

import typer

from shlpt.catalog import PLAIN
from shlpt.cli.carry_out import Study, carry_out
from shlpt.cli.options import Csv, Home, How, Json, MatrixId, Method, Seeds, Sequence, Tasks, tasks_of, with_groups
from shlpt.cli.report import errors, no_store, show
from shlpt.errors import UserError
from shlpt.plans import commands, experiments
from shlpt.plans.commands import setting
from shlpt.results.rows import ROWS, beside_rows
from shlpt.results.weights import remark
from shlpt.spec import find_methods, method_info, parse_values, read_seeds
from shlpt.store.store import Store

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: python -m shlpt matrix --tasks yelp,sst2,agnews,rte --seeds 42,142")
@with_groups
def matrix(
    *,
    tasks: Tasks = None,
    sequence: Sequence = None,
    method: Method = "continual",
    seeds: Seeds = "42",
    source_shots: Annotated[
        int | None, typer.Option(min=1, help="Training examples per class of the sources (default: as the targets).")
    ] = None,
    pairs: Annotated[
        str | None, typer.Option(help="Only these pairs of source and target, such as 'yelp>sst2,rte>sst2'.")
    ] = None,
    how: How,
    way: Study,
) -> None:
    """Measure the transfer between all pairs of tasks, or only some.

    Trains each task after each other task. A cell is the reduction of the target's test error against training it
    alone, in percentage points: positive if the source helps, negative if it harms.
    """
    only = [
        (source, target)
        for pair in experiments.read_pairs(pairs or "")
        for source, target in [tasks_of(None, ",".join(pair), how.suite, way.home)]
    ]
    if only and tasks is None and sequence is None:
        tasks = ",".join(dict.fromkeys(task for pair in only for task in pair))
    chosen = tasks_of(sequence, tasks, how.suite, way.home)
    made = experiments.matrix(chosen, read_seeds(seeds), how.of(method, way.home), way.name, source_shots, only)
    found = carry_out(made, way, ROWS["matrix"])
    if not way.detach:
        given = setting("similar_pairs", found["similar_pairs"])
        said = "pairs that help, as a setting of --method oracle_partition:"
        errors.print(f"{said} {shlex.join(['--set', given])}", markup=False, soft_wrap=True)


@app.command(epilog="Example: python -m shlpt more 'matrix of 4 tasks' --pair 'yelp>sst2' --count 5")
@with_groups
def more(
    *,
    experiment: MatrixId,
    pair: Annotated[str, typer.Option(help="Source and target, as yelp>sst2.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many seeds more.")] = 3,
    way: Study,
) -> None:
    """More seeds for one pair of a matrix, with the same settings."""
    from shlpt.results.experiments import more_seeds

    (source, target), *others = experiments.read_pairs(pair) or [("", "")]
    if not source or others:
        raise UserError(f"cannot read the pair {pair!r}: write one source and its target, as yelp>sst2")
    made = more_seeds(Store(way.home).open(), experiment, source, target, count)
    carry_out(made, way, ROWS["matrix"])


@app.command(epilog="Example: python -m shlpt alphas 'matrix of 4 tasks'")
@with_groups
def alphas(*, experiment: MatrixId, way: Study) -> None:
    """Train SHLPT on the tasks of a matrix, to judge its similarity α by the measured transfer (see `threshold`).

    For each seed the tasks are learned in a random order, which the next seed reads backwards. Once with the usual
    estimator and once with the published one.
    """
    from shlpt.results.experiments import locate
    from shlpt.results.scores import alphas_for

    store = Store(way.home).open()
    where, found = locate(store, experiment)
    made = alphas_for(where, found["id"], way.name)
    if where is not store:
        again = commands.matrix(found["about"], found["name"], way.home)
        raise UserError(f"{found['name']!r} comes with the program, without its prompts: train it first with\n{again}")
    carry_out(made, way, ROWS["alphas"])


@app.command(epilog="Example: python -m shlpt sweep --sequence demo --values threshold=0.01,0.06,0.3")
@with_groups
def sweep(
    *,
    values: Annotated[str, typer.Option(help="A setting and its values, such as threshold=0.01,0.06,0.3.")],
    tasks: Tasks = None,
    sequence: Sequence = None,
    method: Method = "shlpt",
    seeds: Seeds = "42",
    how: How,
    way: Study,
) -> None:
    """Compare several values of one setting.

    All values are trained with the same seeds.
    """
    key, found = parse_values(values)
    chosen = tasks_of(sequence, tasks, how.suite, way.home)
    made = experiments.sweep(chosen, key, found, read_seeds(seeds), how.of(method, way.home), way.name)
    carry_out(made, way, ROWS["sweep"])


@app.command(epilog="Example: python -m shlpt orders --tasks yelp,sst2,rte")
@with_groups
def orders(
    *,
    tasks: Tasks = None,
    sequence: Sequence = None,
    method: Method = "shlpt",
    seeds: Seeds = "42",
    sample: Annotated[
        int | None, typer.Option(min=1, help="Train only this many random orders (default: all).")
    ] = None,
    how: How,
    way: Study,
) -> None:
    """Measure how much the order of the tasks matters.

    Trains the same tasks in all orders, or in a random sample of them.
    """
    chosen = tasks_of(sequence, tasks, how.suite, way.home)
    made = experiments.orders(chosen, read_seeds(seeds), how.of(method, way.home), sample, way.name)
    carry_out(made, way, ROWS["orders"])


@app.command(epilog="Example: python -m shlpt bench --benchmark standard_cl --methods all --beside-paper")
@with_groups
def bench(
    *,
    benchmark: Annotated[
        str, typer.Option(help="standard_cl (3 sequences of 4 tasks), large (3 of 15) or negative (3 of 5).")
    ] = "standard_cl",
    methods: Annotated[
        str, typer.Option(help="Names of methods, separated by commas, or all (see `methods`).")
    ] = "all",
    reference: Annotated[str, typer.Option(help="Method that the others are compared with.")] = PLAIN,
    beside_paper: Annotated[
        bool, typer.Option("--beside-paper", help="Show the paper's numbers and ranks beside ours.")
    ] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print our table and the paper's as Markdown.")] = False,
    seeds: Seeds = "42,142,242",
    how: How,
    way: Study,
) -> None:
    """Compare methods on one of the paper's benchmarks.

    Shows accuracy (ACC), backward transfer (BWT) and forward transfer (FWT) with 95 % intervals, the cost of each
    method, and its paired difference from a reference method.
    """
    if markdown and (way.json or way.csv):
        raise UserError("--markdown, --json and --csv cannot be combined: give one of them")
    against = method_info(reference).name
    made = experiments.bench(
        benchmark, find_methods(methods), read_seeds(seeds), how.of(home=way.home), against, way.name
    )
    found = carry_out(made, way, beside_rows if beside_paper or markdown else ROWS["bench"], quiet=markdown)
    if markdown:
        from shlpt.analysis.benchmark_page import section

        print(section(found))
        if found["left"]:
            raise SystemExit(1)


@app.command(epilog="Example: python -m shlpt ablations --sequence order1")
@with_groups
def ablations(
    *,
    sequence: Annotated[str, typer.Option(help="Name of a task sequence (see `sequences`).")] = "order1",
    seeds: Seeds = "42,142,242",
    how: How,
    way: Study,
) -> None:
    """Compare SHLPT with variants that lack one part (Table 4)."""
    made = experiments.ablations(sequence, read_seeds(seeds), how.of(home=way.home), way.name)
    carry_out(made, way, ROWS["ablations"])


@app.command(epilog="Example: python -m shlpt pairs --seeds 42,142")
@with_groups
def pairs(*, seeds: Seeds = "42,142,242", how: How, way: Study) -> None:
    """Test the two contrastive losses on harmful pairs (Table 5).

    Trains pairs of tasks that harm each other with each loss, with both, and with plain prompt transfer, and compares
    with the target trained alone.
    """
    made = experiments.pair_variants(read_seeds(seeds), how.of(home=way.home), way.name)
    carry_out(made, way, ROWS["pairs"])


@app.command("experiments", epilog="Example: python -m shlpt experiments")
def listed(
    id: Annotated[str | None, typer.Argument(help="Id or name of an experiment (default: list all).")] = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """List experiments, or show the results of one so far."""
    from shlpt.plans.estimate import progress
    from shlpt.results import experiments

    store = Store(home).there()
    if store is None and id is not None:
        raise UserError(f"unknown experiment {id!r}: {no_store(Store(home).home)}")
    if store is None:
        errors.print(no_store(Store(home).home), markup=False, soft_wrap=True)
        show([], "experiments", as_json=json, as_csv=csv, document={"experiments": []})
        return
    if id is None:
        rows = [
            {key: row[key] for key in ("id", "kind", "name")}
            | progress(store, experiments.runs_in(store, row["id"]))
            | {"remark": remark(row)}
            for row in experiments.listed(store)
        ]
        show(rows, "experiments", as_json=json, as_csv=csv, document={"experiments": rows})
        return
    store, found = experiments.locate_with_runs(store, id)
    lines, document = ROWS[found["kind"]](store, found["id"], csv)
    state = progress(store, experiments.runs_in(store, found["id"]))
    show(lines, f"{found['name']} ({found['id']})", as_json=json, as_csv=csv, document=found | state | document)
