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
using = threading.RLock()  # a model is for one thread at a time: whoever runs it holds this


def backbone_of(name: str, made: Mapping[str, Any], device: str = "cpu") -> Backbone:
    """`made` is the fingerprint of the training."""
    found = loaded(name, made["dtype"], device)
    if found.digest != made["backbone"]:
        raise UserError(f"the backbone {name!r} is not the one of this run: its files have changed")
    return found


def loaded(name: str, dtype: str, device: str = "cpu") -> Backbone:
    with _loading:
        return _loaded(name, device, dtype)


@lru_cache(maxsize=1)
def _loaded(name: str, device: str, dtype: str) -> Backbone:
    from shlpt.backbone.t5 import load

    return load(name, device, dtype)
