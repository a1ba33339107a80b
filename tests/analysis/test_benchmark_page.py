"""A benchmark as Markdown: hand-made rows, and the same document that the command line prints."""

from typing import Any

import pytest

from shlpt.analysis.benchmark import benchmark_table
from shlpt.analysis.benchmark_page import section
from shlpt.analysis.beside import beside_paper
from shlpt.catalog import METHODS
from shlpt.tasks.sequences import find_benchmark

STANDARD = find_benchmark("standard_cl")


def document(scores: dict[str, float | None]) -> dict[str, Any]:
    """Two seeds of three orders; the second seed is better by two points, of SHLPT by four."""
    runs = [
        {"id": f"{method}{name}{seed}", "method": method, "tasks": list(tasks), "seed": seed, "state": "done"}
        | {"acc": None if acc is None else acc + (0.04 if method == "shlpt" else 0.02) * seed}
        | {"bwt": -0.0004, "fwt": 0.0149, "trainable": 1280, "stored_bytes": 2048, "seconds": 12.4}
        for method, acc in scores.items()
        for name, tasks in STANDARD.tasks.items()
        for seed in (0, 1)
    ]
    table = benchmark_table(runs, STANDARD.tasks, list(scores))
    settings = {"epochs": 20, "suite": "pocket", "backbone": "pocket", "seeds": [0, 1]}
    beside = beside_paper(table["rows"], STANDARD, settings)
    return table | {"title": STANDARD.title, "runs": len(runs), "beside_paper": beside}


def cells(text: str, method: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {METHODS[method].title} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_method_has_its_numbers_in_points_and_the_best_comes_first() -> None:
    text = section(document({"per_task": 0.8, "shlpt": 0.9}))
    # two seeds, .90 and .94: deviation .04/√2; half an interval of differences (.10 and .12) is 12.71 · .01
    known = ["92.0 ± 2.8 [45.4, 99.4]", "0.0", "1.5", "+11.0 [−1.7, +23.7]", ".058", "1", "80.28", "1"]
    assert cells(text, "shlpt") == ["SHLPT", *known, "1,280", "2 KB", "12"]
    assert cells(text, "per_task")[4:6] == ["reference", ""]
    assert text.index("| SHLPT |") < text.index("| Per-task prompts |")
    assert "| ACC by sequence | order1 | order2 | order3 |" in text
    assert "| SHLPT | 92.0 | 92.0 | 92.0 |" in text


def test_it_says_what_it_is_not_and_what_was_set_otherwise() -> None:
    text = section(document({"per_task": 0.8, "shlpt": 0.9}))
    assert text.startswith("## Standard CL\n")
    assert "12 runs: 2 methods, 3 sequences, 2 seeds." in text
    assert "This is not a reproduction" in text
    assert "| Epochs (at most) | 20 | 50 |" in text
    assert "Kendall's τ 1.00" in text


@pytest.mark.parametrize("acc", [None, 0.5])
def test_what_is_missing_is_a_dash(acc: float | None) -> None:
    found = document({"per_task": 0.8, "shlpt": acc})
    for row in found["rows"]:
        row |= {"stored_bytes": None, "seconds": None, "trainable": None}
    line = cells(section(found), "shlpt")
    assert line[-3:] == ["–", "–", "–"]
    if acc is None:
        assert line[1] == line[4] == line[5] == "–"
        assert "Kendall" not in section(found)
