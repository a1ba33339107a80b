"""The command `doctor`: check the installation."""

import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from shlpt.catalog import VIEW_CACHE
from shlpt.store.liveness import living
from shlpt.store.store import Store

PACKAGES = ("torch", "transformers", "tokenizers", "datasets", "streamlit", "plotly", "pandas", "numpy", "scipy")


def examine(home: Path | None, backbone: str, device: str) -> dict[str, Any]:
    """Device, threads, backbone, store and versions; raises UserError if one of them is unusable."""
    from shlpt.backbone.t5 import load
    from shlpt.work.workshop import fingerprint

    model = load(backbone, device)
    store = Store(home).open()
    made = fingerprint(model)
    here = {"shlpt": made["shlpt"], "python": sys.version.split()[0]}
    here |= {"machine": f"{platform.system()} {platform.machine()}"}
    return (
        here
        | {key: made[key] for key in ("device", "dtype", "threads", "cpu")}
        | {
            "backbone": model.name,
            "backbone_parameters": sum(p.numel() for p in model.model.parameters()),
            "backbone_digest": model.digest,
            "view_cache_mb": VIEW_CACHE // 2**20,
            "store": str(store.home.resolve()),
            "stored_runs": store.value("SELECT count(*) FROM runs"),
            "workers": len(living(store)),
            "versions": {name: version(name) for name in PACKAGES},
        }
    )
