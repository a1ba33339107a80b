"""Outputs of the backbone under frozen prompts, cached within a memory limit. They never change for the same text, so
the states under earlier prompts (eqs 8, 10, 11) are computed once for a whole data set, on first use. The least
recently used blocks are dropped first. A block above the limit is not cached; its rows are computed on request."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch, Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import VIEW_CACHE
from shlpt.methods.prompts import Prompt, prepend

# The first decoder position, every position of the target, or the encoder's mean state (`Backbone.query`).
View = Literal["first", "targets", "query"]
CHUNK = 128


class Seen(NamedTuple):
    hidden: Tensor  # [B,m,d]; m = 1 for the views "first" and "query"
    states: Tensor  # [B,m,f] of the last decoder layer; f = 0 for the view "query", which has no decoder


class Views:
    """A cache by backbone, prompt (or none), data set and view."""

    def __init__(self, backbone: Backbone, budget: int = VIEW_CACHE) -> None:
        self.backbone, self.budget = backbone, budget
        self.used, self.forwards = 0, 0
        self._kept: OrderedDict[tuple[str, ...], Seen] = OrderedDict()

    def rows(self, prompts: Sequence[Prompt | None], data: Encoded, batch: Batch, view: View = "first") -> Seen:
        """States of a batch under each prompt: hidden [B,n,m,d], states [B,n,m,f]."""
        width = batch.labels.shape[1] if view == "targets" else 1
        seen = [self._batch(prompt, data, batch, view, width) for prompt in prompts]
        return Seen(torch.stack([s.hidden for s in seen], 1), torch.stack([s.states for s in seen], 1))

    def _batch(self, prompt: Prompt | None, data: Encoded, batch: Batch, view: View, width: int) -> Seen:
        if self.size(data, view) > self.budget:
            return self.compute(prompt, batch, view)
        block = self.whole(prompt, data, view)
        return Seen(block.hidden[batch.rows, :width], block.states[batch.rows, :width])

    def size(self, data: Encoded, view: View) -> int:
        """Bytes of one block."""
        positions, inner = self._shape(data, view)
        bytes_each = torch.finfo(self.backbone.dtype).bits // 8
        return len(data) * positions * (self.backbone.width + inner) * bytes_each

    def _shape(self, data: Encoded, view: View) -> tuple[int, int]:
        """Decoder positions m and neurons f of a block."""
        return data.labels.shape[1] if view == "targets" else 1, 0 if view == "query" else self.backbone.inner

    def queries(self, data: Encoded) -> Tensor:
        """[N,d]: `Backbone.query` of every row of a data set."""
        return self.whole(None, data, "query").hidden[:, 0].float()

    def whole(self, prompt: Prompt | None, data: Encoded, view: View = "first") -> Seen:
        """States of every row of a data set, from the cache if possible."""
        key = (self.backbone.digest, prompt.digest if prompt else "no prompt", data.digest, view)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        width, inner = self._shape(data, view)
        hidden = torch.zeros(len(data), width, self.backbone.width, dtype=self.backbone.dtype, device=data.ids.device)
        states = torch.zeros(*hidden.shape[:2], inner, dtype=hidden.dtype, device=hidden.device)
        for batch in data.batches(CHUNK):
            part = self.compute(prompt, batch, view)
            hidden[batch.rows, : part.hidden.shape[1]] = part.hidden
            states[batch.rows, : part.states.shape[1]] = part.states
        block = Seen(hidden, states)
        self._keep(key, block)
        return block

    @torch.no_grad()
    def compute(self, prompt: Prompt | None, batch: Batch, view: View) -> Seen:
        """States of a batch, not cached."""
        self.forwards += 1
        if view == "query":  # always of the bare text
            found = self.backbone.query(batch.ids, batch.mask)[:, None].to(self.backbone.dtype)
            return Seen(found, found.new_zeros(*found.shape[:2], 0))
        embeds, mask = self.backbone.embed(batch.ids), batch.mask
        if prompt is not None:
            embeds, mask = prepend(prompt.tensor, embeds, mask)
        first = view == "first"
        seen = self.backbone.look(embeds, mask) if first else self.backbone.forward(embeds, mask, batch.labels)
        return Seen(seen.hidden, seen.states[-1])

    def _keep(self, key: tuple[str, ...], block: Seen) -> None:
        bytes_needed = sum(t.numel() * t.element_size() for t in block)
        if bytes_needed > self.budget:
            return
        while self.used + bytes_needed > self.budget:
            _, old = self._kept.popitem(last=False)
            self.used -= sum(t.numel() * t.element_size() for t in old)
        self._kept[key] = block
        self.used += bytes_needed
