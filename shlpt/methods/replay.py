"""ER: Finetune with rows of earlier tasks in every batch. The kept examples depend only on the seed and the sizes of
the data sets, so the memory needs no stored state."""

from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch, joined
from shlpt.catalog.params import ReplayParams
from shlpt.methods.base import Ask, Context, State, require_earlier_data
from shlpt.methods.costs import KEPT_ROWS
from shlpt.methods.finetune import Finetune

Place = tuple[int, int]  # (task, row of its training data)


def per_task_memory(sizes: Sequence[int], count: int, seed: int) -> list[Place]:
    """`count` examples of each task, or all of a smaller one."""
    chosen = [Random(f"memory/{seed}/{task}").sample(range(n), min(count, n)) for task, n in enumerate(sizes)]
    return [(task, row) for task, rows in enumerate(chosen) for row in sorted(rows)]


def reservoir_memory(sizes: Sequence[int], count: int, seed: int) -> list[Place]:
    """`count` examples in all, a uniform sample of those seen so far."""
    kept: list[Place] = []
    rng = Random(f"reservoir/{seed}")
    places = ((task, row) for task, size in enumerate(sizes) for row in range(size))
    for seen, place in enumerate(places):
        if len(kept) < count:
            kept.append(place)
        elif (slot := rng.randrange(seen + 1)) < count:
            kept[slot] = place
    return kept


MEMORIES = {"per_task": per_task_memory, "reservoir": reservoir_memory}


class Replay(Finetune):
    def __init__(self, ctx: Context) -> None:
        require_earlier_data(ctx, "replay")
        super().__init__(ctx)
        self.params: ReplayParams = ctx.params
        self.kept = self._memory([len(data) for data in ctx.earlier_data])
        self.step = 0

    def _memory(self, sizes: Sequence[int]) -> list[Place]:
        return MEMORIES[self.params.memory](sizes, self.params.memory_size, self.ctx.seed)

    def replayed(self, step: int) -> list[Place]:
        """The memory entries that a step replays."""
        rng = Random(f"replay/{self.ctx.seed}/{self.ctx.task}/{step}")
        return rng.sample(self.kept, min(self.params.replay_rows, len(self.kept)))

    def ask(self, batch: Batch) -> Ask:
        places = self.replayed(self.step)
        self.step += 1
        self._log = {"replayed": len(places)}
        old = [self.ctx.earlier_data[task].batch([row]) for task, row in places]
        return super().ask(joined([batch, *old]))

    def keep(self) -> State:
        state = super().keep()
        rows = self._memory([len(data) for data in (*self.ctx.earlier_data, self.ctx.train)])
        state.extra[KEPT_ROWS] = torch.tensor(rows, dtype=torch.int32).reshape(-1, 2)  # [M,2]
        return state

    def memory(self) -> dict[str, Tensor]:
        return {"step": torch.tensor(self.step)}

    def remember(self, memory: dict[str, Tensor]) -> None:
        self.step = int(memory["step"])

    def record(self) -> dict[str, Tensor]:
        return {"memory": torch.tensor(self.kept, dtype=torch.int32).reshape(-1, 2)}  # [M,2] what was replayed
