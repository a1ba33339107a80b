"""Every method as data: its name, what it needs, its settings with ranges. No torch.

Forms, command-line help and validation are all built from here, so a page can list methods
without loading a model. How a method learns is in the file of its name under shlpt/methods/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Params(BaseModel):
    """Settings of a method: frozen, checked when built, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NoParams(Params):
    """The method has no settings of its own."""


class EstimatorParams(Params):
    """How SHLPT tells similar tasks from dissimilar ones."""

    threshold: float = Field(0.06, ge=0, description="δ of eq. 5: an earlier task is similar when α > δ")
    temperature: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto", description="τ of eq. 4; auto: mean size of the task's first scores"
    )
    partition: Literal["batch_mean", "instance"] = Field(
        "batch_mean", description="eq. 5 for the losses: by the batch mean of α, or instance by instance"
    )
    estimator: Literal["fresh", "carried", "uniform"] = Field(
        "fresh", description="estimator of each task: new, kept from the task before, or equal α (−ASE)"
    )
    estimator_width: int = Field(16, ge=1, le=4096, description="r of eq. 3 (the authors use 100 at d = 1024)")


class ContrastParams(Params):
    """What SHLPT and the bounds of its partition share."""

    lambda_hsc: float = Field(0.1, ge=0, le=100, description="λ1 of eq. 12: weight of the hidden-state loss; 0 is −HSC")
    lambda_asc: float = Field(0.5, ge=0, le=100, description="λ2 of eq. 12: weight of the activation loss; 0 is −ASC")
    tau_hsc: float = Field(1.0, gt=0, le=100, description="temperature of eq. 8")
    tau_asc: float = Field(1.0, gt=0, le=100, description="temperature of eq. 11")
    similar_transfer: bool = Field(True, description="add the mixture of similar prompts (eq. 6); false is −STT")
    hsc_positions: Literal["first", "all"] = Field("first", description="decoder positions that eq. 8 compares")
    asc_states: Literal["value", "sign_ste"] = Field(
        "value", description="eq. 10 on activation values, or on their signs with a straight-through gradient"
    )


class ShlptParams(ContrastParams, EstimatorParams):
    """All of SHLPT's settings, those of the estimator first: pydantic lists the last base's fields first."""


class RandomPartitionParams(ContrastParams):
    similar_share: float = Field(0.5, ge=0, le=1, description="chance of an earlier task to be called similar")


class EwcParams(Params):
    ewc_strength: float = Field(1.0, ge=0, le=1e9, description="λ: weight of the penalty; 0 is Finetune")
    fisher: Literal["normalised", "raw"] = Field(
        "normalised", description="each task's Fisher divided by its mean, or as it is (near zero where all is fitted)"
    )
    ewc_decay: float = Field(0.9, ge=0, le=1, description="γ: what is left of the Fisher at each new task")


class ReplayParams(Params):
    memory: Literal["per_task", "reservoir"] = Field(
        "per_task", description="keep a number of examples of each task, or a reservoir over all of them"
    )
    memory_size: int = Field(16, ge=1, le=100_000, description="examples kept: of each task, or in all (reservoir)")
    replay_rows: int = Field(8, ge=1, le=1024, description="kept examples repeated in a step beside the new ones")


EARLIER_DATA = {"old data", "source data"}  # needs that earlier tasks' training data answer


@dataclass(frozen=True)
class MethodInfo:
    """What there is to know about a method before running it."""

    name: str
    title: str
    about: str
    params: type[Params] = NoParams
    needs: tuple[str, ...] = ("task identity at test",)
    shares_backbone: bool = True  # frozen backbone: its lanes can share one forward pass
    keeps_answers: bool = True  # what answers task k never changes after task k
    validates_all: bool = False  # early stopping looks at all tasks so far, not only at the newest
    uses_history: bool = True  # learning a task depends on the tasks before it
    plain_first: bool = True  # its first task is plain prompt tuning, so all such methods share it
    defaults: Mapping[str, Any] = field(default_factory=dict)  # training settings that suit it, over the preset's
    version: int = 1  # raised when a change of code changes results


OWN_COPY = ("own copy of the backbone",)
TRAINS_ALL: dict[str, Any] = {  # a prompt's learning rate of 0.3 would ruin all weights at once
    "shares_backbone": False, "keeps_answers": False, "plain_first": False, "defaults": {"lr": 3e-4},
}  # fmt: skip

METHODS: dict[str, MethodInfo] = {
    m.name: m
    for m in (
        MethodInfo("shlpt", "SHLPT", "similar tasks lend their prompts, dissimilar ones are pushed away", ShlptParams),
        MethodInfo("per_task", "Per-task prompts", "one fresh prompt per task, no transfer", uses_history=False),
        MethodInfo("continual", "Continual initialisation", "each prompt starts from the previous task's"),
        MethodInfo("progressive", "Progressive Prompts", "new prompt joined to the frozen prompts of earlier tasks"),
        MethodInfo(
            "finetune", "Finetune", "all weights of a copy of the backbone, task after task", needs=OWN_COPY,
            **TRAINS_ALL,
        ),
        MethodInfo(
            "ewc", "Online EWC", "Finetune held back where earlier tasks depend on a weight", EwcParams, needs=OWN_COPY,
            **TRAINS_ALL,
        ),
        MethodInfo(
            "replay", "Experience replay", "Finetune with kept examples of earlier tasks in every batch", ReplayParams,
            needs=("old data", *OWN_COPY), **TRAINS_ALL,
        ),
        MethodInfo(
            "joint", "Joint prompt", "bound: one prompt trained on all tasks so far together", needs=("old data",),
            keeps_answers=False, validates_all=True,
        ),
        MethodInfo(
            "oracle_partition", "Oracle partition", "bound: SHLPT told which earlier tasks are related",
            ContrastParams, needs=("task identity at test", "declared relatedness"),
        ),
        MethodInfo(
            "random_partition", "Random partition", "bound: SHLPT with similar tasks drawn by lot",
            RandomPartitionParams,
        ),
    )
}  # fmt: skip
