"""What experiments have come to, as rows: which numbers, and against what."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shlpt.analysis.activations import SEEDS
from shlpt.plans import paper_tables
from shlpt.results import experiments, overlaps, rows


def labelled(monkeypatch: pytest.MonkeyPatch, found: list[tuple[str, dict[str, Any]]]) -> None:
    monkeypatch.setattr(experiments, "labelled", lambda store, id: found)


def run(tasks: tuple[str, str], seed: int, source: float, target: float | None) -> dict[str, Any]:
    acc = (source + (target or 0)) / 2
    return {"tasks": list(tasks), "seed": seed, "acc": acc, "matrix": [[source, None], [source, target]]}


def test_a_pair_is_scored_on_its_target_against_the_target_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Table 5 is about the target: the source's score is not in it."""
    pairs = [("yahoo", "rte"), ("qqp", "rte")]
    found = [(paper_tables.pair_label("qqp", "rte", "per-task"), run(pairs[1], seed, 0.1, 0.6)) for seed in (1, 2)]
    for variant, gain in (("continual", -0.1), ("+HSC", 0.05), ("+ASC", 0.0), ("+ASC+HSC", 0.1)):
        for pair in pairs:
            found += [(paper_tables.pair_label(*pair, variant), run(pair, s, 0.9, 0.6 + gain * s)) for s in (1, 2)]
    labelled(monkeypatch, found)
    found_rows, document = rows.pair_rows(None, "x", flat=True)
    of = {row["variant"]: row for row in found_rows}
    assert of["yahoo → rte continual"]["target"] == pytest.approx(0.45)
    assert of["yahoo → rte continual"]["difference"] == pytest.approx(-0.15)
    assert of["rte per-task"]["difference"] is None
    assert of["average +ASC+HSC"]["target"] == pytest.approx(0.75)
    assert of["average +ASC+HSC"]["difference"] == pytest.approx(0.15)
    assert document["values"]["rte per-task"] == {1: 0.6, 2: 0.6}
    people, _ = rows.pair_rows(None, "x")
    line = next(row for row in people if row["variant"] == "yahoo → rte continual")
    assert (line["minus"], line["difference"][:5], line["paper"]) == ("rte per-task", "−15.0", 73.33)


@pytest.mark.parametrize(("sequence", "judged"), [("order1", "acc"), ("stream_minus", "last")])
def test_an_ablation_is_compared_with_the_whole(monkeypatch: pytest.MonkeyPatch, sequence: str, judged: str) -> None:
    """By ACC, and on a stream by its last task; and the activation states with ASC against those without, by seed."""
    lines = [
        {"variant": name, "seed": seed, "acc": 0.5, "last": 0.5} | {judged: score + 0.01 * seed * (name == "SHLPT")}
        for name, score in (("-HSC", 0.7), ("SHLPT", 0.8))
        for seed in (1, 2)
    ]
    monkeypatch.setattr(experiments, "results", lambda store, id: pd.DataFrame(lines))
    monkeypatch.setattr(experiments, "find", lambda store, id: {"about": {"sequence": sequence}})
    states = [(v, s, 2, 0.5 + 0.1 * s - 0.2 * (v == "SHLPT"), 0.5, 0.5) for v in ("SHLPT", "-ASC") for s in (1, 2)]
    monkeypatch.setattr(overlaps, "of_seeds", lambda store, id: pd.DataFrame(states, columns=SEEDS))
    found_rows, document = rows.ablation_rows(None, "x", flat=True)
    (cosine,) = [line for line in document["activations"] if line["measure"] == "cosine"]
    assert (cosine["difference"], cosine["n"]) == (pytest.approx(-0.2), 2)
    assert document["notes"][-2].startswith(
        "SHLPT minus -ASC, layer 2, over 2 seeds: the cosine of activation states −0.2"
    )
    assert [row["variant"] for row in found_rows] == ["-HSC", "SHLPT"]
    assert found_rows[0]["difference"] == pytest.approx(-0.115)
    assert found_rows[1]["difference"] is None


def test_flat_rows_have_a_column_for_every_number(tmp_path: Path) -> None:
    part = {"n": 2, "mean": 0.5, "sd": 0.1, "ci95": [0.4, 0.6]}
    apart = {"difference": 0.1, "ci95": None, "p": None, "p_holm": None}
    row = {"method": "l2p", "n": 4, "expected": 6, "difference": apart}
    row |= {"trainable": 7, "stored_bytes": 9, "seconds": 1.5}
    row |= dict.fromkeys(("acc", "bwt", "fwt"), part)
    flat = rows.bench_numbers(row)
    assert (flat["acc"], flat["acc_low"], flat["bwt_high"], flat["fwt_sd"]) == (0.5, 0.4, 0.6, 0.1)
    assert (flat["difference"], flat["difference_low"], flat["p_holm"]) == (0.1, None, None)
    people = rows.bench_line(row)
    assert (people["acc"], people["runs"], people["difference"]) == ("50.0 ± 10.0 [40.0, 60.0]", "4 of 6", "+10.0")
