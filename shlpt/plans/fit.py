"""Whether a backbone fits a task, before it is loaded: how much of the text its tokenizer knows, how long texts and
answers are. No torch: the tokenizer's file is read."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from shlpt.backbone import files
from shlpt.spec import Training

SAMPLE = 400  # texts
MUCH = 0.1  # share of unknown words that is worth a warning
MARKS = "▁Ġ"  # what tokenizers put for a space
MAX_LENGTH: int = Training.model_fields["max_length"].default


@dataclass(frozen=True)
class Fit:
    """What a tokenizer makes of a sample of training texts and of the answer words."""

    unknown: float  # share of words that are not in the vocabulary and are spelled out
    examples: tuple[str, ...]  # some of these words
    median: int  # tokens in a text
    longest: int
    cut: float  # share of texts with more tokens than `max_length`
    same_start: tuple[tuple[str, ...], ...]  # answer words that begin with the same token
    max_length: int = MAX_LENGTH


def fit(texts: Sequence[str], answers: Sequence[str], backbone: str, max_length: int = MAX_LENGTH) -> Fit | None:
    """None if the backbone's tokenizer is not on this machine as one file."""
    folder = files.find(backbone)
    if folder is None or not (folder / "tokenizer.json").is_file():
        return None
    tokenizer = _tokenizer(folder / "tokenizer.json")
    texts = texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]
    lengths = sorted(len(found.ids) for found in tokenizer.encode_batch(texts))
    words = Counter(word for text in texts for word in re.findall(r"[^\W\d_]{2,}", text))
    spelled = {word for word in words if is_spelled(tokenizer.encode(word, add_special_tokens=False).tokens)}
    starts: dict[str, list[str]] = {}
    for answer in answers:
        tokens = [token for token in tokenizer.encode(answer, add_special_tokens=False).tokens if token.strip(MARKS)]
        starts.setdefault(tokens[0] if tokens else "", []).append(answer)
    return Fit(
        unknown=sum(words[word] for word in spelled) / max(1, words.total()),
        examples=tuple(sorted(spelled, key=lambda word: (-words[word], word))[:5]),
        median=lengths[len(lengths) // 2],
        longest=lengths[-1],
        cut=sum(length > max_length for length in lengths) / len(lengths),
        same_start=tuple(tuple(group) for group in starts.values() if len(group) > 1),
        max_length=max_length,
    )


def is_spelled(tokens: Sequence[str]) -> bool:
    """Whether a word of two letters or more is written as single letters, bytes or unknown signs for the most part."""
    known = spelled = 0
    for token in tokens:
        text = token.strip(MARKS)
        if token in ("<unk>", "[UNK]") or re.fullmatch(r"<0x[0-9A-F]{2}>", token) or len(text) == 1:
            spelled += 1
        else:
            known += len(text)
    return spelled > known


@lru_cache(4)
def _tokenizer(path: Path) -> Any:
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(path))
    found.no_padding()
    found.no_truncation()
    return found


def said(found: Fit | None, backbone: str) -> list[str]:
    """In sentences, with what to do."""
    if found is None:
        return [f"How much of the text {backbone} knows can be said when its files are in a local folder."]
    lines = [f"A text has {found.median} tokens (median; the longest of a sample: {found.longest})."]
    if found.unknown > MUCH:
        such = f", such as {', '.join(found.examples)}" if found.examples else ""
        advice = "take a backbone that was trained on such texts, for example t5-small, or a folder with a T5"
        if backbone == "pocket":
            advice = f"it knows the generated world only, so scores with it say little; {advice}"
        lines.append(f"The backbone {backbone} does not know {found.unknown:.0%} of the words{such}: {advice}.")
    else:
        lines.append(f"The backbone {backbone} does not know {found.unknown:.0%} of the words.")
    if found.cut:
        lines.append(
            f"{found.cut:.0%} of the texts have more than {found.max_length} tokens and are cut: raise max_length if "
            "what decides comes late."
        )
    lines += [
        f"The answer words {', '.join(group)} begin with the same token: that is allowed, but they are told apart only "
        "by a later one; other words may learn faster."
        for group in found.same_start
    ]
    return lines
