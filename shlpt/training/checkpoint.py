"""Checkpoint of a stage between two epochs, enough to resume bit-identically. No random numbers are drawn after a
learner is built (orders depend on seed, task and epoch only), so parameters, optimiser, early stopping and the
learner's memory suffice."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors.torch import load
from torch import Tensor

from shlpt.methods.base import Learner, Remembering, State
from shlpt.methods.prompts import PromptPool
from shlpt.store.artifacts import about_of


@dataclass
class Best:
    """Early stopping: by accuracy, ties by loss."""

    patience: int
    rank: tuple[float, float] = (-1.0, 0.0)
    epoch: int = -1
    state: State | None = None

    def offer(self, epoch: int, right: float, loss: float, state: State) -> None:
        if (right, -loss) > self.rank:
            self.rank, self.epoch, self.state = (right, -loss), epoch, state

    def stale(self, epoch: int) -> bool:
        return epoch - self.epoch >= self.patience


@dataclass(frozen=True)
class Place:
    """A checkpoint of a stage."""

    numbers: dict[str, Any]  # JSON
    tensors: dict[str, Tensor] = field(default_factory=dict)


def place_of(learner: Learner, optimiser: torch.optim.Optimizer, best: Best, **numbers: Any) -> Place:
    """A copy, because training continues while it is written."""
    tensors: dict[str, Tensor] = {}
    for number, parameter in enumerate(learner.parameters()):
        tensors[f"parameter.{number}"] = parameter
        for name, value in optimiser.state.get(parameter, {}).items():
            tensors[f"optimiser.{number}.{name}"] = value
    if isinstance(learner, Remembering):
        tensors |= {f"memory.{name}": tensor for name, tensor in learner.memory().items()}
    kept: list[str] | None = None
    if best.state is not None:
        kept, held = state_parts(best.state)
        tensors |= {f"best.{name}": tensor for name, tensor in held.items()}
    tensors["rank"] = torch.tensor(best.rank, dtype=torch.float64)  # as tensor: JSON has no infinite loss
    numbers |= {"best_epoch": best.epoch, "best_pool": kept}
    return Place(numbers, {name: _copy(tensor) for name, tensor in tensors.items()})


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)


def go_to(place: Place, learner: Learner, optimiser: torch.optim.Optimizer, patience: int) -> Best:
    """Restore a new learner, its optimiser and early stopping."""
    tensors = place.tensors
    with torch.no_grad():
        for number, parameter in enumerate(learner.parameters()):
            parameter.copy_(tensors[f"parameter.{number}"])
            moments = under(tensors, f"optimiser.{number}.")
            if moments:
                # The fused AdamW wants its count of steps where the parameter is, too.
                optimiser.state[parameter] = {name: value.to(parameter.device) for name, value in moments.items()}
    device = learner.parameters()[0].device
    if isinstance(learner, Remembering):
        learner.remember({name: tensor.to(device) for name, tensor in under(tensors, "memory.").items()})
    numbers = place.numbers
    right, loss = tensors["rank"].tolist()
    pool = numbers["best_pool"]
    state = None if pool is None else state_from(pool, under(tensors, "best."), device)
    return Best(patience, (right, loss), numbers["best_epoch"], state)


def under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def state_parts(state: State) -> tuple[list[str], dict[str, Tensor]]:
    """A state as the task names of its prompts and tensors by name."""
    tensors = {f"prompt.{number}": prompt.tensor for number, prompt in enumerate(state.pool)}
    return [p.task for p in state.pool], tensors | {f"extra.{name}": tensor for name, tensor in state.extra.items()}


def state_from(pool: list[str], tensors: Mapping[str, Tensor], device: torch.device) -> State:
    prompts = PromptPool()
    for number, task in enumerate(pool):
        prompts = prompts.add(tensors[f"prompt.{number}"].to(device), task)
    return State(prompts, {name: tensor.to(device) for name, tensor in under(tensors, "extra.").items()})


def state_of(data: bytes, device: torch.device) -> State:
    """The state that a finished stage stored."""
    return state_from(about_of(data)["pool"], load(data), device)
