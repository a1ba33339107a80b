"""Similarity α of any text, by a stored estimator, and the contribution of each word. Torch is loaded when a text is
read, the backbone once a process. The estimator is the one that was kept (of the best epoch), so a training text may
get another α than the stored one, which was last seen in training."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from shlpt.catalog import METHODS
from shlpt.errors import UserError, unknown
from shlpt.results import frames
from shlpt.results.backbones import backbone_of
from shlpt.results.weights import require_current
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes

if TYPE_CHECKING:
    from torch import Tensor

END = "end of text"


@dataclass(frozen=True)
class Source:
    """Where the estimator of a task is, and what it needs."""

    key: str
    earlier: tuple[str, ...]
    params: dict[str, Any]
    training: dict[str, Any]
    backbone: str
    made: dict[str, Any]  # the fingerprint of its training

    @property
    def is_uniform(self) -> bool:
        return bool(self.params["estimator"] == "uniform")


@dataclass(frozen=True)
class Reading:
    """What the estimator makes of a text."""

    alpha: pd.DataFrame  # [earlier, alpha, odds]: odds is log α / (1 − α), which still tells where α is nearly 0 or 1
    words: pd.DataFrame  # [place, word, earlier, weight]: gradient × input of each word for these log-odds
    temperature: float
    is_cut: bool  # the text has more tokens than the method looks at


def source(store: Store, run: str, task: str) -> Source:
    """The estimator of a task of a run; a readable reason where there is none."""
    spec = frames.spec(store, run)
    method, tasks = spec["method"], spec["tasks"]
    if task not in tasks:
        raise unknown("task of this run", task, tasks)
    if (alpha := METHODS[method].alpha) != "estimated":
        why = "its similar tasks are given" if alpha else "it does not use similarity"
        raise UserError(f"{method} has no estimator of similarity: {why}. Choose a run of shlpt")
    if tasks.index(task) == 0:
        raise UserError(f"{task} is the first task of this run: there is no earlier task to be similar to")
    stages = frames.stages(store, run)
    row = stages[(stages["task"] == task) & ~stages["alone"]].iloc[0]
    if row["state"] != "done":
        raise UserError(f"{task} is not trained yet in this run ({row['state']}): its estimator is stored at the end")
    plan, earlier = frames.stage(store, row["key"]), tuple(tasks[: tasks.index(task)])
    require_current(store, {"id": run, "backbone": spec["backbone"]}, "its estimator belongs to those weights")
    if "fingerprint" not in plan:
        raise UserError("only the scores of this seed are recorded: choose a run without that note")
    return Source(row["key"], earlier, plan["params"], plan["training"], spec["backbone"], plan["fingerprint"])


def read(store: Store, run: str, task: str, text: str) -> Reading:
    """α of a text, and gradient × input of its words."""
    if not text.strip():
        raise UserError("the text is empty: write some words to see how similar they are")
    where = source(store, run, task)
    lens = _Lens(where, artifact_bytes(store, where.key, "tensors"))
    ids, spans, is_cut = lens.tokens(text)
    alpha, odds, weights = lens.look(ids)
    lines = [
        (place, word, name, weights[number][at].sum().item())
        for place, (word, at) in enumerate(_words(text, spans))
        for number, name in enumerate(where.earlier)
    ]
    return Reading(
        pd.DataFrame({"earlier": where.earlier, "alpha": alpha.tolist(), "odds": odds.tolist()}),
        pd.DataFrame(lines, columns=["place", "word", "earlier", "weight"]),
        lens.temperature,
        is_cut,
    )


def alphas(store: Store, run: str, task: str, texts: list[str]) -> pd.DataFrame:
    """[text, earlier, alpha] of several texts by the stored estimator, without their words."""
    where = source(store, run, task)
    lens = _Lens(where, artifact_bytes(store, where.key, "tensors"))
    lines = [
        (text, name, value)
        for text in texts
        for name, value in zip(where.earlier, lens.look(lens.tokens(text)[0])[0].tolist(), strict=True)
    ]
    return pd.DataFrame(lines, columns=["text", "earlier", "alpha"])


def all_alphas(store: Store, run: str, task: str, texts: list[str]) -> Tensor:
    """α [N,n] of many texts at once by the stored estimator."""
    import torch

    from shlpt.methods.similarity import equal_similarity, max_pool

    where = source(store, run, task)
    lens = _Lens(where, artifact_bytes(store, where.key, "tensors"))
    ids, mask, _ = lens.backbone.tokenize(texts, where.training["max_length"])
    pooled = max_pool(lens.embed(ids), mask)[:, None]  # [N,1,d]
    if where.is_uniform:
        return equal_similarity(pooled, lens.prompts)
    with torch.no_grad():
        ones = pooled.new_ones(pooled.shape[:2])
        found: Tensor = lens.estimator(pooled, ones, lens.prompts, lens.temperature, lens.prior)
    return found


def _words(text: str, spans: list[tuple[int, int]]) -> list[tuple[str, list[int]]]:
    """The words of a text, each with the places of its tokens; what belongs to no word is the end of the text."""
    words = list(re.finditer(r"\S+", text))
    found: list[tuple[str, list[int]]] = [(word.group(), []) for word in words]
    rest: list[int] = []
    for place, (start, end) in enumerate(spans):
        number = next((n for n, word in enumerate(words) if word.end() >= end), None) if end > start else None
        (rest if number is None else found[number][1]).append(place)
    return [(word, at) for word, at in [*found, (END, rest)] if at]


class _Lens:
    """An estimator with the prompts that it compares with."""

    def __init__(self, where: Source, data: bytes) -> None:
        import torch

        from shlpt.methods.similarity import Estimator
        from shlpt.training.checkpoint import state_of, under

        state = state_of(data, torch.device("cpu"))
        self.where = where
        self.backbone = backbone_of(where.backbone, where.made)
        weights = under(state.extra, "estimator.")
        score, center = where.params.get("estimator_score", "product"), state.extra.get("center")
        with torch.random.fork_rng(devices=[]):
            self.estimator = Estimator(self.backbone.width, len(weights["down.weight"]), score, center)
        self.estimator.load_state_dict(weights)
        self.prompts = state.pool.stacked()[: len(where.earlier)].float()  # [n,L,d]; the last is the task's own
        self.temperature = state.extra["temperature"].item()
        self.prior = state.extra.get("prior")  # [n] or [n+1]

    def tokens(self, text: str) -> tuple[Tensor, list[tuple[int, int]], bool]:
        """ids [1,l], where in the text each token stands, and whether the text was cut."""
        limit = self.where.training["max_length"]
        ids, _, cut = self.backbone.tokenize([text], limit)
        found = self.backbone.tokenizer(text, truncation=True, max_length=limit, return_offsets_mapping=True)
        return ids, [(int(a), int(b)) for a, b in found["offset_mapping"]], bool(cut)

    def logits(self, x: Tensor) -> Tensor:
        """What eq. 4 takes the softmax of, for the embeddings [1,l,d] of a text: [n], equal for equal α, or [n+1] with
        the alternative to all earlier tasks."""
        from shlpt.methods.similarity import with_prior

        if self.where.is_uniform:
            return x.new_zeros(len(self.prompts))
        scores: Tensor = self.estimator.scores(x, x.new_ones(x.shape[:2]), self.prompts) / self.temperature
        return with_prior(scores, self.prior)[0]

    def embed(self, ids: Tensor) -> Tensor:
        return self.backbone.embed(ids).float().detach()

    def look(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """α [n], its log-odds [n], and gradient × input of each token for each of them, [n,l]. The gradient of α itself
        vanishes where α is nearly 0 or 1, as it often is once trained."""
        import torch

        x = self.embed(ids).requires_grad_(True)
        logits = self.logits(x)
        n = len(self.prompts)
        alpha, odds = torch.softmax(logits, 0).detach()[:n], _log_odds(logits)[:n]
        if len(logits) == 1 or not odds.requires_grad:  # α is the same for every text
            return alpha, odds.detach(), x.new_zeros(len(alpha), x.shape[1])
        gradients = [torch.autograd.grad(value, x, retain_graph=True)[0] for value in odds]
        return alpha, odds.detach(), torch.stack([(g * x.detach())[0].sum(-1) for g in gradients])


def _log_odds(logits: Tensor) -> Tensor:
    """log α / (1 − α) of each α = softmax(logits); infinite where there is only one."""
    import torch

    rest = torch.eye(len(logits), dtype=torch.bool)
    return logits - torch.logsumexp(logits.expand(len(logits), -1).masked_fill(rest, float("-inf")), 1)
