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


def test_the_most_similar_task_is_the_one_of_the_last_step() -> None:
    def frame(a: float, b: float) -> pd.DataFrame:
        rows = [("t", 1, "a", 0.9), ("t", 1, "b", 0.1), ("t", 2, "a", a), ("t", 2, "b", b), ("u", 9, "a", 0.99)]
        return pd.DataFrame(rows, columns=["task", "step", "earlier", "mean"])

    assert headlines.similar(frame(0.9, 0.1), "t") == "To t the most similar earlier task is a: α = 0.90"
    assert headlines.similar(frame(0.2, 0.8), "t") == "To t the most similar earlier task is b: α = 0.80"
    assert headlines.similar(frame(0.5, 0.5), "t") == "To t no earlier task stands out: α is at most 0.50"
    assert "earlier tasks" in headlines.similar(frame(0.5, 0.5)[:0], "t")


def test_sequences_are_named_on_which_an_oracle_pays() -> None:
    def rows(sequence: str, *gains: float) -> list[dict[str, Any]]:
        return [
            {"condition": condition, "sequence": sequence, "seed": seed, "acc": 0.5 + gain * (condition == "declared")}
            for seed, gain in enumerate(gains)
            for condition in ("declared", "random")
        ]

    windy, calm = rows("windy", 0.10, 0.12, 0.09, 0.11), rows("calm", 0.02, -0.03, 0.01, -0.01)
    both = headlines.streams([*windy, *calm])
    assert [(line["sequence"], line["clear"]) for line in both] == [("windy", True), ("calm", False)]
    assert both[0]["points"].startswith("+10.5 [")
    assert headlines.starts(both) == "Knowing the similar tasks clearly pays on 1 of 2 sequences: windy"
    assert headlines.starts(headlines.streams(calm)) == "Knowing the similar tasks clearly pays on none of 1 sequences"
    assert "Not measured" in headlines.starts([])
