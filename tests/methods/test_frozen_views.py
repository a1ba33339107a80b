"""What is looked up must be what would be computed."""

import pytest
import torch

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.methods.prompts import Prompt, fresh_prompt, prepend
from shlpt.methods.views import View, Views
from shlpt.tasks.pocket import TASKS


@pytest.fixture
def data(backbone: Backbone) -> Encoded:
    return Encoded(backbone, TASKS["rte"].draw("train", 6, 42), 256)


def prompts(backbone: Backbone, count: int) -> list[Prompt]:
    return [Prompt(fresh_prompt(backbone.vocabulary, 5, seed, "x"), f"task {seed}") for seed in range(count)]


@pytest.mark.parametrize("view", ["first", "targets"])
def test_cached_views_are_fresh_views(backbone: Backbone, data: Encoded, view: View) -> None:
    views, batch = Views(backbone), data.batch([3, 7, 1])
    chosen = [*prompts(backbone, 2), None]
    for _ in range(2):  # the second time from the cache
        seen = views.rows(chosen, data, batch, view)
        for number, prompt in enumerate(chosen):
            embeds, mask = backbone.embed(batch.ids), batch.mask
            if prompt is not None:
                embeds, mask = prepend(prompt.tensor, embeds, mask)
            fresh = backbone.forward(embeds, mask, batch.labels)
            width = seen.hidden.shape[2]
            real = (batch.labels[:, :width] != -100)[..., None]
            torch.testing.assert_close(
                seen.hidden[:, number] * real, fresh.hidden[:, :width] * real, atol=2e-5, rtol=1e-4
            )
            torch.testing.assert_close(
                seen.states[:, number] * real, fresh.states[-1][:, :width] * real, atol=2e-5, rtol=1e-4
            )


def test_each_prompt_is_computed_once(backbone: Backbone, data: Encoded) -> None:
    views = Views(backbone)
    for rows in ([0, 1], [2, 3], [4, 5]):
        views.rows([*prompts(backbone, 3), None], data, data.batch(rows))
    assert views.forwards == 4


def test_memory_stays_within_the_budget_and_the_oldest_goes_first(backbone: Backbone, data: Encoded) -> None:
    block = Views(backbone).size(data, "first")
    views, three = Views(backbone, budget=2 * block), prompts(backbone, 3)
    for prompt in three:
        views.whole(prompt, data)
        assert views.used <= views.budget
    assert views.forwards == 3
    views.whole(three[2], data)
    assert views.forwards == 3
    views.whole(three[0], data)
    assert views.forwards == 4


def test_a_data_set_larger_than_the_budget_is_looked_at_row_by_row(backbone: Backbone, data: Encoded) -> None:
    batch = data.batch([2, 5])
    roomy, tight = Views(backbone), Views(backbone, budget=0)
    a, b = (views.rows(prompts(backbone, 2), data, batch) for views in (roomy, tight))
    torch.testing.assert_close(a.hidden, b.hidden, atol=2e-5, rtol=1e-4)
    assert tight.used == 0
