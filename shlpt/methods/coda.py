"""CODA-Prompt (Smith et al., CVPR 2023): every text gets its own weighted sum of prompt components.

A component is a prompt P_m [L,d], a key K_m [d] and an attention vector A_m [d] over the features of the query q:
γ_m = cos(q ⊙ A_m, K_m), prompt = Σ γ_m P_m. A new task adds components and freezes the others. A task is answered
by the components that existed when it was learned, so its answers never change. Orthogonality is required of directions
(rows scaled to length 1). The paper's ‖BBᵀ − I‖² = 0 also fixes the rows' length at 1, which is too short beside T5's
word embeddings.
"""

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import normalize

from shlpt.backbone.encode import Batch
from shlpt.backbone.t5 import Backbone, Out
from shlpt.catalog.params import CodaParams
from shlpt.methods.base import Ask, Context, Kind, Logging, State
from shlpt.methods.prompts import fresh_normal, fresh_prompt, prepend


def component_weights(queries: Tensor, keys: Tensor, attention: Tensor) -> Tensor:
    """γ: queries [B,d], keys [m,d], attention [m,d] -> [B,m], without building [B,m,d]."""
    products = queries @ (attention * keys).T  # (q ⊙ A)·K
    squares = queries.square() @ attention.square().T  # ‖q ⊙ A‖²
    return products / (squares.clamp(min=1e-12).sqrt() * keys.norm(dim=1).clamp(min=1e-6))


def weighted(weights: Tensor, prompts: Tensor) -> Tensor:
    """Σ γ_m P_m: [B,m], [m,L,d] -> [B,L,d]; zero without components."""
    return (weights @ prompts.flatten(1)).unflatten(1, prompts.shape[1:])


def orthogonality(new: Tensor, earlier: Tensor) -> Tensor:
    """Mean squared cosine of each new row [m,k] with all other rows, new and earlier [n,k]."""
    rows = normalize(new, dim=1)
    gram = rows @ torch.cat([rows, normalize(earlier, dim=1)]).T  # [m,m+n]
    return (gram - torch.eye(*gram.shape, device=gram.device)).square().mean()


def answer(backbone: Backbone, state: State, task: str, batch: Batch, kind: Kind) -> Ask:
    """The components that existed after the task, weighted for each text."""
    count = int(state.extra[f"components.{task}"])
    prompts, keys, attention = (state.extra[name][:count] for name in ("prompts", "keys", "attention"))
    weights = component_weights(backbone.query(batch.ids, batch.mask), keys, attention)
    return Ask(*prepend(weighted(weights, prompts), backbone.embed(batch.ids), batch.mask), batch.labels, kind)


def match(state: State, queries: Tensor) -> Tensor:
    """[B,n]: mean size of the weights that each text gives to the components of each task."""
    ends = [int(state.extra[f"components.{prompt.task}"]) for prompt in state.pool]
    weights = component_weights(queries, state.extra["keys"], state.extra["attention"]).abs()  # [B,m]
    parts = weights.split([end - start for start, end in pairwise([0, *ends])], dim=1)
    return torch.stack([part.mean(1) for part in parts], 1)


class Coda(Logging):
    answer = staticmethod(answer)
    match = staticmethod(match)

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.params: CodaParams = ctx.params
        count, length, width = self.params.components, ctx.training.prompt_length, ctx.backbone.width
        prompts = fresh_prompt(ctx.backbone.vocabulary, count * length, ctx.seed, f"coda/{ctx.task}")
        keys, attention = (
            fresh_normal(count, width, seed=ctx.seed, name=f"coda/{ctx.task}/{name}", device=prompts.device)
            for name in ("keys", "attention")
        )
        new = {"prompts": prompts.unflatten(0, (count, length)), "keys": keys, "attention": attention}
        self.new = {name: t.requires_grad_(True) for name, t in new.items()}  # [m,L,d], [m,d], [m,d]
        self.earlier = {name: ctx.state.extra.get(name, t.detach()[:0]) for name, t in new.items()}  # [n,…], frozen
        self.queries = ctx.views.queries(ctx.train)  # [N,d]
        # [N,n], constant: the earlier components are frozen
        self.earlier_weights = component_weights(self.queries, self.earlier["keys"], self.earlier["attention"])

    def parameters(self) -> list[Tensor]:
        return list(self.new.values())

    def weights(self, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """γ of the earlier components [B,n] and the new ones [B,m], for training texts (default: all)."""
        queries, earlier = self.queries, self.earlier_weights
        if rows is not None:
            queries, earlier = queries[rows], earlier[rows]
        return earlier, component_weights(queries, self.new["keys"], self.new["attention"])

    def mixed(self, earlier: Tensor, new: Tensor) -> Tensor:
        """The prompt of each row, [B,L,d]."""
        return weighted(earlier, self.earlier["prompts"]) + weighted(new, self.new["prompts"])

    def ask(self, batch: Batch) -> Ask:
        earlier, new = self.weights(batch.rows)

        def loss(out: Out) -> Tensor:
            down, penalty = out.loss.mean(), self.penalty()
            gamma = torch.cat([earlier, new], 1).detach().mean(0)  # of every component, earlier ones first
            self._log = {"down": down.detach(), "orthogonality": penalty.detach(), "gamma": gamma}
            return down + self.params.lambda_ortho * penalty

        embeds, mask = prepend(self.mixed(earlier, new), self.ctx.backbone.embed(batch.ids), batch.mask)
        return Ask(embeds, mask, batch.labels, "train", loss)

    def penalty(self) -> Tensor:
        """Orthogonality of prompts, keys and attention vectors, each flattened to rows."""
        parts = [orthogonality(t.flatten(1), self.earlier[name].flatten(1)) for name, t in self.new.items()]
        return torch.stack(parts).sum()

    @torch.no_grad()
    def keep(self) -> State:
        """All components. The task's entry in the pool is the mean prompt of its training texts."""
        earlier, new = (weights.mean(0, keepdim=True) for weights in self.weights())
        extra = {name: torch.cat([self.earlier[name], t.detach()]) for name, t in self.new.items()}
        extra[f"components.{self.ctx.task}"] = torch.tensor(len(extra["keys"]))
        return State(self.ctx.state.pool.add(self.mixed(earlier, new)[0], self.ctx.task), self.ctx.state.extra | extra)

    @torch.no_grad()
    def record(self) -> dict[str, Tensor]:
        return {"gamma": torch.cat(self.weights(), 1)}
