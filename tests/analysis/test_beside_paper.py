"""Ours beside the paper's tables: whose numbers are whose, ranks, agreement, settings that differ."""

import json
import math
from typing import Any

import pytest

from shlpt import paper
from shlpt.analysis import beside
from shlpt.analysis.benchmark import benchmark_table
from shlpt.analysis.metrics import summary
from shlpt.spec import RunSpec
from shlpt.tasks.sequences import BENCHMARKS, Benchmark, find_benchmark

pytestmark = pytest.mark.filterwarnings("error")

STANDARD = find_benchmark("standard_cl")
PRINTED = ["finetune", "ewc", "replay", "per_task", "l2p", "coda", "progressive", "shlpt"]


def records(scores: dict[str, float | None], benchmark: Benchmark = STANDARD) -> list[dict[str, Any]]:
    """Two seeds of every sequence, two points apart; None is a run that stopped."""
    return [
        {"id": f"{method}-{name}-{seed}", "method": method, "tasks": list(tasks), "seed": seed, "bwt": 0.0}
        | {"state": "stopped" if acc is None else "done", "acc": acc if acc is None else acc + 0.02 * seed}
        | {"fwt": None if acc is None else acc - 0.5}
        for method, acc in scores.items()
        for name, tasks in benchmark.tasks.items()
        for seed in (0, 1)
    ]


def compared(scores: dict[str, float | None], name: str = "standard_cl", **settings: Any) -> dict[str, Any]:
    benchmark = find_benchmark(name)
    table = benchmark_table(records(scores, benchmark), benchmark.tasks, list(scores))
    return beside.beside_paper(table["rows"], benchmark, settings)


def line(found: dict[str, Any], method: str, metric: str = "acc") -> dict[str, Any]:
    (row,) = [row for row in found["metrics"][metric]["rows"] if row["method"] == method]
    return row


# --- values -------------------------------------------------------------------------------
def test_ours_and_the_papers_stand_side_by_side_in_points() -> None:
    row = line(compared({"shlpt": 0.80, "per_task": 0.70}), "shlpt")
    assert row["ours"] == pytest.approx(81.0)
    ends: Any = summary([0.80, 0.82], share=True)["ci95"]
    assert row["ours_ci95"] == pytest.approx([100 * end for end in ends])
    assert (row["n"], row["paper"], row["paper_spread"]) == (2, 80.28, 0.07)
    assert row["by_sequence"]["order2"]["ours"] == pytest.approx(81.0)
    by_sequence = {name: cell["paper"] for name, cell in row["by_sequence"].items()}
    assert by_sequence == {"order1": 80.21, "order2": 79.69, "order3": 80.93}


@pytest.mark.parametrize(
    ("name", "metric", "table", "coda", "spread"),
    [
        ("standard_cl", "acc", "table2", 77.67, 1.72),
        ("large", "acc", "table2", 76.54, 0.33),
        ("negative", "acc", "table3", 77.48, 0.67),
        ("standard_cl", "fwt", "table15", -1.80, None),
        ("large", "fwt", "table15", 0.56, None),
        ("negative", "fwt", "table15", -0.49, None),
        ("large", "bwt", "table15", 0.0, None),
    ],
)
def test_each_benchmark_has_its_table(name: str, metric: str, table: str, coda: float, spread: float | None) -> None:
    found = compared({"coda": 0.5}, name)
    row = line(found, "coda", metric)
    assert (found["metrics"][metric]["table"], row["paper"], row["paper_spread"]) == (table, coda, spread)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_spreads_are_those_of_their_own_table(name: str) -> None:
    table = "table13" if name == "negative" else "table12"
    title = find_benchmark(name).title
    own = {r["method"]: r["spread"] for r in paper.read(table) if r["benchmark"] == title and r["aggregate"]}
    found = beside.printed_values(find_benchmark(name), "acc")
    assert {method: cell["spread"] for method, cell in found.items()} == own
    assert list(found) == PRINTED
    assert all(set(cell["by_sequence"]) == set(find_benchmark(name).sequences) for cell in found.values())


