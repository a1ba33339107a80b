"""One record per method: everything known about it before it runs.

Lists, forms, plans, estimates, legends and the worker read these records, so a page can list methods without loading a
model. How a method learns is in the class that its record names, under shlpt/methods/.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shlpt.catalog import params as p
from shlpt.catalog.published import WEIGHTS_LR

PLAIN = "per_task"  # plain prompt tuning: the first task of most methods, and each task trained alone
IDENTITY = "task identity at test"
VIEW_CACHE = 256 * 2**20  # bytes at most, for outputs under frozen prompts (methods/views.py)


@dataclass(frozen=True)
class Size:
    """What determines the size of a method, for a task with `earlier` tasks before it."""

    prompt: int  # L
    width: int  # d
    weights: int  # of the backbone
    earlier: int
    params: Any

    @property
    def plain(self) -> int:
        return self.prompt * self.width


def _prompt(s: Size) -> int:
    return s.plain


def _weights(s: Size) -> int:
    return s.weights


def _nothing(s: Size) -> int:
    return 0


def _shlpt(s: Size) -> int:
    estimator = 0 if s.params.estimator == "uniform" else 2 * s.width * (s.params.estimator_width + 1)
    return s.plain + estimator


def _l2p(s: Size) -> int:
    return int(s.params.pool_size * (s.plain + s.width))


def _coda(s: Size) -> int:
    return int(s.params.components * (s.plain + 2 * s.width))


@dataclass(frozen=True)
class MethodInfo:
    """Everything known about a method. The order of METHODS is the order, and the colour, in lists and legends."""

    name: str
    title: str
    about: str
    learner: str  # module:Class, imported when something is trained (methods/base.py)
    params: type[p.Params] = p.NoParams
    needs: tuple[str, ...] = (IDENTITY,)
    shares_backbone: bool = True  # frozen backbone: its lanes can share one forward pass
    keeps_prompts: bool = True  # one for each task, so that their activation states can be compared
    has_keys: bool = False  # they tell which task a text belongs to
    takes_prompts: bool = False  # can begin with prompts that were trained elsewhere
    keeps_answers: bool = True  # answers to task k never change after task k
    validates_all: bool = False  # early stopping uses all tasks so far, not only the newest
    uses_history: bool = True  # learning a task depends on the tasks before it
    plain_first: bool = True  # its first task is plain prompt tuning, so all such methods share it
    alpha: Literal["estimated", "given"] | None = None  # where α and the partition come from; None: it has neither
    looks_at_views: bool = False  # caches the outputs under earlier prompts, which takes memory
    defaults: Mapping[str, Any] = field(default_factory=dict)  # training settings of its own, before the preset's
    paper: Mapping[str, Any] = field(default_factory=dict)  # the same for the preset `paper`, after it
    trains: Callable[[Size], int] = _prompt  # number of trainable parameters
    keeps: Callable[[Size], int] = _prompt  # number of parameters stored for each further task
    kept: str = "its prompt"  # the same in words
    # Time of a step relative to plain prompt tuning, overhead included, and what each earlier task adds
    # (docs/LOG.md, "How long a benchmark takes").
    effort: tuple[float, float] = (1.0, 0.0)
    version: int = 1  # raised when a change of code changes results

    @property
    def is_told_the_task(self) -> bool:
        """Whether its answers depend on the task that it is told at test."""
        return IDENTITY in self.needs

    @property
    def has_one_prompt(self) -> bool:
        """Whether a task is answered with one stored prompt, which can be taken away."""
        return self.keeps_prompts and not self.has_keys

    @property
    def earlier_data(self) -> str | None:
        """The need that the training data of earlier tasks answer."""
        return next((need for need in self.needs if need in ("old data", "source data")), None)

    def effort_after(self, earlier: int) -> float:
        """Relative time of a step with this many earlier tasks; plain prompt tuning takes 1."""
        return self.effort[0] + self.effort[1] * earlier


OWN_COPY = ("own copy of the backbone",)
ONE_COPY = "beside one copy of the backbone"
CONTRASTS: dict[str, Any] = {"looks_at_views": True, "effort": (1.4, 0.0)}
TRAINS_ALL: dict[str, Any] = {  # a prompt's learning rate would ruin all weights at once
    "shares_backbone": False,
    "keeps_prompts": False,
    "keeps_answers": False,
    "plain_first": False,
    "defaults": {"lr": 3e-5},
    "paper": {"lr": WEIGHTS_LR},
    "trains": _weights,
    "keeps": _nothing,
}

METHODS: dict[str, MethodInfo] = {
    m.name: m
    for m in (
        MethodInfo(
            "shlpt",
            "SHLPT",
            "mixes in the prompts of similar earlier tasks and moves away from dissimilar ones",
            "shlpt.methods.shlpt:Shlpt",
            p.ShlptParams,
            alpha="estimated",
            takes_prompts=True,
            version=2,  # the stored prompt averages the weights of the texts
            trains=_shlpt,
            **CONTRASTS,
        ),
        MethodInfo(
            PLAIN,
            "Per-task prompts",
            "a new prompt for each task, no transfer",
            "shlpt.methods.per_task:PerTask",
            takes_prompts=True,
            uses_history=False,
        ),
        MethodInfo(
            "continual",
            "Continual initialisation",
            "each prompt starts from that of the previous task",
            "shlpt.methods.continual:Continual",
            takes_prompts=True,
        ),
        MethodInfo(
            "progressive",
            "Progressive Prompts",
            "joins a new prompt to the frozen prompts of all earlier tasks",
            "shlpt.methods.progressive:Progressive",
            takes_prompts=True,
            keeps=lambda s: s.plain * (1 + s.earlier),
            kept="its prompt joined to all earlier ones",
            effort=(1.0, 0.5),
        ),
        MethodInfo(
            "l2p",
            "L2P",
            "selects prompts for each text from a shared pool by key, using the pool as it was after the text's task",
            "shlpt.methods.l2p:L2P",
            p.L2pParams,
            has_keys=True,
            plain_first=False,
            trains=_l2p,
            keeps=lambda s: _l2p(s) + s.params.top_n * s.plain,
            kept="at most a copy of the pool and its most frequent prompt",
            effort=(1.4, 0.0),
        ),
        MethodInfo(
            "coda",
            "CODA-Prompt",
            "builds each text's prompt as a weighted sum of components; each task adds some, earlier ones are frozen",
            "shlpt.methods.coda:Coda",
            p.CodaParams,
            has_keys=True,
            plain_first=False,
            trains=_coda,
            keeps=lambda s: _coda(s) + s.plain,
            kept="its components and its mean prompt",
            effort=(1.4, 0.0),
        ),
        MethodInfo(
            "dtvg",
            "DTVG",
            "adds, at every step, the group of earlier task vectors that fits the new task best",
            "shlpt.methods.dtvg:Dtvg",
            p.DtvgParams,
            needs=(IDENTITY, "target's own first-stage prompt"),
            plain_first=False,
            trains=lambda s: s.plain + (1 + s.earlier) * s.prompt,
            keeps=lambda s: 2 * s.plain,
            kept="its prompt and task vector",
            effort=(1.4, 0.0),
            version=3,  # groups by scaled vectors
        ),
        MethodInfo(
            "bmtpt",
            "BMTPT",
            "learns a prior over prompts from all earlier tasks together, then adapts it to the new one",
            "shlpt.methods.bmtpt:Bmtpt",
            p.BmtptParams,
            needs=(IDENTITY, "source data"),
            trains=lambda s: s.plain + s.prompt + s.width,
            kept="its prompt and its training examples, as source data",
            effort=(6.5, 0.2),
        ),
        MethodInfo(
            "finetune",
            "Finetune",
            "trains all weights of a copy of the backbone, task after task",
            "shlpt.methods.finetune:Finetune",
            needs=OWN_COPY,
            kept=f"nothing {ONE_COPY}",
            effort=(1.8, 0.0),
            **TRAINS_ALL,
        ),
        MethodInfo(
            "ewc",
            "Online EWC",
            "Finetune with a penalty on changing weights that matter to earlier tasks",
            "shlpt.methods.ewc:Ewc",
            p.EwcParams,
            needs=OWN_COPY,
            kept=f"nothing {ONE_COPY} and its Fisher",
            effort=(2.2, 0.0),
            **TRAINS_ALL,
        ),
        MethodInfo(
            "replay",
            "Experience replay",
            "Finetune with stored examples of earlier tasks in every batch",
            "shlpt.methods.replay:Replay",
            p.ReplayParams,
            needs=("old data", *OWN_COPY),
            kept=f"a few of its examples {ONE_COPY}",
            effort=(2.5, 0.1),
            **TRAINS_ALL,
        ),
        MethodInfo(
            "joint",
            "Joint prompt",
            "reference: one prompt trained on all tasks so far together",
            "shlpt.methods.references:Joint",
            needs=("old data",),
            keeps_answers=False,
            validates_all=True,
            keeps=_nothing,
            kept="all its training examples, beside one prompt",
            effort=(1.0, 1.5),
        ),
        MethodInfo(
            "oracle_partition",
            "Oracle partition",
            "reference: SHLPT with the similar tasks given, by relatedness or measured transfer",
            "shlpt.methods.references:OraclePartition",
            p.OraclePartitionParams,
            needs=(IDENTITY, "declared relatedness or measured transfer"),
            alpha="given",
            takes_prompts=True,
            **CONTRASTS,
        ),
        MethodInfo(
            "random_partition",
            "Random partition",
            "reference: SHLPT with the similar tasks chosen at random",
            "shlpt.methods.references:RandomPartition",
            p.RandomPartitionParams,
            alpha="given",
            takes_prompts=True,
            **CONTRASTS,
        ),
    )
}
