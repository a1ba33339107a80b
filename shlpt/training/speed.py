"""Time per training step: ratios of medians, measured in alternation in one process."""

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS, PLAIN
from shlpt.catalog.params import NoParams, Params, ShlptParams
from shlpt.methods.base import Context, Learner, State, learner_of, rates_of
from shlpt.methods.prompts import PromptPool, fresh_prompt
from shlpt.methods.views import Views
from shlpt.spec import Training
from shlpt.tasks.find import draw, find_task
from shlpt.training.engine import Lane, drive
from shlpt.training.lane import adamw, train_step
from shlpt.training.telling import Telling

LANES = (1, 2, 4, 8)
TOGETHER = {"shlpt": 3, "progressive": 3, "l2p": 0, "coda": 0}  # method -> earlier tasks, measured in four lanes
EARLIER = (1, 3, 14, 49)  # the second task, the benchmarks' last, and the fiftieth
Step = Callable[[], None]


def measure(
    backbone: Backbone, rounds: int = 60, progress: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """The output of `python -m shlpt speed`."""
    bench = Bench(backbone)
    steps: dict[str, Step] = {"plain": bench.lanes(1), **{f"lanes {g}": bench.lanes(g) for g in LANES}}
    for count in EARLIER:
        steps[f"similar {count}"] = bench.lanes(1, "shlpt", ShlptParams(threshold=0.0), count)
        steps[f"dissimilar {count}"] = bench.lanes(1, "shlpt", ShlptParams(threshold=1.5), count)
    for method, count in TOGETHER.items():
        for width in (1, 4):
            steps[f"{method} {width}"] = bench.lanes(width, method, METHODS[method].params(), count)
    peft = bench.peft()
    if peft is not None:
        steps["peft"] = peft
    times = _interleaved(steps, rounds, progress, backbone.device)
    plain = times["plain"]
    return {
        "device": str(backbone.device),
        "threads": torch.get_num_threads(),
        "plain_step_ms": plain * 1000,
        "shlpt_over_plain": {str(n): max(times[f"similar {n}"], times[f"dissimilar {n}"]) / plain for n in EARLIER},
        "shlpt_over_plain_similar": {str(n): times[f"similar {n}"] / plain for n in EARLIER},
        "plain_over_peft": plain / times["peft"] if "peft" in times else None,
        "lanes": {str(g): times[f"lanes {g}"] / g / times["lanes 1"] for g in LANES},
        "four_lanes": {m: times[f"{m} 4"] / 4 / times[f"{m} 1"] for m in TOGETHER},
        "rounds": rounds,
    }


def calibrate(backbone: Backbone, training: Training, width: int, rounds: int = 5) -> float:
    """Estimated seconds per training step of one run in a lane group, validation included."""
    step = Bench(backbone, training).lanes(width)
    seconds = _interleaved({"step": step}, rounds, lambda share: None, backbone.device)["step"] / width
    return seconds * (1 + training.validation_shots / (3 * training.shots))  # a pass without gradients: about a third


def _interleaved(
    steps: dict[str, Step], rounds: int, progress: Callable[[float], None], device: torch.device
) -> dict[str, float]:
    """Median seconds of each step, measured in alternation so that slow moments affect all alike."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 3):  # three warm-up rounds
        names = list(steps) if number % 2 else list(steps)[::-1]
        for name in names:
            begin = time.perf_counter()
            steps[name]()
            wait_for(device)
            if number >= 3:
                times[name].append(time.perf_counter() - begin)
        progress((number + 1) / (rounds + 3))
    return {name: statistics.median(found) for name, found in times.items()}


def _nobody(kind: str, said: dict[str, Any]) -> None:
    """Nobody watches."""


def wait_for(device: torch.device) -> None:
    """Until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class Bench:
    """One batch of one task for all measured steps. `full`: texts as long as they may be, none is padded."""

    def __init__(self, backbone: Backbone, training: Training | None = None, full: bool = False) -> None:
        self.backbone, self.training = backbone, training or Training()
        self.views = Views(backbone)
        rows = draw(find_task("amazon"), "train", self.training.shots, 42)
        if full:
            longest, count = self.training.max_length, self.training.batch_size
            rows = [replace(row, text=" ".join([row.text] * longest)) for row in rows[:count]]
        self.data = Encoded(backbone, rows, self.training.max_length)
        self.batch = self.data.batch(range(min(self.training.batch_size, len(rows))))

    def context(self, params: Params, earlier: int, seed: int) -> Context:
        pool = PromptPool()
        for number in range(earlier):
            pool = pool.add(self._prompt(number, f"earlier {number}"), f"earlier {number}")
        return Context(self.backbone, "amazon", self.data, params, self.training, seed, State(pool), self.views)

    def _prompt(self, seed: int, task: str) -> Tensor:
        return fresh_prompt(self.backbone.vocabulary, self.training.prompt_length, seed, task)

    def lanes(self, count: int, method: str = PLAIN, params: Params | None = None, earlier: int = 0) -> Step:
        """A step of `count` runs that share a forward pass."""
        learners = [learner_of(method)(self.context(params or NoParams(), earlier, 42 + i)) for i in range(count)]
        late = self.backbone.queued  # numbers are read as they are in training: on a GPU a few steps together
        parts = [(one, adamw(rates_of(one), self.training), Telling(_nobody, late=late)) for one in learners]

        def lane(learner: Learner, optimiser: torch.optim.Optimizer, told: Telling) -> Lane[None]:
            taken = yield from train_step(learner, optimiser, self.batch, self.training.clip, told)
            told.add("step", {"loss": taken.loss, **learner.log()}, taken.norms)
            told.losses.clear()

        def step() -> None:
            drive([lane(*part) for part in parts], self.backbone)

        return step

    def peft(self) -> Step | None:
        """The same step in PEFT's prompt tuning, if PEFT is installed."""
        try:
            from peft import PromptTuningConfig, TaskType, get_peft_model
        except ImportError:
            return None
        config = PromptTuningConfig(
            task_type=TaskType.SEQ_2_SEQ_LM,
            num_virtual_tokens=self.training.prompt_length,
            num_transformer_submodules=1,
        )
        model: Any = get_peft_model(copy.deepcopy(self.backbone.model), config).eval()
        weights = [p for p in model.parameters() if p.requires_grad]
        opt = adamw(weights, self.training)
        batch = self.batch

        def step() -> None:
            loss = model(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(weights, self.training.clip)
            opt.step()
            opt.zero_grad()

        return step
