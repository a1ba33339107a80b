"""The forward pass of a frozen T5, with the library's modules and kernels, so that every bit is the same. What all
layers share is made once: the mask with the bias of positions, which the library makes anew in each layer."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention


def can_run(model: Any) -> bool:
    """Not where weights are trained: their gradients would be summed in another order."""
    bias = model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight
    return model.config._attn_implementation == "sdpa" and not bias.requires_grad


def encode(stack: Any, embeds: Tensor, mask: Tensor) -> Tensor:
    """Last hidden states of the encoder [B,n,d]."""
    return _run(stack, embeds, _masked(_positions(stack, embeds.shape[1], embeds.dtype), _row(mask)))


def decode(stack: Any, embeds: Tensor, encoded: Tensor, mask: Tensor) -> Tensor:
    """Last hidden states of the decoder [B,m,d], each position seeing those before it, and the encoded rows [B,n,d]."""
    batch, steps, _ = embeds.shape
    past = torch.ones(steps, steps, dtype=torch.bool, device=embeds.device).tril()
    mine = _masked(_positions(stack, steps, embeds.dtype), past).expand(batch, -1, -1, -1).contiguous()
    none = embeds.new_zeros(1, stack.config.num_heads, steps, encoded.shape[1])  # positions of the text do not count
    return _run(stack, embeds, mine, encoded, _masked(none, _row(mask)))


def _run(
    stack: Any, x: Tensor, bias: Tensor, source: Tensor | None = None, source_bias: Tensor | None = None
) -> Tensor:
    for block in stack.block:
        own, *cross, forward = block.layer
        seen = own.layer_norm(x)
        x = x + _attend(own.SelfAttention, seen, seen, bias)
        if source is not None and source_bias is not None:
            x = x + _attend(cross[0].EncDecAttention, cross[0].layer_norm(x), source, source_bias)
        x = forward(x)
    found: Tensor = stack.final_layer_norm(x)
    return found


def _attend(layer: Any, x: Tensor, source: Tensor, bias: Tensor) -> Tensor:
    def heads(rows: Tensor) -> Tensor:  # [B,n,h*k] -> [B,h,n,k]
        return rows.view(*rows.shape[:2], layer.n_heads, layer.key_value_proj_dim).transpose(1, 2)

    query, key, value = heads(layer.q(x)), heads(layer.k(source)), heads(layer.v(source))
    found = scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=layer.scaling)
    out: Tensor = layer.o(found.transpose(1, 2).reshape(*x.shape[:2], -1))
    return out


def _positions(stack: Any, length: int, dtype: torch.dtype) -> Tensor:
    """[1,h,n,n]"""
    found: Tensor = stack.block[0].layer[0].SelfAttention.compute_bias(length, length)
    return found.to(dtype)


def _row(mask: Tensor) -> Tensor:
    """[B,n] -> [B,1,1,n]"""
    return mask[:, None, None, :].bool()


def _masked(bias: Tensor, seen: Tensor) -> Tensor:
    return torch.where(seen, bias, torch.finfo(bias.dtype).min).contiguous()
