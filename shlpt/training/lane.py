"""One stage: a task learned after a given history, as a training loop. Each `yield` hands rows to the engine and
returns the backbone's output; lanes share forward passes there."""

import math
from collections import Counter
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from shlpt.analysis.metrics import score, tidy, varied
from shlpt.backbone.encode import Batch, Encoded, cat_padded, order
from shlpt.backbone.t5 import IGNORE, Backbone, Look, Out
from shlpt.methods.base import Ask, Context, Finishing, Learner, Parameters, Preparing, State, rates_of
from shlpt.methods.costs import costs
from shlpt.methods.prompts import prepend
from shlpt.spec import Training
from shlpt.tasks.task import Task
from shlpt.training.checkpoint import Best, Place, go_to, place_of
from shlpt.training.engine import Cut, Diverged
from shlpt.training.telling import Emit, Telling

EVALUATION_ROWS = 64
WATCHED_TEXTS = 16  # validation texts whose activation overlap is measured at each epoch
SHOWN_TEXTS = 5  # validation texts whose answer is told at each epoch


@dataclass(frozen=True)
class Examined:
    """Test data: the tasks so far, the newest last."""

    tasks: list[Task]
    data: list[Encoded]


@dataclass
class StageResult:
    """The result of a stage: the state for the next one, and everything later analysis reads."""

    state: State
    answers: dict[str, list[str]]  # task -> decoded answer of each test example
    scores: dict[str, list[float]]  # task -> score of each test example
    record: dict[str, Tensor] = field(default_factory=dict)  # α of each instance, states of the probe batch
    summary: dict[str, Any] = field(default_factory=dict)


def learn(
    ctx: Context,
    learner: Learner,
    validation: Encoded,
    tests: Examined,
    probe: Encoded | None,
    emit: Emit,
    start: Place | None = None,
    at_once: bool = False,
) -> Generator[Ask | Cut, Any, StageResult]:
    """Train with early stopping, keep the best state, test it. `start` is a checkpoint to resume from, `at_once` reads
    the numbers of every step before the next one, whatever the device.

    Longer than most functions here: a stage is read from top to bottom in one place.
    """
    t = ctx.training
    optimiser = adamw(rates_of(learner), t)
    best, done, epoch, failure = Best(t.patience), 0, -1, ""
    told = Telling(emit, late=ctx.backbone.queued and not at_once)
    watched = spread(len(validation), WATCHED_TEXTS)
    shown = varied([example.target for example in validation.examples], SHOWN_TEXTS)
    began = None if (own := prompt_of(learner)) is None else own.clone()
    last: dict[str, float | None] = {"train_loss": None, "moved": None}  # of the last epoch
    before = states_before(ctx, validation, watched)
    try:
        if start is None:
            done = yield from prepare(learner, t, told)
        else:
            best = go_to(start, learner, optimiser, t.patience)
            told.step, done = start.numbers["step"], start.numbers["done"]
            last = {key: start.numbers.get(key) for key in last}
        for epoch in range(done, t.epochs):
            yield Cut(partial(place_of, learner, optimiser, best, step=told.step, done=done, **last))
            if best.state is not None and best.stale(epoch - 1):
                break
            told.losses.clear()
            for rows in order(ctx.seed, ctx.task, epoch, len(ctx.train), t.batch_size):
                taken = yield from train_step(learner, optimiser, ctx.train.batch(rows), t.clip, told)
                told.add("step", {"epoch": epoch, "loss": taken.loss, **learner.log()}, taken.norms)
            told.settle()
            state = learner.keep()
            right, mean, seen = yield from check(ctx, learner, state, validation)
            if epoch >= min(t.patience_from, t.epochs - 1):
                best.offer(epoch, right, mean, state)
            said: dict[str, Any] = {"step": told.step, "epoch": epoch, "validation": right, "validation_loss": mean}
            said["answers"] = answered(ctx.backbone, validation, shown, seen)
            if before:
                now = seen.states[watched].float()
                said["overlap"] = torch.stack([cosine_similarity(now, one, dim=-1).mean() for one in before]).tolist()
            emit("epoch", said)
            moved = distance(learner, began, ctx.backbone.word_size)
            last = {"train_loss": sum(told.losses) / len(told.losses), "moved": moved}
            done = epoch + 1
    except Diverged as error:
        where = f"at step {told.step + 1} of epoch {epoch + 1}" if epoch >= 0 else "before the first epoch"
        failure = f"stopped {where}: {error}"
        emit("diverged", {"step": told.step + 1, "epoch": epoch, "reason": failure})
    # A failed step changes nothing, so the state before it is valid.
    kept = best.state or learner.keep()
    if isinstance(learner, Finishing) and not failure:
        kept = yield from learner.finish(kept)
    summary = {"steps": told.step, "epochs": done, "failure": failure, "cut_texts": ctx.train.cut, **last}
    summary |= {"constant_loss": constant_loss(validation), "validation_texts": len(validation)}
    summary |= {"best_epoch": best.epoch, "validation": best.rank[0], "validation_loss": -best.rank[1]}
    return (yield from ended(ctx, learner, kept, tests, probe, summary))


