"""The settings of each method, with ranges and descriptions: forms, command-line help and validation follow."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

WARMEST = 10.0  # highest temperature of cosines


class Params(BaseModel):
    """Settings of a method: frozen, checked when built, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)
    BEFORE: ClassVar[
        Mapping[str, Any]
    ] = {}  # what was done before a setting existed, where its default is something else

    @classmethod
    def stored(cls, found: Mapping[str, Any]) -> Self:
        """Settings as a store has them: those that it does not have are younger than it."""
        return cls(**{**cls.BEFORE, **found})

    def tasks_named(self) -> tuple[str, ...]:
        """Tasks named in a setting, so that unknown names are refused before training."""
        return ()

    def needs_relatedness(self) -> bool:
        """Whether the tasks' declared relatedness is used, which only generated tasks have."""
        return False


class NoParams(Params):
    """The method has no settings of its own."""


class EstimatorParams(Params):
    """How SHLPT distinguishes similar from dissimilar tasks."""

    threshold: float = Field(
        0.06, ge=0, description="threshold δ (eq. 5): an earlier task is similar if its similarity α is above δ"
    )
    temperature: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto", description="temperature τ of the similarity (eq. 4); auto: mean magnitude of the task's first scores"
    )
    partition: Literal["batch_mean", "instance"] = Field(
        "batch_mean", description="partition for the losses (eq. 5): by the mean α of a batch, or for each example"
    )
    estimator: Literal["fresh", "carried", "uniform"] = Field(
        "fresh",
        description="similarity estimator: a new one for each task, carried over from the task before, or none, with "
        "uniform α (with threshold=0, lambda_hsc=0 and lambda_asc=0 the ablation −ASE)",
    )
    estimator_width: int = Field(16, ge=1, le=4096, description="hidden width r of the estimator (eq. 3)")
    estimator_center: bool = Field(
        True, description="subtract the mean of the pooled training texts before eq. 3: α then differs between texts"
    )
    estimator_score: Literal["product", "cosine"] = Field(
        "cosine",
        description="score of a text and an earlier prompt (eq. 4): inner product, or cosine after the prompts' common "
        "part is subtracted; `temperature=auto` is then 0.3",
    )
    estimator_lr: Annotated[float, Field(gt=0, le=10)] | Literal["auto"] = Field(
        0.01,
        description="learning rate of the estimator, whose gradient is then clipped separately; auto: learned together "
        "with the prompt, at its rate",
    )
    estimator_warmup: int = Field(
        0, ge=0, le=999, description="first epochs in which only the estimator learns; they count as epochs"
    )

    estimator_prior: Literal["equal", "evidence", "evidence_or_none"] = Field(
        "evidence_or_none",
        description="what α is before the estimator has learned anything: equal (as published); the evidence (LogME) "
        "of the task's labels given the states under each earlier prompt; or the same with a further alternative, the "
        "task's own starting prompt, so that α sums to less than 1 and unrelated tasks can all be dissimilar",
    )

    @model_validator(mode="after")
    def _graded(self) -> Self:
        """Cosines differ by 2 at most, so a temperature for inner products would make every α equal."""
        if self.estimator_score == "cosine" and self.temperature != "auto" and self.temperature > WARMEST:
            raise ValueError(
                f"temperature = {self.temperature:g} is for inner products: cosines differ by 2 at most, so every α "
                f"would be nearly equal. Choose at most {WARMEST:g}, or estimator_score = product"
            )
        return self


class ContrastParams(Params):
    """Settings that SHLPT shares with its references, the given partitions."""

    BEFORE = {"own_start": "words"}

    lambda_hsc: float = Field(
        0.03, ge=0, le=100, description="weight λ1 of the hidden-state loss HSC (eq. 12); 0 turns it off"
    )
    lambda_asc: float = Field(
        0.1, ge=0, le=100, description="weight λ2 of the activation-state loss ASC (eq. 12); 0 turns it off"
    )
    tau_hsc: float = Field(1.0, gt=0, le=100, description="temperature of the hidden-state loss HSC (eq. 8)")
    tau_asc: float = Field(1.0, gt=0, le=100, description="temperature of the activation-state loss ASC (eq. 11)")
    similar_transfer: bool = Field(
        True, description="add a mixture of the similar tasks' prompts (eq. 6); false is the ablation −STT"
    )
    own_start: Literal["zero", "words"] = Field(
        "zero",
        description="initial value of a task's own prompt if similar prompts are added to it: zero, so that training "
        "starts from the mixture, or random words of the vocabulary",
    )
    hsc_positions: Literal["first", "all"] = Field(
        "first", description="decoder positions that the hidden-state loss compares (eq. 8): the first, or all"
    )
    asc_states: Literal["value", "sign_ste"] = Field(
        "value", description="activation states in eq. 10: the values, or their signs with a straight-through gradient"
    )


