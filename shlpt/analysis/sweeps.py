"""One setting at several values: what becomes of α, and who changes side. Pure. α is [value, seed, task, earlier,
alpha], a mean over the training texts of a task; every value was trained by itself."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from shlpt.analysis import orders
from shlpt.analysis.metrics import summary

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def distribution(alphas: pd.DataFrame) -> pd.DataFrame:
    """[value, q5, q25, q50, q75, q95, pairs]: α over tasks with at least two earlier ones (one earlier has α = 1), and
    seeds."""
    several = alphas[alphas.groupby(["value", "seed", "task"])["earlier"].transform("size") > 1]
    lines = [(value, *mine["alpha"].quantile(list(QUANTILES)), len(mine)) for value, mine in several.groupby("value")]
    return pd.DataFrame(lines, columns=["value", *(f"q{round(100 * q)}" for q in QUANTILES), "pairs"])


def sides(alphas: pd.DataFrame) -> pd.DataFrame:
    """[value, task, earlier, similar, seeds]: in how many seeds the earlier task is similar (α above this δ)."""
    found = alphas.assign(similar=alphas["alpha"] > alphas["value"])
    counts = found.groupby(["task", "earlier", "value"], sort=False)["similar"].agg(["sum", "size"]).reset_index()
    return counts.rename(columns={"sum": "similar", "size": "seeds"})[["value", "task", "earlier", "similar", "seeds"]]


def by_value(alphas: pd.DataFrame) -> list[dict[str, Any]]:
    """For each δ: share of similar pairs with its interval over the seeds, and who is on another side than at the δ
    before in most seeds."""
    found = alphas.assign(similar=(alphas["alpha"] > alphas["value"]).astype(float))
    majority = sides(alphas).assign(most=lambda f: f["similar"] > f["seeds"] / 2)
    table = majority.pivot(index=["task", "earlier"], columns="value", values="most")
    lines, before = [], None
    for value, mine in found.groupby("value"):
        shares = summary(list(mine.groupby("seed")["similar"].mean()))
        moved = table.index[table[value] != table[value if before is None else before]]
        changed = [f"{earlier} for {task}" for task, earlier in moved]
        lines.append({"value": value, "similar": shares["mean"], "similar_ci95": shares["ci95"], "changed": changed})
        before = value
    return lines


def shares(alphas: pd.DataFrame) -> pd.DataFrame:
    """[value, similar]: share of pairs of task and earlier task that are similar."""
    return pd.DataFrame(by_value(alphas), columns=["value", "similar", "similar_ci95", "changed"])[["value", "similar"]]


def by_position(places: pd.DataFrame) -> pd.DataFrame:
    """[value, which, position, mean, low, high, seeds] of `orders.places` with the value of each run."""
    parts = [orders.by_position(mine, fair=False).assign(value=value) for value, mine in places.groupby("value")]
    columns = ["value", "which", "position", "mean", "low", "high", "seeds"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def sentences(alphas: pd.DataFrame, accuracy: Sequence[float | None]) -> list[str]:
    """`accuracy`: mean ACC of each value, in shares."""
    if alphas.empty:
        return ["There is no α yet: no task with an earlier one is trained."]
    rows, said = by_value(alphas), []
    if len({round(row["similar"], 9) for row in rows}) == 1:
        said.append(f"The same share of earlier tasks ({rows[0]['similar']:.0%}) is similar at every value.")
    moved = [row for row in rows if row["changed"]]
    said += [f"From the value before to {row['value']:g} change side: {', '.join(row['changed'])}." for row in moved]
    if len(rows) > 1 and not moved:
        said.append("No earlier task changes side in most seeds: over these values δ decides nothing.")
    known = [value for value in accuracy if value is not None]
    if len(known) > 1:
        said.append(f"The mean ACC of the values is within {100 * (max(known) - min(known)):.1f} points.")
    return said
