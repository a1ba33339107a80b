"""Whose prompt answers a text: distances, keys and entropies, with numbers worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS
from shlpt.catalog.routers import ROUTERS, routers_of
from shlpt.methods import coda, l2p
from shlpt.methods.base import State, match_of
from shlpt.methods.prompts import PromptPool
from shlpt.methods.routing import SHRINKAGE, by_embeddings, centres, mean_pool

ONE = torch.tensor([[0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
OTHER = torch.tensor([[10.0, 0.0], [10.0, 4.0]], dtype=torch.float64)


def test_padding_is_not_in_the_mean() -> None:
    x = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [100.0, 100.0]], [[5.0, 6.0], [7.0, 7.0], [9.0, 8.0]]])
    assert mean_pool(x, torch.tensor([[1, 1, 0], [1, 1, 1]])).tolist() == [[2.0, 3.0], [7.0, 7.0]]


def test_distances_count_in_units_of_how_texts_of_one_task_differ() -> None:
    """Within the tasks: (−1,0), (1,0), (0,−2), (0,2). Variances 2/4 and 8/4, of mean 1.25."""
    across, along = 0.5 + SHRINKAGE * 1.25, 2.0 + SHRINKAGE * 1.25
    text = torch.tensor([[5.2, 3.0]], dtype=torch.float64)
    found = by_embeddings(text, centres([ONE, OTHER]))
    expected = [-(4.2**2 / across + 3**2 / along), -(4.8**2 / across + 1 / along)]
    assert found[0].tolist() == pytest.approx(expected)
    assert found.argmax().item() == 0  # though (10,2) is nearer than (1,0) with a ruler: 24.04 against 26.64


def test_one_text_for_a_task_is_enough_and_equal_tasks_go_to_the_first() -> None:
    same = torch.ones(1, 2, dtype=torch.float64)
    found = by_embeddings(same, centres([same, same, 2 * same]))
    assert found[0].tolist()[:2] == [0, 0]
    assert found[0, 2].item() < 0
    assert found.argmax(1).tolist() == [0]


def pool(**rows: int) -> PromptPool:
    found = PromptPool()
    for task, count in rows.items():
        found = found.add(torch.zeros(count, 2), task)
    return found


def test_keys_of_l2p_are_the_picked_ones_of_each_snapshot() -> None:
    """Two of three keys are picked for `a`, both keys of `b`: mean cosines."""
    half = math.sqrt(0.5)
    extra = {
        "prompts.a": torch.zeros(3, 5, 2),
        "keys.a": torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]),
        "prompts.b": torch.zeros(2, 5, 2),
        "keys.b": torch.tensor([[-1.0, 0.0], [0.0, -3.0]]),
    }
    found = l2p.match(State(pool(a=10, b=10), extra), torch.tensor([[4.0, 0.0], [-1.0, -1.0]]))
    torch.testing.assert_close(found, torch.tensor([[(1 + half) / 2, -0.5], [-half, half]]))


def test_keys_of_coda_are_the_components_that_a_task_added() -> None:
    """γ of components 1, 2 (of `a`) and 3 (of `b`) for q = (3, 4): cos .6, cos .8 of the second axis, −1."""
    keys = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-3.0, -4.0]])
    extra = {
        "keys": keys,
        "attention": torch.ones(3, 2),
        "components.a": torch.tensor(2),
        "components.b": torch.tensor(3),
    }
    found = coda.match(State(pool(a=1, b=1), extra), torch.tensor([[3.0, 4.0]]))
    torch.testing.assert_close(found, torch.tensor([[(0.6 + 0.8) / 2, 1.0]]))


def test_uncertainty_is_the_entropy_of_the_first_answer_token(backbone: Backbone) -> None:
    ids, mask, _ = backbone.tokenize(["the food was superb", "stocks fell in lisbon on friday"], 256)
    start = torch.full((2, 1), backbone.model.config.decoder_start_token_id)
    out = backbone.model(inputs_embeds=backbone.embed(ids), attention_mask=mask, decoder_input_ids=start)
    p: Tensor = out.logits[:, 0].double().softmax(-1)
    expected = [-sum(x * math.log(x) for x in row if x > 0) for row in p.tolist()]
    assert backbone.uncertainty(backbone.embed(ids), mask).tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_catalogue_knows_who_has_keys_and_who_is_told_the_task(method: str) -> None:
    info = METHODS[method]
    assert (match_of(method) is not None) == info.has_keys
    if info.is_told_the_task:
        assert info.keeps_prompts
        assert info.keeps_answers
    expected = [r for r in ROUTERS if info.is_told_the_task and (r != "keys" or info.has_keys)]
    assert list(routers_of(method)) == expected
