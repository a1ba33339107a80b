"""Costs of a method beside time: trainable parameters, and bytes stored from task to task. Pure."""

from collections.abc import Sequence

from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.methods.base import State

KEPT_ROWS = "kept_rows"  # [M,2] in State.extra: (task, row) of each training example kept for later tasks


def costs(parameters: Sequence[Tensor], before: State, after: State, data: Sequence[Encoded]) -> dict[str, int]:
    """Costs of one stage. `data`: training data of the tasks so far that the method may use."""
    stored = stored_bytes(after, data)
    return {
        "trainable": sum(p.numel() for p in parameters),
        "stored_bytes": stored,
        "added_bytes": stored - stored_bytes(before, data),  # added by this task
    }


def stored_bytes(state: State, data: Sequence[Encoded]) -> int:
    """Bytes of tensors and of kept examples' text; a prompt shared by several tasks counts once."""
    prompts = {prompt.digest: prompt.tensor for prompt in state.pool}
    tensors = [*prompts.values(), *state.extra.values()]
    kept = state.extra[KEPT_ROWS].tolist() if KEPT_ROWS in state.extra else []
    examples = [data[task].examples[row] for task, row in kept]
    return sum(t.numel() * t.element_size() for t in tensors) + sum(
        len(e.text.encode()) + len(e.target.encode()) for e in examples
    )
