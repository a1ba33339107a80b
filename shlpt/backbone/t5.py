"""The frozen T5: loading, embedding, forward passes over rows of prompt + text, decoding.

Everything the methods ask of a language model is here, and only here. The model is in
evaluation mode and never trained, so what it makes of the same rows is always the same.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shlpt.backbone import frozen
from shlpt.backbone.files import REMEDY, find, first_line, is_here, on_the_hub_failure, out_of_reach
from shlpt.errors import UserError
from shlpt.internet import hub_answers

IGNORE = -100  # label of positions that do not count


@dataclass(frozen=True)
class Look:
    """What the decoder's states are, row by row."""

    hidden: Tensor  # [B,m,d] last hidden states of the decoder
    states: tuple[Tensor, ...]  # per decoder layer [B,m,f]: activation values of its feed-forward (eq. 9)

    def rows(self, start: int, stop: int, width: int) -> Look:
        """The part of a shared forward that belongs to one lane, without the others' padding."""
        return Look(self.hidden[start:stop, :width], tuple(s[start:stop, :width] for s in self.states))


@dataclass(frozen=True)
class Out(Look):
    """And what they say of the targets."""

    loss: Tensor  # [B] mean negative log-likelihood of the row's target tokens
    exact: Tensor  # [B] bool: every target token is the most likely one, so greedy decoding gives the target
    likeliest: Tensor  # [B,m] most likely token at each place, given the target's tokens before it

    def rows(self, start: int, stop: int, width: int) -> Out:
        part = super().rows(start, stop, width)
        return Out(
            part.hidden, part.states, self.loss[start:stop], self.exact[start:stop], self.likeliest[start:stop, :width]
        )


