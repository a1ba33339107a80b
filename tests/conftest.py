"""Shared pieces: the embedded backbone, loaded once, and small random T5s of both kinds."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from nursery import Nursery

from shlpt.backbone.t5 import Backbone, load
from shlpt.plans.paper_tables import ESTIMATOR
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import submit
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.work.worker import run as train

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # the tests are of the CPU, also where there is a GPU


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first, so that a mistake shows early."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Why a test was tried again: it may fail for another reason the second time."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"first try of {report.nodeid}")
        lines = report.longreprtext.splitlines()
        told = [line for line in lines if line.startswith(">") or ".py:" in line]
        terminalreporter.write_line("\n".join([*told, *[line for line in lines if line.startswith("E")][:40]]))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"NOT TESTED: a small disk cannot be mounted here ({error})")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path).open()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    found = Nursery()
    yield found
    found.close()


@pytest.fixture(scope="session")
def backbone() -> Backbone:
    return load("pocket", "cpu")


@pytest.fixture(scope="session")
def gated_folder(tmp_path_factory: pytest.TempPathFactory, backbone: Backbone) -> Path:
    """A random T5 v1.1: gated feed-forward, head not tied to the embeddings."""
    from transformers import T5Config, T5ForConditionalGeneration

    folder = tmp_path_factory.mktemp("gated")
    torch.manual_seed(0)
    shape = {"d_model": 32, "d_kv": 8, "num_heads": 4, "d_ff": 64, "num_layers": 3, "num_decoder_layers": 2}
    tokens = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1, "vocab_size": len(backbone.tokenizer)}
    kind = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False, "dropout_rate": 0.1}
    config = T5Config(**shape, **tokens, **kind)
    T5ForConditionalGeneration(config).save_pretrained(folder, safe_serialization=True)
    backbone.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def gated(gated_folder: Path) -> Backbone:
    return load(str(gated_folder), "cpu")


@dataclass(frozen=True)
class Looked:
    """A small store with runs of several kinds, and their ids by what they are."""

    home: Path
    ids: dict[str, str]


@pytest.fixture(scope="session")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Looked:
    """Trained once for all tests that look at results: seconds."""
    home = tmp_path_factory.mktemp("looked")
    small = {"epochs": 2, "shots": 4, "validation_shots": 2, "test_shots": 2, "prompt_length": 4}
    three, two = ("rte", "sst2", "agnews"), ("rte", "sst2")

    def spec(tasks: tuple[str, ...], method: str = "shlpt", **settings: Any) -> RunSpec:
        return RunSpec.make(tasks, method, seed=1, settings=small | settings)

    specs = {
        "finetune": spec(two, "finetune"),
        "oracle": spec(two, "oracle_partition"),
        "per_task": spec(two, "per_task"),
        "one_task": spec(("rte",)),
        "uniform": spec(three, estimator="uniform", threshold=0.3),
        "carried": spec(three, estimator="carried", temperature=0.01),
        "no_asc": spec(three, lambda_asc=0),
        "still": spec(three, lr=1e-9, own_start="words", estimator_lr=1e-9, estimator_warmup=1),
        "published": spec(three, lr=1e-9, own_start="words", **ESTIMATOR),
        "seed_2": spec(three).model_copy(update={"seed": 2}),
        "pair": spec(two),
        "shlpt": spec(three),
    }
    train(list(specs.values()), home, device="cpu", alone=False)
    waiting = spec(three, threshold=0.5)
    submit(Store(home).open(), plans_of([waiting], alone=False))
    return Looked(home, {name: one.id for name, one in specs.items()} | {"waiting": waiting.id})
