"""BMTPT (Lee et al., Bayesian Multi-Task Transfer Learning): earlier tasks give the prior of a new task's prompt.

Source phase, for every new task: M particles, each a prompt, approximate the posterior of a prompt given the earlier
tasks' training data, by Stein variational gradient descent. Target phase: the prompt is the elementwise product of a
full matrix, which starts at the particles' mean, and a rank-one matrix, which starts at ones. The loss adds −log of a
Gaussian around each particle, averaged over the particles. Without earlier tasks this is plain prompt tuning.
"""

import math
from collections.abc import Iterator
from random import Random

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch, joined
from shlpt.backbone.t5 import Out
from shlpt.catalog.params import BmtptParams
from shlpt.methods.base import (
    Ask,
    Context,
    Logging,
    Preparation,
    State,
    answer_with_stored_prompt,
    require_earlier_data,
)
from shlpt.methods.prompts import fresh_prompt, prepend


def svgd(particles: Tensor, gradients: Tensor, damping: float) -> Tensor:
    """The SVGD direction [M,k] of particles [M,k] with gradients [M,k] of the log posterior:
    φ_i = 1/M · Σ_j (k_ij g_j + ∇_j k_ij), k_ij = exp(−‖x_i − x_j‖²/h), h = median squared distance / log(M + 1).
    `damping` is the weight of a particle's own gradient. At 1 (undamped) particles that are fewer than the dimensions
    end too close together."""
    apart = particles[:, None] - particles  # [M,M,k]: x_i − x_j
    squared = apart.square().sum(-1)
    h = _bandwidth(squared)
    kernel = torch.exp(-squared / h)  # [M,M], ones on the diagonal
    pull = kernel.clone().fill_diagonal_(damping) @ gradients
    push = (kernel[..., None] * apart).sum(1) * 2 / h
    return (pull + push) / len(particles)


def _bandwidth(squared: Tensor) -> float:
    """Median squared distance of the pairs / log(M + 1)."""
    count = len(squared)
    if count == 1:
        return 1.0
    first, second = torch.triu_indices(count, count, 1)
    return max(squared[first, second].quantile(0.5).item() / math.log(count + 1), 1e-12)


def gaussian_prior(prompt: Tensor, particles: Tensor, sigma: float) -> Tensor:
    """Mean over particles [M,L,d] of ‖prompt − particle‖² / 2σ²: −log density up to a constant."""
    return (prompt - particles).square().sum((1, 2)).mean() / (2 * sigma**2)


class Bmtpt(Logging):
    answer = staticmethod(answer_with_stored_prompt)

    def __init__(self, ctx: Context) -> None:
        require_earlier_data(ctx, "bmtpt")
        super().__init__(ctx)
        self.params: BmtptParams = ctx.params
        length, vocabulary = ctx.training.prompt_length, ctx.backbone.vocabulary
        count = self.params.particles if ctx.earlier_data else 0
        words = fresh_prompt(vocabulary, count * length, ctx.seed, "bmtpt")
        self.particles = words.view(count, length, vocabulary.shape[1]).requires_grad_(True)  # [M,L,d]
        start = self.particles.detach().mean(0) if count else fresh_prompt(vocabulary, length, ctx.seed, ctx.task)
        self.full = start.requires_grad_(True)  # [L,d]
        self.column = start.new_ones(length, 1).requires_grad_(True)
        self.row = start.new_ones(1, vocabulary.shape[1]).requires_grad_(True)
        self.sigma = self.params.prior_sigma * vocabulary.float().std().item()

    # --- source phase -----------------------------------------------------------------------
    def preparation(self) -> Preparation:
        return Preparation([self.particles], self._source_phase(), self.turn)

    def _source_phase(self) -> Iterator[Ask]:
        """Train the particles on rows of all source tasks, then start the target at their mean."""
        t = self.ctx.training
        steps = t.epochs * math.ceil(len(self.ctx.train) / t.batch_size)
        if not self.ctx.earlier_data:
            return
        for step in range(round(self.params.source_share * steps)):
            yield self.ask_particles(self.source_batch(step))
        with torch.no_grad():
            self.full.copy_(self.particles.mean(0))

    def source_batch(self, step: int) -> Batch:
        """About one batch: equally many rows of each source task, at least one."""
        ctx, data = self.ctx, self.ctx.earlier_data
        random = Random(f"sources/{ctx.seed}/{ctx.task}/{step}")
        share = max(1, ctx.training.batch_size // len(data))
        return joined([d.batch(random.sample(range(len(d)), min(share, len(d)))) for d in data])

    def ask_particles(self, batch: Batch) -> Ask:
        """All rows under each particle; the loss is the sum of the particles' mean losses."""
        count, size = len(self.particles), len(batch)
        embeds = self.ctx.backbone.embed(batch.ids).repeat(count, 1, 1)  # [M·B,l,d]
        prompts = self.particles.repeat_interleave(size, 0)  # [M·B,L,d]

        def loss(out: Out) -> Tensor:
            return out.loss.view(count, size).mean(1).sum()

        return Ask(*prepend(prompts, embeds, batch.mask.repeat(count, 1)), batch.labels.repeat(count, 1), "train", loss)

    @torch.no_grad()
    def turn(self) -> None:
        """Replace each particle's gradient by the negative SVGD direction, which the optimiser descends."""
        assert self.particles.grad is not None
        examples = sum(len(data) for data in self.ctx.earlier_data)  # the log likelihood is a sum
        gradients = -examples * self.particles.grad.flatten(1)
        updates = svgd(self.particles.flatten(1), gradients, self.params.damping)
        self.particles.grad = -updates.view_as(self.particles)

    # --- the task itself --------------------------------------------------------------------
    def parameters(self) -> list[Tensor]:
        return [self.full, self.column, self.row] if self.ctx.earlier_data else [self.full]

    def prompt(self) -> Tensor:
        """[L,d]"""
        return self.full * (self.column @ self.row)

    def ask(self, batch: Batch) -> Ask:
        prompt, particles = self.prompt(), self.particles.detach()

        def loss(out: Out) -> Tensor:
            down = out.loss.mean()
            if not len(particles):
                return down
            prior = gaussian_prior(prompt, particles, self.sigma) / len(self.ctx.train)  # per example, like down
            self._log = {"down": down.detach(), "prior": prior.detach()}
            return down + prior

        return Ask(*prepend(prompt, self.ctx.backbone.embed(batch.ids), batch.mask), batch.labels, "train", loss)

    @torch.no_grad()
    def keep(self) -> State:
        return State(self.ctx.state.pool.add(self.prompt(), self.ctx.task))

    def memory(self) -> dict[str, Tensor]:
        return {"particles": self.particles}

    @torch.no_grad()
    def remember(self, memory: dict[str, Tensor]) -> None:
        self.particles.copy_(memory["particles"])
