"""The command `doctor`: check the installation."""

import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from shlpt import __version__
from shlpt.catalog import VIEW_CACHE
from shlpt.store.liveness import living
from shlpt.store.store import Store

PACKAGES = ("torch", "transformers", "tokenizers", "datasets", "streamlit", "plotly", "pandas", "numpy", "scipy")


def examine(home: Path | None, backbone: str, device: str) -> dict[str, Any]:
    """Device, threads, backbone, store and versions; raises UserError if one of them is unusable."""
    import torch

    from shlpt.backbone.t5 import load

    model = load(backbone, device)
    store = Store(home).open()
    return {
        "shlpt": __version__,
        "python": sys.version.split()[0],
        "machine": f"{platform.system()} {platform.machine()}",
        "device": str(model.device),
        "dtype": str(model.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "backbone": model.name,
        "backbone_parameters": sum(p.numel() for p in model.model.parameters()),
        "backbone_digest": model.digest,
        "view_cache_mb": VIEW_CACHE // 2**20,
        "store": str(store.home.resolve()),
        "stored_runs": store.value("SELECT count(*) FROM runs"),
        "workers": len(living(store)),
        "versions": {name: version(name) for name in PACKAGES},
    }