def ended(
    ctx: Context, learner: Learner, kept: State, tests: Examined, probe: Encoded | None, summary: dict[str, Any]
) -> Generator[Ask, Any, StageResult]:
    """Test the state that is kept, and say what it is."""
    answers, scores = yield from test(ctx, learner, kept, tests)
    spoken = yield from in_words(ctx, learner, kept, tests.tasks[-1], tests.data[-1], answers[ctx.task])
    result = StageResult(kept, answers, scores, learner.record())
    result.record |= yield from probe_states(ctx, kept, probe)
    result.summary = summary | spoken | said_of_alpha(result.record.get("alpha"))
    result.summary |= costs(learner.parameters(), ctx.state, kept, (*ctx.earlier_data, ctx.train))
    return result


def said_of_alpha(alpha: Tensor | None) -> dict[str, list[float]]:
    """α [N,n] in short, so that it can be read without the tensors: mean and standard deviation over the texts."""
    if alpha is None or not alpha.numel():
        return {}
    return {"alpha": alpha.mean(0).tolist(), "alpha_sd": alpha.std(0, correction=0).tolist()}


def prepare(learner: Learner, training: Training, told: Telling) -> Generator[Ask, Any, int]:
    """Run the learner's preparation phase, if it has one. Returns the number of epochs that it replaces."""
    if not isinstance(learner, Preparing):
        return 0
    phase = learner.preparation()
    optimiser = adamw(phase.parameters, training)
    for number, ask in enumerate(phase.asks):
        loss = yield replace(ask, late=told.late, tell=told.tell)
        phase.turn()
        told.add("prepare", {"step": number + 1, "loss": loss}, take_step(optimiser, training.clip, loss))
    told.settle()
    return phase.epochs


def adamw(parameters: Parameters, training: Training) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=training.lr, weight_decay=training.weight_decay, fused=True)


class Taken(NamedTuple):
    """A step: its loss, and the norms of its gradients, if both are still to be read."""

    loss: float | Tensor
    norms: tuple[Tensor, ...]


def train_step(
    learner: Learner, optimiser: torch.optim.Optimizer, batch: Batch, clip: float, told: Telling | None = None
) -> Generator[Ask, Any, Taken]:
    """One optimiser step; nothing changes if the loss or the gradient is not finite."""
    ask = replace(learner.ask(batch), batch=batch)
    if told is not None:
        ask = replace(ask, late=told.late, tell=told.tell)
    loss = yield ask
    return Taken(loss, take_step(optimiser, clip, loss))


