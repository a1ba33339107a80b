"""One shared forward and backward pass for many runs. A lane is the training loop of one run: it yields requests to the
backbone and receives the outputs. `drive` joins the waiting requests into one forward pass, sums the lanes' losses into
one backward pass, and resumes each lane. Padding comes after the text, never between prompt and text, because T5 uses
relative positions."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Protocol, TypeVar

import torch

from shlpt.backbone.encode import cat_padded
from shlpt.backbone.t5 import IGNORE, Backbone, Out
from shlpt.methods.base import Ask

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Cut:
    """A lane is between two epochs. `place` returns its checkpoint."""

    place: Callable[[], Any]


Lane = Generator[Ask | Cut, Any, Result]


class Conductor(Protocol):
    """Decides when lanes continue."""

    def round(self, training: bool, tell: Callable[[], None]) -> None:
        """Called before each shared forward pass; may wait, or raise Stopped. `tell`: of all steps so far, before a
        wait."""
        ...

    def cut(self, cuts: dict[int, Cut]) -> None:
        """Called when all running lanes, by number, are between two epochs."""
        ...


class Onward:
    """Never stops."""

    def round(self, training: bool, tell: Callable[[], None]) -> None: ...

    def cut(self, cuts: dict[int, Cut]) -> None: ...


class Diverged(Exception):
    """A lane's loss or gradient is not finite."""


class Stopped(Exception):
    """The run was asked to stop; finished stages are kept."""


def drive(
    lanes: Sequence[Lane[Result]], backbone: Backbone, conductor: Conductor | None = None
) -> list[Result | Exception]:
    """Run lanes to their end. Returns each lane's result, or the exception that ended it."""
    going = rounds(lanes, backbone, conductor or Onward())
    while True:
        try:
            next(going)
        except StopIteration as end:
            return list(end.value)


def rounds(
    lanes: Sequence[Lane[Result]], backbone: Backbone, conductor: Conductor
) -> Generator[dict[int, Ask], None, list[Result | Exception]]:
    """One shared forward pass at a time: yields the waiting requests by lane before each of them, and returns what
    `drive` does. Which lanes share a pass depends on their progress only, never on timing. Lanes wait for each other
    between epochs, so that one checkpoint holds all of them."""
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
            conductor.round(any(ask.kind == "train" for ask in waiting.values()), partial(_tell, waiting))
            yield waiting
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


def _tell(asks: dict[int, Ask]) -> None:
    """Of steps whose numbers have not been read yet."""
    for ask in asks.values():
        if ask.tell is not None:
            ask.tell()


def _together(asks: dict[int, Ask]) -> list[list[int]]:
    """The requests that share a forward pass: same kind, shared backbone. A lane with its own model is alone."""
    groups: dict[tuple[str, int, float, int], list[int]] = {}
    for index, ask in asks.items():
        alone = -1 if ask.backbone is None else index
        groups.setdefault((ask.kind, ask.beams, ask.repetition_penalty, alone), []).append(index)
    return [groups[key] for key in sorted(groups)]


def _serve(backbone: Backbone, asks: list[Ask], kind: str) -> list[Any]:
    embeds, mask = cat_padded([a.embeds for a in asks], 0), cat_padded([a.mask for a in asks], 0)
    cuts = [0]
    for ask in asks:
        cuts.append(cuts[-1] + len(ask.embeds))
    spans = list(pairwise(cuts))
    if kind == "decode":
        limit, (first, *_) = max(a.limit for a in asks), asks
        ids = backbone.decode(embeds, mask, limit, first.beams, first.repetition_penalty)
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
    """Backward through the sum of the lanes' losses. A lane that has diverged does not affect the others. Lanes that
    read their losses later get them as tensors, and are not told that they have diverged."""
    losses = [ask.loss(part) for ask, part in zip(asks, parts, strict=True) if ask.loss is not None]
    if all(ask.late for ask in asks):
        told = torch.stack([loss.detach().float() for loss in losses])
        torch.where(told.isfinite(), torch.stack(losses), 0.0).sum().backward()
        return [*told]
    values = torch.stack([loss.detach().float() for loss in losses]).tolist()
    finite = [loss for loss, value in zip(losses, values, strict=True) if _finite(value)]
    if finite:
        torch.stack(finite).sum().backward()
    return [value if _finite(value) else Diverged(f"the loss is {value}") for value in values]


def _finite(value: float) -> bool:
    return value - value == 0
