"""Numbers of training steps on their way from the device to those who watch.

A GPU works through a queue, and reading a number waits for all that is queued. So there the numbers of several steps
are read in one copy. A step that fails changes nothing, nor do the steps after it: the failure stays on the device
(`lane.take_step`) until it is read. When it is read depends on the number of steps, never on time, so which lanes train
together is always the same.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from shlpt.training.engine import Diverged

Emit = Callable[[str, dict[str, Any]], None]
EVERY = 8  # steps that are read in one copy


class Telling:
    """Tells of steps in order, at once or a few together."""

    def __init__(self, emit: Emit, step: int = 0, late: bool = False) -> None:
        self.emit, self.step, self.late, self.every = emit, step, late, EVERY if late else 1
        self.losses: list[float] = []  # of the task, of the steps that were told
        self._waiting: list[tuple[str, dict[str, Any]]] = []
        self._since, self._failure = 0, ""

    def add(self, kind: str, said: dict[str, Any], norms: Sequence[Tensor]) -> None:
        """One more step; raises Diverged if one of the last few has failed."""
        self._waiting.append((kind, said | {"norms": torch.stack([*norms]) if norms else []}))
        self._since += 1
        if self._since >= self.every:
            self.settle()

    def settle(self) -> None:
        """Tell of all steps so far; raises Diverged if one has failed."""
        self.tell()
        self._since = 0
        if self._failure:
            raise Diverged(self._failure)

    def tell(self) -> None:
        """Tell of all steps so far, up to one that has failed."""
        waiting, self._waiting = self._waiting, []
        for (kind, _), said in zip(waiting, plain([said for _, said in waiting]), strict=True):
            norms = said.pop("norms")
            self._failure = self._failure or failure(said["loss"], norms)
            if self._failure:
                return
            if kind == "step":
                self.step += 1
                self.losses.append(said.get("down", said["loss"]))
                said = {"step": self.step, **said}
            self.emit(kind, said)


def failure(loss: float, norms: Sequence[float]) -> str:
    """Why a step changed nothing; empty if it did."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    return next((f"the gradient is {norm}" for norm in norms if not math.isfinite(norm)), "")


def plain(said: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tensors among the values as numbers, or lists of them: one copy from the device for all of them."""
    held = [value for one in said for value in one.values() if isinstance(value, Tensor)]
    flat = torch.cat([value.detach().float().reshape(-1) for value in held]).tolist() if held else []
    numbers = iter(flat)

    def number(value: Any) -> Any:
        if not isinstance(value, Tensor):
            return value
        found = [next(numbers) for _ in range(value.numel())]
        return found if value.ndim else found[0]

    return [{name: number(value) for name, value in one.items()} for one in said]
