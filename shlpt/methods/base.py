"""What a method is: three hooks and a way to answer.

    learner = Learner(ctx)        # 1. begin a task, given the state after the earlier ones
    ask = learner.ask(batch)      # 2. rows for the backbone and the loss of what comes back
    state = learner.keep()        # 3. what would remain if training stopped now

    Learner.answer(backbone, state, task, batch)   # rows that answer a batch of a learned task

Training code only knows these four, and `Preparing` for a learner with a phase before training.
Adding a method is one file and one entry in the catalogue.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, Protocol, cast, runtime_checkable

from torch import Tensor

from shlpt.backbone.encode import Batch, Encoded
from shlpt.backbone.t5 import Backbone, Out
from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.methods.prompts import PromptPool, prepend
from shlpt.methods.views import Views
from shlpt.spec import Training

Kind = Literal["train", "look", "score", "decode"]


@dataclass(frozen=True, eq=False)
class Ask:
    """Rows that wait for a forward pass. Only `train` gets a backward pass, through `loss`."""

    embeds: Tensor  # [B,n,d]
    mask: Tensor  # [B,n]
    labels: Tensor | None = None  # [B,m]; not needed to look and to decode
    kind: Kind = "train"
    loss: Callable[[Out], Tensor] | None = None
    limit: int = 8  # longest answer to decode, in tokens
    beams: int = 1
    backbone: Backbone | None = None  # a model of its own: the rows then run alone, not with other lanes'


@dataclass(frozen=True)
class State:
    """What a method keeps from task to task: prompts, and tensors by name."""

    pool: PromptPool = field(default_factory=PromptPool)
    extra: dict[str, Tensor] = field(default_factory=dict)
    built: dict[str, Backbone] = field(default_factory=dict, init=False, repr=False, compare=False)  # never stored


@dataclass(frozen=True)
class Context:
    """What a method is given to learn one task."""

    backbone: Backbone
    task: str
    train: Encoded
    params: Any  # of the method's class, see the catalogue
    training: Training
    seed: int
    state: State
    views: Views
    earlier_data: tuple[Encoded, ...] = ()  # training data of the earlier tasks, for methods that need it


def require_earlier_data(ctx: Context, method: str) -> None:
    """Refuse to learn on without the earlier tasks' data: the result would be another method's."""
    names = [prompt.task for prompt in ctx.state.pool]
    expected = len(names) or int(bool(ctx.state.extra))  # a method without prompts keeps weights
    if len(ctx.earlier_data) < expected:
        raise UserError(
            f"{method} cannot learn {ctx.task!r}: it needs the training data of the earlier tasks "
            f"({', '.join(names) or 'those that its weights come from'}), and was given that of "
            f"{len(ctx.earlier_data) or 'none'}. Give each in Context.earlier_data, oldest first"
        )


Answer = Callable[[Backbone, State, str, Batch, Kind], Ask]


class Learner(Protocol):
    """One task being learned."""

    def __init__(self, ctx: Context) -> None: ...

    def parameters(self) -> list[Tensor]:
        """What the optimiser may change."""
        ...

    def ask(self, batch: Batch) -> Ask: ...

    def keep(self) -> State: ...

    def log(self) -> dict[str, Any]:
        """Numbers of the last step to show and store, beside the loss."""
        ...

    def record(self) -> dict[str, Tensor]:
        """Tensors of the whole stage to store, such as each instance's α."""
        ...

    @property
    def answer(self) -> Answer: ...


def learner_of(method: str) -> type[Learner]:
    """The class that the catalogue names."""
    module, _, name = METHODS[method].learner.partition(":")
    return cast(type[Learner], getattr(import_module(module), name))


@runtime_checkable
class Finishing(Protocol):
    """A learner with work to do once its training is over and the best state is known."""

    def finish(self, state: State) -> Generator[Ask, Any, State]:
        """The state to store; what is yielded is served like the asks of training."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A learner that carries more from step to step than its parameters: a checkpoint needs it too."""

    def memory(self) -> dict[str, Tensor]: ...

    def remember(self, memory: dict[str, Tensor]) -> None: ...


def answer_with_stored_prompt(backbone: Backbone, state: State, task: str, batch: Batch, kind: Kind) -> Ask:
    """The answer of every method with a prompt pool: the task's own prompt before the text."""
    prompt = state.pool.of(task).tensor
    return Ask(*prepend(prompt, backbone.embed(batch.ids), batch.mask), batch.labels, kind)


class Logging:
    """What every learner has: its context, and numbers of the last step."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._log: dict[str, Any] = {}

    def log(self) -> dict[str, Any]:
        return self._log

    def record(self) -> dict[str, Tensor]:
        return {}


def down_loss(out: Out) -> Tensor:
    """L_down: what prompt tuning minimises."""
    return out.loss.mean()


def _nothing() -> None:
    """Gradients as they are."""


@dataclass(frozen=True)
class Preparation:
    """A phase before training: every ask is a step on `parameters`, always to the end, with nothing validated."""

    parameters: list[Tensor]
    asks: Iterator[Ask]
    turn: Callable[[], None] = _nothing  # what is done to the gradients before each step
    epochs: int = 0  # how many of the training's epochs it takes the place of


@runtime_checkable
class Preparing(Protocol):
    """A learner whose training has a phase of its own before it."""

    def preparation(self) -> Preparation: ...
