"""Per-task prompts: one fresh prompt per task, nothing transferred. Also every method's first task."""

from torch import Tensor

from shlpt.backbone.encode import Batch
from shlpt.methods.base import Ask, Context, Logging, State, answer_with_stored_prompt, down_loss
from shlpt.methods.prompts import fresh_prompt, prepend


class PerTask(Logging):
    """Plain prompt tuning. Other methods change where the prompt starts or what is put beside it."""

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
        """What stands before the text, and what is kept: [L,d]."""
        return self.prompt

    def ask(self, batch: Batch) -> Ask:
        embeds, mask = prepend(self.full(), self.ctx.backbone.embed(batch.ids), batch.mask)
        return Ask(embeds, mask, batch.labels, "train", down_loss)

    def keep(self) -> State:
        return State(self.ctx.state.pool.add(self.full(), self.ctx.task))
