"""How the embedded backbone is made: a small T5 that knows the parts of the pocket world and not its tasks.

Span corruption, and questions asked by a free-form prefix with noise on its embeddings (`shlpt/backbone/asking.py`).
Everything begins easy and gets harder when it is mastered: matching (paraphrase, reading, claims) and the meaning of a
prefix are not learned from the full mixture.
"""

import json
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from shlpt.backbone.asking import (
    BATCH,
    CORRUPTION,
    COURSE,
    FALLING,
    LATER,
    VOCABULARY,
    Phase,
    Row,
    ask,
    batches,
    example,
    plain_prefix,
    within,
)
from shlpt.backbone.files import sha256
from shlpt.backbone.readme import readme
from shlpt.tasks import pocket, texts
from shlpt.tasks import words as w
from shlpt.tasks.grammar import DOMAINS, QUESTIONS, Asked
from shlpt.tasks.heldout import held_out

SENTINELS = 16
SEED, RATE = 42, 2e-3


# --- tokenizer ----------------------------------------------------------------------------
def build_tokenizer() -> PreTrainedTokenizerFast:
    """Whole words of the pocket world; anything else falls back to letters, then to bytes."""
    rng, counts, everything = Random("vocabulary"), dict[str, int](), Phase(1, VOCABULARY, often=(LATER,))
    split = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation("isolated")])
    for _ in range(30_000):
        asked = ask(rng, everything)
        for piece, _ in [p for t in example(rng, asked, texts.HARD) for p in split.pre_tokenize_str(t)]:
            counts[piece] = counts.get(piece, 0) + 1
    answers = [word for lists in w.ANSWERS.values() for words in lists for word in words]
    for word in (*answers, *QUESTIONS, *DOMAINS, *(name for names in texts.SUBJECTS.values() for name in names)):
        for piece, _ in split.pre_tokenize_str(word):
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
        d_kv=16,
        num_heads=8,
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
def filler_words(tokenizer: Any) -> list[str]:
    """Whole words of the texts that ask nothing and answer nothing."""
    meant = {*QUESTIONS, *(word for lists in w.ANSWERS.values() for words in lists for word in words)}
    meant |= {name for names in texts.SUBJECTS.values() for name in names}
    found = {piece.removeprefix("▁") for piece in tokenizer.get_vocab() if piece.startswith("▁")}
    return sorted(word for word in found if len(word) > 1 and word.isalpha() and word not in meant)


def encode(tokenizer: Any, rows: list[Row]) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Model inputs, and which tokens [B,l] belong to a prefix."""
    heads = [tokenizer(row.prefix, add_special_tokens=False).input_ids if row.prefix else [] for row in rows]
    bodies = tokenizer([row.text for row in rows]).input_ids
    longest = max(len(h) + len(b) for h, b in zip(heads, bodies, strict=True))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    inside = torch.zeros(len(rows), longest, dtype=torch.bool)
    for number, (head, body) in enumerate(zip(heads, bodies, strict=True)):
        ids[number, : len(head) + len(body)] = torch.tensor([*head, *body])
        inside[number, : len(head)] = True
    labels = tokenizer([row.target for row in rows], padding=True, return_tensors="pt").input_ids
    labels[labels == tokenizer.pad_token_id] = -100
    return {"input_ids": ids, "attention_mask": (ids != tokenizer.pad_token_id).long(), "labels": labels}, inside


def noisy(model: T5ForConditionalGeneration, batch: dict[str, torch.Tensor], inside: torch.Tensor, most: float) -> Any:
    """Model inputs with embeddings in place of ids; each row's prefix has noise of a size of its own."""
    embeds = model.get_input_embeddings()(batch["input_ids"])
    if most > 0:
        size = torch.rand(len(embeds), 1, 1) * most * model.get_input_embeddings().weight.detach().std()
        embeds = embeds + torch.randn_like(embeds) * size * inside[..., None]
    return {"inputs_embeds": embeds, "attention_mask": batch["attention_mask"], "labels": batch["labels"]}


def optimisers(model: torch.nn.Module) -> list[torch.optim.Optimizer]:
    """Muon for the weight matrices, AdamW for embeddings, position biases and norms."""
    named = list(model.named_parameters())
    matrices = [p for n, p in named if p.ndim == 2 and "shared" not in n and "relative" not in n]
    others = [p for n, p in named if p.ndim != 2 or "shared" in n or "relative" in n]
    return [
        torch.optim.Muon(matrices, lr=RATE, momentum=0.95, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=RATE, weight_decay=0.01, betas=(0.9, 0.98)),
    ]


