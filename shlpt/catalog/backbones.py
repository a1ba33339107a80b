"""The shapes of well-known T5s, so that size, memory and time can be estimated before one is loaded."""

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]
VOCABULARY = 32128


def _shape(width: int, inner: int, heads: int, layers: int, kv: int = 64, *, v1_1: bool = False) -> dict[str, Any]:
    """As config.json has it. T5 v1.1 is gated, and its output matrix is not that of the word embeddings."""
    sizes = {"d_model": width, "d_ff": inner, "d_kv": kv, "num_heads": heads, "num_layers": layers}
    kind = {"feed_forward_proj": "gated-gelu" if v1_1 else "relu", "tie_word_embeddings": not v1_1}
    return {**sizes, **kind, "num_decoder_layers": layers, "vocab_size": VOCABULARY}


_FIRST = {
    "small": _shape(512, 2048, 8, 6),
    "base": _shape(768, 3072, 12, 12),
    "large": _shape(1024, 4096, 16, 24),
    "3b": _shape(1024, 16384, 32, 24, 128),
    "11b": _shape(1024, 65536, 128, 24, 128),
}
_V1_1 = {
    "small": _shape(512, 1024, 6, 8, v1_1=True),
    "base": _shape(768, 2048, 12, 12, v1_1=True),
    "large": _shape(1024, 2816, 16, 24, v1_1=True),
    "xl": _shape(2048, 5120, 32, 24, v1_1=True),
    "xxl": _shape(4096, 10240, 64, 24, v1_1=True),
}
SHAPES: dict[str, dict[str, Any]] = {
    "google/t5-efficient-tiny": _shape(256, 1024, 4, 4),
    **{f"t5-{size}": shape for size, shape in _FIRST.items()},
    **{f"google-t5/t5-{size}": shape for size, shape in _FIRST.items()},
    **{f"google/t5-v1_1-{size}": shape for size, shape in _V1_1.items()},
    **{f"google/t5-{size}-lm-adapt": shape for size, shape in _V1_1.items()},
    **{f"google/flan-t5-{size}": shape for size, shape in _V1_1.items()},
}


def weights(config: Config) -> int:
    """Parameters of a T5 of this shape."""
    d, outputs = config["d_model"], 1 if config.get("tie_word_embeddings", True) else 2
    bias = 2 * config.get("relative_attention_num_buckets", 32) * config["num_heads"]
    return outputs * config["vocab_size"] * d + in_layers(config) + bias + 2 * d


def in_layers(config: Config) -> int:
    """Parameters of the layers alone, which a step's time grows with."""
    d = config["d_model"]
    attention = 4 * d * config["d_kv"] * config["num_heads"]
    forward = (3 if "gated" in config.get("feed_forward_proj", "relu") else 2) * d * config["d_ff"]
    encoder, decoder = config["num_layers"], config.get("num_decoder_layers") or config["num_layers"]
    return encoder * (attention + forward + 2 * d) + decoder * (2 * attention + forward + 3 * d)
