"""Tokenizers with and without a fast version. In transformers 5 a T5's is one class, which makes a fast tokenizer of
SentencePiece's file when it is loaded; ByT5's reads bytes and has no fast version."""

import io
import json
import shutil
from pathlib import Path

import pytest
import sentencepiece
import torch
from storing import TINY

from shlpt.backbone.files import digest_of
from shlpt.backbone.t5 import load
from shlpt.errors import UserError
from shlpt.plans.fit import fit
from shlpt.spec import RunSpec
from shlpt.tasks.find import draw, find_task
from shlpt.work.worker import run

TEXTS = [example.text for example in draw(find_task("sst2"), "train", 60, 1)]


def model_in(folder: Path, words: int) -> None:
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    shape = {"d_model": 16, "d_kv": 4, "num_heads": 4, "d_ff": 32, "num_layers": 1, "vocab_size": words}
    T5ForConditionalGeneration(T5Config(**shape, decoder_start_token_id=0)).save_pretrained(folder)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A T5 with SentencePiece's own file and no other."""
    folder, written = tmp_path_factory.mktemp("pieces"), io.BytesIO()
    special = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1, "pad_piece": "<pad>", "character_coverage": 1.0}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=written, vocab_size=150, minloglevel=2, **special
    )
    (folder / "spiece.model").write_bytes(written.getvalue())
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "T5Tokenizer", "extra_ids": 0}))
    model_in(folder, 150)
    return folder


def test_pieces_are_those_of_sentencepiece_with_and_without_the_fast_file(pieces: Path, tmp_path: Path) -> None:
    own = sentencepiece.SentencePieceProcessor(model_file=str(pieces / "spiece.model"))
    slow = load(str(pieces), "cpu")
    whole = tmp_path / "whole"
    shutil.copytree(pieces, whole)
    slow.tokenizer.save_pretrained(whole)
    (whole / "spiece.model").unlink(missing_ok=True)
    assert (whole / "tokenizer.json").is_file()
    assert digest_of(str(whole)) != digest_of(str(pieces))
    for model in (slow, load(str(whole), "cpu")):
        ids, mask, cut = model.tokenize(TEXTS[:20], 256)
        for row, real, text in zip(ids, mask.bool(), TEXTS, strict=False):
            assert row[real].tolist() == [*own.encode(text), own.eos_id()]
        assert cut == 0
        assert model.text(ids)[:5] == [own.decode(own.encode(text)) for text in TEXTS[:5]]
    found = fit(TEXTS, ["no", "yes"], str(whole))
    assert found is not None
    assert fit(TEXTS, ["no", "yes"], str(pieces)) is None  # said: how much it knows cannot be told from these files


def test_a_tokenizer_without_a_fast_version_trains_and_decodes(tmp_path: Path) -> None:
    from transformers import ByT5Tokenizer

    folder = tmp_path / "bytes"
    ByT5Tokenizer(extra_ids=0).save_pretrained(folder)
    model_in(folder, 259)
    assert not (folder / "tokenizer.json").exists()
    model = load(str(folder), "cpu")
    assert not model.tokenizer.is_fast
    ids, mask, _ = model.tokenize(["naïve", "a"], 64)
    assert ids[0].tolist() == [*(byte + 3 for byte in "naïve".encode()), 1]
    assert mask.sum(1).tolist() == [7, 2]
    assert model.text(ids) == ["naïve", "a"]
    one = RunSpec.make(("sst2", "rte"), seed=1, backbone=str(folder), settings=TINY | {"max_length": 64})
    (record,) = run([one], tmp_path / "home", device="cpu", alone=False)
    assert (record["state"], record["error"]) == ("done", None)


def test_a_folder_without_any_tokenizer_is_refused(pieces: Path, tmp_path: Path) -> None:
    shutil.copytree(pieces, tmp_path / "none")
    (tmp_path / "none" / "spiece.model").unlink()
    with pytest.raises(UserError, match=r"file missing: .*tokenizer\.json"):
        load(str(tmp_path / "none"), "cpu")
