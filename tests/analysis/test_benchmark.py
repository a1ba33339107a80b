"""From runs to the rows of a benchmark, with numbers worked out by hand."""

import json
import math
from typing import Any

import pytest

from shlpt.analysis.benchmark import NOTE, benchmark_table, value
from shlpt.analysis.metrics import summary
from shlpt.errors import UserError

pytestmark = pytest.mark.filterwarnings("error")

SEQUENCES = {"one": ("sst2", "rte"), "two": ("rte", "sst2")}


def run(method: str, sequence: str, seed: int, acc: float | None, **more: Any) -> dict[str, Any]:
    found = {"id": f"r-{method}-{sequence}-{seed}", "method": method, "tasks": list(SEQUENCES[sequence]), "seed": seed}
    return found | {"state": "done", "acc": acc, "bwt": 0.0, "fwt": None} | more


def grid(method: str, accs: dict[tuple[str, int], float], **more: Any) -> list[dict[str, Any]]:
    return [run(method, sequence, seed, acc, **more) for (sequence, seed), acc in accs.items()]


PLAIN = {("one", 1): 0.5, ("one", 2): 0.6, ("two", 1): 0.7, ("two", 2): 0.8}  # seeds: .6 .7
OURS = {("one", 1): 0.6, ("one", 2): 0.8, ("two", 1): 0.9, ("two", 2): 0.8}  # .75 .8: +.15 +.1
THIRD = {("one", 1): 0.4, ("one", 2): 0.4, ("two", 1): 0.6, ("two", 2): 0.6}  # .5 .5: −.1 −.2
T1 = 12.706205  # Student's t at 97.5 % with one degree of freedom
ALL = [*grid("per_task", PLAIN), *grid("shlpt", OURS), *grid("l2p", THIRD)]


def rows(records: list[dict[str, Any]], **options: Any) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in benchmark_table(records, SEQUENCES, **options)["rows"]}


# --- one row a method ---------------------------------------------------------------------
def test_a_row_has_mean_spread_and_interval_over_the_seeds() -> None:
    row = rows(ALL)["shlpt"]
    # .75 and .8, each the mean of two sequences: mean .775, sd .05/√2
    assert (row["n"], row["expected"]) == (4, 4)
    assert row["acc"]["n"] == 2
    assert row["acc"]["mean"] == pytest.approx(0.775)
    assert row["acc"]["sd"] == pytest.approx(0.05 / math.sqrt(2))
    assert row["acc"]["ci95"] == summary([0.75, 0.8], share=True)["ci95"]
    assert row["bwt"] == {"n": 2, "mean": 0.0, "sd": 0.0, "ci95": None}
    assert row["fwt"] == {"n": 0, "mean": None, "sd": None, "ci95": None}
    # The same scores whatever the order, as of methods without transfer, must not make an interval narrow.
    row = rows([run("per_task", "one", 1, 0.6), run("per_task", "two", 1, 0.8)])["per_task"]
    assert row["acc"] == {"n": 1, "mean": pytest.approx(0.7), "sd": None, "ci95": None}
    found = rows(ALL)["shlpt"]["by_sequence"]
    assert list(found) == ["one", "two"]
    assert [found[name]["acc"]["mean"] for name in found] == pytest.approx([0.7, 0.85])
    assert [found[name]["acc"]["n"] for name in found] == [2, 2]


def test_rows_come_in_the_order_asked_for_and_once() -> None:
    assert list(rows(ALL)) == ["per_task", "shlpt", "l2p"]
    found = benchmark_table(ALL, SEQUENCES, ["l2p", "shlpt", "l2p"])["rows"]
    assert [row["method"] for row in found] == ["l2p", "shlpt"]
    found = benchmark_table([], SEQUENCES)
    assert (found["rows"], found["expected"], found["compared"]) == ([], 0, 0)


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


def test_a_method_without_runs_has_a_row_of_none_with_counts() -> None:
    row = rows([], methods=["shlpt"], seeds=[1, 2, 3])["shlpt"]
    assert (row["n"], row["expected"], row["missing"], row["failed"], row["unfinished"]) == (0, 6, 6, 0, 0)
    assert row["acc"] == {"n": 0, "mean": None, "sd": None, "ci95": None}
    assert row["difference"] == {"reference": "per_task", "n": 0} | dict.fromkeys(("difference", "ci95", "p", "p_holm"))


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
    assert row["acc"] == {"n": 0, "mean": None, "sd": None, "ci95": None}  # no seed has finished both sequences
    assert row["by_sequence"]["one"]["acc"] == {"n": 1, "mean": 0.6, "sd": None, "ci95": None}
    assert row["by_sequence"]["two"]["acc"]["n"] == 0


def test_a_metric_that_is_no_number_is_missing_and_a_table_is_json() -> None:
    records = [*grid("shlpt", OURS)[1:], run("shlpt", "one", 1, 0.6, bwt=math.nan)]
    row = rows(records)["shlpt"]
    assert (row["n"], row["acc"]["n"], row["bwt"]["n"], row["fwt"]["n"]) == (4, 2, 1, 0)
    assert value(run("shlpt", "one", 1, math.nan), "acc") is None
    assert value(None, "acc") is None
    records = [*ALL, run("coda", "one", 1, math.nan), run("ewc", "two", 2, None, state="failed")]
    found = benchmark_table(records, SEQUENCES, seeds=[1, 2, 3])
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_runs_of_other_tasks_methods_and_seeds_are_left_out_and_counted() -> None:
    other = run("shlpt", "one", 1, 0.0) | {"tasks": ["sst2", "cb"], "id": "other"}
    found = benchmark_table([*ALL, other], SEQUENCES, ["shlpt", "per_task"], [1])
    assert found["left_out"] == 1 + 4 + 4  # the other one, l2p, and the second seed of two methods
    assert [row["n"] for row in found["rows"]] == [2, 2]
    assert benchmark_table(ALL, SEQUENCES)["left_out"] == 0


