"""The two contrastive losses: equations 8, 10 and 11 of the paper."""

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity


def contrast(anchor: Tensor, negatives: Tensor, temperature: float, mask: Tensor | None = None) -> Tensor:
    """anchor [B,k], negatives [B,n,k], mask [B,n] (which negatives count) -> mean over the batch. The positive pair is
    the anchor with itself, so its cosine is 1."""
    return contrast_cosines(cosine_similarity(anchor[:, None], negatives, dim=-1), temperature, mask)


def contrast_cosines(cosines: Tensor, temperature: float, mask: Tensor | None = None) -> Tensor:
    """Eqs 8 and 11 from the cosines [B,n] with the negatives; 0 without negatives."""
    logits = cosines / temperature
    if mask is not None:
        logits = logits.masked_fill(~mask, float("-inf"))
    positive = logits.new_full((len(logits), 1), 1 / temperature)
    return (torch.logsumexp(torch.cat([positive, logits], 1), 1) - positive[:, 0]).mean()


def mean_cosines(anchor: Tensor, negatives: Tensor, mask: Tensor) -> Tensor:
    """Cosines averaged over real positions: [B,m,k], [B,n,m,k], mask [B,m] -> [B,n]."""
    cosines = cosine_similarity(anchor[:, None], negatives, dim=-1)  # [B,n,m]
    weights = mask[:, None].to(cosines.dtype)
    return (cosines * weights).sum(-1) / weights.sum(-1).clamp(min=1)


def filter_states(states: Tensor, unprompted: Tensor) -> Tensor:
    """Eq. 10: states [..., k] without the neurons that the bare instance activates (positive values)."""
    return states * (unprompted <= 0)


def sign_ste(states: Tensor) -> Tensor:
    """1 where active, else 0, with a straight-through gradient."""
    return states + ((states > 0).to(states.dtype) - states).detach()
