"""The own forward pass of the frozen T5, bit by bit against the library's."""

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import T5Config, T5ForConditionalGeneration

from shlpt.backbone import frozen

SIZES: dict[str, Any] = {"vocab_size": 50, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 3, "num_heads": 4}
KINDS: dict[str, dict[str, Any]] = {
    "first": {"feed_forward_proj": "relu"},
    "v1.1": {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "d_kv": 16},
}


def model(kind: str, dtype: torch.dtype) -> T5ForConditionalGeneration:
    torch.manual_seed(7)
    found = T5ForConditionalGeneration(T5Config(**SIZES | KINDS[kind], decoder_start_token_id=0))
    return found.to(dtype).eval().requires_grad_(False)


def ours(t5: T5ForConditionalGeneration, embeds: Tensor, mask: Tensor, inputs: Tensor) -> Tensor:
    encoded = frozen.encode(t5.encoder, embeds, mask)
    return frozen.decode(t5.decoder, t5.get_input_embeddings()(inputs), encoded, mask)


def theirs(t5: T5ForConditionalGeneration, embeds: Tensor, mask: Tensor, inputs: Tensor) -> Tensor:
    encoded = t5.encoder(inputs_embeds=embeds, attention_mask=mask).last_hidden_state
    return t5.decoder(
        input_ids=inputs, encoder_hidden_states=encoded, encoder_attention_mask=mask, use_cache=False
    ).last_hidden_state


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shortest", [90, 11])  # of the texts: without padding, and with it
@pytest.mark.parametrize("steps", [1, 5])
def test_states_and_gradients_have_the_same_bits(kind: str, dtype: torch.dtype, shortest: int, steps: int) -> None:
    t5, rows, length = model(kind, dtype), 6, 90
    assert frozen.can_run(t5)
    mask = (torch.arange(length) < torch.linspace(shortest, length, rows).int()[:, None]).long()
    texts, inputs = torch.randn(rows, length - 10, 32), torch.randint(0, 50, (rows, steps))
    found = []
    for way in (ours, theirs):
        prompt = torch.randn(10, 32, generator=torch.Generator().manual_seed(1)).requires_grad_(True)
        embeds = torch.cat([prompt.expand(rows, -1, -1), texts], 1).to(dtype)
        hidden = way(t5, embeds, mask, inputs)
        hidden.float().square().sum().backward()
        found.append((hidden, prompt.grad))
    (hidden, gradient), (known, wanted) = found
    assert torch.equal(hidden, known)
    assert gradient is not None
    assert wanted is not None
    assert gradient.abs().sum() > 0
    assert torch.equal(gradient, wanted)


def test_weights_that_are_trained_are_left_to_the_library() -> None:
    assert not frozen.can_run(model("first", torch.float32).requires_grad_(True))
