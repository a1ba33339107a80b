"""The settings of each method, with ranges and descriptions: forms, command-line help and validation follow."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator


class Params(BaseModel):
    """Settings of a method: frozen, checked when built, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    def tasks_named(self) -> tuple[str, ...]:
        """Tasks that a setting speaks of, so that a name that is not one can be refused before anything is trained."""
        return ()


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

    lambda_hsc: float = Field(
        0.03, ge=0, le=100, description="λ1 of eq. 12: weight of the hidden-state loss; 0 is −HSC"
    )
    lambda_asc: float = Field(0.1, ge=0, le=100, description="λ2 of eq. 12: weight of the activation loss; 0 is −ASC")
    tau_hsc: float = Field(1.0, gt=0, le=100, description="temperature of eq. 8")
    tau_asc: float = Field(1.0, gt=0, le=100, description="temperature of eq. 11")
    similar_transfer: bool = Field(True, description="add the mixture of similar prompts (eq. 6); false is −STT")
    own_start: Literal["zero", "words"] = Field(
        "zero",
        description="where earlier prompts are mixed in, the own prompt starts at zero, so that the mixture is "
        "the starting point, or from words of the vocabulary, as it does where nothing is mixed in",
    )
    hsc_positions: Literal["first", "all"] = Field("first", description="decoder positions that eq. 8 compares")
    asc_states: Literal["value", "sign_ste"] = Field(
        "value", description="eq. 10 on activation values, or on their signs with a straight-through gradient"
    )


class L2pParams(Params):
    pool_size: int = Field(10, ge=1, le=1024, description="prompts in the pool that all tasks share")
    top_n: int = Field(1, ge=1, le=64, description="prompts put before each text: those with the nearest keys")
    lambda_pull: float = Field(0.5, ge=0, le=100, description="weight of pulling the chosen keys towards the texts")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.top_n > self.pool_size:
            raise ValueError(f"top_n = {self.top_n} prompts cannot be chosen from a pool_size of {self.pool_size}")
        return self


class CodaParams(Params):
    components: int = Field(5, ge=1, le=256, description="prompt components that each task adds")
    lambda_ortho: float = Field(0.1, ge=0, le=100, description="weight of keeping components, keys, attention apart")


class DtvgParams(Params):
    first_share: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="share of the epochs for the task's own vector, before sources are added; at "
        "least one, and one is left",
    )


class BmtptParams(Params):
    particles: int = Field(5, ge=1, le=64, description="M: prompts that stand for the posterior of the source tasks")
    damping: float = Field(
        0.5, ge=0, le=1, description="weight of a particle's own gradient beside the others'; 1 is undamped"
    )
    source_share: float = Field(
        1.0, ge=0, le=100, description="steps of the source phase, as a share of the steps the task itself has at most"
    )
    prior_sigma: float = Field(
        10.0, gt=0, le=1e6, description="σ of the prior around a particle, in deviations of the word embeddings"
    )


class ShlptParams(ContrastParams, EstimatorParams):
    """All of SHLPT's settings, those of the estimator first: pydantic lists the last base's fields first."""


class OraclePartitionParams(ContrastParams):
    similar_pairs: str = Field(
        "declared",
        description="which earlier tasks are similar: by declared relatedness; or those of measured pairs, "
        "source>target with commas, as a transfer matrix writes the pairs that help; or none",
    )

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for pair in self.pairs or ():
            if len(pair) != 2 or not all(pair):
                raise ValueError(
                    f"cannot read the pair {'>'.join(pair)!r} of similar_pairs: write declared, none, or pairs as "
                    "rte>cb,yelp>imdb"
                )
        return self

    @property
    def pairs(self) -> list[tuple[str, ...]] | None:
        """Source and target of each pair; None where relatedness is declared."""
        if self.similar_pairs in ("declared", "none"):
            return None if self.similar_pairs == "declared" else []
        return [tuple(name.strip() for name in pair.split(">")) for pair in self.similar_pairs.split(",")]

    def tasks_named(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for pair in self.pairs or () for name in pair))

    @model_serializer(mode="wrap")
    def _without_the_usual(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Left out where it is usual, so that stages from before it was there keep their keys."""
        found: dict[str, Any] = write(self)
        return {k: v for k, v in found.items() if k != "similar_pairs" or self.pairs is not None}


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
