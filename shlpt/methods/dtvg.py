"""DTVG (Zhang et al., Dynamic Task Vector Grouping): each step adds the best group of earlier task vectors.

A task vector is T = P − P_init, from an initialisation that all tasks of a run share. Stage one is plain prompt tuning
for the first share of the epochs, without early stopping; its vector is the source for later tasks. Stage two trains
P_mix = P_init + α_t T_t + Σ α_s T_s over the group, with a learned scale per row. Groups are chosen by the scaled
vectors, as in the authors' code. P_mix is stored and answers.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch, order
from shlpt.catalog.params import DtvgParams
from shlpt.methods.base import Ask, Context, Logging, Preparation, State, answer_with_stored_prompt, down_loss
from shlpt.methods.prompts import fresh_prompt, prepend


def similarities(a: Tensor, b: Tensor) -> Tensor:
    """Task vectors [m,L,d] and [n,L,d] -> [m,n]: inner products of their mean rows, averaged over d."""
    return a.mean(1) @ b.mean(1).T / a.shape[-1]


def consistency(between: list[list[float]], group: list[int]) -> float:
    """Knowledge consistency: mean similarity of the pairs in a group of sources; 0 without a pair."""
    pairs = [between[i][j] for i in group for j in group if i != j]
    return sum(pairs) / len(pairs) if pairs else 0.0


def best_group(target: list[float], between: list[list[float]]) -> tuple[list[int], float]:
    """The most consistent group of sources, and its consistency. Candidates are the first k sources by similarity to
    the target, without negative ones. Ties go to the smaller group. `target` [n]: similarities to the target; `between`
    [n][n]: among sources."""
    ranked = sorted((j for j, s in enumerate(target) if s >= 0), key=lambda j: -target[j])
    groups = [ranked[:size] for size in range(1, len(ranked) + 1)]
    best = max(groups, key=lambda group: consistency(between, group), default=[])
    return best, consistency(between, best)


class Dtvg(Logging):
    answer = staticmethod(answer_with_stored_prompt)

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.params: DtvgParams = ctx.params
        # The same for all tasks of a run, so that vectors are comparable.
        self.init = fresh_prompt(ctx.backbone.vocabulary, ctx.training.prompt_length, ctx.seed, "dtvg")  # [L,d]
        self.sources = self._sources()  # [n,L,d], frozen
        self.vector = torch.zeros_like(self.init).requires_grad_(True)  # T_t [L,d]
        self.first = self.vector.detach().clone()  # T_t after stage one
        self.scale = self.init.new_ones(len(self.init), 1).requires_grad_(True)  # α_t [L,1]
        self.scales = self.init.new_ones(len(self.sources), len(self.init), 1).requires_grad_(True)  # α_s [n,L,1]
        self.steps, self.grouped = 0, torch.zeros(len(self.sources))  # steps in which each source was in the group

    def _sources(self) -> Tensor:
        """Vectors of stage one; for a prompt of another method P − P_init."""
        pool, extra = self.ctx.state.pool, self.ctx.state.extra
        vectors = [extra.get(f"vector.{prompt.task}", prompt.tensor - self.init) for prompt in pool]
        return torch.stack(vectors) if vectors else self.init.new_zeros(0, *self.init.shape)

    # --- stage one --------------------------------------------------------------------------
    def preparation(self) -> Preparation:
        epochs = self.ctx.training.epochs
        first = min(max(1, round(self.params.first_share * epochs)), epochs - 1)  # one at least for each stage
        return Preparation([self.vector], self._first_stage(first), epochs=first)

    def _first_stage(self, epochs: int) -> Iterator[Ask]:
        """Plain prompt tuning from the common initialisation."""
        ctx = self.ctx
        for epoch in range(epochs):
            for rows in order(ctx.seed, ctx.task, epoch, len(ctx.train), ctx.training.batch_size):
                yield self._with(self.init + self.vector, ctx.train.batch(rows))
        self.first = self.vector.detach().clone()

    def _with(self, prompt: Tensor, batch: Batch) -> Ask:
        return Ask(*prepend(prompt, self.ctx.backbone.embed(batch.ids), batch.mask), batch.labels, "train", down_loss)

    # --- stage two --------------------------------------------------------------------------
    def parameters(self) -> list[Tensor]:
        return [self.vector, self.scale, *([self.scales] if len(self.sources) else [])]

    @torch.no_grad()
    def group(self) -> tuple[list[int], float, list[float]]:
        """The group for the current target vector, its consistency, and each source's similarity."""
        sources = self.scales * self.sources  # [n,L,d]
        target, *between = similarities(torch.cat([(self.scale * self.vector)[None], sources]), sources).tolist()
        return *best_group(target, between), target

    def mixed(self, group: list[int]) -> Tensor:
        """P_mix [L,d]"""
        return self.init + self.scale * self.vector + (self.scales[group] * self.sources[group]).sum(0)

    def ask(self, batch: Batch) -> Ask:
        group, agreement, target = self.group()
        names = [self.ctx.state.pool[j].task for j in group]  # best first
        self._log = {"group": names, "similarity": target, "consistency": agreement}
        self.steps += 1
        self.grouped[group] += 1
        return self._with(self.mixed(group), batch)

    @torch.no_grad()
    def keep(self) -> State:
        kept = {f"vector.{self.ctx.task}": self.first.clone()}
        prompt = self.mixed(self.group()[0])
        return State(self.ctx.state.pool.add(prompt, self.ctx.task), self.ctx.state.extra | kept)

    def memory(self) -> dict[str, Tensor]:
        return {"first": self.first, "steps": torch.tensor(self.steps), "grouped": self.grouped}

    def remember(self, memory: dict[str, Tensor]) -> None:
        self.first, self.grouped = memory["first"], memory["grouped"].cpu()
        self.steps = int(memory["steps"])

    def record(self) -> dict[str, Tensor]:
        """Share of the steps in which each earlier task was in the group."""
        return {"grouped": self.grouped / max(1, self.steps)} if len(self.sources) else {}
