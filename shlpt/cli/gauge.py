"""The commands `headroom` and `tune`: what to know before methods are compared."""

from typing import Annotated, Any

import typer

from shlpt.cli.carry_out import Study, carry_out
from shlpt.cli.options import How, Seeds, Sequence, Tasks, tasks_of, with_groups
from shlpt.cli.report import errors
from shlpt.errors import UserError
from shlpt.plans import rates
from shlpt.results.rows import ROWS
from shlpt.spec import find_methods, parse_values, read_seeds
from shlpt.store.store import Store, default_home
from shlpt.tasks.sequences import find_benchmark

app = typer.Typer(rich_markup_mode=None)


@app.command(epilog="Example: python -m shlpt headroom --sequence demo --seeds 42,142,242")
@with_groups
def headroom(
    *,
    sequence: Sequence = None,
    tasks: Tasks = None,
    benchmark: Annotated[str | None, typer.Option(help="All sequences of a benchmark (see `bench`).")] = None,
    seeds: Seeds = "42,142,242",
    measure_seeds: Annotated[
        str, typer.Option(help="Other seeds, to measure which pairs help; none leaves the measured oracle out.")
    ] = "1042,1142,1242",
    how: How,
    way: Study,
) -> None:
    """Measure whether methods can be told apart on a sequence.

    Compares few examples alone, a random and an oracle partition (from declared relatedness, and from transfer measured
    on other seeds), and eight times the examples alone.
    """
    from shlpt.plans import headroom as plans

    if [sequence, tasks, benchmark].count(None) != 2:
        raise UserError("say where: one of --sequence demo, --tasks yelp,sst2,rte and --benchmark standard_cl")
    if benchmark:
        sequences = dict(find_benchmark(benchmark).tasks)
    else:
        chosen = tasks_of(sequence, tasks, how.suite, way.home)
        sequences = {sequence or " ".join(chosen): chosen}
    if any(len(each) < 2 for each in sequences.values()):
        raise UserError("one task has no earlier one to be similar to: give two tasks at least")
    common, found = how.of(home=way.home), None
    if measure_seeds.strip() != "none":
        if way.detach:
            raise UserError(
                "with --detach the measured oracle cannot be planned: which pairs help is known when they are trained. "
                "Leave out --detach, or add --measure-seeds none"
            )
        matrix = plans.measuring(sequences, read_seeds(seeds), read_seeds(measure_seeds), common)
        both = _say_all(matrix, plans.headroom(sequences, read_seeds(seeds), common, "none"), way)
        measured = carry_out(matrix, way, ROWS["matrix"], quiet=True, plans=both[: len(matrix.specs)])
        if measured["left"]:
            raise SystemExit(1)
        found = measured["similar_pairs"]
    carry_out(plans.headroom(sequences, read_seeds(seeds), common, found, way.name), way, ROWS["headroom"])


def _say_all(matrix: Any, gauge: Any, way: Study) -> list[Any]:
    """What both steps cost together, before the first begins; the plans that say it."""
    from shlpt.plans.estimate import duration, estimate
    from shlpt.queue.submit import planned

    store = Store(way.home)
    both = planned(store, [*matrix.specs, *gauge.specs], fresh=way.fresh, device=way.device)
    cost = estimate(store.open(), both)
    errors.print(
        f"in all {cost.stages} stages to train, at most {duration(cost.seconds)}: first which pairs help, then the rest"
    )
    return both


@app.command(epilog="Example: python -m shlpt tune --methods shlpt,per_task --trials 6")
@with_groups
def tune(
    *,
    methods: Annotated[str, typer.Option(help="Methods, separated by commas, or all.")] = "all",
    trials: Annotated[int, typer.Option(min=1, max=100, help="Trials of each method; the first is its default.")] = 6,
    grid: Annotated[
        list[str] | None,
        typer.Option(help="Try every combination of these values instead: --grid threshold=0.06,0.3 (repeatable)."),
    ] = None,
    streams: Annotated[
        bool,
        typer.Option("--streams", help="On sequences whose last task has few examples and an earlier one's question."),
    ] = False,
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Make the best learning rate of each method the usual one of --backbone here."),
    ] = False,
    seeds: Seeds = "7,17,27",
    how: How,
    way: Study,
) -> None:
    """Try settings of methods on tuning sequences, with as many trials for each method.

    Scores are measured on validation examples, and the learning rate is tried first. Prints the best trial of each
    method and whether the default is within noise of it; --json and --csv have every trial. Methods that estimate
    similarity also show how often α ranks the most related earlier task first.
    """
    from shlpt.plans import tuning

    combined = dict(parse_values(one) for one in grid or ()) or None
    on: Any = {"sequences": tuning.STREAMS, "judged": "last"} if streams else {}
    if keep:
        rates.refuse_embedded(how.backbone)
        if way.detach:
            raise UserError("--keep needs the results, and --detach leaves them to a worker: leave one of them out")
    common = how.of(own_rates=False)
    made = tuning.tune(find_methods(methods), trials, read_seeds(seeds), common, way.name, grid=combined, **on)
    document = carry_out(made, way, ROWS["tune"])
    if keep:
        kept = rates.keep(way.home or default_home(), how.backbone, document["methods"], document["id"])
        said = ", ".join(f"{method} {one['lr']:g}" for method, one in kept.items())
        errors.print(f"kept as the learning rates of {how.backbone}: {said}", markup=False, soft_wrap=True)