def take_step(optimiser: torch.optim.Optimizer, clip: float, loss: float | Tensor = 0.0) -> tuple[Tensor, ...]:
    """Where the loss is still on the device, so is the decision: after a loss or a gradient that is not finite no step
    of this optimiser changes anything. Returns the norms that are to be read with the loss."""
    groups = [g["params"] for g in optimiser.param_groups if any(p.grad is not None for p in g["params"])]
    norms = [torch.nn.utils.clip_grad_norm_(group, clip) for group in groups]
    if isinstance(loss, Tensor):
        failed = (~torch.stack([loss, *norms]).isfinite().all()).float()
        before = getattr(optimiser, "found_inf", failed)
        optimiser.found_inf = torch.maximum(before, failed)  # type: ignore[attr-defined]  # the fused AdamW heeds it
    else:
        for norm in norms:
            if not torch.isfinite(norm):
                raise Diverged(f"the gradient is {norm.item()}")
        norms = []
    optimiser.step()
    optimiser.zero_grad()
    return tuple(norms)


class Checked(NamedTuple):
    """What a state says of each validation text, in the order of the texts."""

    states: Tensor  # [N,f] of the last decoder layer at the first position
    exact: Tensor  # [N]
    likeliest: Tensor  # [N,m]


def check(
    ctx: Context, learner: Learner, state: State, data: Encoded
) -> Generator[Ask, Out, tuple[float, float, Checked]]:
    """Validation accuracy, mean loss, and what is seen of each text, with the state that would be kept now. Greedy
    decoding gives the target exactly if each target token is the most likely one, so one pass with the targets
    suffices."""
    rows, sums, states, exact, likeliest = [], [], [], [], []
    for batch in data.batches(EVALUATION_ROWS):
        out = yield learner.answer(ctx.backbone, state, ctx.task, batch, "score")
        sums.append(torch.stack([out.exact.sum(), out.loss.sum()]))
        rows.append(batch.rows)
        states.append(out.states[-1][:, 0])
        exact.append(out.exact)
        likeliest.append(out.likeliest)
    place = torch.cat(rows).argsort()
    seen = Checked(torch.cat(states)[place], torch.cat(exact)[place], cat_padded(likeliest, IGNORE)[place])
    right, loss = map(sum, zip(*torch.stack(sums).tolist(), strict=True))
    return right / len(data), loss / len(data), seen


def answered(backbone: Backbone, data: Encoded, rows: Sequence[int], seen: Checked) -> list[tuple[str, str, bool]]:
    """Texts by their ids, what is answered to them, and whether that is right. Of a wrong answer the tokens up to the
    first wrong one are known."""
    likeliest, labels, exact = (tensor[rows].cpu() for tensor in (seen.likeliest, data.labels, seen.exact))
    found = []
    for place, row in enumerate(rows):
        answer = said_up_to_a_mistake(backbone, likeliest[place], labels[place], data.widths[row])
        found.append((data.examples[row].id, answer, bool(exact[place])))
    return found


def said_up_to_a_mistake(backbone: Backbone, likeliest: Tensor, target: Tensor, width: int) -> str:
    """The answer to one text, given the likeliest tokens [m] and the target's [m], of which `width` count."""
    tokens = likeliest[:width]
    wrong = (tokens != target[:width]).nonzero()
    (answer,) = backbone.text(tokens[None, : int(wrong[0]) + 1 if len(wrong) else width])
    return answer


