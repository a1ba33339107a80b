"""Online EWC: Finetune with a penalty on changing weights that earlier tasks depend on, λ/2 Σ F (θ − θ*)².
θ* are the weights after the previous task. F sums the tasks' diagonal Fishers, decayed by γ at every new task."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch
from shlpt.backbone.t5 import IGNORE, Out
from shlpt.catalog.params import EwcParams
from shlpt.methods.base import Ask, Context, State
from shlpt.methods.finetune import WEIGHTS, Finetune, named

FISHER = "fisher."


def penalty(
    weights: Mapping[str, Tensor], anchors: Mapping[str, Tensor], fisher: Mapping[str, Tensor], strength: float
) -> Tensor:
    """λ/2 Σ F (θ − θ*)²"""
    parts = [(fisher[name] * (weights[name] - anchors[name]) ** 2).sum() for name in fisher]
    return strength / 2 * torch.stack(parts).sum()


def decayed(old: Mapping[str, Tensor], new: Mapping[str, Tensor], decay: float) -> dict[str, Tensor]:
    """γ F + F_new; F_new alone for the first task."""
    return {name: decay * old[name] + tensor if name in old else tensor for name, tensor in new.items()}


def normalised(fisher: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Scaled to mean one over all weights. Raw Fishers of two tasks differ by orders of magnitude, because a model that
    fits its few examples has almost no gradient, so no single λ would suit both."""
    mean = torch.cat([tensor.flatten() for tensor in fisher.values()]).mean()
    return {name: tensor / mean.clamp(min=torch.finfo(mean.dtype).tiny) for name, tensor in fisher.items()}


class Ewc(Finetune):
    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.params: EwcParams = ctx.params
        self.anchors, self.fisher = named(ctx.state, WEIGHTS), named(ctx.state, FISHER)

    def ask(self, batch: Batch) -> Ask:
        return replace(super().ask(batch), loss=self._loss)

    def _loss(self, out: Out) -> Tensor:
        down = out.loss.mean()
        if not self.fisher:
            return down
        held = penalty(self.weights, self.anchors, self.fisher, self.params.ewc_strength)
        self._log = {"down": down.detach(), "penalty": held.detach()}
        return down + held

    def keep(self) -> State:
        state = super().keep()
        state.extra.update({f"{FISHER}{name}": tensor for name, tensor in self.fisher.items()})
        return state

    def finish(self, state: State) -> Generator[Ask, Any, State]:
        """Add this task's Fisher at the kept weights."""
        self.load(state)
        new = yield from self.own_fisher()
        if self.params.fisher == "normalised":
            new = normalised(new)
        fisher = decayed(self.fisher, new, self.params.ewc_decay)
        return replace(state, extra=state.extra | {f"{FISHER}{name}": tensor for name, tensor in fisher.items()})

    def own_fisher(self) -> Generator[Ask, Any, dict[str, Tensor]]:
        """Mean over training examples of each one's squared gradient of the log-likelihood."""
        train = self.ctx.train
        found = {name: torch.zeros_like(tensor) for name, tensor in self.weights.items()}
        for row in range(len(train)):  # one by one: the square of a mean is not the mean of squares
            self.own.model.zero_grad()
            batch = train.batch([row])
            yield replace(super().ask(batch), loss=partial(log_likelihood, labels=batch.labels))
            for name, tensor in self.weights.items():
                if tensor.grad is not None:
                    found[name] += tensor.grad**2 / len(train)
        self.own.model.zero_grad()
        return found


def log_likelihood(out: Out, labels: Tensor) -> Tensor:
    """Σ log p of the target tokens of all rows; `out.loss` is the mean per row."""
    return -(out.loss * (labels != IGNORE).sum(1)).sum()