def test_the_same_run_twice_counts_once_and_two_settings_are_refused() -> None:
    stopped = run("shlpt", "one", 1, None, state="stopped")
    for records in ([stopped, run("shlpt", "one", 1, 0.6)], [run("shlpt", "one", 1, 0.6), stopped]):
        row = rows(records)["shlpt"]
        assert (row["n"], row["by_sequence"]["one"]["acc"]["mean"]) == (1, 0.6)
    later = rows([run("shlpt", "one", 1, 0.5), run("shlpt", "one", 1, 0.6)])["shlpt"]
    assert later["by_sequence"]["one"]["acc"]["mean"] == 0.6
    twice = [run("shlpt", "one", 1, 0.5, id="ra"), run("shlpt", "one", 1, 0.6, id="rb")]
    with pytest.raises(UserError, match=r"two different runs of shlpt on one with seed 1 \(ra, rb\)"):
        benchmark_table(twice, SEQUENCES)


# --- against the reference ----------------------------------------------------------------
def test_differences_are_paired_by_seed() -> None:
    found = rows(ALL)
    # +.15 +.1: mean .125, sd .05/√2, t = .125/.025 = 5; the reference is not compared with itself
    ours = found["shlpt"]["difference"]
    assert (ours["reference"], ours["n"]) == ("per_task", 2)
    assert ours["difference"] == pytest.approx(0.125)
    assert ours["ci95"] == pytest.approx([0.125 - T1 * 0.025, 0.125 + T1 * 0.025], abs=1e-6)
    assert ours["p"] == pytest.approx(2 * (0.5 - math.atan(5) / math.pi))  # with one degree of freedom t is Cauchy
    assert found["per_task"]["difference"] is None


def test_p_is_corrected_over_the_methods_that_were_compared() -> None:
    coda = [run("coda", sequence, 1, 0.5) for sequence in SEQUENCES]
    found = rows([*ALL, *coda], methods=["per_task", "shlpt", "l2p", "coda", "ewc"])
    ours, third = found["shlpt"]["difference"], found["l2p"]["difference"]
    assert ours["p"] < third["p"]
    assert ours["p_holm"] == pytest.approx(2 * ours["p"])  # coda has one pair and ewc none: neither is counted
    assert third["p_holm"] == pytest.approx(max(third["p"], 2 * ours["p"]))
    assert (found["coda"]["difference"]["n"], found["coda"]["difference"]["p_holm"]) == (1, None)
    assert benchmark_table(ALL, SEQUENCES)["compared"] == 2


def test_only_seeds_that_finished_all_sequences_on_both_sides_are_compared() -> None:
    partial = [*grid("per_task", PLAIN)[:3], *grid("shlpt", OURS), *grid("l2p", THIRD)]  # without two/2
    found = rows(partial)
    assert (found["per_task"]["n"], found["per_task"]["acc"]["n"]) == (3, 1)
    assert found["shlpt"]["acc"]["n"] == 2
    assert found["shlpt"]["difference"]["n"] == 1
    assert found["shlpt"]["difference"]["difference"] == pytest.approx(0.15)


def test_the_reference_can_be_any_method() -> None:
    found = rows(ALL, methods=["shlpt", "per_task"], reference="l2p")
    assert found["shlpt"]["difference"]["difference"] == pytest.approx(0.775 - 0.5)
    assert found["per_task"]["difference"]["difference"] == pytest.approx(0.65 - 0.5)
    assert rows(ALL, reference="ewc")["shlpt"]["difference"]["n"] == 0
    found = rows([*grid("per_task", PLAIN), *grid("continual", PLAIN)])["continual"]["difference"]
    assert (found["difference"], found["ci95"], found["p"], found["p_holm"]) == (0.0, None, None, None)


def test_signs_can_be_flipped_and_other_metrics_compared() -> None:
    found = rows(ALL, test="sign_flip")
    assert found["shlpt"]["difference"]["p"] == 2 / 4  # of two seeds all signs equal: two signings of four
    assert found["l2p"]["difference"]["p_holm"] == 1.0
    with pytest.raises(UserError, match="unknown test 'wilcoxon'"):
        rows(ALL, test="wilcoxon")
    records = [run("per_task", name, s, 0.5, bwt=0.0) for s in (1, 2) for name in SEQUENCES]
    records += [run("finetune", name, s, 0.5, bwt=-0.1 * s) for s in (1, 2) for name in SEQUENCES]
    assert rows(records, metric="bwt")["finetune"]["difference"]["difference"] == pytest.approx(-0.15)
    found = benchmark_table(ALL, SEQUENCES)
    assert (found["reference"], found["metric"], found["test"], found["correction"]) == ("per_task", "acc", "t", "holm")
    assert (found["sequences"], found["seeds"], found["expected"]) == (["one", "two"], [1, 2], 4)
    assert found["note"] == NOTE
    assert "over the seeds" in NOTE
