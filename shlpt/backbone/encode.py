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
    """Rows of a data set without padding that none of them needs."""

    ids: Tensor  # [B,l]
    mask: Tensor  # [B,l]
    labels: Tensor  # [B,m], IGNORE where padded
    rows: Tensor  # [B]: positions in the data set

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
        self.digest = digest([e.id for e in examples] + [max_length])

    def __len__(self) -> int:
        return len(self.examples)

    def batch(self, rows: Sequence[int]) -> Batch:
        index = torch.tensor(rows, device=self.ids.device)
        length, width = max(self.lengths[r] for r in rows), max(self.widths[r] for r in rows)
        return Batch(self.ids[index, :length], self.mask[index, :length], self.labels[index, :width], index)

    def batches(self, size: int) -> Iterator[Batch]:
        """All rows, those of similar length together."""
        order = sorted(range(len(self)), key=lambda row: self.lengths[row])
        for start in range(0, len(order), size):
            yield self.batch(order[start : start + size])


def cat_padded(tensors: Sequence[Tensor], fill: int) -> Tensor:
    """Rows of several [B,n,...] together, filled on the right up to the longest n."""
    if len(tensors) == 1:  # a step that runs alone copies nothing
        return tensors[0]
    longest = max(t.shape[1] for t in tensors)
    return torch.cat([pad(t, (0, 0) * (t.ndim - 2) + (0, longest - t.shape[1]), value=fill) for t in tensors])


def joined(batches: Sequence[Batch]) -> Batch:
    """One batch of several, of any data sets. `rows` then only says where each was in its own."""
    ids, mask = cat_padded([b.ids for b in batches], 0), cat_padded([b.mask for b in batches], 0)
    return Batch(ids, mask, cat_padded([b.labels for b in batches], IGNORE), torch.cat([b.rows for b in batches]))


def order(seed: int, task: str, epoch: int, count: int, size: int) -> list[list[int]]:
    """The batches of an epoch: a pure function of its arguments, so a resumed run needs no loader state."""
    rows = list(range(count))
    Random(f"order/{seed}/{task}/{epoch}").shuffle(rows)
    return [rows[start : start + size] for start in range(0, count, size)]
