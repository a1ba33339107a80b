"""SHLPT: mix in the prompts of similar tasks, move away from dissimilar ones. Equations 3 to 12 of Wu, Jiang and Lian
(Findings of ACL 2024). Where the paper is ambiguous, both readings are settings (`ShlptParams`)."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch, order
from shlpt.backbone.t5 import IGNORE, Out
from shlpt.catalog.params import ShlptParams
from shlpt.methods.base import Ask, Context, Logging, Preparation, State, answer_with_stored_prompt
from shlpt.methods.losses import contrast, contrast_cosines, filter_states, mean_cosines, sign_ste
from shlpt.methods.prompts import Prompt, fresh_prompt, prepend
from shlpt.methods.similarity import (
    COSINE_TEMPERATURE,
    Estimator,
    dissimilar,
    equal_similarity,
    evidence,
    max_pool,
    mix_weights,
    similarity,
)


class Shlpt(Logging):
    answer = staticmethod(answer_with_stored_prompt)

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.params: ShlptParams = ctx.params
        self.prompt = fresh_prompt(ctx.backbone.vocabulary, ctx.training.prompt_length, ctx.seed, ctx.task)
        self.prompt.requires_grad_(True)  # P^t [L,d]
        self.earlier = ctx.state.pool.stacked()  # [n,L,d]
        self.pooled = self._pooled()  # [N,1,d]: the input of eq. 3
        self.estimator = self._estimator()
        self.temperature = self._temperature()
        self.prior = self._prior()
        self.alpha = self.similarity().detach()  # [N,n]: latest α of each training instance
        if self.params.own_start == "zero" and self._all_are_lent():
            self.prompt.data.zero_()

    # --- the estimator --------------------------------------------------------------------
    def _estimator(self) -> Estimator:
        ctx, p = self.ctx, self.params
        center = self.pooled.mean((0, 1)) if p.estimator_center else None  # [d]: of this task, never carried over
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(ctx.seed)
            estimator = Estimator(ctx.backbone.width, p.estimator_width, p.estimator_score, center)
        estimator = estimator.to(ctx.backbone.device)
        kept = {n.removeprefix("estimator."): t for n, t in ctx.state.extra.items() if n.startswith("estimator.")}
        if p.estimator == "carried" and kept:
            estimator.load_state_dict(kept)
        return estimator

    def _pooled(self) -> Tensor:
        """Max-pooled embeddings, which never change; in chunks, to limit memory."""
        train, embed = self.ctx.train, self.ctx.backbone.embed
        parts = zip(train.ids.split(64), train.mask.split(64), strict=True)
        return torch.cat([max_pool(embed(ids).float(), mask) for ids, mask in parts])[:, None]

    def similarity(self, rows: Tensor | None = None) -> Tensor:
        """α [B,n] of training instances (default: all)."""
        scores = self.scores(rows)
        if scores is None:
            return equal_similarity(self.pooled if rows is None else self.pooled[rows], self.earlier)
        return similarity(scores, self.temperature, self.prior)

    def scores(self, rows: Tensor | None = None) -> Tensor | None:
        """What eq. 4 makes α of, [B,n]; None without an estimator."""
        if self.params.estimator == "uniform":
            return None
        x = self.pooled if rows is None else self.pooled[rows]
        return self.estimator.scores(x, x.new_ones(x.shape[:2]), self.earlier)

    @torch.no_grad()
    def _prior(self) -> Tensor | None:
        """[n], or [n+1] with the task's own starting prompt as the alternative to all earlier ones."""
        ctx, kind = self.ctx, self.params.estimator_prior
        if kind == "equal" or self.params.estimator == "uniform":
            return None
        prompts = [*ctx.state.pool]
        if kind == "evidence_or_none":
            prompts.append(Prompt(self.prompt.detach().clone(), ctx.task))
        states = [ctx.views.whole(prompt, ctx.train).hidden[:, 0].float() for prompt in prompts]
        return evidence(states, [example.group for example in ctx.train.examples])

    @torch.no_grad()
    def _temperature(self) -> float:
        """`auto`: mean absolute initial score, so that initial similarities are neither equal nor one-hot."""
        if self.params.temperature != "auto":
            return float(self.params.temperature)
        if self.params.estimator_score == "cosine":
            return COSINE_TEMPERATURE
        scores = self.estimator.scores(self.pooled, self.pooled.new_ones(self.pooled.shape[:2]), self.earlier)
        return max(scores.abs().mean().item(), 1e-6)

    # --- the warm-up ----------------------------------------------------------------------
    def preparation(self) -> Preparation:
        """Epochs in which only the estimator learns; none where nothing of it reaches the loss."""
        p = self.params
        epochs = p.estimator_warmup if p.estimator != "uniform" and p.similar_transfer else 0
        return Preparation(self.groups(), self._warm_up(epochs), epochs=epochs)

    def _warm_up(self, epochs: int) -> Iterator[Ask]:
        """The task's own prompt gets no gradient, so the optimiser leaves it alone."""
        ctx = self.ctx
        for epoch in range(epochs):
            for rows in order(ctx.seed, ctx.task, epoch, len(ctx.train), ctx.training.batch_size):
                batch = ctx.train.batch(rows)
                yield replace(self._ask(batch, self.prompt.detach()), batch=batch)

    # --- one batch ------------------------------------------------------------------------
    def ask(self, batch: Batch) -> Ask:
        return self._ask(batch, self.prompt)

    def _ask(self, batch: Batch, own: Tensor) -> Ask:
        x = self.ctx.backbone.embed(batch.ids)  # [B,l,d]
        scores = self.scores(batch.rows)
        alpha = self.similarity(batch.rows) if scores is None else similarity(scores, self.temperature, self.prior)
        self.alpha[batch.rows] = alpha.detach()
        prompt = self._mixed(self._lent(alpha)) + own  # eq. 6, [B,L,d]

        def loss(out: Out) -> Tensor:
            found = self._loss(out, batch, alpha.detach())
            self._log |= {} if scores is None else self._first_text(batch, scores.detach())
            return found

        return Ask(*prepend(prompt, x, batch.mask), batch.labels, "train", loss)

    def _first_text(self, batch: Batch, scores: Tensor) -> dict[str, Any]:
        """One text of the batch, from which eqs 3 to 7 can be followed."""
        first = self.ctx.train.examples[batch.numbers[0]]
        prior: Any = [] if self.prior is None else self.prior  # a last number, if there is one more, is of none
        return {"text": first.id, "scores": scores[0], "temperature": self.temperature, "prior": prior}

    def _lent(self, alpha: Tensor) -> Tensor:
        """α̃ [B,n], the weights of the earlier prompts: zero where no task is similar."""
        return mix_weights(alpha, self.params.threshold) if self.params.similar_transfer else torch.zeros_like(alpha)

    def _mixed(self, weights: Tensor) -> Tensor:
        """Σ α̃_j P^j for each row of α̃ [B,n]: [B,L,d]."""
        return (weights @ self.earlier.flatten(1)).unflatten(1, self.prompt.shape)

    def _all_are_lent(self) -> bool:
        """Whether every training text gets a mixture of earlier prompts."""
        return bool((self._lent(self.alpha).sum(-1) > 0).all())

    def _loss(self, out: Out, batch: Batch, alpha: Tensor) -> Tensor:
        """Eq. 12."""
        p = self.params
        down = out.loss.mean()
        away = dissimilar(alpha, p.threshold, p.partition)  # [n] or [B,n]
        share = away if away.ndim == 2 else away[None]  # of the batch that calls each earlier task dissimilar
        self._log = {"down": down.detach(), "alpha": alpha.mean(0), "dissimilar": share.float().mean(0)}
        self._log |= {"alpha_low": alpha.amin(0), "alpha_high": alpha.amax(0)}
        if p.lambda_hsc == p.lambda_asc == 0:
            return down
        chosen, mask = self._chosen(away)
        if not chosen:
            return down
        prompts = [self.ctx.state.pool[j] for j in chosen]
        hsc = self._hsc(out, batch, prompts, mask) if p.lambda_hsc else down.new_zeros(())
        asc = self._asc(out, batch, prompts, mask) if p.lambda_asc else down.new_zeros(())
        self._log |= {"hsc": hsc.detach(), "asc": asc.detach()}
        return down + p.lambda_hsc * hsc + p.lambda_asc * asc

    def _chosen(self, away: Tensor) -> tuple[list[int], Tensor | None]:
        """Earlier tasks that eqs 8 and 11 compare with, and for which rows [B,n] (None: all). Asking a GPU which they
        are would wait for it: there the mask leaves out the others."""
        if self.ctx.backbone.queued:
            return [*range(len(self.earlier))], away.reshape(-1, len(self.earlier))
        chosen = [j for j, far in enumerate(away.reshape(-1, len(self.earlier)).any(0).tolist()) if far]
        return chosen, away[:, chosen] if away.ndim == 2 else None

    def _hsc(self, out: Out, batch: Batch, prompts: list[Prompt], mask: Tensor | None) -> Tensor:
        """Eq. 8."""
        if self.params.hsc_positions == "all":
            others = self.ctx.views.rows(prompts, self.ctx.train, batch, "targets").hidden.float()  # [B,n,m,d]
            cosines = mean_cosines(out.hidden.float(), others, batch.labels != IGNORE)
            return contrast_cosines(cosines, self.params.tau_hsc, mask)
        others = self.ctx.views.rows(prompts, self.ctx.train, batch).hidden[:, :, 0].float()  # [B,n,d]
        return contrast(out.hidden[:, 0].float(), others, self.params.tau_hsc, mask)

    def _asc(self, out: Out, batch: Batch, prompts: list[Prompt], mask: Tensor | None) -> Tensor:
        """Eqs 10 and 11."""
        views, train = self.ctx.views, self.ctx.train
        bare = views.rows([None], train, batch).states[:, 0, 0].float()  # s₀ [B,f]
        others = views.rows(prompts, train, batch).states[:, :, 0].float()  # [B,n,f]
        states = out.states[-1][:, 0].float()  # [B,f]
        if self.params.asc_states == "sign_ste":
            states, others = sign_ste(states), sign_ste(others)
        return contrast(filter_states(states, bare), filter_states(others, bare[:, None]), self.params.tau_asc, mask)

    # --- the three hooks' rest ------------------------------------------------------------
    def parameters(self) -> list[Tensor]:
        if self.params.estimator == "uniform":
            return [self.prompt]
        return [self.prompt, *self.estimator.parameters()]

    def groups(self) -> list[dict[str, Any]]:
        """The estimator apart from the prompt if it has a rate of its own."""
        rate = self.params.estimator_lr
        if rate == "auto" or self.params.estimator == "uniform":
            return [{"params": self.parameters()}]
        return [{"params": [self.prompt]}, {"params": [*self.estimator.parameters()], "lr": rate}]

    @torch.no_grad()
    def keep(self) -> State:
        """P^t plus the earlier prompts, weighted by the mean over all training instances of their α̃ (eq. 7)."""
        weights = self._lent(self.similarity()).mean(0, keepdim=True)
        stored = self._mixed(weights)[0] + self.prompt
        extra = {f"estimator.{name}": t.detach().clone() for name, t in self.estimator.state_dict().items()}
        extra["temperature"] = torch.tensor(self.temperature)
        if self.estimator.center is not None:
            extra["center"] = self.estimator.center.clone()
        if self.prior is not None:
            extra["prior"] = self.prior.clone()
        return State(self.ctx.state.pool.add(stored, self.ctx.task), extra)

    def memory(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha}

    def remember(self, memory: dict[str, Tensor]) -> None:
        self.alpha.copy_(memory["alpha"])

    def record(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha.clone()}
