"""Similarity of an instance to each earlier task: equations 3 to 5 and 7 of the paper."""

import torch
from torch import Tensor, nn


def max_pool(x: Tensor, mask: Tensor) -> Tensor:
    """[B,l,d], mask [B,l] -> [B,d], over real tokens only."""
    return x.masked_fill(mask[..., None] == 0, float("-inf")).amax(1)


class Estimator(nn.Module):
    """Eqs 3 and 4: the learned similarity of instances to the prompts of earlier tasks."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.down = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(hidden, dim, bias=False)
        self.norm = nn.LayerNorm(dim)

    def scores(self, x: Tensor, x_mask: Tensor, prompts: Tensor) -> Tensor:
        """x [B,l,d], x_mask [B,l], prompts [n,L,d] -> [B,n]: inner products in prompt space."""
        projected = self.norm(self.up(nn.functional.silu(self.down(max_pool(x, x_mask)))))  # eq. 3, [B,d]
        return projected @ prompts.amax(1).T

    def forward(self, x: Tensor, x_mask: Tensor, prompts: Tensor, temperature: float) -> Tensor:
        """α [B,n]. The printed eq. 4 divides by τ outside the exponent, where τ cancels; this divides inside."""
        return torch.softmax(self.scores(x, x_mask, prompts) / temperature, 1)


def equal_similarity(x: Tensor, prompts: Tensor) -> Tensor:
    """α [B,n] without an estimator (the ablation −ASE): the same for all earlier tasks."""
    return x.new_full((len(x), len(prompts)), 1 / len(prompts))


def mix_weights(alpha: Tensor, threshold: float) -> Tensor:
    """Eq. 7: α [B,n] where it exceeds δ, normalised to sum to one; zero if no α exceeds δ."""
    kept = torch.where(alpha > threshold, alpha, 0.0)
    total = kept.sum(-1, keepdim=True)
    return torch.where(total > 0, kept / total.clamp(min=torch.finfo(alpha.dtype).tiny), 0.0)


def dissimilar(alpha: Tensor, threshold: float, rule: str) -> Tensor:
    """Eq. 5: which earlier tasks are dissimilar. `batch_mean` -> bool [n], `instance` -> bool [B,n]."""
    if rule == "batch_mean":
        return alpha.mean(0) <= threshold
    if rule == "instance":
        return alpha <= threshold
    raise ValueError(f"unknown partition {rule!r}: batch_mean or instance")
