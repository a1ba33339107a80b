"""Headlines change when the data under them do."""

from typing import Any

import pandas as pd

from shlpt.analysis import headlines
from shlpt.analysis.compare import sides


def runs(method: str, *accs: float) -> list[dict[str, Any]]:
    same = {"method": method, "tasks": ["a", "b"], "settings": {"lr": 0.1}, "state": "done"}
    return [same | {"id": f"{method}{seed}", "seed": seed, "acc": acc} for seed, acc in enumerate(accs)]


def test_methods_are_named_where_they_are_clear_and_only_there() -> None:
    plain, near = runs("per_task", 0.70, 0.72, 0.71, 0.73, 0.70), runs("l2p", 0.71, 0.70, 0.73, 0.71, 0.72)
    high, low = runs("shlpt", 0.80, 0.81, 0.82, 0.83, 0.80), runs("finetune", 0.50, 0.53, 0.51, 0.50, 0.52)
    assert headlines.methods(sides(plain + near), "here") == (
        "On here no method can be told from per-task prompts with 5 seeds"
    )
    assert headlines.methods(sides(plain + near + high + low), "here") == (
        "On here: shlpt clearly above per-task prompts, finetune clearly below per-task prompts"
    )
    assert headlines.methods(sides(near), "here") == "Methods on here"


def test_the_most_similar_task_is_that_of_most_seeds() -> None:
    def frame(*alphas: float) -> pd.DataFrame:
        rows = [(seed, name, a) for seed, one in enumerate(alphas) for name, a in (("a", one), ("b", 1 - one))]
        return pd.DataFrame(rows, columns=["seed", "earlier", "alpha"])

    def said(*alphas: float) -> str:
        return headlines.similar(frame(*alphas), "t")

    assert said(0.9, 1.0, 0.4) == "To t the most similar earlier task is a in 2 of 3 seeds: α = 0.77"
    assert said(0.1) == "To t the most similar earlier task is b in 1 of 1 seeds: α = 0.90"
    assert said(0.9, 0.8, 0.3) == "To t no earlier task stands out: α is at most 0.67 on average"
    assert said(0.9, 0.2) == "Which earlier task is most similar to t depends on the seed: a in 1 of 2 seeds"
    assert said(0.5, 0.5) == said() == "Similarity of t to earlier tasks"


def test_sequences_are_named_on_which_an_oracle_pays() -> None:
    def rows(sequence: str, *gains: float) -> list[dict[str, Any]]:
        return [
            {"condition": condition, "sequence": sequence, "seed": seed, "acc": 0.5 + gain * (condition == "declared")}
            for seed, gain in enumerate(gains)
            for condition in ("declared", "random")
        ]

    windy, calm = rows("order1", 0.10, 0.12, 0.09, 0.11), rows("calm", 0.02, -0.03, 0.01, -0.01)
    both = headlines.streams([*windy, *calm])
    assert [(line["sequence"], line["clear"]) for line in both] == [("order1", True), ("calm", False)]
    assert both[0]["points"].startswith("+10.5 [")
    assert headlines.starts(both) == "Knowing the similar tasks clearly pays on 1 of 2 sequences: “order 1”"
    assert headlines.starts(headlines.streams(calm)) == "Knowing the similar tasks clearly pays on none of 1 sequences"
    assert "Not measured" in headlines.starts([])
