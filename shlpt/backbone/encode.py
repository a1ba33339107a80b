"""Examples as tensors: tokenized once, cut into batches by index."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import pad

from shlpt.backbone.t5 import IGNORE, Backbone
from shlpt.spec import digest
from shlpt.tasks.task import Example


@dataclass(frozen=True)
class Batch:
    """Rows of a data set, padded to the longest of them; on a GPU to one of a few lengths."""

    ids: Tensor  # [B,l]
    mask: Tensor  # [B,l]
    labels: Tensor  # [B,m], IGNORE where padded
    rows: Tensor  # [B]: positions in the data set
    numbers: tuple[int, ...] = ()  # the same, without asking the device

    def __len__(self) -> int:
        return len(self.rows)


class Encoded:
    """A split of a task as tensors."""

    def __init__(self, backbone: Backbone, examples: Sequence[Example], max_length: int) -> None:
        self.examples = tuple(examples)
        self.ids, self.mask, self.cut = backbone.tokenize([e.text for e in examples], max_length)
        self.labels = backbone.targets([e.target for e in examples])
        self.lengths = self.mask.sum(1).tolist()
        self.widths = (self.labels != IGNORE).sum(1).tolist()
        self.limit = max(self.widths, default=0) + 4  # tokens of an answer
        self.most: int | None = None  # tokens of a text, if batches have one of a few shapes
        if backbone.queued:
            self.most = max_length
            self.ids, self.mask = (filled(t, bucket(t.shape[1], max_length), 0) for t in (self.ids, self.mask))
            self.labels = filled(self.labels, bucket(self.labels.shape[1]), IGNORE)
        self.digest = digest([e.id for e in examples] + [max_length])

    def __len__(self) -> int:
        return len(self.examples)

    def batch(self, rows: Sequence[int]) -> Batch:
        index = uploaded(rows, self.ids.device)
        length, width = max(self.lengths[r] for r in rows), max(self.widths[r] for r in rows)
        if self.most is not None:
            length, width = bucket(length, self.most), bucket(width)
        numbers = tuple(rows)
        return Batch(self.ids[index, :length], self.mask[index, :length], self.labels[index, :width], index, numbers)

    def batches(self, size: int) -> Iterator[Batch]:
        """All rows, those of similar length together."""
        order = sorted(range(len(self)), key=lambda row: self.lengths[row])
        for start in range(0, len(order), size):
            yield self.batch(order[start : start + size])


def bucket(length: int, most: int | None = None) -> int:
    """The next of 4, 8, 12, 16, 24, 32, 48, 64, 96 …, at most `most`: at most half as long again beyond 8, and a device
    that prepares itself for a shape sees few of them."""
    power = 1 << max(2, (length - 1).bit_length())  # the next power of two, 4 at least
    found = power * 3 // 4 if power > 8 and length <= power * 3 // 4 else power
    return found if most is None else max(length, min(found, most))


def uploaded(numbers: Sequence[int], device: torch.device) -> Tensor:
    """Whole numbers on a device, without waiting for what a GPU has to do first."""
    found = torch.tensor(numbers)
    return found.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else found.to(device)


def filled(tensor: Tensor, length: int, fill: int) -> Tensor:
    """[N,n,...] filled on the right up to a length."""
    return pad(tensor, (0, 0) * (tensor.ndim - 2) + (0, length - tensor.shape[1]), value=fill)


def cat_padded(tensors: Sequence[Tensor], fill: int) -> Tensor:
    """Rows of several [B,n,...] together, filled on the right up to the longest n."""
    if len(tensors) == 1:  # a step that runs alone copies nothing
        return tensors[0]
    longest = max(t.shape[1] for t in tensors)
    return torch.cat([filled(t, longest, fill) for t in tensors])


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several, of any data sets. `rows` then only says where each was in its own."""
    ids, mask = cat_padded([b.ids for b in batches], 0), cat_padded([b.mask for b in batches], 0)
    labels, rows = cat_padded([b.labels for b in batches], IGNORE), torch.cat([b.rows for b in batches])
    return Batch(ids, mask, labels, rows, tuple(number for b in batches for number in b.numbers))


def order(seed: int, task: str, epoch: int, count: int, size: int) -> list[list[int]]:
    """The batches of an epoch: a pure function of its arguments, so a resumed run needs no loader state."""
    rows = list(range(count))
    Random(f"order/{seed}/{task}/{epoch}").shuffle(rows)
    return [rows[start : start + size] for start in range(0, count, size)]