class L2pParams(Params):
    pool_size: int = Field(10, ge=1, le=1024, description="number of prompts in the shared pool")
    top_n: int = Field(1, ge=1, le=64, description="number of prompts selected for each text, by the nearest keys")
    lambda_pull: float = Field(
        0.5, ge=0, le=100, description="weight of the loss that pulls the selected keys towards the texts"
    )

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.top_n > self.pool_size:
            raise ValueError(f"top_n = {self.top_n} is larger than pool_size = {self.pool_size}: lower it")
        return self


class CodaParams(Params):
    components: int = Field(5, ge=1, le=256, description="number of prompt components that each task adds")
    lambda_ortho: float = Field(
        0.1, ge=0, le=100, description="weight of the orthogonality loss on components, keys and attention vectors"
    )


class DtvgParams(Params):
    first_share: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="share of the epochs that train the task's own vector alone, before earlier ones are added; each "
        "of the two stages has at least one epoch",
    )


class BmtptParams(Params):
    particles: int = Field(
        5, ge=1, le=64, description="number of particles M: prompts that sample the posterior of the source tasks"
    )
    damping: float = Field(
        0.5, ge=0, le=1, description="weight of a particle's own gradient against those of the others; 1 is undamped"
    )
    source_share: float = Field(
        1.0, ge=0, le=100, description="steps of the source phase, relative to the maximum steps of the task itself"
    )
    prior_sigma: float = Field(
        10.0,
        gt=0,
        le=1e6,
        description="σ of the prior around a particle, in standard deviations of the word embeddings",
    )


class ShlptParams(ContrastParams, EstimatorParams):
    """All settings of SHLPT, the estimator's first: pydantic lists the fields of the last base first."""

    BEFORE = {
        **ContrastParams.BEFORE,
        "estimator_center": False,
        "estimator_score": "product",
        "estimator_lr": "auto",
        "estimator_prior": "equal",
    }


class OraclePartitionParams(ContrastParams):
    similar_pairs: str = Field(
        "declared",
        description="similar earlier tasks: declared (by the tasks' known relatedness), none, or measured pairs as "
        "source>target, separated by commas, which the command `matrix` prints",
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
        """Source and target of each pair; None if relatedness is declared."""
        if self.similar_pairs in ("declared", "none"):
            return None if self.similar_pairs == "declared" else []
        return [tuple(name.strip() for name in pair.split(">")) for pair in self.similar_pairs.split(",")]

    def tasks_named(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for pair in self.pairs or () for name in pair))

    def needs_relatedness(self) -> bool:
        return self.pairs is None

    @model_serializer(mode="wrap")
    def _without_the_usual(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The default of `similar_pairs` is left out, so that older stages keep their keys."""
        found: dict[str, Any] = write(self)
        return {k: v for k, v in found.items() if k != "similar_pairs" or self.pairs is not None}


class RandomPartitionParams(ContrastParams):
    similar_share: float = Field(0.5, ge=0, le=1, description="probability that an earlier task counts as similar")


class EwcParams(Params):
    ewc_strength: float = Field(1.0, ge=0, le=1e9, description="weight λ of the penalty; 0 is plain Finetune")
    fisher: Literal["normalised", "raw"] = Field(
        "normalised",
        description="Fisher information of each task: divided by its mean, or raw (near zero once a task is fitted)",
    )
    ewc_decay: float = Field(
        0.9, ge=0, le=1, description="decay γ: factor on the accumulated Fisher information at each new task"
    )


class ReplayParams(Params):
    memory: Literal["per_task", "reservoir"] = Field(
        "per_task", description="memory: a fixed number of examples of each task, or one reservoir over all tasks"
    )
    memory_size: int = Field(
        4,
        ge=1,
        le=100_000,
        description="examples in memory: for each task, or in total (reservoir). The default is a quarter of the "
        "training examples of a task with two classes at 8 examples per class; a memory as large as the training data "
        "makes this training on all tasks together",
    )
    replay_rows: int = Field(
        8, ge=1, le=1024, description="examples from memory that each training step adds to the new ones"
    )
