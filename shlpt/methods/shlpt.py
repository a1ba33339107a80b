"""SHLPT: mix in the prompts of similar tasks, move away from dissimilar ones. Equations 3 to 12 of Wu, Jiang and Lian
(Findings of ACL 2024). Where the paper is ambiguous, both readings are settings (`ShlptParams`)."""

import torch
from torch import Tensor

from shlpt.backbone.encode import Batch
from shlpt.backbone.t5 import IGNORE, Out
from shlpt.catalog.params import ShlptParams
from shlpt.methods.base import Ask, Context, Logging, State, answer_with_stored_prompt
from shlpt.methods.losses import contrast, contrast_cosines, filter_states, mean_cosines, sign_ste
from shlpt.methods.prompts import Prompt, fresh_prompt, prepend
from shlpt.methods.similarity import Estimator, dissimilar, equal_similarity, max_pool, mix_weights


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
        self.alpha = self.similarity().detach()  # [N,n]: latest α of each training instance
        if self.params.own_start == "zero" and self._all_are_lent():
            self.prompt.data.zero_()

    # --- the estimator --------------------------------------------------------------------
    def _estimator(self) -> Estimator:
        ctx = self.ctx
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(ctx.seed)
            estimator = Estimator(ctx.backbone.width, self.params.estimator_width).to(ctx.backbone.device)
        kept = {n.removeprefix("estimator."): t for n, t in ctx.state.extra.items() if n.startswith("estimator.")}
        if self.params.estimator == "carried" and kept:
            estimator.load_state_dict(kept)
        return estimator

    def _pooled(self) -> Tensor:
        """Max-pooled embeddings, which never change; in chunks, to limit memory."""
        train, embed = self.ctx.train, self.ctx.backbone.embed
        parts = zip(train.ids.split(64), train.mask.split(64), strict=True)
        return torch.cat([max_pool(embed(ids).float(), mask) for ids, mask in parts])[:, None]

    def similarity(self, rows: Tensor | None = None) -> Tensor:
        """α [B,n] of training instances (default: all)."""
        x = self.pooled if rows is None else self.pooled[rows]
        if self.params.estimator == "uniform":
            return equal_similarity(x, self.earlier)
        return self.estimator(x, x.new_ones(x.shape[:2]), self.earlier, self.temperature)

    @torch.no_grad()
    def _temperature(self) -> float:
        """`auto`: mean absolute initial score, so that initial similarities are neither equal nor one-hot."""
        if self.params.temperature != "auto":
            return float(self.params.temperature)
        scores = self.estimator.scores(self.pooled, self.pooled.new_ones(self.pooled.shape[:2]), self.earlier)
        return max(scores.abs().mean().item(), 1e-6)

    # --- one batch ------------------------------------------------------------------------
    def ask(self, batch: Batch) -> Ask:
        x = self.ctx.backbone.embed(batch.ids)  # [B,l,d]
        alpha = self.similarity(batch.rows)
        self.alpha[batch.rows] = alpha.detach()
        prompt = self._mixed(alpha) + self.prompt  # eq. 6, [B,L,d]

        def loss(out: Out) -> Tensor:
            return self._loss(out, batch, alpha.detach())

        return Ask(*prepend(prompt, x, batch.mask), batch.labels, "train", loss)

    def _mixed(self, alpha: Tensor) -> Tensor:
        """Σ α̃_j P^j for each row of α [B,n]: [B,L,d], zero where no task is similar."""
        if not self.params.similar_transfer:
            return self.prompt.new_zeros(len(alpha), *self.prompt.shape)
        weights = mix_weights(alpha, self.params.threshold)
        return (weights @ self.earlier.flatten(1)).unflatten(1, self.prompt.shape)

    def _all_are_lent(self) -> bool:
        """Whether every training text gets a mixture of earlier prompts."""
        weights = mix_weights(self.alpha, self.params.threshold)  # [N,n]
        return self.params.similar_transfer and bool((weights.sum(-1) > 0).all())

    def _loss(self, out: Out, batch: Batch, alpha: Tensor) -> Tensor:
        """Eq. 12."""
        p = self.params
        down = out.loss.mean()
        away = dissimilar(alpha, p.threshold, p.partition)  # [n] or [B,n]
        share = away if away.ndim == 2 else away[None]  # of the batch that calls each earlier task dissimilar
        self._log = {"down": down.item(), "alpha": alpha.mean(0).tolist(), "dissimilar": share.float().mean(0).tolist()}
        self._log |= {"alpha_low": alpha.amin(0).tolist(), "alpha_high": alpha.amax(0).tolist()}
        chosen = [j for j, far in enumerate(away.reshape(-1, len(self.earlier)).any(0).tolist()) if far]
        if not chosen or p.lambda_hsc == p.lambda_asc == 0:
            return down
        prompts = [self.ctx.state.pool[j] for j in chosen]
        mask = away[:, chosen] if away.ndim == 2 else None
        hsc = self._hsc(out, batch, prompts, mask) if p.lambda_hsc else down.new_zeros(())
        asc = self._asc(out, batch, prompts, mask) if p.lambda_asc else down.new_zeros(())
        self._log |= {"hsc": hsc.item(), "asc": asc.item()}
        return down + p.lambda_hsc * hsc + p.lambda_asc * asc

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

    @torch.no_grad()
    def keep(self) -> State:
        """Σ ᾱ̃_j P^j + P^t: eqs 6 and 7 with the mean α of all training instances."""
        mean = self.similarity().mean(0, keepdim=True)
        stored = self._mixed(mean)[0] + self.prompt
        extra = {f"estimator.{name}": t.detach().clone() for name, t in self.estimator.state_dict().items()}
        extra["temperature"] = torch.tensor(self.temperature)
        return State(self.ctx.state.pool.add(stored, self.ctx.task), extra)

    def memory(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha}

    def remember(self, memory: dict[str, Tensor]) -> None:
        self.alpha.copy_(memory["alpha"])

    def record(self) -> dict[str, Tensor]:
        return {"alpha": self.alpha.clone()}
