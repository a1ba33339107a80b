"""One shared forward and backward for many runs.

A lane is a training loop written as if it were alone: it yields what it asks of the backbone and
gets back what the backbone said. `drive` collects the waiting asks, joins their rows into one
forward pass, sums the lanes' own losses into one backward pass, and resumes each lane. Rows are
padded after the text, never between prompt and text: T5 looks at relative positions.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import torch

from shlpt.backbone.encode import cat_padded
from shlpt.backbone.t5 import IGNORE, Backbone, Out
from shlpt.methods.base import Ask

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Cut:
    """A lane stands between two epochs. `place` is all it needs to go on from here in another process."""

    place: Callable[[], Any]


Lane = Generator[Ask | Cut, Any, Result]


class Conductor(Protocol):
    """Who says when lanes go on."""

    def round(self, training: bool) -> None:
        """Before each shared forward pass; may wait, or raise Stopped."""
        ...

    def cut(self, cuts: dict[int, Cut]) -> None:
        """All lanes that still run, by number, are between two epochs."""
        ...


class Onward:
    """Nobody stops anything."""

    def round(self, training: bool) -> None: ...

    def cut(self, cuts: dict[int, Cut]) -> None: ...


class Diverged(Exception):
    """A lane's loss or gradient is no longer a number."""


class Stopped(Exception):
    """Somebody asked the run to stop: keep what is finished."""


def drive(
    lanes: Sequence[Lane[Result]], backbone: Backbone, conductor: Conductor | None = None
) -> list[Result | Exception]:
    """Run lanes to their end; what each returned, or the exception that ended it.

    Which lanes share a forward pass follows from their progress alone, never from timing. Between
    two epochs they wait for each other, so that one checkpoint holds them all at clean places.
    """
    conductor = conductor or Onward()
    results: list[Any] = [None] * len(lanes)
    waiting: dict[int, Ask] = {}
    cuts: dict[int, Cut] = {}

    def resume(index: int, reply: Any = None, error: Exception | None = None) -> None:
        try:
            found = lanes[index].throw(error) if error else lanes[index].send(reply)
        except StopIteration as end:
            results[index] = end.value
        except Diverged as failure:
            results[index] = failure
        else:
            if isinstance(found, Cut):
                cuts[index] = found
            else:
                waiting[index] = found

    try:
        for index in range(len(lanes)):
            resume(index)
        while waiting or cuts:
            if not waiting:
                conductor.cut(cuts)
                ready, cuts = sorted(cuts), {}
                for index in ready:
                    resume(index)
                continue
            conductor.round(any(ask.kind == "train" for ask in waiting.values()))
            asks, waiting = waiting, {}
            for chosen in _together(asks):
                first = asks[chosen[0]]
                replies = _serve(first.backbone or backbone, [asks[i] for i in chosen], first.kind)
                for index, reply in zip(chosen, replies, strict=True):
                    if isinstance(reply, Diverged):
                        resume(index, error=reply)
                    else:
                        resume(index, reply)
    finally:
        for lane in lanes:
            lane.close()
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