class Backbone:
    """A T5 with its tokenizer, frozen. `digest` tells one set of weights from another."""

    def __init__(self, name: str, model: Any, tokenizer: Any, device: torch.device, dtype: torch.dtype) -> None:
        self.name, self.tokenizer, self.device, self.dtype = name, tokenizer, device, dtype
        self.model = model.to(device=device, dtype=dtype).eval().requires_grad_(False)
        # A GPU works through a queue: asking it for a number waits for all that is queued.
        self.queued = device.type == "cuda"
        self._frozen_encode: Callable[[Any, Tensor, Tensor], Tensor] = frozen.encode
        self._captured: list[Tensor] = []
        self._silent: Tensor | None = None  # [layers,f] bool
        for layer, block in enumerate(self.model.decoder.block):
            block.layer[-1].DenseReluDense.act.register_forward_hook(partial(self._capture, layer))

    def _capture(self, layer: int, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        if self._silent is not None:
            output = output.masked_fill(self._silent[layer], 0.0)
        self._captured.append(output)  # [B,m,f]; in gated layers act(h·W_gate), positive where active
        return output

    @contextmanager
    def silenced(self, neurons: Tensor) -> Iterator[None]:
        """These feed-forward neurons of the decoder [layers,f] are off at every position."""
        before, self._silent = self._silent, neurons.to(self.device)
        try:
            yield
        finally:
            self._silent = before

    def own_copy(self, weights: Mapping[str, Tensor] | None = None) -> Backbone:
        """A model whose weights may differ from this one's, in evaluation mode like it. Given weights are not copied.

        In single precision whatever this one is in: steps of training are too small for bfloat16.
        """
        self._captured.clear()
        known: dict[int, Any] = {id(self.tokenizer): self.tokenizer}
        if weights is not None:
            parameters = self.model.named_parameters()
            known |= {id(one): nn.Parameter(weights[name], requires_grad=False) for name, one in parameters}
        twin = copy.deepcopy(self, known)
        for name in ("digest", "word_size"):
            twin.__dict__.pop(name, None)
        twin.dtype = torch.float32
        twin.model.to(torch.float32)
        return twin

    # --- what it is -----------------------------------------------------------------------
    @property
    def width(self) -> int:
        return int(self.model.config.d_model)

    @property
    def inner(self) -> int:
        """Neurons of a feed-forward layer."""
        return int(self.model.config.d_ff)

    @property
    def layers(self) -> int:
        return len(self.model.decoder.block)

    @cached_property
    def digest(self) -> str:
        found = hashlib.blake2s(digest_size=8)
        for name, tensor in sorted(self.model.state_dict().items()):
            found.update(name.encode())
            found.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        return found.hexdigest()

    @property
    def vocabulary(self) -> Tensor:
        """[V,d] word embeddings; rows past the tokenizer's last id are never used by a text."""
        table: Tensor = self.model.get_input_embeddings().weight
        return table[: len(self.tokenizer)]

    @cached_property
    def word_size(self) -> float:
        """Root mean square of the numbers of a word embedding."""
        return float(self.vocabulary.float().square().mean().sqrt())

    # --- text to numbers and back ---------------------------------------------------------
    def tokenize(self, texts: Sequence[str], max_length: int) -> tuple[Tensor, Tensor, int]:
        """ids [N,l], mask [N,l] and how many texts were cut to `max_length` tokens."""
        whole = self.tokenizer(list(texts), add_special_tokens=True, truncation=False, verbose=False).input_ids
        cut = sum(len(row) > max_length for row in whole)
        batch = self.tokenizer(list(texts), padding=True, truncation=True, max_length=max_length, return_tensors="pt")
        return batch.input_ids.to(self.device), batch.attention_mask.to(self.device), cut

    def targets(self, answers: Sequence[str]) -> Tensor:
        """labels [N,m], padded with IGNORE."""
        batch = self.tokenizer(list(answers), padding=True, return_tensors="pt")
        return batch.input_ids.masked_fill(batch.attention_mask == 0, IGNORE).to(self.device)

    def text(self, ids: Tensor) -> list[str]:
        found = self.tokenizer.batch_decode(ids, skip_special_tokens=True)
        return [text.strip() for text in found]

    def embed(self, ids: Tensor) -> Tensor:
        """[B,l] -> [B,l,d]"""
        found: Tensor = self.model.get_input_embeddings()(ids)
        return found

    # --- forward passes -------------------------------------------------------------------
    def forward(self, embeds: Tensor, mask: Tensor, labels: Tensor) -> Out:
        """Rows of prompt + text [B,n,d] with their targets [B,m]."""
        seen = self._decoder(embeds, mask, self._shifted(labels))
        logits = self._logits(seen.hidden).float()  # [B,m,V]
        counts = labels != IGNORE
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), labels, ignore_index=IGNORE, reduction="none")
        likeliest = logits.argmax(-1)
        exact = ((likeliest == labels) | ~counts).all(1)
        return Out(seen.hidden, seen.states, loss.sum(1) / counts.sum(1).clamp(min=1), exact, likeliest)

    @torch.no_grad()
    def logits(self, embeds: Tensor, mask: Tensor, labels: Tensor) -> Tensor:
        """[B,m,V] at each position of the targets [B,m]."""
        return self._logits(self._decoder(embeds, mask, self._shifted(labels)).hidden).float()

    def look(self, embeds: Tensor, mask: Tensor) -> Look:
        """The first decoder position only: enough for eqs 8 and 10, whatever the target."""
        start = self.model.config.decoder_start_token_id
        return self._decoder(embeds, mask, torch.full((len(embeds), 1), start, device=embeds.device))

    @torch.no_grad()
    def uncertainty(self, embeds: Tensor, mask: Tensor) -> Tensor:
        """[B]: entropy of the first answer token, in nats."""
        logits = self._logits(self.look(embeds, mask).hidden[:, 0]).float()
        return torch.distributions.Categorical(logits=logits).entropy()

    @torch.no_grad()
    def query(self, ids: Tensor, mask: Tensor) -> Tensor:
        """What bare texts [B,l] are about, without any prompt: mean encoder state over real tokens, [B,d]."""
        states = self._encode(self.embed(ids), mask).float()
        weights = mask[..., None].float()
        return (states * weights).sum(1) / weights.sum(1)

    def _encode(self, embeds: Tensor, mask: Tensor) -> Tensor:
        """Last hidden states of the encoder, [B,n,d]."""
        embeds = embeds.to(self.dtype)
        if frozen.can_run(self.model):
            seen: Tensor = self._frozen_encode(self.model.encoder, embeds, mask)
            return seen
        found: Tensor = self.model.encoder(inputs_embeds=embeds, attention_mask=self._visible(mask)).last_hidden_state
        return found

    def with_compiled_encoder(self, backend: str = "inductor") -> Backbone:
        """The same model, its encoder compiled for each shape it meets. Not used in training: `speed --compiled` tells
        what a device gains from it."""
        twin = copy.copy(self)  # the frozen weights, and what the hooks capture, are shared
        twin.queued = True  # few shapes
        twin._frozen_encode = torch.compile(frozen.encode, backend=backend, dynamic=False)
        return twin

    def _visible(self, mask: Tensor) -> Tensor:
        """The mask [B,n] as the library takes it. It asks the device whether a mask of this form leaves anything out;
        one that is added to the scores [B,1,1,n] it takes as it is."""
        if not self.queued:
            return mask
        return (1 - mask[:, None, None].to(self.dtype)) * torch.finfo(self.dtype).min

    def _decoder(self, embeds: Tensor, mask: Tensor, inputs: Tensor) -> Look:
        self._captured.clear()
        encoded = self._encode(embeds, mask)
        if frozen.can_run(self.model):
            hidden = frozen.decode(self.model.decoder, self.embed(inputs), encoded, mask)
        else:
            hidden = self.model.decoder(
                input_ids=inputs,
                encoder_hidden_states=encoded,
                encoder_attention_mask=self._visible(mask),
                use_cache=False,
            ).last_hidden_state
        states = tuple(self._captured)
        self._captured.clear()
        return Look(hidden, states)

    @torch.no_grad()
    def decode(
        self, embeds: Tensor, mask: Tensor, limit: int, beams: int = 1, repetition_penalty: float = 1.0
    ) -> Tensor:
        """Greedy answers [B, ≤ limit], the encoder run once, keys and values cached; or answers by beam search."""
        embeds = embeds.to(self.dtype)
        if beams > 1:
            found: Tensor = self.model.generate(
                inputs_embeds=embeds,
                attention_mask=mask,
                num_beams=beams,
                max_new_tokens=limit,
                do_sample=False,
                repetition_penalty=repetition_penalty,
            )
            self._captured.clear()
            return found[:, 1:]
        config = self.model.config
        encoded, visible = self._encode(embeds, mask), self._visible(mask)
        token = torch.full((len(embeds), 1), config.decoder_start_token_id, device=embeds.device)
        done = torch.zeros(len(embeds), dtype=torch.bool, device=embeds.device)
        answers, cache = [], None
        for _ in range(limit):
            step = self.model.decoder(
                input_ids=token,
                encoder_hidden_states=encoded,
                encoder_attention_mask=visible,
                past_key_values=cache,
                use_cache=True,
            )
            cache = step.past_key_values
            token = self._logits(step.last_hidden_state[:, -1:]).argmax(-1)
            token = token.masked_fill(done[:, None], config.pad_token_id)
            answers.append(token)
            done |= token[:, 0] == config.eos_token_id
            if done.all():
                break
        self._captured.clear()
        return torch.cat(answers, 1)

    def _shifted(self, labels: Tensor) -> Tensor:
        config = self.model.config
        start = torch.full_like(labels[:, :1], config.decoder_start_token_id)
        return torch.cat([start, labels[:, :-1].masked_fill(labels[:, :-1] == IGNORE, config.pad_token_id)], 1)

    def _logits(self, hidden: Tensor) -> Tensor:
        if getattr(self.model.config, "scale_decoder_outputs", self.model.config.tie_word_embeddings):
            hidden = hidden * self.width**-0.5
        logits: Tensor = self.model.lm_head(hidden)
        return logits


