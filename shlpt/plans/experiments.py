"""Named lists of runs: every ordered pair of tasks, values of a setting, orders of a sequence. No torch. A matrix cell
is a run over two tasks; a sweep point is a run with one setting changed. All are ordinary runs and share stages."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from shlpt.catalog import PLAIN
from shlpt.errors import UserError, unknown
from shlpt.plans.paper_tables import ABLATIONS, ALL_DISSIMILAR, ESTIMATOR, ablation_specs, pair_specs
from shlpt.spec import RunSpec, digest, has_setting, settings_known
from shlpt.tasks.sequences import find_benchmark
from shlpt.tasks.task import with_shots

Common = Mapping[str, Any]  # arguments of RunSpec.make beside tasks and seed
Pair = tuple[str, str]  # source and target
# The learned α that are judged (catalog/estimators.py): of the usual form, and of the published one.
FORMS: Mapping[str, Mapping[str, Any]] = {"alpha": {}, "alpha_published": ESTIMATOR}


@dataclass(frozen=True)
class Cell:
    """A run with its label in the experiment."""

    label: dict[str, Any]
    spec: RunSpec


@dataclass(frozen=True)
class Experiment:
    kind: str
    name: str
    cells: tuple[Cell, ...]
    about: dict[str, Any]
    joins: str = ""  # id of the stored experiment that the cells are added to; empty: a new one

    @property
    def id(self) -> str:
        return f"x{digest([self.kind, self.name, [c.spec.id for c in self.cells]])}"

    @property
    def specs(self) -> list[RunSpec]:
        return [cell.spec for cell in self.cells]


# --- the kinds ----------------------------------------------------------------------------
def matrix(
    tasks: Sequence[str],
    seeds: Sequence[int],
    common: Common,
    name: str = "",
    source_shots: int | None = None,
    pairs: Sequence[Pair] = (),
) -> Experiment:
    """Every ordered pair of tasks, or only some: the second is learned after the first, which may have its own number
    of examples."""
    if len(tasks) < 2:
        raise UserError("a matrix needs two tasks at least, for example yelp,sst2,agnews")
    for pair in pairs:
        for task in pair:
            if task not in tasks:
                raise unknown("task of this matrix", task, tasks)
        if pair[0] == pair[1]:
            raise UserError(f"the pair {pair[0]}>{pair[1]} is one task: a task is learned after another one")
    chosen = tuple(dict.fromkeys(pairs)) or tuple(itertools.permutations(tasks, 2))
    cells = [
        Cell(
            {"source": source, "target": target, "seed": seed},
            make((as_source(source, source_shots), target), seed, common),
        )
        for source, target in chosen
        for seed in seeds
    ]
    about = {"tasks": list(tasks), "seeds": list(seeds)} | dict(common)
    about |= {"source_shots": source_shots} if source_shots else {}
    about |= {"pairs": [list(pair) for pair in chosen]} if pairs else {}
    return Experiment("matrix", name or matrix_name(tasks), tuple(cells), about)


def read_pairs(text: str) -> list[Pair]:
    """`yelp>sst2,rte>sst2` as sources with their targets."""
    found = [tuple(name.strip() for name in pair.split(">")) for pair in text.split(",") if pair.strip()]
    for names in found:
        if len(names) != 2 or not all(names):
            raise UserError(f"cannot read the pair {'>'.join(names)!r}: write source and target as yelp>sst2")
    return [(names[0], names[1]) for names in found]


def matrix_name(tasks: Sequence[str]) -> str:
    """The default name of a matrix."""
    return f"matrix of {len(tasks)} tasks"


def next_seeds(seeds: Sequence[int], count: int) -> list[int]:
    """The next seeds, at the distance of the last two."""
    known = sorted(set(seeds))
    step = known[-1] - known[-2] if len(known) > 1 else 100
    return [known[-1] + step * place for place in range(1, count + 1)]


def as_source(task: str, source_shots: int | None) -> str:
    """The name of a task that may have another number of examples as a source."""
    return with_shots(task, source_shots) if source_shots else task


def alphas(
    tasks: Sequence[str], seeds: Sequence[int], common: Common, name: str = "", source_shots: int | None = None
) -> Experiment:
    """SHLPT in both forms of its estimator over the tasks of a matrix, for α of its pairs: each task is learned after
    those before it in a random order, which the next seed reads backwards, so two seeds hold every ordered pair. The
    earlier tasks have as many examples as the sources of the matrix and share their stages; the last has those of a
    target."""
    if len(tasks) < 2:
        raise UserError("α compares with earlier tasks: give two tasks at least")
    shared, cells = where(common), []
    rich = {task: as_source(task, source_shots) for task in tasks}
    for form, settings in FORMS.items():
        full = {**shared, "method": "shlpt", "settings": dict(shared.get("settings") or {}) | dict(settings)}
        for place, seed in enumerate(seeds):
            order = Random(f"alphas/{place // 2}/{','.join(tasks)}").sample(list(tasks), len(tasks))
            order = order[::-1] if place % 2 else order
            for position in range(1, len(order)):
                label = {"form": form, "target": order[position], "earlier": position, "seed": seed}
                spec = make((*(rich[task] for task in order[:position]), order[position]), seed, full)
                cells.append(Cell(label, spec))
    about = {"tasks": list(tasks), "seeds": list(seeds)} | shared
    about |= {"source_shots": source_shots} if source_shots else {}
    return Experiment("alphas", name or f"α of {len(tasks)} tasks", tuple(cells), about)


def sweep(
    tasks: Sequence[str], key: str, values: Sequence[Any], seeds: Sequence[int], common: Common, name: str = ""
) -> Experiment:
    """One setting at several values."""
    if not values:
        raise UserError(f"no values to sweep {key} over: write them as --values {key}=0.01,0.06,0.3")
    values = list(dict.fromkeys(values))
    settings = dict(common.get("settings") or {})
    cells = [
        Cell({key: value, "seed": seed}, make(tasks, seed, {**common, "settings": settings | {key: value}}))
        for value in values
        for seed in seeds
    ]
    about = {"tasks": list(tasks), "setting": key, "values": list(values), "seeds": list(seeds)} | dict(common)
    return Experiment("sweep", name or f"{key} over {len(values)} values", tuple(cells), about)


def orders(
    tasks: Sequence[str], seeds: Sequence[int], common: Common, sample: int | None = None, name: str = ""
) -> Experiment:
    """All orders of a sequence, or a random sample of them."""
    count = math.factorial(len(tasks))
    if sample is None and count > 120:
        raise UserError(f"{len(tasks)} tasks have {count:,} orders: draw some of them with --sample 20")
    chosen = (
        [tuple(order) for order in itertools.permutations(tasks)]
        if sample is None or sample >= count
        else _drawn(tasks, sample)
    )
    cells = [
        Cell({"order": " ".join(order), "seed": seed}, make(order, seed, common)) for order in chosen for seed in seeds
    ]
    about = {"tasks": list(tasks), "seeds": list(seeds), "sample": sample} | dict(common)
    return Experiment("orders", name or f"{len(chosen)} orders of {len(tasks)} tasks", tuple(cells), about)


def bench(
    benchmark: str, methods: Sequence[str], seeds: Sequence[int], common: Common, reference: str = PLAIN, name: str = ""
) -> Experiment:
    """Methods on the sequences of a benchmark, always with the reference. Each setting goes to the methods that have
    it."""
    chosen = find_benchmark(benchmark)
    methods = tuple(dict.fromkeys((*methods, reference)))
    given = dict(common.get("settings") or {})
    for key in given:
        if not any(has_setting(method, key) for method in methods):
            raise unknown("setting of these methods", key, [k for m in methods for k in settings_known(m)])
    cells = []
    for method in methods:
        # As in the paper: on harmful tasks δ is so high that no task is similar.
        base = ALL_DISSIMILAR if benchmark == "negative" else {}
        own = {key: value for key, value in {**base, **given}.items() if has_setting(method, key)}
        cells += [
            Cell(
                {"method": method, "sequence": sequence, "seed": seed},
                make(tasks, seed, {**common, "method": method, "settings": own}),
            )
            for sequence, tasks in chosen.tasks.items()
            for seed in seeds
        ]
    about = {"benchmark": benchmark, "methods": list(methods), "seeds": list(seeds), "reference": reference}
    about |= where(common)
    return Experiment("bench", name or f"{chosen.title}, {len(methods)} methods", tuple(cells), about)


def ablations(
    sequence: str, seeds: Sequence[int], common: Common, name: str = "", names: Sequence[str] = tuple(ABLATIONS)
) -> Experiment:
    """Table 4: SHLPT without one of its parts. `names`: these rows only."""
    specs = ablation_specs(sequence, seeds, names=names, **where(common))
    return _named("ablations", name or f"ablations on {sequence}", specs, {"sequence": sequence})


def pair_variants(seeds: Sequence[int], common: Common, name: str = "") -> Experiment:
    """Table 5: pairs that harm each other."""
    return _named("pairs", name or "pairs that harm each other", pair_specs(seeds, **where(common)))


def where(common: Common) -> dict[str, Any]:
    """What runs of several methods have in common."""
    return {key: value for key, value in common.items() if key != "method"}


def _named(
    kind: str, name: str, specs: Sequence[tuple[str, RunSpec]], about: Mapping[str, Any] | None = None
) -> Experiment:
    cells = tuple(Cell({"variant": label, "seed": spec.seed}, spec) for label, spec in specs)
    return Experiment(kind, name, cells, {"seeds": sorted({spec.seed for _, spec in specs}), **(about or {})})


def _drawn(tasks: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """Different orders; always the same ones for the same arguments."""
    rng = Random(f"orders/{','.join(tasks)}")
    found: dict[tuple[str, ...], None] = {}
    while len(found) < count:
        found[tuple(rng.sample(list(tasks), len(tasks)))] = None
    return list(found)


def make(tasks: Sequence[str], seed: int, common: Common) -> RunSpec:
    return RunSpec.make(tasks, seed=seed, **common)
