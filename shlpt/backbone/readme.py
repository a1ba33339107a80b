"""What the folder of the embedded backbone says of itself, from the record of its pre-training."""

from collections.abc import Sequence
from typing import Any

from shlpt.tasks import pocket
from shlpt.tasks.grammar import QUESTIONS


def readme(record: dict[str, Any]) -> str:
    scores, composed = record["scores"], record["composed"]
    rows = "\n".join(f"| {name} | {value:.3f} | {pocket.TASKS[name].chance:.3f} |" for name, value in scores.items())
    asked = "\n".join(f"| {name} | {QUESTIONS[name].asks} | {value:.3f} |" for name, value in composed.items())
    hard = ("one thing", "few things", "everything")
    phases = "\n".join(
        f"| {p['steps']} | {_shares(p)} | {hard[p['hard']]} | {p['pairs'] or 'all'} | {p['fillers']} "
        f"| {_span(p['noise'])} |"
        for p in record["course"]
    )
    return f"""# The embedded backbone

A T5 with {record["parameters"] / 1e6:.2f} million parameters (4 encoder and 2 decoder layers, d = 128, ReLU, no
dropout) and a tokenizer of whole words that falls back to letters and bytes. It knows the parts of the pocket world
(`shlpt/tasks/grammar.py`) and no task of it: it is here so that everything runs without internet and without a GPU.

Made by `python -m shlpt pretrain` (`shlpt/backbone/pretrain.py`): span corruption ({record["corruption"]:.0%}), and
questions asked by a free-form prefix: the question's word and the answer words in order, anywhere among arbitrary
words, with noise on their embeddings. It gets harder as soon as what was before is mastered. Seed {record["seed"]},
batch {record["batch"]}, Muon for matrices and AdamW for the rest, rate {record["learning_rate"]:g}, bfloat16 products;
{record["minutes"]} minutes on {record["threads"]} CPU thread(s), torch {record["torch"]}.

| steps | texts | they say | answer words | arbitrary words | noise (sd) |
|---|---|---|---|---|---|
{phases}

Never asked in pre-training, in either direction of the answer words: the combination of question, texts and answer
words of any stand-in, of any composed task of a named sequence or of the recorded matrix, and of every fourth other
combination (`shlpt/tasks/heldout.py`). Its texts are disjoint from every task's train, validation and test texts
(`part_of` in `shlpt/tasks/pocket.py`).

Exact match on test examples with the plainest prefix, as `verdict negative positive` (mean over the sixteen:
{sum(scores.values()) / len(scores):.3f}). One text in twenty of yelp, amazon, mnli, rte and qqp carries another label
on purpose, so 1.0 is out of reach there.

| task | exact match | guessing |
|---|---|---|
{rows}

Composed tasks with two answers that were held out, by their question (mean:
{sum(composed.values()) / len(composed):.3f}):

| question | asks | exact match |
|---|---|---|
{asked}
"""


def _span(ends: Sequence[float]) -> str:
    return f"{ends[0]:g}" if ends[0] == ends[1] else f"{ends[0]:g} to {ends[1]:g}"


def _shares(phase: dict[str, Any]) -> str:
    return ", ".join(f"{kind} {share:.0%}" for kind, share in phase["shares"])
