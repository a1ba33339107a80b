"""Finetune: train all weights of a copy of the backbone, task after task, without a prompt. The shared backbone never
changes: the learner's weights are part of its state."""

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch
from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import Ask, Context, Kind, Logging, State, down_loss

WEIGHTS = "weights."


def named(state: State, prefix: str) -> dict[str, Tensor]:
    """The tensors of a state with this prefix, without the prefix."""
    return {name.removeprefix(prefix): t for name, t in state.extra.items() if name.startswith(prefix)}


def model_of(backbone: Backbone, state: State) -> Backbone:
    """The model with a state's weights, built once and freed with the state."""
    if backbone.digest not in state.built:
        state.built[backbone.digest] = backbone.own_copy(named(state, WEIGHTS))
    return state.built[backbone.digest]


def answer_with_stored_weights(backbone: Backbone, state: State, task: str, batch: Batch, kind: Kind) -> Ask:
    """The same model answers every task."""
    model = model_of(backbone, state)
    return Ask(model.embed(batch.ids), batch.mask, batch.labels, kind, backbone=model)


class Finetune(Logging):
    answer = staticmethod(answer_with_stored_weights)

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.own = ctx.backbone.own_copy()
        self.weights: dict[str, Tensor] = dict(self.own.model.named_parameters())  # tied weights once
        self.load(ctx.state)
        self.own.model.requires_grad_(True)

    @torch.no_grad()
    def load(self, state: State) -> None:
        """Go on from a state's weights; from the backbone's where there are none yet."""
        for name, tensor in named(state, WEIGHTS).items():
            self.weights[name].copy_(tensor)

    def parameters(self) -> list[Tensor]:
        return list(self.weights.values())

    def ask(self, batch: Batch) -> Ask:
        return Ask(self.own.embed(batch.ids), batch.mask, batch.labels, "train", down_loss, backbone=self.own)

    def keep(self) -> State:
        weights = {f"{WEIGHTS}{name}": tensor.detach().clone() for name, tensor in self.weights.items()}
        return State(self.ctx.state.pool, weights)
