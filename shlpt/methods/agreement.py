"""What the backbone makes of a task's texts under a prompt that was learned on another task."""

from typing import NamedTuple

import torch
from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.methods.prompts import prepend

ROWS = 64


class Seen(NamedTuple):
    hidden: Tensor  # [N,d], first decoder position
    states: Tensor  # [N,layers,f], of the decoder's feed-forward layers there
    loss: float  # mean over the texts
    right: float  # share of the texts that greedy decoding answers exactly
    gradient: Tensor | None  # [L,d], of that loss with respect to the prompt


def seen_under(backbone: Backbone, prompt: Tensor, data: Encoded, backward: bool = False) -> Seen:
    """All texts under a prompt [L,d] (L = 0: the bare texts), in one pass for every `ROWS` of them."""
    leaf = prompt.detach().clone().requires_grad_(backward)
    hidden, states, total, right = [], [], 0.0, 0
    for start in range(0, len(data), ROWS):
        batch = data.batch(range(start, min(start + ROWS, len(data))))
        with torch.set_grad_enabled(backward):
            out = backbone.forward(*prepend(leaf, backbone.embed(batch.ids), batch.mask), batch.labels)
            loss = out.loss.sum() / len(data)
        if backward:
            loss.backward()
        total += loss.item()
        hidden.append(out.hidden[:, 0].detach())
        states.append(torch.stack([layer[:, 0].detach() for layer in out.states], 1))
        right += int(out.exact.sum())
    return Seen(torch.cat(hidden), torch.cat(states), total, right / len(data), leaf.grad)
