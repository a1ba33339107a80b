"""Similarity of the activation states under the prompts of each run of an experiment, by layer. Kept with a recorded
experiment, because the states of most of its seeds are left behind. No torch."""

import numpy as np
import pandas as pd

from shlpt.analysis.activations import SEEDS, by_layer
from shlpt.results import experiments, frames, recorded
from shlpt.store import artifacts
from shlpt.store.store import Store
from shlpt.store.tensors import add_artifact, artifact_bytes

KIND = "overlaps"  # of the artifact of an experiment


def of_seeds(store: Store, id: str) -> pd.DataFrame:
    """[variant, seed, layer, cosine, jaccard, active] of the runs whose states are stored, or that were kept."""
    if store.home == recorded.HOME:
        return _kept(store, id)
    lines = []
    for run, label in experiments.runs_with_cells(store, id):
        probe = frames.probe(store, run)
        if len(probe) == len(frames.spec(store, run)["tasks"]) > 1:
            lines.append(by_layer(probe).assign(variant=label["variant"], seed=label["seed"]))
    return pd.concat(lines, ignore_index=True)[SEEDS] if lines else pd.DataFrame(columns=SEEDS)


def keep(store: Store, id: str) -> None:
    """Before the states are left behind."""
    frame = of_seeds(store, id)
    if frame.empty:
        return
    variants = list(dict.fromkeys(frame["variant"]))
    arrays = {name: frame[name].to_numpy(dtype=np.float64) for name in SEEDS if name != "variant"}
    arrays["variant"] = frame["variant"].map(variants.index).to_numpy(dtype=np.int16)
    made = artifacts.write(store.home, f"{id}.{KIND}", artifacts.to_bytes(arrays, {"variants": variants}))
    with store.write() as db:
        add_artifact(db, id, KIND, made)


def _kept(store: Store, id: str) -> pd.DataFrame:
    if store.value("SELECT 1 FROM artifacts WHERE owner=? AND kind=?", (id, KIND)) is None:
        return pd.DataFrame(columns=SEEDS)
    data = artifact_bytes(store, id, KIND)
    arrays, variants = artifacts.from_bytes(data), np.array(artifacts.about_of(data)["variants"], dtype=object)
    frame = pd.DataFrame({**arrays, "variant": variants[arrays["variant"]]}, columns=SEEDS)
    return frame.astype({"seed": int, "layer": int})