def exact(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """[B]: every target token is the most likely one."""
    return ((logits.argmax(-1) == labels) | (labels == -100)).all(1)


@torch.no_grad()
def right(model: T5ForConditionalGeneration, tokenizer: Any, rows: list[Row]) -> float:
    """Share of rows whose every target token is the most likely one."""
    batch, _ = encode(tokenizer, rows)
    return float(exact(model(**batch).logits, batch["labels"]).float().mean())


def scores(model: T5ForConditionalGeneration, tokenizer: Any, per_group: int = 20) -> dict[str, float]:
    """Exact match with the plainest prefix on each stand-in's test examples."""
    found = {}
    for name, task in pocket.TASKS.items():
        head = plain_prefix(pocket.STANDINS[name])
        rows = [Row(head, e.text, e.target) for e in task.draw("test", per_group, 0)]
        found[name] = round(right(model, tokenizer, rows), 4)
    return found


def composed_scores(model: T5ForConditionalGeneration, tokenizer: Any, per_group: int = 20) -> dict[str, float]:
    """The same of composed tasks with two answers that are held out: mean over a question's texts and answer words."""
    found = {}
    for question, asks in QUESTIONS.items():
        if 2 not in asks.cuts:
            continue
        each = []
        for domain in DOMAINS.values():
            if question in domain.questions:
                words = [pair for pair in w.ANSWERS[2] if held_out(Asked(question, domain.name, pair))]
                for pair in (*words[:2], *(pair[::-1] for pair in words[2:4])):
                    asked = Asked(question, domain.name, pair)
                    task = pocket.compose(asked.name.removeprefix("ask:"))
                    rows = [Row(plain_prefix(asked), e.text, e.target) for e in task.draw("test", per_group, 0)]
                    each.append(right(model, tokenizer, rows))
        found[question] = round(sum(each) / len(each), 4)
    return found


TESTED = (50, 20)  # examples of each answer at the end: of a stand-in, of a composed task


def train(
    steps: float = 1.0, report: Callable[[dict[str, Any]], None] = print, tested: tuple[int, int] = TESTED
) -> tuple[Any, Any, dict[str, Any]]:
    """Model, tokenizer and record of a pre-training; `steps` scales every phase."""
    torch.manual_seed(SEED)
    course = [replace(phase, steps=max(1, round(phase.steps * steps))) for phase in COURSE]
    tokenizer, begin = build_tokenizer(), time.time()
    model, words = build_model(len(tokenizer)), filler_words(tokenizer)
    opts, number, taken = optimisers(model), 0, list[int]()
    for place, phase in enumerate(course):
        lately = deque[tuple[int, int]](maxlen=LATELY)  # how many new rows were right, of how many
        last = place == len(course) - 1
        ahead = sum(later.steps for later in course[place:])  # at most
        for step, rows in enumerate(batches(phase, words, f"pretrain/{SEED}/{place}"), 1):
            number += 1
            falling = min(1.0, (phase.steps - step) / min(FALLING, phase.steps)) if last else 1.0
            rate = RATE * phase.rate * min(1, number / 100) * max(0.02, falling)
            loss, *found = take_step(model, tokenizer, opts, rows, rate, within(phase.noise, step / phase.steps))
            lately.append((found[0], found[1]))
            right_now = sum(one for one, _ in lately) / max(1, sum(of for _, of in lately))
            over = len(lately) == LATELY and right_now >= phase.mastered
            row: dict[str, Any] = {"step": number, "of": number - step + ahead, "loss": round(loss, 4)}
            row |= {"phase": place + 1, "right": round(right_now, 3)}
            if number % 500 == 0:
                row |= {"scores": scores(model, tokenizer), "composed": composed_scores(model, tokenizer, 5)}
            if number % 50 == 0 or over:
                report(row)
            if over:
                break
        taken.append(step)
    course = [replace(phase, steps=count) for phase, count in zip(course, taken, strict=True)]
    return model, tokenizer, describe(model, tokenizer, course, (time.time() - begin) / 60, tested)


LATELY = 40  # steps over which it is counted what is right
Optimisers = list[torch.optim.Optimizer]


def take_step(
    model: Any, tokenizer: Any, opts: Optimisers, rows: list[Row], rate: float, noise: float
) -> tuple[float, int, int]:
    """The loss, how many new rows were right, and of how many."""
    loss, right_rows, new_rows = 0.0, 0, 0
    for half in (rows[: BATCH // 2], rows[BATCH // 2 :]):  # short and long texts: less padding
        batch, inside = encode(tokenizer, half)
        with torch.autocast("cpu", torch.bfloat16):
            out = model(**noisy(model, batch, inside, noise))
        (out.loss / 2).backward()
        loss += out.loss.item() / 2
        new = torch.tensor([row.new for row in half])
        right_rows += int((exact(out.logits, batch["labels"]) & new).sum())
        new_rows += int(new.sum())
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for opt in opts:
        opt.param_groups[0]["lr"] = rate
        opt.step()
        opt.zero_grad()
    return loss, right_rows, new_rows


def describe(
    model: T5ForConditionalGeneration, tokenizer: Any, course: list[Phase], minutes: float, tested: tuple[int, int]
) -> dict[str, Any]:
    """What was done and what came of it."""
    return {
        "seed": SEED,
        "batch": BATCH,
        "learning_rate": RATE,
        "corruption": CORRUPTION,
        "minutes": round(minutes, 1),
        "course": [asdict(phase) for phase in course],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "parameters": sum(p.numel() for p in model.parameters()),
        "scores": scores(model, tokenizer, tested[0]),
        "composed": composed_scores(model, tokenizer, tested[1]),
    }


def pretrain_to(
    out: Path, scale: float, report: Callable[[dict[str, Any]], None], tested: tuple[int, int] = TESTED
) -> dict[str, Any]:
    """Train, and write weights, tokenizer, record, checksums and a README to a folder."""
    model, tokenizer, record = train(scale, report, tested)
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
