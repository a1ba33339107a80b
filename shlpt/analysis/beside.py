"""Our benchmark beside the paper's tables: values, ranks, and the rank correlation of the methods. Tasks and models
differ, so only the order of the methods can be compared, and it does not confirm the paper's results. Outputs of these
numbers must also show `origin`, `about` and `settings`."""

from collections.abc import Mapping, Sequence
from typing import Any

from scipy import stats

from shlpt import paper
from shlpt.catalog import published
from shlpt.tasks.sequences import BENCHMARKS, Benchmark

STAND_INS = (
    "Our numbers are measured on generated stand-ins named after the data sets, with a small T5 trained for them. This "
    "is not a reproduction: agreement does not confirm the paper's numbers, and disagreement does not refute them."
)
OTHERWISE = (
    "Our numbers are measured with settings that differ from the paper's where the list says so. This is a "
    "reproduction only if the list is empty."
)
TABLES = {"standard_cl": "table2", "large": "table2", "negative": "table3"}  # spreads: tables 12 and 13
TRANSFER = "table15"
FORWARD = (
    "Table 15 has no row for per-task prompts and no spreads. Its FWT is measured against scores of tasks learned "
    "alone that the paper does not print: they are not those of Tables 2 and 3."
)
POINTS = 100.0  # we store shares, the paper prints percent

# Section 5.2 and appendix D; where the paper does not say, the authors' code.
_COMMON: dict[str, Any] = {"data": "the real data sets", "backbone": "T5-large", "seeds": [42, 142, 242]}
ALWAYS = ("data", "backbone", "seeds", "prompt_length", "epochs", "shots")  # listed even if ours are unknown


def paper_settings(benchmark: str) -> dict[str, Any]:
    """The paper's settings, under our names."""
    tasks = next(iter(BENCHMARKS[benchmark].tasks.values()))
    return _COMMON | published.preset(tasks) | {"lr": "0.3; 1e-4 where all weights train"}


def differing_settings(benchmark: str, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings that differ from the paper's. `ours` is None if unknown."""
    ours = {"data": data_of(settings)} | {k: v for k, v in settings.items() if k != "suite"}
    return [
        {"setting": name, "ours": ours.get(name), "paper": theirs}
        for name, theirs in paper_settings(benchmark).items()
        if (name in ours or name in ALWAYS) and not _same(ours.get(name), theirs)
    ]


def data_of(settings: Mapping[str, Any]) -> str | None:
    suite = settings.get("suite", "pocket")
    return "generated stand-ins" if suite == "pocket" else settings.get("data", f"suite {suite}")


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, list):
        return ours is not None and sorted(ours) == sorted(theirs)
    return ours == theirs


# --- the two beside each other ------------------------------------------------------------
def beside_paper(
    rows: Sequence[Mapping[str, Any]], benchmark: Benchmark, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Rows of `benchmark_table` beside the paper's, in points, for each metric in the paper. `settings` are our run's,
    with `backbone`, `suite` and `seeds`."""
    return {
        "benchmark": benchmark.name,
        "origin": paper.ORIGIN,
        "about": STAND_INS if settings.get("suite", "pocket") == "pocket" else OTHERWISE,
        "settings": differing_settings(benchmark.name, settings),
        "metrics": {
            metric: _metric(rows, benchmark, metric, table)
            for metric, table in (("acc", TABLES[benchmark.name]), ("bwt", TRANSFER), ("fwt", TRANSFER))
        },
    }


def _metric(rows: Sequence[Mapping[str, Any]], benchmark: Benchmark, metric: str, table: str) -> dict[str, Any]:
    printed = printed_values(benchmark, metric)
    ours = {str(row["method"]): row for row in rows}
    means = {method: _points(row[metric]["mean"]) for method, row in ours.items()}
    both = [m for m, mean in means.items() if mean is not None and m in printed]
    theirs = {m: float(printed[m]["value"]) for m in printed}
    our_ranks = ranks({m: mean for m in both if (mean := means[m]) is not None})
    their_ranks = ranks({m: theirs[m] for m in both})
    lines = []
    for method in (*ours, *(m for m in printed if m not in ours)):
        row, cell = ours.get(method), printed.get(method, {})
        mine: Mapping[str, Any] = row[metric] if row else {"n": 0, "mean": None, "sd": None, "ci95": None}
        by_sequence = {
            name: {"ours": _of_sequence(row, name, metric), "paper": cell.get("by_sequence", {}).get(name)}
            for name in benchmark.sequences
        }
        line = {"method": method, "n": mine["n"], "ours": _points(mine["mean"]), "ours_ci95": _interval(mine["ci95"])}
        line |= {"paper": cell.get("value"), "paper_spread": cell.get("spread"), "by_sequence": by_sequence}
        lines.append(line | {"our_rank": our_ranks.get(method), "paper_rank": their_ranks.get(method)})
    return {
        "table": table,
        "note": FORWARD if table == TRANSFER else None,
        "rows": lines,
        "agreement": agreement([(means[m], theirs[m]) for m in both]),
        "only_ours": [m for m in ours if m not in printed],
        "only_paper": [m for m in printed if means.get(m) is None],
    }


def printed_values(benchmark: Benchmark, metric: str) -> dict[str, dict[str, Any]]:
    """The paper's values for each method: average, spread, and value of each sequence."""
    table = TABLES[benchmark.name] if metric == "acc" else TRANSFER
    found: dict[str, dict[str, Any]] = {}
    for row in paper.read(table):
        if row["benchmark"] != benchmark.title or row["metric"] != metric:
            continue
        line = found.setdefault(str(row["method"]), {"value": None, "spread": None, "by_sequence": {}})
        if row.get("sequence"):
            line["by_sequence"][row["sequence"]] = row["value"]
        else:
            line |= {"value": row["value"], "spread": row.get("spread")}
    return found


def _points(share: float | None) -> float | None:
    return None if share is None else share * POINTS


def _interval(ends: Sequence[float] | None) -> list[float] | None:
    return None if ends is None else [end * POINTS for end in ends]


def _of_sequence(row: Mapping[str, Any] | None, name: str, metric: str) -> float | None:
    return _points(row["by_sequence"][name][metric]["mean"]) if row and name in row.get("by_sequence", {}) else None


# --- orders -------------------------------------------------------------------------------
def ranks(values: Mapping[str, float]) -> dict[str, int]:
    """Rank 1 is the highest value; ties share the better rank."""
    rounded = {name: round(v, 9) for name, v in values.items()}
    return {name: 1 + sum(other > v for other in rounded.values()) for name, v in rounded.items()}


def agreement(pairs: Sequence[tuple[float | None, float | None]]) -> dict[str, Any]:
    """Kendall's tau-b and Spearman's rho of two lists; None if one list is constant."""
    known = [(round(a, 9), round(b, 9)) for a, b in pairs if a is not None and b is not None]
    left, right = [a for a, _ in known], [b for _, b in known]
    nothing = {"n": len(known), "kendall": None, "kendall_p": None, "spearman": None}
    if len(set(left)) < 2 or len(set(right)) < 2:
        return nothing
    kendall = stats.kendalltau(left, right)
    spearman = stats.spearmanr(left, right).statistic
    found = {"kendall": kendall.statistic, "kendall_p": kendall.pvalue, "spearman": spearman}
    return nothing | {name: float(number) for name, number in found.items()}
