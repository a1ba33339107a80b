"""Similarity of an instance to each earlier task: eqs 3 to 5 and 7 of the paper, and other forms of the score."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from shlpt.analysis.estimators import logme

Score = Literal["product", "cosine"]
COSINE_TEMPERATURE = 0.3  # `auto` for cosines, which have one scale on every backbone
# The prior is at most 50 to 1, so that what is learned can overrule it for a text: evidence soon is beyond all doubt.
MOST_ODDS = 50.0


def max_pool(x: Tensor, mask: Tensor) -> Tensor:
    """[B,l,d], mask [B,l] -> [B,d], over real tokens only."""
    return x.masked_fill(mask[..., None] == 0, float("-inf")).amax(1)


class Estimator(nn.Module):
    """Eqs 3 and 4: the learned similarity of instances to the prompts of earlier tasks.

    `center` [d] is subtracted from the pooled text first. The common part of max-pooled embeddings is much larger than
    what tells texts apart, so without it every text gets the same α.
    """

    def __init__(self, dim: int, hidden: int, score: Score = "product", center: Tensor | None = None) -> None:
        super().__init__()
        self.score, self.center = score, center
        self.down = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(hidden, dim, bias=False)
        self.norm = nn.LayerNorm(dim)

    def scores(self, x: Tensor, x_mask: Tensor, prompts: Tensor) -> Tensor:
        """x [B,l,d], x_mask [B,l], prompts [n,L,d] -> [B,n]: inner products in prompt space, as published, or cosines
        with the prompts' common part taken off."""
        pooled = max_pool(x, x_mask)
        if self.center is not None:
            pooled = pooled - self.center
        projected = self.norm(self.up(nn.functional.silu(self.down(pooled))))  # eq. 3, [B,d]
        keys = prompts.amax(1)  # [n,d]
        if self.score == "product":
            return projected @ keys.T
        return nn.functional.cosine_similarity(projected[:, None], keys - keys.mean(0), dim=-1)

    def forward(
        self, x: Tensor, x_mask: Tensor, prompts: Tensor, temperature: float, prior: Tensor | None = None
    ) -> Tensor:
        """α [B,n]."""
        return similarity(self.scores(x, x_mask, prompts), temperature, prior)


def similarity(scores: Tensor, temperature: float, prior: Tensor | None = None) -> Tensor:
    """Eq. 4: α [B,n] of scores [B,n]. As printed it divides by τ outside the exponent, where τ cancels; this divides
    inside."""
    return torch.softmax(with_prior(scores / temperature, prior), 1)[:, : scores.shape[1]]


def with_prior(logits: Tensor, prior: Tensor | None) -> Tensor:
    """Log-probabilities added to the scores [B,n]. A prior [n+1] also has the alternative that no earlier task is
    similar, which becomes a last column without a score of its own."""
    if prior is None:
        return logits
    return nn.functional.pad(logits, (0, len(prior) - logits.shape[1])) + prior


def evidence(states: list[Tensor], labels: Sequence[str]) -> Tensor | None:
    """Log evidence of the labels given the states [N,d] under each prompt (LogME, for all N texts together), relative
    to the highest. None where it is not defined, as for free answers, which have no labels."""
    found = np.array([len(labels) * logme(one.double().cpu().numpy(), labels) for one in states])
    if not np.isfinite(found).all():
        return None
    return torch.from_numpy(np.maximum(found - found.max(), -math.log(MOST_ODDS))).float().to(states[0].device)


def equal_similarity(x: Tensor, prompts: Tensor) -> Tensor:
    """α [B,n] without an estimator (the ablation −ASE): the same for all earlier tasks."""
    return x.new_full((len(x), len(prompts)), 1 / len(prompts))


def mix_weights(alpha: Tensor, threshold: float) -> Tensor:
    """Eq. 7: α [B,n] where it exceeds δ, normalised to sum to one; zero if no α exceeds δ."""
    kept = torch.where(alpha > threshold, alpha, 0.0)
    total = kept.sum(-1, keepdim=True)
    return torch.where(total > 0, kept / total.clamp(min=torch.finfo(alpha.dtype).tiny), 0.0)


def remixed(stored: Tensor, earlier: Tensor, weights: Tensor, factors: Tensor) -> Tensor:
    """A stored prompt [L,d] as it would be if the weights [n] of the earlier prompts [n,L,d] in it were multiplied by
    factors [n]. With factors of one it is the stored prompt, bit for bit."""
    return stored + torch.tensordot((factors - 1) * weights, earlier, 1)


def dissimilar(alpha: Tensor, threshold: float, rule: str) -> Tensor:
    """Eq. 5: which earlier tasks are dissimilar. `batch_mean` -> bool [n], `instance` -> bool [B,n]."""
    if rule == "batch_mean":
        return alpha.mean(0) <= threshold
    if rule == "instance":
        return alpha <= threshold
    raise ValueError(f"unknown partition {rule!r}: batch_mean or instance")
