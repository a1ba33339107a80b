"""Which devices PyTorch can train on here, found without loading it: that takes seconds, this a millisecond."""

import os
import platform
import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

NAMES = {"cuda": "NVIDIA GPU", "mps": "Apple GPU", "cpu": "CPU"}
DRIVERS = ("/dev/nvidiactl", "/dev/dxg", r"C:\Windows\System32\nvcuda.dll")  # Linux, Linux in Windows, Windows


@cache
def devices() -> tuple[str, ...]:
    """The fastest first, as `auto` picks."""
    cuda = _built_for_cuda() and any(Path(path).exists() for path in DRIVERS)
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1")
    mps = sys.platform == "darwin" and platform.machine() == "arm64"
    there = {"cuda": cuda and not hidden, "mps": mps, "cpu": True}
    return tuple(name for name, found in there.items() if found)


def is_gpu(device: str = "auto") -> bool:
    return (devices()[0] if device == "auto" else device) != "cpu"


def _built_for_cuda() -> bool:
    """As the file in torch says that its build writes; the CPU build runs on machines with a GPU, too."""
    torch = find_spec("torch")
    if torch is None or torch.origin is None:
        return False
    spec = spec_from_file_location("torch_version", Path(torch.origin).with_name("version.py"))
    assert spec is not None
    assert spec.loader is not None
    version = module_from_spec(spec)
    spec.loader.exec_module(version)
    return version.cuda is not None
