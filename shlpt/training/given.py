"""A stage whose prompt was trained elsewhere: it is tested like any other, and not trained."""

from collections.abc import Generator
from functools import partial
from typing import Any

from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.methods.base import Ask, Context, Logging, State, answer_with_stored_prompt
from shlpt.training.checkpoint import Place
from shlpt.training.engine import Cut
from shlpt.training.lane import Examined, StageResult, check, constant_loss, ended


class Given(Logging):
    """Nothing to learn: the prompt joins the pool as it is, and all else stays as the earlier tasks left it."""

    answer = staticmethod(answer_with_stored_prompt)

    def __init__(self, ctx: Context, prompt: Tensor) -> None:
        super().__init__(ctx)
        self.state = State(ctx.state.pool.add(prompt, ctx.task), ctx.state.extra)

    def parameters(self) -> list[Tensor]:
        return []

    def ask(self, batch: Any) -> Ask:
        raise AssertionError("an imported prompt is not trained")

    def keep(self) -> State:
        return self.state


def take(
    ctx: Context, prompt: Tensor, validation: Encoded, tests: Examined, probe: Encoded | None
) -> Generator[Ask | Cut, Any, StageResult]:
    """The prompt [L,d] into the pool, with its scores."""
    learner = Given(ctx, prompt)
    yield Cut(partial(Place, {"step": 0, "done": 0}))
    right, loss, _ = yield from check(ctx, learner, learner.state, validation)
    summary = {"steps": 0, "epochs": 0, "failure": "", "cut_texts": ctx.train.cut, "given": True}
    summary |= {"constant_loss": constant_loss(validation), "validation_texts": len(validation)}
    summary |= {"best_epoch": -1, "validation": right, "validation_loss": loss}
    return (yield from ended(ctx, learner, learner.state, tests, probe, summary))
