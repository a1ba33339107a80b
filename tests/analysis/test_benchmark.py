"""From runs to the rows of a benchmark, with numbers worked out by hand."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from shlpt.analysis.benchmark import UNITS, benchmark_table, value
from shlpt.errors import UserError

SEQUENCES = {"one": ("sst2", "rte"), "two": ("rte", "sst2")}


@pytest.fixture(autouse=True)
def no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def run(method: str, sequence: str, seed: int, acc: float | None, **more: Any) -> dict[str, Any]:
    return {
        "id": f"r-{method}-{sequence}-{seed}", "method": method, "tasks": list(SEQUENCES[sequence]), "seed": seed,
        "state": "done", "acc": acc, "bwt": 0.0, "fwt": None,
    } | more  # fmt: skip


def grid(method: str, accs: dict[tuple[str, int], float], **more: Any) -> list[dict[str, Any]]:
    return [run(method, sequence, seed, acc, **more) for (sequence, seed), acc in accs.items()]


PLAIN = {("one", 1): 0.5, ("one", 2): 0.6, ("two", 1): 0.7, ("two", 2): 0.8}
OURS = {("one", 1): 0.6, ("one", 2): 0.8, ("two", 1): 1.0, ("two", 2): 0.8}  # +.1 +.2 +.3 ±0
THIRD = {("one", 1): 0.4, ("one", 2): 0.4, ("two", 1): 0.6, ("two", 2): 0.6}  # −.1 −.2 −.1 −.2
ALL = [*grid("per_task", PLAIN), *grid("shlpt", OURS), *grid("l2p", THIRD)]


def rows(records: list[dict[str, Any]], **options: Any) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in benchmark_table(records, SEQUENCES, **options)["rows"]}


# --- one row a method ---------------------------------------------------------------------
def test_a_row_has_mean_spread_and_interval_over_sequences_and_seeds() -> None:
    row = rows(ALL)["shlpt"]
    # .6 .8 1 .8: mean .8, squares .04 + 0 + .04 + 0, sd √(.08/3); t of 3 degrees at 97.5 % is 3.182446
    sd = math.sqrt(0.08 / 3)
    assert (row["n"], row["expected"]) == (4, 4)
    assert row["acc"]["mean"] == pytest.approx(0.8)
    assert row["acc"]["sd"] == pytest.approx(sd)
    assert row["acc"]["ci95"] == pytest.approx([0.8 - 3.182446 * sd / 2, 0.8 + 3.182446 * sd / 2], abs=1e-6)
    assert row["bwt"] == {"n": 4, "mean": 0.0, "sd": 0.0, "ci95": [0.0, 0.0]}
    assert row["fwt"] == {"n": 0, "mean": None, "sd": None, "ci95": None}


def test_each_sequence_has_its_own_mean() -> None:
    found = rows(ALL)["shlpt"]["by_sequence"]
    assert list(found) == ["one", "two"]
    assert [found[name]["acc"]["mean"] for name in found] == pytest.approx([0.7, 0.9])
    assert [found[name]["acc"]["n"] for name in found] == [2, 2]


def test_rows_come_in_the_order_asked_for_and_once() -> None:
    assert list(rows(ALL)) == ["per_task", "shlpt", "l2p"]
    found = benchmark_table(ALL, SEQUENCES, ["l2p", "shlpt", "l2p"])["rows"]
    assert [row["method"] for row in found] == ["l2p", "shlpt"]


def test_costs_are_the_largest_and_time_the_mean() -> None:
    records = [
        run("shlpt", "one", 1, 0.5, trainable=100, stored_bytes=7, seconds=2.0),
        run("shlpt", "one", 2, 0.5, trainable=300, stored_bytes=5, seconds=4.0),
        run("shlpt", "two", 1, 0.5),
        run("shlpt", "two", 2, None, state="failed", trainable=900, seconds=90.0),
    ]
    row = rows(records)["shlpt"]
    assert (row["trainable"], row["stored_bytes"], row["seconds"]) == (300, 7, 3.0)
    bare = rows(ALL)["shlpt"]
    assert (bare["trainable"], bare["stored_bytes"], bare["seconds"]) == (None, None, None)


# --- what is not there (yet) --------------------------------------------------------------
def test_nothing_at_all_is_a_table_without_rows() -> None:
    found = benchmark_table([], SEQUENCES)
    assert (found["rows"], found["units"], found["compared"]) == ([], 0, 0)


def test_a_method_without_runs_has_a_row_of_none_with_counts() -> None:
    row = rows([], methods=["shlpt"], seeds=[1, 2, 3])["shlpt"]
    assert (row["n"], row["expected"], row["missing"], row["failed"], row["unfinished"]) == (0, 6, 6, 0, 0)
    assert row["acc"] == {"n": 0, "mean": None, "sd": None, "ci95": None}
    assert row["difference"] == {
        "reference": "per_task", "n": 0, "difference": None, "ci95": None, "p": None, "p_holm": None,
    }  # fmt: skip


def test_runs_that_are_not_done_are_counted_and_not_averaged() -> None:
    records = [
        run("shlpt", "one", 1, 0.6),
        run("shlpt", "one", 2, 0.1, state="stopped"),  # whatever it says of itself
        run("shlpt", "two", 1, None, state="failed"),
        run("shlpt", "two", 2, None, state="running"),
    ]
    row = rows(records, seeds=[1, 2, 3])["shlpt"]
    counts = ("n", "expected", "failed", "unfinished", "missing")
    assert [row[name] for name in counts] == [1, 6, 1, 2, 2]
    assert row["acc"] == {"n": 1, "mean": 0.6, "sd": None, "ci95": None}
    assert row["by_sequence"]["two"]["acc"]["n"] == 0


def test_a_metric_that_is_no_number_is_missing() -> None:
    row = rows([run("shlpt", "one", 1, 0.6, bwt=math.nan), run("shlpt", "one", 2, 0.8)])["shlpt"]
    assert (row["n"], row["acc"]["n"], row["bwt"]["n"], row["fwt"]["n"]) == (2, 2, 1, 0)
    assert value(run("shlpt", "one", 1, math.nan), "acc") is None
    assert value(None, "acc") is None


def test_a_table_is_json_without_nan() -> None:
    records = [*ALL, run("coda", "one", 1, math.nan), run("ewc", "two", 2, None, state="failed")]
    found = benchmark_table(records, SEQUENCES, seeds=[1, 2, 3])
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_runs_of_other_tasks_methods_and_seeds_are_left_out_and_counted() -> None:
    other = run("shlpt", "one", 1, 0.0) | {"tasks": ["sst2", "cb"], "id": "other"}
    found = benchmark_table([*ALL, other], SEQUENCES, ["shlpt", "per_task"], [1])
    assert found["left_out"] == 1 + 4 + 4  # the other one, l2p, and the second seed of two methods
    assert [row["n"] for row in found["rows"]] == [2, 2]
    assert benchmark_table(ALL, SEQUENCES)["left_out"] == 0


def test_the_same_run_twice_counts_once_and_finished() -> None:
    stopped = run("shlpt", "one", 1, None, state="stopped")
    for records in ([stopped, run("shlpt", "one", 1, 0.6)], [run("shlpt", "one", 1, 0.6), stopped]):
        row = rows(records)["shlpt"]
        assert (row["n"], row["acc"]["mean"]) == (1, 0.6)
    assert rows([run("shlpt", "one", 1, 0.5), run("shlpt", "one", 1, 0.6)])["shlpt"]["acc"]["mean"] == 0.6


def test_two_settings_of_one_method_are_refused() -> None:
    twice = [run("shlpt", "one", 1, 0.5, id="ra"), run("shlpt", "one", 1, 0.6, id="rb")]
    with pytest.raises(UserError, match=r"two different runs of shlpt on one with seed 1 \(ra, rb\)"):
        benchmark_table(twice, SEQUENCES)


# --- against the reference ----------------------------------------------------------------
def test_differences_are_paired_by_sequence_and_seed() -> None:
    found = rows(ALL)
    # +.1 +.2 +.3 ±0: mean .15, sd √(.05/3), t = .15/(sd/2); the reference is not compared with itself
    ours, sd = found["shlpt"]["difference"], math.sqrt(0.05 / 3)
    assert (ours["reference"], ours["n"]) == ("per_task", 4)
    assert ours["difference"] == pytest.approx(0.15)
    assert ours["ci95"] == pytest.approx([0.15 - 3.182446 * sd / 2, 0.15 + 3.182446 * sd / 2], abs=1e-6)
    assert found["per_task"]["difference"] is None


def test_p_is_corrected_over_the_methods_that_were_compared() -> None:
    found = rows([*ALL, run("coda", "one", 1, 0.5)], methods=["per_task", "shlpt", "l2p", "coda", "ewc"])
    ours, third = found["shlpt"]["difference"], found["l2p"]["difference"]
    assert third["p"] < ours["p"]
    assert third["p_holm"] == pytest.approx(2 * third["p"])  # coda has one pair and ewc none: neither is counted
    assert ours["p_holm"] == pytest.approx(max(ours["p"], 2 * third["p"]))
    assert (found["coda"]["difference"]["n"], found["coda"]["difference"]["p_holm"]) == (1, None)
    assert benchmark_table(ALL, SEQUENCES)["compared"] == 2


def test_only_units_of_both_are_compared() -> None:
    partial = [*grid("per_task", PLAIN)[:3], *grid("shlpt", OURS)[1:], *grid("l2p", THIRD)]
    found = rows(partial)
    assert found["shlpt"]["n"] == 3
    assert found["shlpt"]["difference"]["n"] == 2  # one/2 and two/1
    assert found["shlpt"]["difference"]["difference"] == pytest.approx((0.2 + 0.3) / 2)
    assert found["l2p"]["difference"]["n"] == 3


def test_the_reference_can_be_any_method_and_need_not_have_a_row() -> None:
    found = rows(ALL, methods=["shlpt", "per_task"], reference="l2p")
    assert found["shlpt"]["difference"]["difference"] == pytest.approx(0.8 - 0.5)
    assert found["per_task"]["difference"]["difference"] == pytest.approx(0.65 - 0.5)
    assert rows(ALL, reference="ewc")["shlpt"]["difference"]["n"] == 0


def test_the_same_score_everywhere_is_no_evidence_and_no_nan() -> None:
    found = rows([*grid("per_task", PLAIN), *grid("continual", PLAIN)])["continual"]["difference"]
    assert (found["difference"], found["ci95"], found["p"], found["p_holm"]) == (0.0, None, None, None)


def test_signs_can_be_flipped_instead() -> None:
    found = rows(ALL, test="sign_flip")
    assert found["shlpt"]["difference"]["p"] == 4 / 16  # ±.6 of +.1 +.2 +.3 ±0: four signings of sixteen
    assert found["l2p"]["difference"]["p"] == 2 / 16
    assert found["l2p"]["difference"]["p_holm"] == 4 / 16
    with pytest.raises(UserError, match="unknown test 'wilcoxon'"):
        rows(ALL, test="wilcoxon")


def test_other_metrics_are_compared_the_same_way() -> None:
    records = [run("per_task", "one", s, 0.5, bwt=0.0) for s in (1, 2)]
    records += [run("finetune", "one", s, 0.5, bwt=-0.1 * s) for s in (1, 2)]
    assert rows(records, metric="bwt")["finetune"]["difference"]["difference"] == pytest.approx(-0.15)


def test_a_table_says_what_a_unit_is_and_how_it_compares() -> None:
    found = benchmark_table(ALL, SEQUENCES)
    assert (found["reference"], found["metric"], found["test"], found["correction"]) == ("per_task", "acc", "t", "holm")
    assert (found["sequences"], found["seeds"], found["units"]) == (["one", "two"], [1, 2], 4)
    assert found["note"] == UNITS
    assert "not independent" in UNITS