def test_a_method_that_the_paper_lacks_is_listed_and_not_ranked() -> None:
    found = compared({"shlpt": 0.8, "joint": 0.9, "per_task": 0.7})
    row = line(found, "joint")
    assert (row["ours"], row["paper"], row["our_rank"], row["paper_rank"]) == (pytest.approx(91.0), None, None, None)
    assert found["metrics"]["acc"]["only_ours"] == ["joint"]
    assert (line(found, "shlpt")["our_rank"], line(found, "per_task")["our_rank"]) == (1, 2)


def test_a_method_that_we_lack_or_have_not_finished_is_listed() -> None:
    found = compared({"shlpt": 0.8, "coda": None, "per_task": 0.7})
    acc = found["metrics"]["acc"]
    assert acc["only_paper"] == [m for m in PRINTED if m not in ("shlpt", "per_task")]
    row = line(found, "l2p")
    assert (row["ours"], row["ours_ci95"], row["n"], row["our_rank"], row["paper_rank"]) == (None, None, 0, None, None)
    assert (row["paper"], row["by_sequence"]["order1"]) == (75.62, {"ours": None, "paper": 76.26})
    assert (line(found, "coda")["ours"], line(found, "coda")["paper_rank"]) == (None, None)
    ours = ["shlpt", "coda", "per_task"]
    assert [r["method"] for r in acc["rows"]] == [*ours, *(m for m in PRINTED if m not in ours)]


def test_table_15_has_no_prompts_alone_and_says_so() -> None:
    found = compared({"shlpt": 0.8, "per_task": 0.7})
    for metric in ("bwt", "fwt"):
        assert found["metrics"][metric]["only_ours"] == ["per_task"]
        assert found["metrics"][metric]["note"] == beside.FORWARD
    assert found["metrics"]["acc"]["note"] is None


def test_nothing_of_ours_leaves_the_papers_side() -> None:
    found = beside.beside_paper([], STANDARD, {})
    assert found["metrics"]["acc"]["only_paper"] == PRINTED
    assert found["metrics"]["acc"]["agreement"] == {"n": 0, "kendall": None, "kendall_p": None, "spearman": None}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


# --- whose numbers ------------------------------------------------------------------------
@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_paper_is_named_and_stand_ins_are_called_no_reproduction(name: str) -> None:
    found = compared({"shlpt": 0.8}, name, backbone="pocket", suite="pocket")
    assert found["origin"] == paper.ORIGIN
    assert found["about"] == beside.STAND_INS
    assert "not a reproduction" in beside.STAND_INS
    assert "stand-ins" in beside.STAND_INS
    assert {"setting": "data", "ours": "generated stand-ins", "paper": "the real data sets"} in found["settings"]


def test_other_data_are_not_called_stand_ins() -> None:
    found = compared({"shlpt": 0.8}, suite="hub", data="the real data sets")
    assert found["about"] == beside.OTHERWISE
    assert "data" not in {row["setting"] for row in found["settings"]}
    assert compared({"shlpt": 0.8}, suite="hub")["settings"][0]["ours"] == "suite hub"


# --- settings -----------------------------------------------------------------------------
def test_settings_that_differ_are_listed_with_both_values() -> None:
    ours = RunSpec.make(("sst2", "rte")).settings | {"backbone": "pocket", "suite": "pocket", "seeds": [42, 142]}
    found = {row["setting"]: (row["ours"], row["paper"]) for row in beside.differing_settings("standard_cl", ours)}
    expected: dict[str, Any] = {
        "data": ("generated stand-ins", "the real data sets"),
        "backbone": ("pocket", "T5-large"),
    }
    expected |= {"seeds": ([42, 142], [42, 142, 242]), "prompt_length": (10, 150), "epochs": (20, 50), "shots": (8, 75)}
    expected |= {"validation_shots": (8, 75), "test_shots": (32, 100), "beams": (1, 4)}
    expected |= {"patience": (5, 35), "patience_from": (0, 10), "repetition_penalty": (1.0, 2.5)}
    expected |= {"matching": ("exact", "normalised"), "estimator": ("fresh", "carried")}
    expected |= {
        "temperature": ("auto", 20000.0),
        "estimator_width": (16, 100),
        "estimator_center": (True, False),
        "estimator_score": ("cosine", "product"),
        "estimator_lr": (0.01, "auto"),
        "estimator_prior": ("evidence_or_none", "equal"),
        "lambda_hsc": (0.03, 0.1),
        "lambda_asc": (0.1, 0.5),
    }
    expected |= {"lr": (0.1, "0.3; 1e-4 where all weights train"), "own_start": ("zero", "words")}
    assert found == expected


