"""The interface of a method: three hooks and a way to answer.

    learner = Learner(ctx)        # 1. begin a task, given the state after the earlier ones
    ask = learner.ask(batch)      # 2. rows for the backbone, and the loss of its output
    state = learner.keep()        # 3. the state to store if training stopped now
    Learner.answer(backbone, state, task, batch)   # rows that answer a batch of a learned task

Training code uses these four only, and `Preparing` for a learner with a phase before training. A new method is one file
and one entry in the catalogue.
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
Parameters = list[Tensor] | list[dict[str, Any]]  # what PyTorch's optimisers take: tensors, or groups with their rates


@dataclass(frozen=True, eq=False)
class Ask:
    """Rows waiting for a forward pass. `train` also gets a backward pass, through `loss`."""

    embeds: Tensor  # [B,n,d]
    mask: Tensor  # [B,n]
    labels: Tensor | None = None  # [B,m]; not needed to look and to decode
    kind: Kind = "train"
    loss: Callable[[Out], Tensor] | None = None
    limit: int = 8  # maximum answer length in tokens
    beams: int = 1
    repetition_penalty: float = 1.0
    backbone: Backbone | None = None  # the learner's own model; its rows do not join other lanes
    batch: Batch | None = None  # what a training step was asked about, for those who watch
    late: bool = False  # the loss comes as a tensor: nothing waits for the device
    tell: Callable[[], None] | None = None  # tells of the steps that are still to be read, for those who watch


@dataclass(frozen=True)
class State:
    """What a method keeps from task to task: prompts, and tensors by name."""

    pool: PromptPool = field(default_factory=PromptPool)
    extra: dict[str, Tensor] = field(default_factory=dict)
    built: dict[str, Backbone] = field(default_factory=dict, init=False, repr=False, compare=False)  # never stored


@dataclass(frozen=True)
class Context:
    """The inputs of a learner for one task."""

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
    """Fail if the earlier tasks' data are missing: the result would be that of another method."""
    names = [prompt.task for prompt in ctx.state.pool]
    expected = len(names) or int(bool(ctx.state.extra))  # methods without prompts keep weights
    if len(ctx.earlier_data) < expected:
        raise UserError(
            f"{method} cannot learn {ctx.task!r}: it needs the training data of the earlier tasks "
            f"({', '.join(names) or 'those that its weights come from'}), and was given that of "
            f"{len(ctx.earlier_data) or 'none'}. Give each in Context.earlier_data, oldest first"
        )


Answer = Callable[[Backbone, State, str, Batch, Kind], Ask]
Match = Callable[[State, Tensor], Tensor]  # queries [B,d] of bare texts -> how well each task's keys fit, [B,n]


class Learner(Protocol):
    """A task in training."""

    def __init__(self, ctx: Context) -> None: ...

    def parameters(self) -> list[Tensor]:
        """The trainable parameters."""
        ...

    def ask(self, batch: Batch) -> Ask: ...

    def keep(self) -> State: ...

    def log(self) -> dict[str, Any]:
        """Values of the last step to show and store, beside the loss. Numbers of the device stay tensors."""
        ...

    def record(self) -> dict[str, Tensor]:
        """Tensors of the stage to store, such as the α of each instance."""
        ...

    @property
    def answer(self) -> Answer: ...


@runtime_checkable
class Grouped(Protocol):
    """A learner whose parameters do not all learn at the same rate."""

    def groups(self) -> list[dict[str, Any]]:
        """The parameters in groups. The gradient of each group is clipped separately."""
        ...


def rates_of(learner: Learner) -> Parameters:
    """The trainable parameters, with the rates of those that have their own."""
    return learner.groups() if isinstance(learner, Grouped) else learner.parameters()


def learner_of(method: str) -> type[Learner]:
    """The learner class of a method."""
    module, _, name = METHODS[method].learner.partition(":")
    return cast(type[Learner], getattr(import_module(module), name))


def answer_of(method: str) -> Answer:
    return cast(Answer, learner_of(method).answer)  # of the class it is the function itself


def match_of(method: str) -> Match | None:
    """`match` of a learner class whose keys tell which task a text belongs to; others have none."""
    return getattr(learner_of(method), "match", None)


@runtime_checkable
class Finishing(Protocol):
    """A learner with work after training, on the best state."""

    def finish(self, state: State) -> Generator[Ask, Any, State]:
        """The state to store; yielded requests are served as in training."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A learner with state beside its parameters, which checkpoints must include: all that `ask` changes."""

    def memory(self) -> dict[str, Tensor]: ...

    def remember(self, memory: dict[str, Tensor]) -> None: ...


@runtime_checkable
class Accompanied(Protocol):
    """A learner whose steps have rows of other tasks beside the batch."""

    def ask_alone(self, batch: Batch) -> Ask:
        """About the batch without them."""
        ...


def answer_with_stored_prompt(backbone: Backbone, state: State, task: str, batch: Batch, kind: Kind) -> Ask:
    """The answer of methods with a prompt pool: the task's own prompt before the text."""
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
    """L_down, the loss of prompt tuning."""
    return out.loss.mean()


def _nothing() -> None:
    """The gradients stay unchanged."""


@dataclass(frozen=True)
class Preparation:
    """A phase before training: each request is a step on `parameters`, without validation or early stopping."""

    parameters: Parameters
    asks: Iterator[Ask]
    turn: Callable[[], None] = _nothing  # changes the gradients before each step
    epochs: int = 0  # training epochs that it replaces


@runtime_checkable
class Preparing(Protocol):
    """A learner with a phase before training."""

    def preparation(self) -> Preparation: ...
