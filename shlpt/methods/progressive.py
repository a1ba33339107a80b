"""Progressive Prompts: the new prompt goes before the frozen prompts of all earlier tasks.
Task k uses [P^k; …; P^1; X], so its entry in the pool has k·L rows."""

import torch
from torch import Tensor

from shlpt.methods.per_task import PerTask


class Progressive(PerTask):
    def full(self) -> Tensor:
        pool = self.ctx.state.pool
        return torch.cat([self.prompt, pool[-1].tensor]) if len(pool) else self.prompt
