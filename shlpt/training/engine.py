"""One shared forward and backward for many runs.

A lane is a training loop written as if it were alone: it yields what it asks of the backbone and
gets back what the backbone said. `drive` collects the waiting asks, joins their rows into one
forward pass, sums the lanes' own losses into one backward pass, and resumes each lane. Rows are
padded after the text, never between prompt and text: T5 looks at relative positions.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import torch

from shlpt.backbone.encode import cat_padded
from shlpt.backbone.t5 import IGNORE, Backbone, Out
from shlpt.methods.base import Ask

Result = TypeVar("Result")
Lane = Generator[Ask, Any, Result]


class Diverged(Exception):
    """A lane's loss or gradient is no longer a number."""


class Stopped(Exception):
    """Somebody asked the run to stop: keep what is finished."""


def drive(
    lanes: Sequence[Lane[Result]], backbone: Backbone, stop: Callable[[], bool] = lambda: False
) -> list[Result | Exception]:
    """Run lanes to their end; what each returned, or the exception that ended it.

    Which lanes share a forward pass follows from their progress alone, never from timing.
    """
    results: list[Any] = [None] * len(lanes)
    waiting: dict[int, Ask] = {}

    def resume(index: int, reply: Any = None, error: Exception | None = None) -> None:
        try:
            waiting[index] = lanes[index].throw(error) if error else lanes[index].send(reply)
        except StopIteration as end:
            results[index] = end.value
        except Diverged as failure:
            results[index] = failure

    for index in range(len(lanes)):
        resume(index)
    while waiting:
        if stop():
            for lane in lanes:
                lane.close()
            raise Stopped
        asks, waiting = waiting, {}
        for chosen in _together(asks):
            first = asks[chosen[0]]
            replies = _serve(first.backbone or backbone, [asks[i] for i in chosen], first.kind)
            for index, reply in zip(chosen, replies, strict=True):
                if isinstance(reply, Diverged):
                    resume(index, error=reply)
                else:
                    resume(index, reply)
    return results


def _together(asks: dict[int, Ask]) -> list[list[int]]:
    """Which asks share a forward pass: those of a kind on the shared backbone. One with its own model is alone."""
    groups: dict[tuple[str, int, int], list[int]] = {}
    for index, ask in asks.items():
        groups.setdefault((ask.kind, ask.beams, -1 if ask.backbone is None else index), []).append(index)
    return [groups[key] for key in sorted(groups)]


def _serve(backbone: Backbone, asks: list[Ask], kind: str) -> list[Any]:
    embeds, mask = cat_padded([a.embeds for a in asks], 0), cat_padded([a.mask for a in asks], 0)
    cuts = [0]
    for ask in asks:
        cuts.append(cuts[-1] + len(ask.embeds))
    spans = list(pairwise(cuts))
    if kind == "decode":
        ids = backbone.decode(embeds, mask, max(a.limit for a in asks), asks[0].beams)
        return [ids[start:stop, : ask.limit] for ask, (start, stop) in zip(asks, spans, strict=True)]
    if kind == "look":
        with torch.no_grad():
            seen = backbone.look(embeds, mask)
        return [seen.rows(start, stop, 1) for start, stop in spans]
    labels = cat_padded([a.labels for a in asks if a.labels is not None], IGNORE)
    widths = [a.labels.shape[1] for a in asks if a.labels is not None]
    with torch.set_grad_enabled(kind == "train"):
        out = backbone.forward(embeds, mask, labels)
    if len(asks) == 1:
        parts = [out]
    else:
        parts = [out.rows(start, stop, width) for (start, stop), width in zip(spans, widths, strict=True)]
    return _learn(asks, parts) if kind == "train" else parts


def _learn(asks: list[Ask], parts: list[Out]) -> list[Any]:
    """Backward through the sum of the lanes' losses; a lane that has diverged does not touch the others."""
    losses = [ask.loss(part) for ask, part in zip(asks, parts, strict=True) if ask.loss is not None]
    values = torch.stack([loss.detach().float() for loss in losses]).tolist()
    finite = [loss for loss, value in zip(losses, values, strict=True) if _finite(value)]
    if finite:
        torch.stack(finite).sum().backward()
    return [value if _finite(value) else Diverged(f"the loss is {value}") for value in values]


def _finite(value: float) -> bool:
    return value - value == 0
