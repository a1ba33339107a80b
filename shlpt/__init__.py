"""SHLPT: similarity heuristic lifelong prompt tuning, with the systems it is compared with.

    import shlpt

    records = shlpt.run("demo", "shlpt", seeds=[42, 142], settings={"threshold": 0.3})
    table = shlpt.matrix(["yelp", "sst2", "rte"], seeds=[42, 142])
    epochs = shlpt.frames.epochs(shlpt.Store(), [record["id"] for record in records])
    shlpt.find_task("sst2").draw("train", 2, seed=42)
    Path("run.html").write_bytes(shlpt.report(shlpt.locate(None, records[0]["id"])))

Figures are in `shlpt.plots`, a module for each with `figure` and `alt`; docs/first_steps.ipynb shows all of this.
Importing this loads nothing: each name brings what it needs when it is first used, `run` and `matrix` torch too.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shlpt.version import VERSION

if TYPE_CHECKING:
    from shlpt.results import frames as frames
    from shlpt.sharing.report import report as report
    from shlpt.sharing.which import locate as locate
    from shlpt.spec import RunSpec as RunSpec
    from shlpt.store.store import Store as Store
    from shlpt.tasks.find import find_task as find_task
    from shlpt.work.api import matrix as matrix
    from shlpt.work.api import run as run

__version__ = VERSION
_LATER = {"run": "shlpt.work.api", "matrix": "shlpt.work.api", "RunSpec": "shlpt.spec", "Store": "shlpt.store.store"}
_LATER |= {"find_task": "shlpt.tasks.find", "locate": "shlpt.sharing.which", "report": "shlpt.sharing.report"}
__all__ = ["__version__", "frames", *_LATER]


def __getattr__(name: str) -> Any:
    if name == "frames":
        return import_module("shlpt.results.frames")
    if name not in _LATER:
        raise AttributeError(f"module 'shlpt' has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
