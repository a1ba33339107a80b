"""Small learners for tests of methods and training: few examples, short prompts."""

from __future__ import annotations

from typing import Any

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import EARLIER_DATA, METHODS
from shlpt.methods.base import Context, Learner, State, learner_of
from shlpt.methods.prompts import PromptPool, fresh_prompt
from shlpt.methods.views import Views
from shlpt.spec import Training
from shlpt.tasks.pocket import TASKS

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
    old = earlier if EARLIER_DATA & set(info.needs) else ()
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
