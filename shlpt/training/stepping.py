"""A stage one batch at a time: the training loop itself, driven by hand.

The lane is the one that a worker drives (`stage.Opened.lane`), and each step is one of the engine's rounds, so there is
no second loop whose numbers could differ. Beside it the batch is looked at before and after the step, without a trace
in the learner.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from shlpt.analysis.steps import FIRST, PARTS, TRAINING, WARM_UP, WEIGHTS, Ahead, Seen, Step
from shlpt.backbone.encode import Batch
from shlpt.methods.base import Accompanied, Ask, Learner, Remembering, State
from shlpt.plans.stages import Stage
from shlpt.training.engine import Onward, rounds
from shlpt.training.lane import apart, said_up_to_a_mistake
from shlpt.training.stage import Workshop, opened
from shlpt.training.telling import plain


class Stepper:
    """Steps of a stage, from its initial prompt to the end of its training. The same stage gives the same bits."""

    def __init__(self, shop: Workshop, stage: Stage, state: State) -> None:
        self.opened = opened(shop, stage, state)
        assert self.opened.learner is not None  # an imported prompt is not trained
        self.ctx, self.learner = self.opened.ctx, self.opened.learner
        self._told: list[tuple[str, dict[str, Any]]] = []
        self._rounds = rounds([self.opened.lane(self._hear, at_once=True)], shop.backbone, Onward())
        self._asked: Ask | None = None
        self._go_on()
        self.number = 0
        self.began = self.prompt()  # [L,d]
        self.ahead = self._look_ahead()

    def step(self) -> Step | None:
        """Train on the next batch; None when training is over."""
        if self.ahead is None:
            return None
        ahead, was = self.ahead, self.prompt()
        asked, self._told = self._asked, []
        self._go_on()
        assert asked is not None
        events = dict(self._told)
        told = events.get("step") or events.get("prepare") or {"loss": float("nan")} | events["diverged"]
        after = None if asked.batch is None else self.seen(asked.batch)
        now, before = self.prompt(), [self._apart(was, one) for one in self._earlier(was)]
        distances = [self._apart(now, one) for one in self._earlier(now)]
        self.number += 1
        self.ahead = self._look_ahead()
        return Step(
            **vars(ahead) | {"kind": FIRST if asked.batch is None else TRAINING if "step" in events else WARM_UP},
            told=told,
            after=after,
            moved=self._apart(was, now),
            start=self._apart(self.began, now),
            earlier=tuple(distances),
            nearer=tuple(one - two for one, two in zip(before, distances, strict=True)),
            epoch=events.get("epoch"),
            over="" if self.ahead else self._why_over(events),
        )

    # --- the loop -------------------------------------------------------------------------
    def _hear(self, kind: str, payload: dict[str, Any]) -> None:
        self._told.append((kind, payload))

    def _go_on(self) -> None:
        """Serve what waits, and whatever follows up to the next training step: validation at the end of an epoch."""
        for waiting in self._rounds:
            if waiting[0].kind == "train":
                self._asked = waiting[0]
                return
            if waiting[0].kind == "decode":  # the test: training is over
                break
        self._asked = None
        self._rounds.close()

    def _why_over(self, events: dict[str, Any]) -> str:
        if "diverged" in events:
            return f"Training {events['diverged']['reason']}."
        t, done = self.ctx.training, events["epoch"]["epoch"] + 1
        if done < t.epochs:
            return f"Training ends here, after {t.patience} epochs without a better validation score."
        return f"Training ends here: all {done} epochs are done."

    # --- looking on -----------------------------------------------------------------------
    def _look_ahead(self) -> Ahead | None:
        if self._asked is None:
            return None
        batch, number = self._asked.batch, self.number + 1
        if batch is None:
            return Ahead(number, FIRST)
        examples = [self.ctx.train.examples[row] for row in batch.numbers]
        ids, texts, targets = zip(*((one.id, one.text, one.target) for one in examples), strict=True)
        return Ahead(number, TRAINING, ids, texts, targets, self.seen(batch))

    @torch.no_grad()
    def seen(self, batch: Batch) -> Seen:
        """Losses, α and answers of a batch as things are now."""
        with undisturbed(self.learner):
            learner = self.learner
            ask = learner.ask_alone(batch) if isinstance(learner, Accompanied) else learner.ask(batch)
            assert ask.loss is not None
            assert ask.labels is not None
            out = self.ctx.backbone.forward(ask.embeds, ask.mask, ask.labels)
            loss, log = ask.loss(out).item(), plain([self.learner.log()])[0]
            alpha = getattr(self.learner, "alpha", None)
            alphas = [] if alpha is None else alpha[batch.rows].tolist()
        rows = range(len(batch))
        answers = [
            said_up_to_a_mistake(self.ctx.backbone, out.likeliest[row], batch.labels[row], self.ctx.train.widths[place])
            for row, place in zip(rows, batch.numbers, strict=True)
        ]
        found = {part: log.get(part) for part in PARTS}
        parts = {
            part: value * getattr(self.ctx.params, WEIGHTS.get(part, ""), 1.0)
            for part, value in found.items()
            if isinstance(value, float)
        }
        return Seen(loss, parts, tuple(answers), tuple(out.exact.tolist()), log, tuple(map(tuple, alphas)))

    def prompt(self) -> Tensor:
        """[L,d]: what would be stored and put before a text now."""
        return self.learner.keep().pool.of(self.ctx.task).tensor

    def _earlier(self, prompt: Tensor) -> list[Tensor]:
        """The earlier prompts [L,d]. Of prompts that contain others (Progressive Prompts) the own part comes first."""
        length = self.ctx.training.prompt_length
        pool = self.ctx.state.pool
        return [one.tensor[:length] for one in pool if len(one.tensor) >= length <= len(prompt)]

    def _apart(self, one: Tensor, other: Tensor) -> float:
        length = min(len(one), len(other))
        return apart(one[:length], other[:length], self.ctx.backbone.word_size)


@contextmanager
def undisturbed(learner: Learner) -> Iterator[None]:
    """What asking changes in a learner is put back."""
    held = dict(vars(learner))
    memory = learner.memory() if isinstance(learner, Remembering) else {}
    memory = {name: tensor.clone() for name, tensor in memory.items()}
    try:
        yield
    finally:
        vars(learner).update(held)
        if isinstance(learner, Remembering):
            learner.remember(memory)
