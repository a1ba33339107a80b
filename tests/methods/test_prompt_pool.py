import pytest
import torch

from shlpt.methods.prompts import Prompt, PromptPool, fresh_prompt, prepend


def test_a_pool_keeps_what_was_put_in_whatever_happens_to_the_original() -> None:
    tensor = torch.ones(2, 3, requires_grad=True)
    pool = PromptPool().add(tensor, "yelp")
    with torch.no_grad():
        tensor.mul_(5)
    assert pool.of("yelp").tensor.tolist() == [[1.0] * 3] * 2
    assert not pool.of("yelp").tensor.requires_grad


def test_adding_makes_a_new_pool() -> None:
    one = PromptPool().add(torch.zeros(1, 2), "a")
    two = one.add(torch.ones(1, 2), "b")
    assert (len(one), len(two)) == (1, 2)
    assert [prompt.task for prompt in two] == ["a", "b"]
    assert two.stacked().shape == (2, 1, 2)
    assert two[-1].tensor.tolist() == [[1.0, 1.0]]


def test_digest_follows_the_numbers_only() -> None:
    a, b = Prompt(torch.zeros(2, 2), "a"), Prompt(torch.zeros(2, 2), "b")
    assert a.digest == b.digest != Prompt(torch.zeros(2, 2) + 1e-7, "a").digest


def test_fresh_prompts_are_word_embeddings_that_depend_on_seed_and_task() -> None:
    words = torch.arange(20.0)[:, None].expand(20, 4)
    prompt = fresh_prompt(words, 6, 42, "yelp")
    assert prompt.shape == (6, 4)
    assert set(prompt[:, 0].tolist()) <= set(range(20))
    assert torch.equal(prompt, fresh_prompt(words, 6, 42, "yelp"))
    assert not torch.equal(prompt, fresh_prompt(words, 6, 43, "yelp"))
    assert not torch.equal(prompt, fresh_prompt(words, 6, 42, "sst2"))


@pytest.mark.parametrize("prompt", [torch.full((2, 3), 7.0), torch.full((4, 2, 3), 7.0)])
def test_a_prompt_stands_before_the_text_of_every_row(prompt: torch.Tensor) -> None:
    embeds, mask = prepend(prompt, torch.zeros(4, 5, 3), torch.tensor([[1, 1, 1, 0, 0]] * 4))
    assert embeds.shape == (4, 7, 3)
    assert (embeds[:, :2] == 7).all()
    assert (embeds[:, 2:] == 0).all()
    assert mask.tolist() == [[1, 1, 1, 1, 1, 0, 0]] * 4
