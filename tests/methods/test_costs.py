"""What a method costs, counted by hand."""

import torch

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import State
from shlpt.methods.costs import KEPT_ROWS, costs, stored_bytes
from shlpt.methods.prompts import PromptPool
from shlpt.tasks.task import Example


def data(backbone: Backbone) -> Encoded:
    return Encoded(backbone, [Example("née", "bad", "bad"), Example("a film", "good", "good")], 16)


def test_by_hand(backbone: Backbone) -> None:
    first = State(PromptPool().add(torch.zeros(4, 3), "a"))
    second = State(first.pool.add(torch.ones(4, 3), "b"), {"half": torch.zeros(5, dtype=torch.float16)})
    found = costs([torch.zeros(4, 3), torch.zeros(7)], first, second, ())
    assert found == {"trainable": 19, "stored_bytes": 2 * 48 + 10, "added_bytes": 48 + 10}


def test_a_prompt_that_stands_for_several_tasks_is_stored_once() -> None:
    pool = PromptPool().add(torch.ones(4, 3), "a").add(torch.ones(4, 3), "b")
    assert stored_bytes(State(pool), ()) == 48


def test_kept_examples_count_with_their_text_and_answer(backbone: Backbone) -> None:
    rows = torch.tensor([[0, 0], [1, 1]], dtype=torch.int32)
    state, both = State(extra={KEPT_ROWS: rows}), (data(backbone), data(backbone))
    assert stored_bytes(state, both) == 2 * 2 * 4 + len("née".encode()) + 3 + len("a film") + 4
