"""What a task loses without the neurons that another task's prompt switches on: does overlap matter? Pure.

States are [N,layers,f] of the decoder's feed-forward neurons at its first position, masks [layers,f]. A frame has a row
per pair and seed; shares of test texts answered rightly, and losses, each with the target's own prompt: whole, without
the masked neurons, and without random ones (means over the draws)."""

from typing import Any, TypedDict, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from shlpt.analysis.agreement import spearman
from shlpt.analysis.metrics import summary
from shlpt.analysis.points import between, signed

Bools = NDArray[np.bool_]
COLUMNS = [
    "source",
    "target",
    "seed",
    "overlap",
    "masked",
    "shared",
]  # masked: neurons; shared: of these, active in both
COLUMNS += [f"{what}_{how}" for how in ("whole", "masked", "random", "matched") for what in ("right", "loss")]


def active(states: NDArray[Any]) -> Bools:
    """Active in more than half of the texts."""
    found: Bools = (states > 0).mean(0) > 0.5
    return found


def switched_on(under: NDArray[Any], bare: NDArray[Any]) -> Bools:
    """Active under the prompt and not without any."""
    return active(under) & ~active(bare)


def as_many(masked: Bools, rng: np.random.Generator) -> Bools:
    """Random neurons, as many in each layer."""
    return np.stack([_drawn(np.ones_like(layer), int(layer.sum()), rng) for layer in masked])


def matched(masked: Bools, own: Bools, rng: np.random.Generator) -> Bools:
    """The same with as many that are active under the target's own prompt (`own`): a neuron that is off anyway costs
    nothing, so these are the ones to compare with."""
    layers = zip(masked, own, strict=True)
    return np.stack([_drawn(o, int((m & o).sum()), rng) | _drawn(~o, int((m & ~o).sum()), rng) for m, o in layers])


def _drawn(among: Bools, count: int, rng: np.random.Generator) -> Bools:
    found = np.zeros_like(among)
    found[rng.choice(np.flatnonzero(among), count, replace=False)] = True
    return found


# --- what follows -------------------------------------------------------------------------
class Answer(TypedDict):
    """Means over the seeds with their intervals, as `metrics.summary` gives them; of a seed the mean over its pairs."""

    lost: dict[str, Any]  # points of accuracy lost by masking
    beyond_random: dict[str, Any]  # more than with as many random neurons of the same layers
    beyond_matched: dict[str, Any]  # more than with as many of those that are active
    with_overlap: dict[str, Any]  # Spearman's ρ of overlap and points lost, over the pairs of a seed
    with_transfer: dict[str, Any]  # of points lost and measured transfer
    pairs: int


def answer(frame: pd.DataFrame, transfer: pd.DataFrame) -> Answer:
    """`transfer` is [source, target, seed, transfer]."""
    both = frame.merge(transfer, on=["source", "target", "seed"], how="left")
    both = both.assign(lost=100 * (both["right_whole"] - both["right_masked"]))
    found: dict[str, list[float]] = {}
    for _, mine in both.groupby("seed"):
        values = {
            "lost": float(mine["lost"].mean()),
            "beyond_random": float(100 * (mine["right_random"] - mine["right_masked"]).mean()),
            "beyond_matched": float(100 * (mine["right_matched"] - mine["right_masked"]).mean()),
            "with_overlap": _rho(mine, "overlap", "lost"),
            "with_transfer": _rho(mine, "lost", "transfer"),
        }
        for name, value in values.items():
            found.setdefault(name, []).append(value)
    parts: dict[str, Any] = {name: summary(found.get(name, [])) for name in Answer.__annotations__ if name != "pairs"}
    return cast(Answer, parts | {"pairs": len(frame[["source", "target"]].drop_duplicates())})


def _rho(frame: pd.DataFrame, one: str, other: str) -> float:
    known = frame[[one, other]].dropna().to_numpy(dtype=float)
    rho = spearman(known[:, 0], known[:, 1])
    return np.nan if rho is None else rho


def sentences(found: Answer) -> list[str]:
    if found["lost"]["mean"] is None:
        return ["Nothing was masked yet."]
    random, alike = _points(found["beyond_random"]), _points(found["beyond_matched"])
    said = [
        "Without the neurons that the source's prompt switches on, the target loses "
        f"{_said(found['lost'], '.1f')} points of accuracy (mean over {found['pairs']} pairs).",
        f"That is {random} points more than without as many random neurons of the same layers, and {alike} more than "
        "without as many of those that are as often active.",
        f"Overlap and loss: ρ = {_rank(found['with_overlap'])}; loss and measured transfer: "
        f"ρ = {_rank(found['with_transfer'])} (over the pairs of a seed).",
    ]
    ends = found["beyond_matched"]["ci95"]
    if ends is None:
        return [*said, "One seed: no interval, so nothing is claimed."]
    if ends[0] > 0:
        said.append(f"These neurons matter more than others that are as active, by {alike} points.")
    else:
        said.append("No evidence that these neurons matter more than others that are as active.")
    rho = found["with_overlap"]["ci95"]
    if rho is not None and rho[0] > 0:
        return [*said, "The more two tasks overlap, the more is lost: overlap has a consequence."]
    return [*said, "No evidence that more overlap means a larger loss."]


def _points(part: dict[str, Any]) -> str:
    return _said(part, "+.1f")


def _rank(part: dict[str, Any]) -> str:
    return _said(part, "+.2f") if part["mean"] is not None else "not defined"


def _said(part: dict[str, Any], form: str) -> str:
    interval = "" if part["ci95"] is None else f" {between(part['ci95'], form)}"
    return signed(part["mean"], form) + interval
