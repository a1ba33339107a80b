"""Which weights a run was made with. A backbone that is made anew keeps its name, and in the pocket world its texts
change with it: results of older weights can be looked at and are never mixed with newer ones. No torch."""

from collections.abc import Mapping
from typing import Any

from shlpt.backbone.files import digest_here
from shlpt.errors import UserError
from shlpt.store.store import Store

OLDER = "made with an older backbone"
# The weights of the first stage of run r, from its plan.
OF_RUN = (
    "(SELECT json_extract(s.plan, '$.backbone') FROM run_stages x JOIN stages s ON s.key=x.stage "
    "WHERE x.run=r.id AND x.alone=0 AND x.position=0)"
)


def is_older(backbone: str, weights: str | None) -> bool:
    """Whether the backbone of that name has other weights now. On the hub it is not looked up."""
    now = digest_here(backbone)
    return bool(weights and now) and weights != now


def remark(run: Mapping[Any, Any]) -> str:
    """What must be known of a run, or of an experiment."""
    return OLDER if run["older"] else ""


def weights_of(store: Store, run: str) -> str | None:
    found = store.value(f"SELECT {OF_RUN} FROM runs r WHERE r.id=?", (run,))
    return None if found is None else str(found)


def require_current(store: Store, run: Mapping[str, Any], what: str) -> None:
    """`run` has `id` and `backbone`."""
    if is_older(run["backbone"], weights_of(store, run["id"])):
        raise UserError(f"run {run['id']} was {OLDER}: {what}. Train it again to do this")
