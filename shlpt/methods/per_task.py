"""Per-task prompts: one new prompt per task, no transfer. Also the first task of most methods."""

from torch import Tensor

from shlpt.backbone.encode import Batch
from shlpt.methods.base import Ask, Context, Logging, State, answer_with_stored_prompt, down_loss
from shlpt.methods.prompts import fresh_prompt, prepend


class PerTask(Logging):
    """Plain prompt tuning, the base class of methods with another initial prompt or added prompts."""

    answer = staticmethod(answer_with_stored_prompt)

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.prompt = self.start().requires_grad_(True)  # [L,d]

    def start(self) -> Tensor:
        ctx = self.ctx
        return fresh_prompt(ctx.backbone.vocabulary, ctx.training.prompt_length, ctx.seed, ctx.task)

    def parameters(self) -> list[Tensor]:
        return [self.prompt]

    def full(self) -> Tensor:
        """The prompt before the text, and in the pool: [L,d]."""
        return self.prompt

    def ask(self, batch: Batch) -> Ask:
        embeds, mask = prepend(self.full(), self.ctx.backbone.embed(batch.ids), batch.mask)
        return Ask(embeds, mask, batch.labels, "train", down_loss)

    def keep(self) -> State:
        return State(self.ctx.state.pool.add(self.full(), self.ctx.task))
