"""Runs of several methods, sequences and seeds as a table: one row per method. Pure. A seed's value is its mean over
the benchmark's sequences; spread, intervals and tests are over seeds. Missing, unfinished and failed runs exclude their
seed and are counted. Scores are shares, from 0 to 1."""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any, Literal

from shlpt.analysis.metrics import summary
from shlpt.analysis.stats import Comparison, Value, holm, measured, paired_t, sign_flip
from shlpt.catalog import PLAIN
from shlpt.errors import UserError, unknown

Metric = Literal["acc", "bwt", "fwt"]
METRICS: tuple[Metric, ...] = ("acc", "bwt", "fwt")
Record = Mapping[str, Any]
Unit = tuple[str, int]  # sequence, seed

TESTS: dict[str, Callable[[Sequence[Value], Sequence[Value]], Comparison]] = {"t": paired_t, "sign_flip": sign_flip}
NOTE = (
    "A seed's value is its mean over the sequences; spread, intervals and p values are over the seeds that have "
    "finished all sequences. A seed decides the training examples and where prompts start; test examples are the same "
    "for all, so intervals say nothing about other examples. Three seeds tell only large differences from chance."
)


def benchmark_table(
    records: Sequence[Record],
    sequences: Mapping[str, Sequence[str]],
    methods: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    *,
    reference: str = PLAIN,
    metric: Metric = "acc",
    test: str = "t",
    further: Sequence[str] = (),
) -> dict[str, Any]:
    """One row per method, in the given order (default: as found), with differences from the reference. `sequences` maps
    names to task orders, as `Benchmark.tasks` does. Runs of other tasks, methods or seeds are counted in `left_out`.
    `further` are numbers of the records that are summarised too."""
    if test not in TESTS:
        raise unknown("test", test, TESTS)
    names = {tuple(tasks): name for name, tasks in sequences.items()}
    known = _by_unit(records, names)
    methods = list(dict.fromkeys(methods if methods is not None else [method for method, _, _ in known]))
    seeds = sorted(set(seeds if seeds is not None else [seed for _, _, seed in known]))
    units = [(sequence, seed) for sequence in sequences for seed in seeds]
    asked = {(method, *unit) for method in methods for unit in units}
    runs = {m: {unit: known[m, *unit] for unit in units if (m, *unit) in known} for m in methods}
    against = {unit: known[reference, *unit] for unit in units if (reference, *unit) in known}
    compared = _against(runs, against, list(sequences), seeds, reference, metric, test)
    rows = [_row(m, runs[m], units, list(sequences), seeds) | {"difference": compared.get(m)} for m in methods]
    for row in rows:
        row["further"] = {name: _summary(runs[row["method"]], list(sequences), seeds, name) for name in further}
    tests = sum(c["p"] is not None for c in compared.values())  # number of tests in Holm's correction
    left_out = sum(_place(record, names) not in asked for record in records)
    found = {"rows": rows, "sequences": list(sequences), "seeds": seeds, "expected": len(units), "left_out": left_out}
    how = {"reference": reference, "metric": metric, "test": test, "correction": "holm", "compared": tests}
    return found | how | {"note": NOTE}


def _place(record: Record, names: Mapping[tuple[str, ...], str]) -> tuple[str, str | None, int]:
    """Method, sequence and seed; None for an unknown sequence."""
    return str(record["method"]), names.get(tuple(record["tasks"])), int(record["seed"])


def _by_unit(records: Sequence[Record], names: Mapping[tuple[str, ...], str]) -> dict[tuple[str, str, int], Record]:
    """The run of each method, sequence and seed. Of duplicates, finished runs win, then later ones."""
    found: dict[tuple[str, str, int], Record] = {}
    for record in records:
        method, sequence, seed = _place(record, names)
        if sequence is None:
            continue
        known = found.get((method, sequence, seed))
        if known is not None and known.get("id") != record.get("id"):
            raise UserError(
                f"two different runs of {method} on {sequence} with seed {seed} ({known.get('id')}, "
                f"{record.get('id')}): a table takes one, so give it the runs of one choice of settings"
            )
        if known is None or not _done(known) or _done(record):
            found[method, sequence, seed] = record
    return found


def _done(record: Record) -> bool:
    return record.get("state") == "done"


def value(record: Record | None, metric: str) -> Value:
    """A metric of a finished run, otherwise None."""
    return measured(record.get(metric)) if record is not None and _done(record) else None


# --- a row --------------------------------------------------------------------------------
def _row(
    method: str, runs: Mapping[Unit, Record], units: Sequence[Unit], sequences: Sequence[str], seeds: Sequence[int]
) -> dict[str, Any]:
    done = [record for record in runs.values() if _done(record)]
    failed = sum(record.get("state") == "failed" for record in runs.values())
    return {
        "method": method,
        "n": len(done),
        "expected": len(units),
        "failed": failed,
        "unfinished": len(runs) - len(done) - failed,
        "missing": len(units) - len(runs),
        **{metric: _summary(runs, sequences, seeds, metric) for metric in METRICS},
        "by_sequence": {
            name: {metric: _summary(runs, [name], seeds, metric) for metric in METRICS} for name in sequences
        },
        "trainable": _largest(done, "trainable"),
        "stored_bytes": _largest(done, "stored_bytes"),
        "seconds": summary(_known(done, "seconds"))["mean"],  # per run
    }


def _summary(
    runs: Mapping[Unit, Record], sequences: Sequence[str], seeds: Sequence[int], metric: str
) -> dict[str, object]:
    return summary([v for v in _by_seed(runs, sequences, seeds, metric) if v is not None], share=metric == "acc")


def _by_seed(runs: Mapping[Unit, Record], sequences: Sequence[str], seeds: Sequence[int], metric: str) -> list[Value]:
    """Each seed's mean over the sequences; None if one is missing, because sequences differ in difficulty."""
    found = [[value(runs.get((sequence, seed)), metric) for sequence in sequences] for seed in seeds]
    return [None if None in values else fmean(v for v in values if v is not None) for values in found]


def _known(records: Sequence[Record], name: str) -> list[float]:
    return [v for record in records if (v := measured(record.get(name))) is not None]


def _largest(records: Sequence[Record], name: str) -> int | None:
    return max(map(int, _known(records, name)), default=None)


# --- against the reference ----------------------------------------------------------------
def _against(
    runs: Mapping[str, Mapping[Unit, Record]],
    reference: Mapping[Unit, Record],
    sequences: Sequence[str],
    seeds: Sequence[int],
    name: str,
    metric: str,
    test: str,
) -> dict[str, dict[str, Any]]:
    """Method minus reference over the common seeds, with p corrected over the methods."""
    theirs = _by_seed(reference, sequences, seeds, metric)
    found = {
        method: TESTS[test](_by_seed(of_method, sequences, seeds, metric), theirs)
        for method, of_method in runs.items()
        if method != name
    }
    corrected = holm([comparison["p"] for comparison in found.values()])
    return {
        method: {"reference": name, **comparison, "p_holm": p}
        for (method, comparison), p in zip(found.items(), corrected, strict=True)
    }
