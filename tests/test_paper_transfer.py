"""What Table 15 does not say and where it differs from Tables 2 and 3: its caveats, one by one, with the numbers.

With a as in `analysis.metrics`, n tasks and A the mean score of a learner that learns each task alone:
mean of a[k][k] = ACC − BWT·(n − 1)/n, and, as a first task is learned alone, A = mean of a[k][k] − FWT·(n − 1)/n.
"""

import pytest

from shlpt import paper
from shlpt.tasks.sequences import BENCHMARKS, Benchmark

WEIGHTS = ("finetune", "ewc", "replay")
PROMPTS = ("l2p", "coda", "progressive", "shlpt")
NAMES = {b.title: name for name, b in BENCHMARKS.items()}


def printed(method: str, benchmark: Benchmark, metric: str) -> float:
    table = "table15" if metric != "acc" else "table3" if benchmark.name == "negative" else "table2"
    (value,) = [
        row["value"]
        for row in paper.read(table)
        if (row["method"], row["benchmark"], row["metric"]) == (method, benchmark.title, metric)
        and row.get("aggregate") in (None if metric != "acc" else "average",)
    ]
    assert isinstance(value, float)
    return value


def share(benchmark: Benchmark) -> float:
    """(n − 1)/n: the part of the tasks that come after another one."""
    (n,) = {len(tasks) for tasks in benchmark.tasks.values()}
    return (n - 1) / n


def alone(method: str, benchmark: Benchmark) -> float:
    """A as it follows from what is printed."""
    acc, bwt, fwt = (printed(method, benchmark, metric) for metric in ("acc", "bwt", "fwt"))
    return acc - (bwt + fwt) * share(benchmark)


def test_there_is_no_row_for_prompts_alone_and_there_are_no_spreads() -> None:
    rows = paper.read("15")
    assert {row["method"] for row in rows} == {*WEIGHTS, *PROMPTS}
    assert all("spread" not in row and "sequence" not in row for row in rows)


# Forward transfer as it would follow from Tables 2 and 3, (ACC − ACC of per-task prompts) · n/(n − 1), and as printed.
FORWARD = {  # methods as in PROMPTS
    "standard_cl": [(-3.84, -4.34), (-1.11, -1.80), (-2.92, -3.57), (2.37, 1.36)],
    "large": [(-1.76, -2.30), (1.10, 0.56), (-3.14, -3.88), (2.12, 1.45)],
    "negative": [(-1.20, -0.85), (-0.70, -0.49), (-3.22, -3.17), (0.79, 0.99)],
}


@pytest.mark.parametrize("name", FORWARD)
def test_forward_transfer_has_the_sign_of_the_gap_to_per_task_prompts_and_is_not_the_gap(name: str) -> None:
    """None of the twelve agrees within rounding (0.02): what Tables 2 and 3 call per-task prompts is not "alone"."""
    benchmark = BENCHMARKS[name]
    for method, known in zip(PROMPTS, FORWARD[name], strict=True):
        gap = (printed(method, benchmark, "acc") - printed("per_task", benchmark, "acc")) / share(benchmark)
        found = printed(method, benchmark, "fwt")
        assert (gap, found) == pytest.approx(known, abs=0.006)
        assert abs(gap - found) > 0.02
        assert (gap > 0) == (found > 0)


@pytest.mark.parametrize(
    ("name", "expected", "per_task"), [("standard_cl", 79.0, 78.50), ("large", 76.1, 75.51), ("negative", 77.9, 78.04)]
)
def test_all_prompt_methods_have_about_the_same_unprinted_scores_alone(
    name: str, expected: float, per_task: float
) -> None:
    """They agree with each other within 0.4 points, and on the first two benchmarks not with per-task prompts."""
    found = [alone(method, BENCHMARKS[name]) for method in PROMPTS]
    assert max(found) - min(found) < 0.4
    assert sum(found) / 4 == pytest.approx(expected, abs=0.1)
    assert printed("per_task", BENCHMARKS[name], "acc") == per_task
    assert (min(found) > per_task + 0.3) == (name != "negative")


@pytest.mark.parametrize(("name", "expected"), [("standard_cl", 80.0), ("large", 76.7), ("negative", 76.0)])
def test_methods_that_train_weights_have_scores_alone_of_their_own(name: str, expected: float) -> None:
    """Finetuning a task alone: within 0.25 points over the three, and another number than that of the prompts.

    FWT therefore compares each kind of method with itself: a better FWT is not a better score on new tasks.
    """
    found = [alone(method, BENCHMARKS[name]) for method in WEIGHTS]
    assert max(found) - min(found) < 0.25
    assert sum(found) / 3 == pytest.approx(expected, abs=0.05)
    assert abs(sum(found) / 3 - sum(alone(m, BENCHMARKS[name]) for m in PROMPTS) / 4) > 0.5


def test_forward_transfer_does_not_order_methods_as_their_scores_on_new_tasks_do() -> None:
    """On Negative Transfer Finetune learns new tasks better than ER, and both forget: ACC alone shows neither."""
    negative = BENCHMARKS["negative"]
    learned = {m: printed(m, negative, "acc") - printed(m, negative, "bwt") * share(negative) for m in WEIGHTS}
    assert {m: round(v, 2) for m, v in learned.items()} == {"finetune": 73.17, "ewc": 72.9, "replay": 69.51}
    standard = BENCHMARKS["standard_cl"]
    finetune = printed("finetune", standard, "acc") - printed("finetune", standard, "bwt") * share(standard)
    assert finetune > printed("per_task", standard, "acc") > printed("progressive", standard, "acc")
    assert printed("finetune", standard, "fwt") < 0


def test_no_forgetting_is_a_property_of_prompts_with_the_task_given_not_a_result() -> None:
    """Every prompt method has exactly 0.00: a task's prompt is frozen, and the paper gives the task at test."""
    assert {printed(m, b, "bwt") for m in PROMPTS for b in BENCHMARKS.values()} == {0.0}
    assert max(printed(m, b, "bwt") for m in WEIGHTS for b in BENCHMARKS.values()) == -9.04


def test_a_benchmark_of_the_project_has_the_title_that_the_paper_prints() -> None:
    assert {row["benchmark"] for row in paper.read("15")} == set(NAMES)
