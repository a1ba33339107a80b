"""Tables to print: the numbers of the commands with their intervals, and anybody's text as LaTeX sets it."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from saying import say

from shlpt.analysis import transfer
from shlpt.results import experiments, frames, recorded
from shlpt.results.export import rows_of_frame
from shlpt.sharing import tables
from shlpt.sharing.which import Which, locate
from shlpt.store.store import Store

PAIRS = pd.DataFrame(
    [("rte", "sst2", seed, score, 0.5) for seed, score in ((1, 0.8), (2, 0.9), (3, 0.85))]
    + [("sst2", "rte", 1, 0.4, 0.5)],
    columns=["source", "target", "seed", "score", "alone"],
)


def test_text_is_set_letter_by_letter() -> None:
    assert tables.escaped("50 % & a_b #1 {x} \\end ~ ^ <y> α ≤ δ − ±\n→") == (
        r"50 \% \& a\_b \#1 \{x\} \textbackslash{}end \textasciitilde{} \textasciicircum{} $<$y$>$ "
        r"$\alpha$ $\leq$ $\delta$ $-$ $\pm$ $\to$"
    )


def test_a_table_for_booktabs() -> None:
    frame = pd.DataFrame({"name_1": ["a", "[b"], "n": [1, 2], "score": ["90.4 ± 1.2", None]})
    assert tables.latex(frame, "50 %", "run\n\\x").splitlines() == [
        r"% needs \usepackage{booktabs}",
        r"% run \x",
        r"\begin{table}",
        r"\centering",
        r"\caption{50 \%}",
        r"\begin{tabular}{lrl}",
        r"\toprule",
        r"name\_1 & n & score \\",
        r"\midrule",
        r"a & 1 & 90.4 $\pm$ 1.2 \\",
        r"{}[b & 2 &  \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_a_matrix_has_half_its_interval_and_a_mark_where_it_is_clear() -> None:
    cells = transfer.cells(PAIRS)
    wide = tables._wide(cells, ["rte", "sst2"])
    first = cells.iloc[0]
    half = (first["high"] - first["low"]) / 2
    assert wide["pocket/sst2"][0] == f"+35.0 ± {half:.1f}{'*' if first['clear'] else ''}"
    assert first["clear"]
    assert wide["pocket/rte"].tolist() == ["–", "−10.0"]  # one seed: no interval


def test_means_of_an_experiment_are_those_of_its_runs() -> None:
    store = recorded.recorded()
    assert store is not None
    which = locate(Path("nowhere"), "the demonstration")
    assert which.is_recorded
    found = tables.table(which).set_index("Method")
    runs = experiments.results(store, which.id)
    mine = runs[runs["method"] == "finetune"]
    assert found.loc["Finetune", "ACC (%)"].startswith(
        f"{100 * mine['acc'].mean():.1f} ± {100 * mine['acc'].std():.1f} ["
    )
    assert found.loc["Finetune", "Seeds"] == len(mine)
    assert len(tables.by_run(which)) == len(which.runs)


def test_one_run_has_a_row(looked: Any) -> None:
    which = Which(Store(looked.home).open(), (looked.ids["pair"],))
    record = frames.run(which.store, which.id)
    (row,) = rows_of_frame(tables.table(which))
    assert row["method"] == "SHLPT"
    assert row["tasks"] == "pocket/rte → pocket/sst2"
    assert row["ACC (%)"] == f"{100 * record['acc']:.1f}"
    assert tables.csv(which).splitlines()[0].startswith("id,name,method,")


def test_a_comparison_is_printed_for_latex(looked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    from saying import outcome

    ids, home = [looked.ids["shlpt"], looked.ids["uniform"]], f"--home={looked.home}"
    assert outcome("compare", *ids, "--latex", home) == 0
    printed = capsys.readouterr().out
    sides = say(capsys, "compare", *ids, home)["sides"]
    assert r"name & seeds & ACC (\%) & BWT (points) & FWT (points) \\" in printed
    assert f"{100 * sides[1]['acc']['mean']:.1f}" in printed
    assert printed.count(r"\\") == 3
    assert not np.isnan(sides[0]["acc"]["mean"])
