"""How much of a task's text a backbone's tokenizer knows."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from shlpt.plans.fit import fit, is_spelled, said

ENGLISH = ["Quarterback Marques Hagans has impressed in wins over Temple", "The company sold its consumer unit"] * 3


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose tokenizer was made of these very texts, with merges."""
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(ENGLISH * 20, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    for name in ("config.json", "tokenizer_config.json", "model.safetensors"):
        (folder / name).write_text('{"model_type": "t5"}')
    return folder


def test_the_embedded_backbone_does_not_know_english_and_another_is_suggested() -> None:
    found = fit(ENGLISH, ["Sports", "Business"], "pocket")
    assert found is not None
    assert found.unknown > 0.5
    assert "Quarterback" not in found.examples  # quarter is a word of the world
    lines = said(found, "pocket")
    assert f"does not know {found.unknown:.0%} of the words, such as" in lines[1]
    assert "for example t5-small" in lines[1]


def test_its_own_texts_are_known_to_a_tokenizer(trained: Path) -> None:
    found = fit(ENGLISH, ["yes", "no"], str(trained))
    assert found is not None
    assert found.unknown < 0.2
    assert "take a backbone" not in " ".join(said(found, "mine"))


def test_generated_texts_are_known_to_the_embedded_backbone() -> None:
    found = fit(["the room rate was cheap", "all in all it was superb"], ["bad", "good"], "pocket")
    assert found is not None
    assert (found.unknown, found.cut, found.same_start) == (0, 0, ())


def test_long_texts_and_answer_words_with_the_same_start_are_said() -> None:
    found = fit(["cheap " * 300, "superb"], ["very negative", "negative", "very positive"], "pocket", 256)
    assert found is not None
    assert found.longest == 301
    assert found.cut == 0.5
    assert found.same_start == (("very negative", "very positive"),)
    text = " ".join(said(found, "pocket"))
    assert "50% of the texts have more than 256 tokens" in text
    assert "very negative, very positive begin with the same token" in text


def test_a_backbone_on_the_hub_is_not_guessed_at() -> None:
    assert fit(["a"], ["b"], "t5-small") is None
    assert "t5-small" in said(None, "t5-small")[0]


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["▁superb"], False),
        (["▁report", "e", "r"], False),
        (["▁", "t", "h", "i", "s"], True),
        (["▁ab", "<unk>"], False),
        (["<unk>"], True),
        (["▁a", "<0xC3>", "<0xA9>"], True),
    ],
)
def test_a_word_is_unknown_if_most_of_it_is_spelled(tokens: list[str], expected: bool) -> None:
    assert is_spelled(tokens) is expected