def test_only_settings_that_differ_or_were_not_said_are_listed() -> None:
    ours = {"suite": "hub", "data": "the real data sets"} | beside.paper_settings("large") | {"seeds": (242, 42, 142)}
    assert beside.differing_settings("large", ours) == []
    found = beside.differing_settings("large", {})
    assert [row["setting"] for row in found] == ["data", "backbone", "seeds", "prompt_length", "epochs", "shots"]
    assert [row["ours"] for row in found[1:]] == [None] * 5


@pytest.mark.parametrize(
    ("name", "epochs", "threshold"), [("standard_cl", 50, 0.06), ("large", 80, 0.06), ("negative", 50, 1.5)]
)
def test_the_paper_trained_its_benchmarks_differently(name: str, epochs: int, threshold: float) -> None:
    found = beside.paper_settings(name)
    assert (found["epochs"], found["threshold"], found["prompt_length"]) == (epochs, threshold, 150)


# --- orders -------------------------------------------------------------------------------
def test_agreement_and_ranks_by_hand() -> None:
    assert beside.ranks({"a": 1.0, "b": 3.0, "c": 1.0, "d": 0.5}) == {"a": 2, "b": 1, "c": 2, "d": 4}
    assert beside.ranks({"a": 0.1 + 0.2, "b": 0.3}) == {"a": 1, "b": 1}
    assert beside.ranks({}) == {}
    # 1 2 3 4 against 2 1 3 4: five pairs agree, one does not: (5 − 1)/6; ρ = 1 − 6·(1 + 1)/(4·15)
    found = beside.agreement([(1.0, 2.0), (2.0, 1.0), (3.0, 3.0), (4.0, 4.0)])
    assert found["n"] == 4
    assert found["kendall"] == pytest.approx(4 / 6)
    assert found["spearman"] == pytest.approx(0.8)
    assert found["kendall_p"] == pytest.approx(8 / 24)  # 1 + 3 orders have at most one inversion; two-sided
    # 1 2 2 against 1 2 3: two agreeing pairs, one tie on the left: 2/√(2 · 3)
    assert beside.agreement([(1.0, 1.0), (2.0, 2.0), (2.0, 3.0)])["kendall"] == pytest.approx(2 / math.sqrt(6))


@pytest.mark.parametrize(
    "pairs", [[], [(1.0, 2.0)], [(1.0, 1.0), (1.0, 2.0)], [(1.0, 2.0), (3.0, 2.0)], [(1.0, None), (2.0, 3.0)]]
)
def test_without_an_order_there_is_no_agreement(pairs: list[tuple[float | None, float | None]]) -> None:
    found = beside.agreement(pairs)
    assert (found["kendall"], found["kendall_p"], found["spearman"]) == (None, None, None)


def test_agreement_is_over_the_methods_of_both() -> None:
    # The paper's order of these: shlpt 80.28, per_task 78.50, coda 77.67, progressive 76.31.
    same = compared({"joint": 0.1, "progressive": 0.4, "coda": 0.5, "per_task": 0.6, "shlpt": 0.7})["metrics"]["acc"]
    assert (same["agreement"]["n"], same["agreement"]["kendall"], same["agreement"]["spearman"]) == (4, 1.0, 1.0)
    turned = compared({"progressive": 0.7, "coda": 0.6, "per_task": 0.5, "shlpt": 0.4})["metrics"]["acc"]
    assert turned["agreement"]["kendall"] == pytest.approx(-1.0)
    assert [row["paper_rank"] for row in turned["rows"][:4]] == [4, 3, 2, 1]
    assert [row["our_rank"] for row in turned["rows"][:4]] == [1, 2, 3, 4]
    found = compared({"shlpt": 0.7, "coda": 0.6, "l2p": 0.5})
    assert [(r["our_rank"], r["paper_rank"]) for r in found["metrics"]["bwt"]["rows"][:3]] == [(1, 1)] * 3
    assert found["metrics"]["bwt"]["agreement"]["kendall"] is None