# --- loading ------------------------------------------------------------------------------
def pick_device(name: str = "auto") -> torch.device:
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if there[kind]))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"unknown device {name!r}: use auto, cpu, cuda, cuda:1 or mps") from None
    if not there.get(device.type) or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise UserError(f"device {name!r} is not there: use auto, which picks {pick_device()} on this machine")
    return device


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """auto: bfloat16 on CUDA, single precision elsewhere."""
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    known = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    if name not in known:
        raise UserError(f"unknown dtype {name!r}: use auto, {' or '.join(known)}")
    return known[name]


def load(name: str = "pocket", device: str = "auto", dtype: str = "auto") -> Backbone:
    """`pocket` (embedded), a local folder, or a name on the hub; safetensors only, no remote code."""
    place = pick_device(device)
    path = find(name)
    reached = path is None and hub_answers()
    if path is None and not reached and not is_here(name):
        raise UserError(out_of_reach(name))
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    source = name if path is None else str(path)
    how = {"trust_remote_code": False, "local_files_only": not reached}
    try:
        with _quiet_library():
            tokenizer = AutoTokenizer.from_pretrained(source, **how)
            model, found = T5ForConditionalGeneration.from_pretrained(
                source, use_safetensors=True, output_loading_info=True, **how
            )
    except Exception as error:  # the library raises nearly every kind on a bad file or name
        raise UserError(_load_failure(name, path, error)) from error
    if found["missing_keys"]:
        names = ", ".join(sorted(found["missing_keys"])[:3])
        raise UserError(f"the weights of backbone {name!r} lack {names}: this is not a whole T5")
    return Backbone(name, model, tokenizer, place, pick_dtype(dtype, place))


@contextmanager
def _quiet_library() -> Any:
    """Loading messages and bars of the library do not belong on our screen."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _load_failure(name: str, path: Path | None, error: Exception) -> str:
    if name == "pocket":
        return f"backbone file damaged in {path}: {first_line(error)}; {REMEDY}"
    if path is not None:
        return f"cannot load a T5 from the folder {path}: {first_line(error)}"
    return on_the_hub_failure(name, error)
