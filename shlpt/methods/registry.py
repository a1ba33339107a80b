"""Which class learns for which name of the catalogue."""

from __future__ import annotations

from shlpt.methods.base import Learner
from shlpt.methods.bmtpt import Bmtpt
from shlpt.methods.bounds import Joint, OraclePartition, RandomPartition
from shlpt.methods.coda import Coda
from shlpt.methods.continual import Continual
from shlpt.methods.dtvg import Dtvg
from shlpt.methods.ewc import Ewc
from shlpt.methods.finetune import Finetune
from shlpt.methods.l2p import L2P
from shlpt.methods.per_task import PerTask
from shlpt.methods.progressive import Progressive
from shlpt.methods.replay import Replay
from shlpt.methods.shlpt import Shlpt

LEARNERS: dict[str, type[Learner]] = {
    "shlpt": Shlpt,
    "per_task": PerTask,
    "continual": Continual,
    "progressive": Progressive,
    "l2p": L2P,
    "coda": Coda,
    "dtvg": Dtvg,
    "bmtpt": Bmtpt,
    "finetune": Finetune,
    "ewc": Ewc,
    "replay": Replay,
    "joint": Joint,
    "oracle_partition": OraclePartition,
    "random_partition": RandomPartition,
}
