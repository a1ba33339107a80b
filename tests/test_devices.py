"""Devices are found without PyTorch, and as PyTorch would find them."""

import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from shlpt import devices as module
from shlpt.backbone.t5 import pick_device
from shlpt.devices import devices, is_gpu, kind_of, memory_of_gpus, workers_for


@pytest.fixture(autouse=True)
def asked_afresh() -> Iterator[None]:
    for found in (devices, memory_of_gpus):
        found.cache_clear()
    yield
    for found in (devices, memory_of_gpus):
        found.cache_clear()


def test_here_it_is_what_torch_says() -> None:
    assert devices()[0] == pick_device().type
    assert module._built_for_cuda() == (torch.version.cuda is not None)


def test_torch_is_not_loaded() -> None:
    code = "import sys; from shlpt.devices import devices; devices(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize(
    ("cuda", "visible", "driver", "expected"),
    [
        ("12.8", None, True, ("cuda", "cpu")),
        ("12.8", "1", True, ("cuda", "cpu")),
        ("12.8", "", True, ("cpu",)),
        ("12.8", None, False, ("cpu",)),
        (None, None, True, ("cpu",)),  # the CPU build on a machine with a GPU
    ],
)
def test_a_gpu_takes_a_driver_and_a_build_that_knows_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    cuda: str | None,
    visible: str | None,
    driver: bool,
    expected: tuple[str, ...],
) -> None:
    (tmp_path / "version.py").write_text(f"from typing import Optional\ncuda: Optional[str] = {cuda!r}\n")
    (tmp_path / "nvidiactl").touch()
    monkeypatch.setattr(module, "find_spec", lambda _: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    monkeypatch.setattr(module, "DRIVERS", (str(tmp_path / "nvidiactl"),) if driver else ())
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert devices() == expected
    assert is_gpu() == (expected[0] == "cuda")
    assert is_gpu("cuda:1")
    assert not is_gpu("cpu")


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands for the driver's tool")
def test_the_memory_of_gpus_is_what_the_drivers_tool_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 24000\necho 80000\n")
    tool.chmod(0o755)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert memory_of_gpus() == (24000 * 2**20, 80000 * 2**20)
    assert workers_for("cuda") == ("cuda:0", "cuda:1")
    assert (workers_for("cuda:1"), workers_for("cpu"), kind_of("cuda:1")) == (("cuda:1",), ("cpu",), "cuda")
    for visible, expected in (("1", (80000 * 2**20,)), ("GPU-1234", ()), ("", ())):
        memory_of_gpus.cache_clear()
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        assert memory_of_gpus() == expected
        assert workers_for("cuda") == ("cuda",)
    memory_of_gpus.cache_clear()
    tool.write_text("#!/bin/sh\necho no devices were found\nexit 6\n")
    assert memory_of_gpus() == ()


def test_a_mac_with_its_own_chip_has_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRIVERS", ())
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert devices() == ("mps", "cpu")
