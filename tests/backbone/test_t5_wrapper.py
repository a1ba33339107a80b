"""The wrapper says what the library says, and refuses what is not a whole, safe T5."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from shlpt.backbone.encode import Encoded
from shlpt.backbone.files import EMBEDDED
from shlpt.backbone.t5 import IGNORE, Backbone, load, pick_device, pick_dtype
from shlpt.errors import UserError
from shlpt.methods.prompts import fresh_prompt, prepend
from shlpt.tasks.pocket import TASKS


@pytest.fixture(params=["backbone", "gated"])
def model(request: pytest.FixtureRequest) -> Backbone:
    found: Backbone = request.getfixturevalue(request.param)
    return found


def rows(model: Backbone, task: str = "yahoo", count: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    """Prompt + text of uneven lengths, with targets of one to several tokens."""
    data = Encoded(model, TASKS[task].draw("test", 2, 1)[:count], 256)
    batch = data.batch(range(len(data)))
    prompt = fresh_prompt(model.vocabulary, 4, 0, "test")
    return *prepend(prompt, model.embed(batch.ids), batch.mask), batch.labels


def test_row_loss_is_the_librarys_loss_of_that_row(model: Backbone) -> None:
    embeds, mask, labels = rows(model, "rte", 4)
    out = model.forward(embeds, mask, labels)
    for i in range(len(labels)):
        expected = model.model(
            inputs_embeds=embeds[i : i + 1], attention_mask=mask[i : i + 1], labels=labels[i : i + 1]
        )
        torch.testing.assert_close(out.loss[i], expected.loss, atol=1e-5, rtol=1e-5)


def test_a_silenced_neuron_is_as_if_its_outgoing_weights_were_zero(model: Backbone) -> None:
    embeds, mask, labels = rows(model, "rte", 4)
    whole = model.forward(embeds, mask, labels)
    off = torch.rand(model.layers, model.inner, generator=torch.Generator().manual_seed(0)) < 0.3
    with model.silenced(off):
        found, decoded = model.forward(embeds, mask, labels), model.decode(embeds, mask, 5)
    other = model.own_copy()
    for layer, block in enumerate(other.model.decoder.block):
        block.layer[-1].DenseReluDense.wo.weight.data[:, off[layer]] = 0
    expected = other.forward(embeds, mask, labels)
    torch.testing.assert_close(found.loss, expected.loss)
    assert torch.equal(decoded, other.decode(embeds, mask, 5))
    assert all((states[..., off[layer]] == 0).all() for layer, states in enumerate(found.states))
    assert not torch.allclose(found.loss, whole.loss)
    assert torch.equal(model.forward(embeds, mask, labels).loss, whole.loss)  # and afterwards nothing is off


def test_greedy_decoding_is_the_librarys_generate(model: Backbone) -> None:
    embeds, mask, _ = rows(model, "squad", 4)
    ours = model.decode(embeds, mask, 9)
    theirs = model.model.generate(inputs_embeds=embeds, attention_mask=mask, do_sample=False, max_new_tokens=9)[:, 1:]
    width = min(ours.shape[1], theirs.shape[1])
    assert torch.equal(ours[:, :width], theirs[:, :width])
    assert (ours[:, width:] == 0).all()
    assert (theirs[:, width:] == 0).all()


def test_beams_are_the_librarys_beams(backbone: Backbone) -> None:
    embeds, mask, _ = rows(backbone, "squad", 4)
    theirs = backbone.model.generate(inputs_embeds=embeds, attention_mask=mask, num_beams=4, max_new_tokens=6)
    assert torch.equal(backbone.decode(embeds, mask, 6, beams=4), theirs[:, 1:])


def test_exact_says_what_greedy_decoding_would_give(backbone: Backbone) -> None:
    """With the text prefix of its pre-training the backbone gets some right and some wrong: both must agree."""
    task = TASKS["yahoo"]
    examples = [type(e)(f"yahoo: {e.text}", e.target, e.group) for e in task.draw("test", 8, 3)]
    data = Encoded(backbone, examples, 256)
    batch = data.batch(range(len(data)))
    embeds = backbone.embed(batch.ids)
    out = backbone.forward(embeds, batch.mask, batch.labels)
    answers = backbone.text(backbone.decode(embeds, batch.mask, 8))
    assert out.exact.tolist() == [a == e.target for a, e in zip(answers, examples, strict=True)]
    assert 0 < out.exact.sum() < len(data)


def test_look_is_the_first_position_of_a_forward(model: Backbone) -> None:
    embeds, mask, labels = rows(model)
    looked, out = model.look(embeds, mask), model.forward(embeds, mask, labels)
    torch.testing.assert_close(looked.hidden, out.hidden[:, :1], atol=1e-5, rtol=1e-5)
    for a, b in zip(looked.states, out.states, strict=True):
        torch.testing.assert_close(a, b[:, :1], atol=1e-5, rtol=1e-5)


def test_activation_states_are_those_of_eq_9(model: Backbone) -> None:
    """f(h W_i), and act(h W_gate) where the layer is gated, in every decoder layer."""
    inputs: list[Tensor] = []
    layers = [block.layer[-1].DenseReluDense for block in model.model.decoder.block]
    hooks = [layer.register_forward_pre_hook(lambda _m, args: inputs.append(args[0])) for layer in layers]
    embeds, mask, labels = rows(model)
    out = model.forward(embeds, mask, labels)
    for hook in hooks:
        hook.remove()
    assert len(out.states) == model.layers == len(inputs)
    for layer, h, states in zip(layers, inputs, out.states, strict=True):
        weight = layer.wi_0.weight if hasattr(layer, "wi_0") else layer.wi.weight
        torch.testing.assert_close(states, layer.act(h @ weight.T), atol=1e-5, rtol=1e-5)


def test_padding_after_the_text_changes_nothing(model: Backbone) -> None:
    embeds, mask, labels = rows(model)
    wide = torch.nn.functional.pad(embeds, (0, 0, 0, 7))
    out = model.forward(embeds, mask, labels)
    padded = model.forward(
        wide, torch.nn.functional.pad(mask, (0, 7)), torch.nn.functional.pad(labels, (0, 2), value=IGNORE)
    )
    torch.testing.assert_close(padded.loss, out.loss, atol=2e-6, rtol=1e-5)
    torch.testing.assert_close(padded.hidden[:, : labels.shape[1]], out.hidden, atol=2e-5, rtol=1e-4)
    assert torch.equal(padded.exact, out.exact)


def test_nothing_of_the_backbone_can_be_trained_and_nothing_is_random(model: Backbone) -> None:
    assert not any(p.requires_grad for p in model.model.parameters())
    assert not model.model.training
    embeds, mask, labels = rows(model)
    assert torch.equal(model.forward(embeds, mask, labels).loss, model.forward(embeds, mask, labels).loss)


def test_long_texts_are_cut_and_counted(backbone: Backbone) -> None:
    ids, mask, cut = backbone.tokenize(["the soup was nice", "soup " * 40], 16)
    assert ids.shape == mask.shape == (2, 16)
    assert cut == 1


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_becomes_tokens_the_model_knows(backbone: Backbone, text: str) -> None:
    ids, mask, _ = backbone.tokenize([text], 512)
    assert mask.sum() >= 1
    assert backbone.tokenizer.unk_token_id not in ids[0].tolist()
    assert ids.max() < len(backbone.vocabulary)


def test_known_text_comes_back_as_it_was(backbone: Backbone) -> None:
    for text in ("tom lives in lisbon .", "zürich 学 e=mc² !", "not_entailment"):
        ids, _, _ = backbone.tokenize([text], 64)
        assert backbone.text(ids)[0].replace(" ", "") == text.replace(" ", "").replace("²", "2")


def test_embedded_backbone_is_as_small_as_promised(backbone: Backbone) -> None:
    assert (EMBEDDED / "model.safetensors").stat().st_size <= 15 * 2**20
    assert 1e6 <= sum(p.numel() for p in backbone.model.parameters()) <= 6e6


def test_digest_tells_weights_apart(backbone: Backbone, gated: Backbone) -> None:
    assert backbone.digest == load("pocket", "cpu").digest != gated.digest


# --- refusals -----------------------------------------------------------------------------
def copied(folder: Path) -> Path:
    shutil.copytree(EMBEDDED, folder / "copy")
    return folder / "copy"


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_missing_file_is_named(tmp_path: Path, file: str) -> None:
    folder = copied(tmp_path)
    (folder / file).unlink()
    with pytest.raises(UserError, match=f"missing.*{file}"):
        load(str(folder), "cpu")


def test_one_flipped_bit_is_noticed_and_the_way_back_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(tmp_path)
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1000] ^= 1
    (folder / "model.safetensors").write_bytes(data)
    monkeypatch.setattr("shlpt.backbone.files.EMBEDDED", folder)
    with pytest.raises(UserError, match=r"model\.safetensors.*git checkout.*pretrain"):
        load("pocket", "cpu")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "checksums.json").unlink()
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match="cannot load a T5 from the folder"):
        load(str(folder), "cpu")


def test_weights_with_a_hole_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = copied(tmp_path)
    (folder / "checksums.json").unlink()
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("encoder.block.0.layer.0.SelfAttention.q.weight")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="lack"):
        load(str(folder), "cpu")


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "checksums.json").unlink()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert", "architectures": ["BertModel"]}))
    with pytest.raises(UserError, match="is no T5 but bert: choose a T5"):
        load(str(folder), "cpu")
    (folder / "config.json").write_text("[")
    with pytest.raises(UserError, match=r"config\.json cannot be read"):
        load(str(folder), "cpu")


def test_pickled_weights_are_refused(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "checksums.json").unlink()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pytorch_model\.bin, a pickle, which can run code.*safe_serialization"):
        load(str(folder), "cpu")


def test_an_unknown_backbone_names_the_nearest() -> None:
    with pytest.raises(UserError, match="did you mean 'pocket'"):
        load("pockt", "cpu")


@pytest.mark.parametrize("name", ["warp", "cuda:99"])
def test_an_absent_device_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="device"):
        pick_device(name)


def test_dtype_is_single_precision_off_the_gpu() -> None:
    assert pick_dtype("auto", torch.device("cpu")) == torch.float32
    assert pick_dtype("auto", torch.device("cuda")) == torch.bfloat16
    with pytest.raises(UserError, match="float32 or bfloat16"):
        pick_dtype("int8", torch.device("cpu"))
