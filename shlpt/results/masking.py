"""The target's accuracy without the neurons that a source's prompt switches on (`analysis.masking`), for the pairs of a
matrix. Measured once and stored with the experiment. Torch is loaded when something is measured."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from shlpt.analysis import masking
from shlpt.analysis.activations import jaccard
from shlpt.errors import UserError
from shlpt.results import recorded
from shlpt.results.estimating import Lab, Pair, Share
from shlpt.results.scores import lab_of, silent
from shlpt.spec import Training
from shlpt.store import artifacts
from shlpt.store.store import Store
from shlpt.store.tensors import add_artifact, artifact_bytes
from shlpt.tasks.find import draw

if TYPE_CHECKING:
    from shlpt.backbone.encode import Encoded

KIND = "masking"  # of the artifact of an experiment
NUMBERS = masking.COLUMNS[3:]


def stored(store: Store, id: str, draws: int | None = None) -> pd.DataFrame:
    """What was measured, as `analysis.masking` reads it; with `draws` only if there were as many random masks."""
    if store.value("SELECT 1 FROM artifacts WHERE owner=? AND kind=?", (id, KIND)) is None:
        return pd.DataFrame(columns=masking.COLUMNS)
    data = artifact_bytes(store, id, KIND)
    about, arrays = artifacts.about_of(data), artifacts.from_bytes(data)
    if draws not in (None, about["draws"]):
        return pd.DataFrame(columns=masking.COLUMNS)
    tasks = np.array(about["tasks"], dtype=object)
    names = {side: tasks[arrays[side]] for side in ("source", "target")}
    return pd.DataFrame({**arrays, **names}, columns=masking.COLUMNS)


def measure(
    store: Store,
    id: str,
    seeds: Sequence[int] | None = None,
    draws: int = 2,
    device: str = "cpu",
    watch: Share = silent,
) -> pd.DataFrame:
    """The pairs of these seeds (default: of all), as far as they are missing; kept after each seed."""
    if store.home == recorded.HOME:
        return _chosen(stored(store, id), seeds)
    lab, known = lab_of(store, id, device), stored(store, id, draws)
    if missing := [seed for seed in seeds or () if seed not in lab.seeds]:
        raise UserError(f"the matrix has no seed {missing[0]}: its seeds are {', '.join(map(str, lab.seeds))}")
    done = set(zip(known["source"], known["target"], known["seed"], strict=True))
    todo = [pair for pair in lab.pairs if pair.key not in done and pair.seed in (seeds or lab.seeds)]
    lines: list[tuple[Any, ...]] = []
    for number, pair in enumerate(sorted(todo, key=lambda pair: pair.seed)):
        lines.append((*pair.key, *_measured(lab, pair, draws)))
        watch((number + 1) / len(todo), f"pair {number + 1} of {len(todo)}")
        if number + 1 == len(todo) or len(lines) == len(lab.tasks) ** 2:
            fresh = pd.DataFrame(lines, columns=masking.COLUMNS)
            known, lines = pd.concat([known, fresh], ignore_index=True) if len(known) else fresh, []
            _keep(store, id, known, draws)
    return _chosen(known, seeds)


def _chosen(frame: pd.DataFrame, seeds: Sequence[int] | None) -> pd.DataFrame:
    return frame if seeds is None else frame[frame["seed"].isin(seeds)].reset_index(drop=True)


def _keep(store: Store, id: str, frame: pd.DataFrame, draws: int) -> None:
    tasks = list(dict.fromkeys([*frame["source"], *frame["target"]]))
    arrays = {side: frame[side].map(tasks.index).to_numpy(dtype=np.int16) for side in ("source", "target")}
    arrays |= {"seed": frame["seed"].to_numpy(dtype=np.int64)}
    arrays |= {name: frame[name].to_numpy(dtype=np.float64) for name in NUMBERS}
    made = artifacts.write(store.home, f"{id}.{KIND}", artifacts.to_bytes(arrays, {"tasks": tasks, "draws": draws}))
    with store.write() as db:
        add_artifact(db, id, KIND, made)


def _measured(lab: Lab, pair: Pair, draws: int) -> list[float]:
    """Overlap, neurons masked and shared, then accuracy and loss of the target in each case."""
    under, own = (seen.states.cpu().numpy() for seen in (lab.seen(pair, pair.first), lab.seen_alone(pair)))
    masked, mine = masking.switched_on(under, lab.seen_bare(pair).states.cpu().numpy()), masking.active(own)
    rng = np.random.default_rng(Random(f"masking/{pair.seed}/{pair.source}/{pair.target}").getrandbits(63))
    cases = {
        "masked": [masked],
        "random": [masking.as_many(masked, rng) for _ in range(draws)],
        "matched": [masking.matched(masked, mine, rng) for _ in range(draws)],
    }
    found = [jaccard(under[:, -1], own[:, -1]), float(masked.sum()), float((masked & mine).sum())]
    found += _whole(lab, pair)
    for masks in cases.values():
        found += np.mean([_tested(lab, pair, mask) for mask in masks], axis=0).tolist()
    return found


def _whole(lab: Lab, pair: Pair) -> list[float]:
    return lab.once(("whole", pair.target, pair.seed), lambda: _tested(lab, pair, None))


def _tested(lab: Lab, pair: Pair, mask: masking.Bools | None) -> list[float]:
    """Share answered rightly and mean loss of the target's test texts under its own prompt."""
    import torch

    from shlpt.methods.agreement import seen_under

    prompt = torch.from_numpy(lab.prompt(pair.alone)).float().to(lab.backbone.device)
    off = torch.zeros(lab.backbone.layers, lab.backbone.inner) if mask is None else torch.from_numpy(mask)
    with lab.backbone.silenced(off.bool()):
        seen = seen_under(lab.backbone, prompt, _texts(lab, pair))
    return [seen.right, seen.loss]


def _texts(lab: Lab, pair: Pair) -> Encoded:
    def make() -> Any:
        from shlpt.backbone.encode import Encoded

        t = Training(**lab.spec["training"])
        return Encoded(lab.backbone, draw(lab.task(pair.target), *t.scored), t.max_length)

    return lab.once(("tests", pair.target), make)
