"""How the embedded backbone is made: a small T5, pre-trained on the pocket world as T5 was.

Span corruption and tasks with a text prefix, in phases that get harder (COURSES). Matching
(paraphrase, reading, spans) is learned on few entities and one-fact passages first, with most
of the batches: on the full mixture from the start it is not learned at all.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from shlpt.backbone.files import sha256
from shlpt.tasks import pocket, texts

SENTINELS = 16
# Drawn evenly; those that are learned last stand more often.
MATCHING = tuple("qqp wic rte sst2 boolq boolq multirc multirc squad squad copa copa explain".split())
LATE = ("copa", "copa", "copa", "boolq", "boolq", "multirc", "squad", "squad", "explain")
TOGETHER = ("sst2", "sst2", "qqp", "qqp", "qqp", "copa", "copa", "boolq", "boolq", "multirc", "squad", "wic", "rte")


# --- text ---------------------------------------------------------------------------------
Source = Callable[[Random, int], tuple[str, str]]  # (stream, hard) -> (input, output)


def _task_source(name: str, flip: bool = False) -> Source:
    task, writer = pocket.TASKS[name], pocket.WRITERS[name]

    def source(rng: Random, hard: int) -> tuple[str, str]:
        example = pocket.write(writer, "pretrain", rng.choice(task.groups), rng, hard)
        if flip:
            return f"contrary {name}: {example.text}", pocket.swapped(task.labels, example.target)
        return f"{name}: {example.text}", example.target

    return source


def _dial_source(degree: float, name: str) -> Source:
    writer = pocket.dial_writer(degree)

    def source(rng: Random, hard: int) -> tuple[str, str]:
        example = pocket.write(writer, "pretrain", rng.choice(pocket.DIAL_LABELS), rng, hard)
        return f"{name}: {example.text}", example.target

    return source


def _explain(rng: Random, hard: int) -> tuple[str, str]:
    """The plausible line of a cause-and-effect example, written out."""
    first = rng.random() < 0.5
    group = "choice1" if first else "choice2"
    text = pocket.write(pocket.WRITERS["copa"], "pretrain", group, rng, hard).text
    lines = text.split(" choice1: ")[1].removesuffix(" .").split(" . choice2: ")
    return f"explain: {text}", lines[0 if first else 1]


def sources() -> dict[str, Source]:
    """Everything the backbone is trained on with a text prefix."""
    found = {name: _task_source(name) for name in pocket.TASKS}
    found |= {f"contrary {n}": _task_source(n, flip=True) for n, t in pocket.TASKS.items() if t.labels}
    found |= {"comfort": _dial_source(1.0, "comfort"), "bustle": _dial_source(0.0, "bustle"), "explain": _explain}
    return found


def corrupt(rng: Random, text: str) -> tuple[str, str]:
    """T5's span corruption on words: about 15 % in spans of one to three."""
    words = text.split()
    spans = max(1, round(len(words) * 0.15 / 2))
    inputs: list[str] = []
    outputs: list[str] = []
    cut, starts = 0, sorted(rng.sample(range(len(words)), min(spans, len(words))))
    for start in starts:
        if start < cut:
            continue
        end = min(len(words), start + rng.randint(1, 3))
        mark = f"<extra_id_{len(outputs) // 2}>"
        inputs += [*words[cut:start], mark]
        outputs += [mark, " ".join(words[start:end])]
        cut = end
    return " ".join(inputs + words[cut:]), " ".join(outputs)


# --- tokenizer ----------------------------------------------------------------------------
def build_tokenizer() -> PreTrainedTokenizerFast:
    """Whole words of the pocket world; anything else falls back to letters, then to bytes."""
    rng, counts = Random("vocabulary"), dict[str, int]()
    pool = list(sources().values())
    split = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("isolated")])
    for _ in range(30_000):
        pair = rng.choice(pool)(rng, texts.HARD)
        for piece, _ in [p for t in pair for p in split.pre_tokenize_str(t)]:
            counts[piece] = counts.get(piece, 0) + 1
    for task in pocket.TASKS.values():
        for label in task.labels:
            for piece, _ in split.pre_tokenize_str(label):
                counts[piece] = counts.get(piece, 0) + 1
    letters = [chr(c) for c in range(33, 127) if chr(c) not in counts and not chr(c).isupper()]
    sentinels = [f"<extra_id_{i}>" for i in range(SENTINELS)]
    total = sum(counts.values())
    words = sorted(counts, key=lambda word: (-counts[word], word))
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocab += [(word, math.log(counts[word] / total)) for word in words]
    vocab += [(piece, -18.0) for piece in ["▁", *letters] if piece not in counts]
    vocab += [(f"<0x{byte:02X}>", -30.0) for byte in range(256)]
    raw = Tokenizer(models.Unigram(vocab, unk_id=2, byte_fallback=True))
    raw.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    raw.pre_tokenizer = split
    raw.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    raw.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=sentinels,
        model_max_length=256,
    )


