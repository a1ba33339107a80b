"""Small learners for tests of methods and training: few examples, short prompts; a few steps of them."""

from typing import Any

from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS
from shlpt.methods.base import Ask, Context, Learner, State, learner_of, rates_of
from shlpt.methods.prompts import PromptPool, fresh_prompt
from shlpt.methods.views import Views
from shlpt.spec import Training
from shlpt.tasks.pocket import TASKS
from shlpt.training.engine import drive
from shlpt.training.lane import Taken, adamw, prepare, train_step
from shlpt.training.telling import Telling

EARLIER = ("yelp", "rte", "agnews")


def pool_of(backbone: Backbone, length: int, tasks: tuple[str, ...] = EARLIER) -> PromptPool:
    pool = PromptPool()
    for number, task in enumerate(tasks):
        pool = pool.add(fresh_prompt(backbone.vocabulary, length, 1000 + number, task), task)
    return pool


def context(
    backbone: Backbone,
    method: str,
    task: str = "sst2",
    *,
    seed: int = 42,
    earlier: tuple[str, ...] = EARLIER,
    shots: int = 6,
    extra: dict[str, Any] | None = None,
    **params: Any,
) -> Context:
    info = METHODS[method]
    training = Training(**{"prompt_length": 4, "epochs": 3, "shots": shots, "batch_size": 4} | dict(info.defaults))
    old = earlier if info.earlier_data else ()
    return Context(
        backbone=backbone,
        task=task,
        train=Encoded(backbone, TASKS[task].draw("train", shots, seed), 256),
        params=info.params(**params),
        training=training,
        seed=seed,
        state=State(pool_of(backbone, training.prompt_length, earlier), extra or {}),
        views=Views(backbone),
        earlier_data=tuple(Encoded(backbone, TASKS[name].draw("train", shots, seed), 256) for name in old),
    )


def learner(backbone: Backbone, method: str, **options: Any) -> Learner:
    return learner_of(method)(context(backbone, method, **options))


def loss_and_down(backbone: Backbone, ask: Ask) -> tuple[Tensor, Tensor]:
    """The loss that an ask wants, and that of the task alone."""
    out = backbone.forward(ask.embeds, ask.mask, ask.labels)
    return ask.loss(out), out.loss.mean()


def loss_of(backbone: Backbone, ask: Ask) -> Tensor:
    return loss_and_down(backbone, ask)[0]


def train(one: Any, steps: int, rows: tuple[int, ...] | None = None) -> list[float]:
    """Task losses of steps on one batch, or on batches of four examples, one after the other."""
    optimiser, data = adamw(rates_of(one), one.ctx.training), one.ctx.train
    batches = [data.batch(rows or [(4 * step + i) % len(data) for i in range(4)]) for step in range(steps)]
    losses = []
    for batch in batches:
        (taken,) = drive([train_step(one, optimiser, batch, 1.0)], one.ctx.backbone)
        assert isinstance(taken, Taken)
        losses.append(float(one.log().get("down", taken.loss)))
    return losses


def prepared(one: Any) -> tuple[list[dict[str, Any]], int]:
    """What a learner says in the phase before its loop, and the epochs that it took."""
    events: list[dict[str, Any]] = []
    lane = prepare(one, one.ctx.training, Telling(lambda kind, payload: events.append(payload)))
    return events, drive([lane], one.ctx.backbone)[0]
