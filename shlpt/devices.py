"""Which devices PyTorch can train on here, found without loading it: that takes seconds, this a millisecond."""

import os
import platform
import subprocess
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


def kind_of(device: str = "auto") -> str:
    """`cuda:1` is a `cuda`, and `auto` the fastest that is here."""
    return devices()[0] if device == "auto" else device.partition(":")[0]


def is_gpu(device: str = "auto") -> bool:
    return kind_of(device) != "cpu"


@cache
def memory_of_gpus() -> tuple[int, ...]:
    """Bytes of each NVIDIA GPU that can be used, as its driver's own tool says; none without that tool."""
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        found = [int(line) * 2**20 for line in said.split("\n") if line.strip()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(found)
    chosen = [part.strip() for part in visible.split(",")]
    return tuple(found[int(part)] for part in chosen if part.isdecimal() and int(part) < len(found))


def workers_for(device: str = "auto") -> tuple[str, ...]:
    """The devices that share the work, a worker for each: every GPU if CUDA is asked for, otherwise that one."""
    count = len(memory_of_gpus()) if device in ("auto", "cuda") and kind_of(device) == "cuda" else 0
    return tuple(f"cuda:{number}" for number in range(count)) if count > 1 else (device,)


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
