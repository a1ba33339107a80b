"""Soft prompts and the pool of frozen prompts."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Prompt:
    """The frozen prompt [L,d] of one task."""

    tensor: Tensor
    task: str

    @cached_property
    def digest(self) -> str:
        data = self.tensor.detach().float().cpu().contiguous().numpy().tobytes()
        return hashlib.blake2s(data, digest_size=8).hexdigest()


class PromptPool:
    """The prompts of the tasks so far, oldest first."""

    def __init__(self, prompts: tuple[Prompt, ...] = ()) -> None:
        self.prompts = prompts

    def __len__(self) -> int:
        return len(self.prompts)

    def __iter__(self) -> Iterator[Prompt]:
        return iter(self.prompts)

    def __getitem__(self, index: int) -> Prompt:
        return self.prompts[index]

    def of(self, task: str) -> Prompt:
        return next(prompt for prompt in self.prompts if prompt.task == task)

    def add(self, tensor: Tensor, task: str) -> Self:
        return type(self)((*self.prompts, Prompt(tensor.detach().clone(), task)))

    def stacked(self) -> Tensor:
        """[n,L,d]"""
        return torch.stack([prompt.tensor for prompt in self.prompts])


def fresh_prompt(vocabulary: Tensor, length: int, seed: int, task: str) -> Tensor:
    """[L,d]: embeddings of random words; they depend on task and seed, not on the method."""
    rng = Random(f"prompt/{seed}/{task}")
    rows = [rng.randrange(len(vocabulary)) for _ in range(length)]
    return vocabulary[rows].detach().float().clone()


def fresh_normal(*shape: int, seed: int, name: str, device: torch.device) -> Tensor:
    """Standard normal numbers that depend on seed and name only, drawn on the CPU so that devices agree."""
    generator = torch.Generator().manual_seed(Random(f"{name}/{seed}").getrandbits(63))
    return torch.randn(*shape, generator=generator).to(device)


def prepend(prompt: Tensor, embeds: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """[P; X]: a prompt [L,d] for all rows, or one per row [B,L,d], before the embeddings [B,l,d]."""
    if prompt.ndim == 2:
        prompt = prompt.expand(len(embeds), -1, -1)
    ones = mask.new_ones(prompt.shape[:2])
    return torch.cat([prompt, embeds.to(prompt.dtype)], 1), torch.cat([ones, mask], 1)