def spread(count: int, most: int) -> list[int]:
    """At most `most` row numbers, evenly spread over a data set."""
    return [number * count // min(count, most) for number in range(min(count, most))]


def states_before(ctx: Context, data: Encoded, rows: Sequence[int]) -> list[Tensor]:
    """Last-layer activation states [W,f] of some rows under each earlier prompt, to compare the new prompt's with.
    Computed per lane, so that the bits do not depend on which lanes train together."""
    batch = data.batch(rows)
    return [ctx.views.compute(prompt, batch, "first").states[:, 0].float() for prompt in ctx.state.pool]


def test(
    ctx: Context, learner: Learner, state: State, tests: Examined
) -> Generator[Ask, Tensor, tuple[dict[str, list[str]], dict[str, list[float]]]]:
    """Answers and scores on each task, example by example."""
    answers, scores = {}, {}
    for task, data in zip(tests.tasks, tests.data, strict=True):
        found = [""] * len(data)
        for batch in data.batches(EVALUATION_ROWS):
            ask = learner.answer(ctx.backbone, state, task.name, batch, "decode")
            t = ctx.training
            ids = yield replace(
                ask, labels=None, limit=data.limit, beams=t.beams, repetition_penalty=t.repetition_penalty
            )
            for row, text in zip(batch.numbers, ctx.backbone.text(ids), strict=True):
                found[row] = text
        answers[task.name] = found
        scores[task.name] = score(task.metric, found, [e.target for e in data.examples], ctx.training.matching)
    return answers, scores


def in_words(
    ctx: Context, learner: Learner, state: State, task: Task, data: Encoded, answers: Sequence[str]
) -> Generator[Ask, Out, dict[str, float]]:
    """The share of answers that are no answer words, and the score when each of those is replaced by the likeliest
    answer word. Nothing for a task with free answers."""
    if not task.labels:
        return {}
    known = {tidy(label) for label in task.labels}
    outside = [row for row, text in enumerate(answers) if tidy(text) not in known]
    found, least = list(answers), dict.fromkeys(outside, float("inf"))
    for label in task.labels if outside else ():
        target = ctx.backbone.targets([label])  # [1,m]
        for start in range(0, len(outside), EVALUATION_ROWS):
            rows = outside[start : start + EVALUATION_ROWS]
            batch = replace(data.batch(rows), labels=target.expand(len(rows), -1))
            out = yield learner.answer(ctx.backbone, state, task.name, batch, "score")
            for row, loss in zip(rows, (out.loss * target.shape[1]).tolist(), strict=True):
                if loss < least[row]:
                    least[row], found[row] = loss, label
    right = score(task.metric, found, [e.target for e in data.examples], ctx.training.matching)
    return {"outside": len(outside) / len(answers), "restricted": sum(right) / len(right)}


# --- what tells whether it learns -----------------------------------------------------------
def prompt_of(learner: Learner) -> Tensor | None:
    """The prompt [L,d] of a learner that trains one as it is."""
    found = getattr(learner, "prompt", None)
    return found.detach() if isinstance(found, Tensor) else None


def distance(learner: Learner, began: Tensor | None, word: float) -> float | None:
    """How far the prompt has moved, in sizes of a word embedding (root mean squares)."""
    now = prompt_of(learner)
    return None if began is None or now is None else apart(now, began, word)


def apart(one: Tensor, other: Tensor, word: float) -> float:
    """Distance of two prompts [L,d], in sizes of a word embedding (root mean squares)."""
    return float((one - other).float().square().mean().sqrt()) / word


def constant_loss(data: Encoded) -> float:
    """The least mean loss of an answer that does not depend on the text: each answer word as often as it is right."""
    targets = [example.target for example in data.examples]
    times = Counter(targets)
    parts = [math.log(len(targets) / times[t]) / width for t, width in zip(targets, data.widths, strict=True)]
    return sum(parts) / len(parts)


# --- the probe batch ----------------------------------------------------------------------
def probe_states(ctx: Context, state: State, probe: Encoded | None) -> Generator[Ask, Look, dict[str, Tensor]]:
    """First-position states of a fixed batch of texts under the task's prompt, in half precision: probe_hidden [N,d],
    probe_states [N,layers,f]."""
    if probe is None or not len(state.pool):
        return {}
    hidden, states = [], []
    for start in range(0, len(probe), EVALUATION_ROWS):
        batch = probe.batch(range(start, min(start + EVALUATION_ROWS, len(probe))))
        out = yield Ask(*prepend(state.pool[-1].tensor, ctx.backbone.embed(batch.ids), batch.mask), None, "look")
        hidden.append(out.hidden[:, 0])
        states.append(torch.stack([layer[:, 0] for layer in out.states], 1))
    return {"probe_hidden": torch.cat(hidden).half(), "probe_states": torch.cat(states).half()}
