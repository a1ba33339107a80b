"""L2P (Wang et al., CVPR 2022): a pool of prompts with keys, from which each text picks the nearest few. The query of a
text is the frozen encoder's mean state, computed once per data set.

The original trains one pool over all tasks, which changes the answers of earlier tasks. In this comparison the task is
known at test, so each task keeps a snapshot of the pool that answers it; each text picks its prompts from the snapshot.
A snapshot has only the u prompts that the task's training texts pick, with keys: u·(L+1)·d numbers, top_n ≤ u ≤
pool_size (a plain prompt has L·d). One whole pool of pool_size·(L+1)·d numbers is kept for the next task.
"""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shlpt.backbone.encode import Batch
from shlpt.backbone.t5 import Backbone, Out
from shlpt.catalog.params import L2pParams
from shlpt.methods.base import Ask, Context, Kind, Logging, State
from shlpt.methods.prompts import fresh_normal, fresh_prompt, prepend


def nearest(queries: Tensor, keys: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """queries [B,d], keys [M,d] -> rows [B,n] and cosines [B,n] of the `count` nearest keys, best first."""
    found = (normalize(queries, dim=1) @ normalize(keys, dim=1).T).topk(count, dim=1)
    return found.indices, found.values


def joined(prompts: Tensor, chosen: Tensor) -> Tensor:
    """prompts [M,L,d], chosen [B,n] -> each row's prompts, concatenated: [B,n·L,d]."""
    return prompts[chosen].flatten(1, 2)


def answer(backbone: Backbone, state: State, task: str, batch: Batch, kind: Kind) -> Ask:
    """Each text picks its prompts from the task's snapshot."""
    prompts, keys = state.extra[f"prompts.{task}"], state.extra[f"keys.{task}"]  # [u,L,d], [u,d]
    count = len(state.pool.of(task).tensor) // prompts.shape[1]  # its entry has n·L rows
    chosen, _ = nearest(backbone.query(batch.ids, batch.mask), keys, count)
    return Ask(*prepend(joined(prompts, chosen), backbone.embed(batch.ids), batch.mask), batch.labels, kind)


def match(state: State, queries: Tensor) -> Tensor:
    """[B,n]: mean cosine of the keys that each text would pick from each task's snapshot."""
    found = []
    for prompt in state.pool:
        length = state.extra[f"prompts.{prompt.task}"].shape[1]
        cosines = nearest(queries, state.extra[f"keys.{prompt.task}"], len(prompt.tensor) // length)[1]
        found.append(cosines.mean(1))
    return torch.stack(found, 1)


class L2P(Logging):
    answer = staticmethod(answer)
    match = staticmethod(match)

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.params: L2pParams = ctx.params
        prompts, keys = self._pool()
        self.prompts = prompts.requires_grad_(True)  # [M,L,d]
        self.keys = keys.requires_grad_(True)  # [M,d]
        self.queries = ctx.views.queries(ctx.train)  # [N,d]
        self.chosen = nearest(self.queries, self.keys.detach(), self.params.top_n)[0]  # [N,n]: last picked by each

    def _pool(self) -> tuple[Tensor, Tensor]:
        """The previous task's pool, or a new one."""
        ctx, size, kept = self.ctx, self.params.pool_size, self.ctx.state.extra
        if "prompts" in kept:
            return kept["prompts"].clone(), kept["keys"].clone()
        length, width = ctx.training.prompt_length, ctx.backbone.width
        prompts = fresh_prompt(ctx.backbone.vocabulary, size * length, ctx.seed, "l2p").unflatten(0, (size, length))
        return prompts, fresh_normal(size, width, seed=ctx.seed, name="l2p/keys", device=prompts.device)

    def parameters(self) -> list[Tensor]:
        return [self.prompts, self.keys]

    def ask(self, batch: Batch) -> Ask:
        chosen, cosines = nearest(self.queries[batch.rows], self.keys, self.params.top_n)  # [B,n]
        self.chosen[batch.rows] = chosen
        every = torch.arange(len(self.keys), device=chosen.device)
        used = (chosen[..., None] == every).sum((0, 1)) / len(chosen)  # share that picked each prompt

        def loss(out: Out) -> Tensor:
            down, pull = out.loss.mean(), (1 - cosines).mean()
            self._log = {"down": down.detach(), "pull": pull.detach(), "chosen": used}
            return down + self.params.lambda_pull * pull

        embeds, mask = prepend(joined(self.prompts, chosen), self.ctx.backbone.embed(batch.ids), batch.mask)
        return Ask(embeds, mask, batch.labels, "train", loss)

    @torch.no_grad()
    def keep(self) -> State:
        """The pool, the task's snapshot, and as its entry the prompts its texts pick most often."""
        ctx, count = self.ctx, self.params.top_n
        used, times = nearest(self.queries, self.keys, count)[0].unique(return_counts=True)  # [u]
        often = used[times.argsort(descending=True, stable=True)[:count]]
        extra = {"prompts": self.prompts, "keys": self.keys}
        extra |= {f"prompts.{ctx.task}": self.prompts[used], f"keys.{ctx.task}": self.keys[used]}
        kept = {name: tensor.detach().clone() for name, tensor in extra.items()}
        return State(ctx.state.pool.add(self.prompts[often].flatten(0, 1), ctx.task), ctx.state.extra | kept)

    def memory(self) -> dict[str, Tensor]:
        return {"chosen": self.chosen}

    def remember(self, memory: dict[str, Tensor]) -> None:
        self.chosen.copy_(memory["chosen"])

    def record(self) -> dict[str, Tensor]:
        return {"chosen": self.chosen.clone()}
