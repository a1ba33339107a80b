"""Costs of a method other than time: trainable parameters, and bytes stored from task to task. Pure."""

from collections.abc import Sequence

from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.methods.base import State

KEPT_ROWS = "kept_rows"  # [M,2] in State.extra: (task, row) of each training example kept for later tasks


def costs(parameters: Sequence[Tensor], before: State, after: State, data: Sequence[Encoded]) -> dict[str, int]:
    """Of one stage: `data` is the training data of the tasks so far, as far as the method may see it."""
    stored = stored_bytes(after, data)
    return {
        "trainable": sum(p.numel() for p in parameters),
        "stored_bytes": stored,
        "added_bytes": stored - stored_bytes(before, data),  # what this task added to it
    }


def stored_bytes(state: State, data: Sequence[Encoded]) -> int:
    """Tensors as they are, a prompt that stands for several tasks once, and the text of kept examples."""
    prompts = {prompt.digest: prompt.tensor for prompt in state.pool}
    tensors = [*prompts.values(), *state.extra.values()]
    kept = state.extra[KEPT_ROWS].tolist() if KEPT_ROWS in state.extra else []
    examples = [data[task].examples[row] for task, row in kept]
    return sum(t.numel() * t.element_size() for t in tensors) + sum(
        len(e.text.encode()) + len(e.target.encode()) for e in examples
    )
