"""References for SHLPT: a joint prompt for all tasks, a given partition, a random partition."""

import math
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch, joined, order
from shlpt.catalog.params import ContrastParams, OraclePartitionParams, RandomPartitionParams, ShlptParams
from shlpt.methods.base import Ask, Context, State, require_earlier_data
from shlpt.methods.costs import KEPT_ROWS
from shlpt.methods.per_task import PerTask
from shlpt.methods.prompts import PromptPool
from shlpt.methods.shlpt import Shlpt
from shlpt.tasks.find import find_task, is_stored
from shlpt.tasks.pocket import relation


class Joint(PerTask):
    """One prompt for all tasks so far, restarted at each task. Each step has equally many rows per task."""

    def __init__(self, ctx: Context) -> None:
        require_earlier_data(ctx, "joint")
        super().__init__(ctx)
        self.step = 0

    def memory(self) -> dict[str, Tensor]:
        return {"step": torch.tensor(self.step)}

    def remember(self, memory: dict[str, Tensor]) -> None:
        self.step = int(memory["step"])

    def others(self) -> Iterator[Batch]:
        """A batch of each earlier task; each pass over its data is in another order."""
        ctx = self.ctx
        for prompt, data in zip(ctx.state.pool, ctx.earlier_data, strict=True):
            epoch, place = divmod(self.step, math.ceil(len(data) / ctx.training.batch_size))
            yield data.batch(order(ctx.seed, prompt.task, epoch, len(data), ctx.training.batch_size)[place])

    def ask(self, batch: Batch) -> Ask:
        found = self.ask_alone(joined([batch, *self.others()]))
        self.step += 1
        return found

    def ask_alone(self, batch: Batch) -> Ask:
        return super().ask(batch)

    def keep(self) -> State:
        """The same prompt for every task."""
        pool = PromptPool()
        for name in (*(prompt.task for prompt in self.ctx.state.pool), self.ctx.task):
            pool = pool.add(self.prompt, name)
        data = (*self.ctx.earlier_data, self.ctx.train)
        rows = [(task, row) for task, rows in enumerate(data) for row in range(len(rows))]
        return State(pool, {KEPT_ROWS: torch.tensor(rows, dtype=torch.int32)})


class GivenPartition(Shlpt):
    """SHLPT with given similar tasks: all have the same weight, and no estimator is trained."""

    def __init__(self, ctx: Context) -> None:
        given: ContrastParams = ctx.params
        contrast = {name: getattr(given, name) for name in ContrastParams.model_fields}
        # With δ = 0, tasks with α = 0 are dissimilar, and equations 5 to 12 hold unchanged.
        params = ShlptParams(threshold=0.0, temperature=1.0, estimator="uniform", partition="batch_mean", **contrast)
        similar = [self.similar(prompt.task, ctx) for prompt in ctx.state.pool]
        self.shares = torch.tensor([s / max(1, sum(similar)) for s in similar], device=ctx.backbone.device)  # [n]
        super().__init__(replace(ctx, params=params))

    def similar(self, earlier: str, ctx: Context) -> bool:
        raise NotImplementedError

    def similarity(self, rows: Tensor | None = None) -> Tensor:
        """α [B,n]: the same for every instance."""
        return self.shares.repeat(len(self.pooled if rows is None else rows), 1)

    def keep(self) -> State:
        return State(super().keep().pool)  # there is no estimator to go on with


class OraclePartition(GivenPartition):
    """Similar are tasks that are related by construction, or that were measured to help."""

    def similar(self, earlier: str, ctx: Context) -> bool:
        params: OraclePartitionParams = ctx.params
        if params.pairs is None:
            return relation(find_task(earlier), find_task(ctx.task))[1] > 0
        measured = [tuple(name if is_stored(name) else find_task(name).name for name in pair) for pair in params.pairs]
        return (earlier, ctx.task) in measured


class RandomPartition(GivenPartition):
    """A random partition, drawn by seed and pair of tasks."""

    def similar(self, earlier: str, ctx: Context) -> bool:
        params: RandomPartitionParams = ctx.params
        return Random(f"partition/{ctx.seed}/{earlier}/{ctx.task}").random() < params.similar_share