def build_model(vocabulary: int) -> T5ForConditionalGeneration:
    config = T5Config(
        vocab_size=vocabulary,
        d_model=128,
        d_kv=32,
        num_heads=4,
        d_ff=512,
        num_layers=4,
        num_decoder_layers=2,
        relative_attention_num_buckets=32,
        relative_attention_max_distance=64,
        dropout_rate=0.0,
        feed_forward_proj="relu",
        decoder_start_token_id=0,
        pad_token_id=0,
        eos_token_id=1,
    )
    model = T5ForConditionalGeneration(config)
    _look_around(model)
    return model


@torch.no_grad()
def _look_around(model: T5ForConditionalGeneration) -> None:
    """Let encoder heads begin with places to look at: the token before, the few before, the one after, anywhere.

    From T5's own start, near zero, the position biases of so small a model stay near zero, and it reads a bag of
    words: it then never learns who lives where, what comes after `but`, or which choice a word stands in.
    """
    bias = model.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight  # [buckets, heads]
    back, ahead = 0, bias.shape[0] // 2  # keys so many tokens before the query, and after it
    bias[back + 1, 0] += 4
    bias[back + 2 : back + 6, 1] += 3
    bias[ahead + 1 : ahead + 3, 2] += 3


# --- training -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Phase:
    """`steps` batches; shares of span corruption and of the matching tasks, the rest evenly."""

    steps: int
    hard: int
    corruption: float
    matching: float
    tasks: tuple[str, ...] = MATCHING


# Each course has a learning rate that rises and falls. The second is for what the first leaves half learned; it
# forgets others on the way (sst2, qqp), which the third brings back beside it.
COURSES = (
    (Phase(300, 0, 0.15, 0.6), Phase(300, 1, 0.15, 0.6), Phase(3600, 2, 0.12, 0.58)),
    (Phase(1500, 2, 0.03, 0.75, LATE),),
    (Phase(900, 2, 0.03, 0.75, TOGETHER),),
)
BATCH, SEED, RATE = 64, 42, 2e-3


def batches(phase: Phase, seed: str) -> Iterator[list[tuple[str, str]]]:
    rng, pool = Random(seed), sources()
    plain = [n for n in pool if n not in MATCHING and not n.startswith("contrary ")]
    contrary = [n for n in pool if n.startswith("contrary ")]

    def draw() -> tuple[str, str]:
        die = rng.random()
        if die < phase.corruption:
            text, target = pool[rng.choice(list(pocket.TASKS))](rng, phase.hard)
            text = text.split(": ", 1)[1]  # without the prefix
            return corrupt(rng, f"{text} {target}" if rng.random() < 0.3 else text)
        if die < phase.corruption + phase.matching:
            return pool[rng.choice(phase.tasks)](rng, phase.hard)
        return pool[rng.choice(plain if rng.random() < 0.75 else contrary)](rng, phase.hard)

    for _ in range(phase.steps):
        yield sorted((draw() for _ in range(BATCH)), key=lambda pair: len(pair[0]))


def encode(tokenizer: Any, pairs: list[tuple[str, str]]) -> dict[str, torch.Tensor]:
    inputs = tokenizer([a for a, _ in pairs], padding=True, return_tensors="pt")
    labels = tokenizer([b for _, b in pairs], padding=True, return_tensors="pt").input_ids
    labels[labels == tokenizer.pad_token_id] = -100
    return {"input_ids": inputs.input_ids, "attention_mask": inputs.attention_mask, "labels": labels}


