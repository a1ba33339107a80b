"""Shared pieces: the embedded backbone, loaded once, and small random T5s of both kinds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from shlpt.backbone.t5 import Backbone, load


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first, so that a mistake shows early."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return load("pocket", "cpu")


@pytest.fixture(scope="session")
def gated_folder(tmp_path_factory: pytest.TempPathFactory, backbone: Backbone) -> Path:
    """A random T5 v1.1: gated feed-forward, head not tied to the embeddings."""
    from transformers import T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("gated")
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(backbone.tokenizer), d_model=32, d_kv=8, num_heads=4, d_ff=64, num_layers=3,
        num_decoder_layers=2, feed_forward_proj="gated-gelu", tie_word_embeddings=False, dropout_rate=0.1,
        decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder, safe_serialization=True)
    backbone.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def gated(gated_folder: Path) -> Backbone:
    return load(str(gated_folder), "cpu")
