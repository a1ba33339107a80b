"""The backbone that a stored stage was made with. Torch is loaded with it, once a process."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shlpt.errors import UserError

if TYPE_CHECKING:
    from shlpt.backbone.t5 import Backbone

_loading = threading.Lock()


def backbone_of(name: str, made: Mapping[str, Any], device: str = "cpu") -> Backbone:
    """`made` is the fingerprint of the training."""
    with _loading:
        found = _loaded(name, device, made["dtype"])
    if found.digest != made["backbone"]:
        raise UserError(f"the backbone {name!r} is not the one of this run: its files have changed")
    return found


@lru_cache(maxsize=1)
def _loaded(name: str, device: str, dtype: str) -> Backbone:
    from shlpt.backbone.t5 import load

    return load(name, device, dtype)
