"""Whose prompt answers a text if the task is not given: scores [B,n] of each text for each task, the highest wins. The
third way, the uncertainty of the answer, is `Backbone.uncertainty`."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

SHRINKAGE = 0.03  # of the mean variance, added to every direction


class Centres(NamedTuple):
    """The training texts of each task: their means, and how texts differ from the mean of their own task. Both can be
    updated task by task, so no old text is needed."""

    means: Tensor  # [n,d]
    precision: Tensor  # [d,d]: inverse covariance within tasks


def mean_pool(x: Tensor, mask: Tensor) -> Tensor:
    """[B,l,d], mask [B,l] -> [B,d], over real tokens only, in double precision."""
    weights = mask[..., None].double()
    return (x.double() * weights).sum(1) / weights.sum(1)


def centres(pooled: Sequence[Tensor]) -> Centres:
    """From the pooled training texts [N_t,d] of each task."""
    means = torch.stack([texts.mean(0) for texts in pooled])
    within = torch.cat([texts - mean for texts, mean in zip(pooled, means, strict=True)])
    covariance = within.T @ within / len(within)
    level = (SHRINKAGE * covariance.diagonal().mean()).clamp(min=1e-12)
    covariance.diagonal().add_(level)
    return Centres(means, torch.linalg.inv(covariance))


def by_embeddings(pooled: Tensor, known: Centres) -> Tensor:
    """pooled [B,d] -> minus the squared Mahalanobis distance from each task's mean, [B,n]."""
    apart = pooled[:, None] - known.means  # [B,n,d]
    return -((apart @ known.precision) * apart).sum(-1)