def optimisers(model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Muon for the weight matrices, AdamW for embeddings, position biases and norms."""
    named = list(model.named_parameters())
    places = [p for n, p in named if "relative" in n]
    matrices = [p for n, p in named if p.ndim == 2 and "shared" not in n and "relative" not in n]
    others = [p for n, p in named if (p.ndim != 2 or "shared" in n) and "relative" not in n]
    return [
        torch.optim.Muon(matrices, lr=RATE, momentum=0.95, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW([*others, *places], lr=RATE, weight_decay=0.01, betas=(0.9, 0.98)),
    ]


@torch.no_grad()
def scores(model: T5ForConditionalGeneration, tokenizer: Any, per_group: int = 20) -> dict[str, float]:
    """Exact match with the text prefix on each task's test examples."""
    found = {}
    for name, task in pocket.TASKS.items():
        rows = [(f"{name}: {e.text}", e.target) for e in task.draw("test", per_group, 0)]
        batch = encode(tokenizer, rows)
        guess = model(**batch).logits.argmax(-1)
        right = ((guess == batch["labels"]) | (batch["labels"] == -100)).all(1)
        found[name] = round(right.float().mean().item(), 4)
    return found


def train(steps: float = 1.0, report: Callable[[dict[str, Any]], None] = print) -> tuple[Any, Any, dict[str, Any]]:
    """Model, tokenizer and record of a pre-training; `steps` scales every phase."""
    torch.manual_seed(SEED)
    tokenizer, begin = build_tokenizer(), time.time()
    model = build_model(len(tokenizer))
    for number, course in enumerate(COURSES):
        phases = [replace(phase, steps=max(1, round(phase.steps * steps))) for phase in course]
        take_course(model, tokenizer, phases, f"pretrain/{SEED}" + (f"/{number}" if number else ""), report)
    return model, tokenizer, describe(model, tokenizer, (time.time() - begin) / 60)


def take_course(
    model: T5ForConditionalGeneration, tokenizer: Any, phases: list[Phase], seed: str, report: Callable[..., None]
) -> None:
    """Phases under one learning rate that rises for 200 steps and falls like a cosine."""
    opts, total, done = optimisers(model), sum(p.steps for p in phases), 0
    for number, phase in enumerate(phases):
        for batch in batches(phase, f"{seed}/{number}"):
            rate = RATE * min(1, (done + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done / total)))
            for opt in opts:
                opt.param_groups[0]["lr"] = rate
            loss = 0.0
            for half in (batch[: BATCH // 2], batch[BATCH // 2 :]):  # short and long texts: less padding
                with torch.autocast("cpu", torch.bfloat16):
                    part = model(**encode(tokenizer, half)).loss / 2
                part.backward()
                loss += part.item()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for opt in opts:
                opt.step()
                opt.zero_grad()
            done += 1
            if done % 100 == 0:
                report({"step": done, "of": total, "loss": loss})


def describe(model: T5ForConditionalGeneration, tokenizer: Any, minutes: float) -> dict[str, Any]:
    """What was done and what came of it."""
    return {
        "seed": SEED,
        "batch": BATCH,
        "learning_rate": RATE,
        "minutes": round(minutes, 1),
        "courses": [[{**vars(p), "tasks": list(p.tasks)} for p in course] for course in COURSES],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "scores": scores(model, tokenizer, 50),
    }


def pretrain_to(out: Path, scale: float, report: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Train, and write weights, tokenizer, record, checksums and a README to a folder."""
    model, tokenizer, record = train(scale, report)
    save(out, model, tokenizer, record)
    return record


def save(out: Path, model: T5ForConditionalGeneration, tokenizer: Any, record: dict[str, Any]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(out, safe_serialization=True)
    tokenizer.save_pretrained(out)
    (out / "record.json").write_text(json.dumps(record, indent=1) + "\n")
    (out / "README.md").write_text(readme(record))
    files = [f for f in sorted(out.iterdir()) if f.suffix in (".json", ".safetensors") and f.name != "checksums.json"]
    (out / "checksums.json").write_text(json.dumps({f.name: sha256(f) for f in files}, indent=1) + "\n")


def readme(record: dict[str, Any]) -> str:
    """What the folder says of itself."""
    texts_of = ("few entities, one fact", "more entities, two facts", "everything")
    phases = "\n".join(
        f"| {number} | {p['steps']} | {texts_of[p['hard']]} | {p['corruption']:.0%} | {p['matching']:.0%} "
        f"| {1 - p['corruption'] - p['matching']:.0%} |"
        for number, course in enumerate(record["courses"], 1)
        for p in course
    )
    rows = "\n".join(
        f"| {name} | {value:.3f} | {pocket.TASKS[name].chance:.3f} |" for name, value in record["scores"].items()
    )
    mean = sum(record["scores"].values()) / len(record["scores"])
    return f"""# The embedded backbone

A T5 with {record["parameters"] / 1e6:.2f} million parameters (4 encoder and 2 decoder layers, d = 128, ReLU, no
dropout) and a tokenizer of whole words that falls back to letters and bytes. It knows the pocket world of
`shlpt/tasks/pocket.py` and nothing else: it is here so that everything runs without internet and without a GPU.

Made by `python -m shlpt pretrain` (`shlpt/backbone/pretrain.py`): span corruption and tasks with a text prefix, as the
original T5 was pre-trained. Seed {record["seed"]}, batch {record["batch"]}, Muon for matrices and AdamW for the rest,
cosine from {record["learning_rate"]:g}, bfloat16 products; {record["minutes"]} minutes on {record["threads"]} CPU
thread(s), torch {record["torch"]}. Its texts are disjoint from every task's train, validation and test texts
(`part_of` in `shlpt/tasks/pocket.py`).

| course | steps | texts | span corruption | matching tasks | other tasks |
|---|---|---|---|---|---|
{phases}

Exact match with the text prefix on test examples (mean over 16: {mean:.3f}). One text in twenty of mnli, cb, rte, qqp
and wic carries another label on purpose, and reviews and topics are mixed, so 1.0 is out of reach for most.

| task | exact match | guessing |
|---|---|---|
{rows}
"""
