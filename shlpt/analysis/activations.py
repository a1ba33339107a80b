"""Similarity of the activation states under two prompts, and the neurons that differ. Pure. States are those of the
decoder's feed-forward neurons at its first position, for a fixed batch of texts: [N,f] of one layer, [N,layers,f] of
all, by task. A neuron is active if its state is positive."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from shlpt.analysis import points
from shlpt.analysis.stats import paired_t

Array = npt.NDArray[Any]
MEASURES = ("cosine", "jaccard")


def layer_of(probe: Mapping[str, Array], layer: int) -> dict[str, Array]:
    """The states [N,f] of one layer, counted from 0; −1 is the last."""
    return {task: np.asarray(states[:, layer], dtype=np.float64) for task, states in probe.items()}


def layers(probe: Mapping[str, Array]) -> int:
    return next((int(states.shape[1]) for states in probe.values()), 0)


def cosine(a: Array, b: Array) -> float:
    """[N,f], [N,f] → mean over the texts; NaN if no text activates anything under both."""
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    there = lengths > 0
    return float(((a * b).sum(1)[there] / lengths[there]).mean()) if there.any() else np.nan


def jaccard(a: Array, b: Array) -> float:
    """[N,f], [N,f] → neurons active in both / neurons active in either, mean over the texts."""
    both, either = ((a > 0) & (b > 0)).sum(1), ((a > 0) | (b > 0)).sum(1)
    there = either > 0
    return float((both[there] / either[there]).mean()) if there.any() else np.nan


def matrix(states: Mapping[str, Array], measure: str = "cosine") -> Array:
    """The measure for all pairs of tasks."""
    pair = {"cosine": cosine, "jaccard": jaccard}[measure]
    found = [[pair(a, b) for b in states.values()] for a in states.values()]
    return np.array(found, dtype=float).reshape(len(states), len(states))


def by_layer(probe: Mapping[str, Array]) -> pd.DataFrame:
    """[layer, cosine, jaccard, active]: means over the pairs of tasks, and the share of active neurons."""
    lines = []
    for layer in range(layers(probe)):
        states = layer_of(probe, layer)
        off = ~np.eye(len(states), dtype=bool)
        line: dict[str, float] = {"layer": layer + 1}
        for measure in MEASURES:
            pairs = matrix(states, measure)[off]
            pairs = pairs[~np.isnan(pairs)]
            line[measure] = float(pairs.mean()) if pairs.size else np.nan
        lines.append(line | {"active": float(np.mean([(s > 0).mean() for s in states.values()]))})
    return pd.DataFrame(lines, columns=["layer", *MEASURES, "active"])


def neurons(first: Array, second: Array, by: str = "difference", count: int | None = None) -> pd.DataFrame:
    """[neuron, first, second, difference, first_mean, second_mean] of two prompts' states [N,f]. `first` and `second`
    are the shares of texts that activate the neuron. Sorted by `difference` of the two or by their sum (`active`), ties
    by the mean state."""
    a, b = (first > 0).mean(0), (second > 0).mean(0)
    frame = pd.DataFrame({"neuron": np.arange(first.shape[1]), "first": a, "second": b, "difference": b - a})
    frame = frame.assign(first_mean=first.mean(0), second_mean=second.mean(0))
    if by == "active":
        keys = [-(a + b), -(frame["first_mean"] + frame["second_mean"])]
    else:
        keys = [-np.abs(b - a), -np.abs(frame["second_mean"] - frame["first_mean"])]
    order = np.lexsort((np.asarray(keys[1]), np.asarray(keys[0])))
    return frame.iloc[order[:count]].reset_index(drop=True)


# --- with and without a loss --------------------------------------------------------------
SEEDS = ["variant", "seed", "layer", *MEASURES, "active"]


def paired(frame: pd.DataFrame, one: str, other: str) -> list[dict[str, Any]]:
    """`frame` has the columns SEEDS: `by_layer` of each run. For each layer and measure: its mean in both variants, and
    their difference, paired by seed."""
    sides = [frame[frame["variant"] == name].set_index(["layer", "seed"]).sort_index() for name in (one, other)]
    lines = []
    for layer in sorted({*frame["layer"]}):
        for measure in (*MEASURES, "active"):
            found = [side.loc[layer, measure] if layer in side.index else pd.Series(dtype=float) for side in sides]
            seeds = sorted({*found[0].index} & {*found[1].index})
            values = [[float(side[seed]) for seed in seeds] for side in found]
            means = {name: float(np.mean(v)) if v else None for name, v in zip((one, other), values, strict=True)}
            lines.append({"layer": int(layer), "measure": measure} | means | dict(paired_t(values[0], values[1])))
    return lines


def difference_said(lines: list[dict[str, Any]], one: str, other: str) -> list[str]:
    """A sentence for the cosine and the overlap in the last layer, where the loss acts."""
    names = {"cosine": "the cosine of activation states", "jaccard": "the overlap of active neurons"}
    last, said = max((line["layer"] for line in lines), default=0), []
    for line in lines:
        if line["layer"] == last and line["measure"] in names and line["n"]:
            ends = line["ci95"]
            interval = points.between(ends, "+.3f") if ends else "(no interval)"
            found = f"{points.signed(line['difference'], '+.3f')} {interval}"
            clear = "a clear difference" if ends and ends[0] * ends[1] > 0 else "no clear difference"
            where = f"{one} minus {other}, layer {last}, over {line['n']} seeds"
            said.append(f"{where}: {names[line['measure']]} {found}, {clear}.")
    return said
