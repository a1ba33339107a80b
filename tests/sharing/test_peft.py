"""Prompts to PEFT and back: the same logits, the same scores, and a reason where it cannot be."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from shlpt.backbone.files import EMBEDDED, digest_of
from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.methods.base import answer_of, answer_with_stored_prompt
from shlpt.plans.stages import plans_of
from shlpt.results import frames
from shlpt.sharing import peft
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks import prompts
from shlpt.tasks.find import find_task
from shlpt.work.worker import run

TINY = {"epochs": 2, "shots": 4, "validation_shots": 2, "test_shots": 4, "prompt_length": 4}
TASKS = ("rte", "sst2")


def spec(*tasks: str, method: str = "shlpt", **settings: Any) -> RunSpec:
    return RunSpec.make(tasks, method, settings=TINY | settings, seed=1)


@pytest.fixture(scope="module")
def progressive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    home = tmp_path_factory.mktemp("peft")
    (record,) = run([spec(*TASKS, method="progressive")], home, device="cpu", alone=False)
    return Store(home).open(), record["id"]


@pytest.fixture
def trained(looked: Any, progressive: Any) -> dict[str, tuple[Store, str]]:
    ids = {name: (Store(looked.home).open(), looked.ids[name]) for name in ("shlpt", "per_task", "finetune")}
    return ids | {"progressive": progressive}


# --- away ---------------------------------------------------------------------------------
@pytest.mark.parametrize(("method", "rows", "place"), [("shlpt", 4, 1), ("per_task", 4, 0), ("progressive", 8, 1)])
def test_peft_gives_the_same_logits(trained: Any, tmp_path: Path, method: str, rows: int, place: int) -> None:
    store, id = trained[method]
    adapter, worst = peft.export(store, id, "sst2", tmp_path / "out")
    assert worst is not None
    assert worst <= 1e-5
    assert adapter.prompt.shape == (rows, 128)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(
        [peft.CONFIG, peft.TENSORS, peft.README]
    )
    assert [*tmp_path.iterdir()] == [tmp_path / "out"]  # no draft is left
    stored = load_file(tmp_path / "out" / peft.TENSORS)[peft.EMBEDDINGS]
    assert np.array_equal(stored, frames.tensors(store, id, "sst2")[f"prompt.{place}"])


def test_the_comparison_notices_a_prompt_that_peft_leaves_out(trained: Any, tmp_path: Path, monkeypatch: Any) -> None:
    whole = peft.config_of
    monkeypatch.setattr(peft, "config_of", lambda adapter: whole(adapter) | {"task_type": None})
    with pytest.raises(UserError, match="other logits in PEFT"):
        peft.export(*trained["shlpt"], "sst2", tmp_path / "out")
    assert [*tmp_path.iterdir()] == []


def test_what_is_no_single_prompt_is_refused_with_what_to_do(trained: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"trains the weights.*Export a run of shlpt, per_task.*--bundle"):
        peft.export(*trained["finetune"], "sst2", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for method in ("l2p", "coda"):
        with pytest.raises(UserError, match="another one for each text"):
            peft.refuse_without_prompt(method)


def test_the_catalogue_knows_which_methods_answer_with_one_prompt() -> None:
    for name, info in METHODS.items():
        assert info.has_one_prompt == (answer_of(name) is answer_with_stored_prompt), name


def test_nothing_is_overwritten_and_nothing_that_is_missing_is_written(trained: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="not empty"):
        peft.export(*trained["per_task"], "sst2", tmp_path)
    with pytest.raises(UserError, match="no task 'yelp': choose one of rte, sst2"):
        peft.export(*trained["per_task"], "yelp", tmp_path / "out")


# --- and back -----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory, backbone: Any) -> tuple[Path, torch.Tensor]:
    """An adapter that PEFT made, trained and saved, with its defaults, and the logits that it gives."""
    from peft import PromptTuningConfig, TaskType, get_peft_model
    from transformers import T5ForConditionalGeneration

    torch.manual_seed(0)
    base = T5ForConditionalGeneration.from_pretrained(str(EMBEDDED))
    config = PromptTuningConfig(task_type=TaskType.SEQ_2_SEQ_LM, num_virtual_tokens=4)
    model = get_peft_model(base, config)
    batch = encoded(backbone)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.3)
    for _ in range(8):
        optimiser.zero_grad()
        model(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).loss.backward()
        optimiser.step()
    folder = tmp_path_factory.mktemp("theirs") / "trained by peft"
    model.save_pretrained(folder)
    with torch.no_grad():
        logits = model.eval()(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).logits
    return folder, logits


def encoded(backbone: Any) -> Any:
    from shlpt.backbone.encode import Encoded

    return Encoded(backbone, find_task("sst2").draw("test", 4, 0), 256).batch(range(8))


def test_an_adapter_trained_by_peft_answers_the_same_and_is_a_source(
    theirs: Any, backbone: Any, tmp_path: Path
) -> None:
    from shlpt.methods.prompts import prepend

    folder, logits = theirs
    given = peft.take_in(tmp_path, folder, "sst2", name="mine")
    assert (given.title, given.task, given.length, given.width) == ("prompts/mine", "sst2", 4, 128)
    prompt, batch = torch.from_numpy(prompts.read("mine", tmp_path)), encoded(backbone)
    ours = backbone.logits(*prepend(prompt, backbone.embed(batch.ids), batch.mask), batch.labels)
    assert float((ours - logits).abs().max()) <= 1e-5
    records = run([spec("prompts/mine", "rte", method=m) for m in ("shlpt", "continual")], tmp_path, device="cpu")
    store = Store(tmp_path).open()
    right = (logits.argmax(-1) == batch.labels) | (batch.labels == -100)
    for record in records:
        assert record["state"] == "done"
        assert record["matrix"][0][0] == float(right.all(1).float().mean())  # greedy answers, the same texts
        assert np.array_equal(frames.tensors(store, record["id"], "rte")["prompt.0"], prompt)
    assert frames.stages(store, records[0]["id"])["steps"].iloc[0] == 0  # tested, not trained
    assert set(frames.alphas(store, records[0]["id"], "rte")["earlier"]) == {"prompts/mine"}


def test_another_prompt_of_the_same_name_is_another_stage(theirs: Any, tmp_path: Path) -> None:
    folder, _ = theirs
    peft.take_in(tmp_path, folder, "sst2", name="mine")
    keys = [stage.key for stage in plans_of([spec("prompts/mine", "rte")], False, tmp_path)[0].stages]
    other = shutil.copytree(folder, tmp_path / "other")
    tensors = load_file(other / peft.TENSORS)
    save_file({peft.EMBEDDINGS: tensors[peft.EMBEDDINGS] + 1}, other / peft.TENSORS)
    with pytest.raises(UserError, match=r"other numbers.*tasks remove prompts/mine"):
        peft.take_in(tmp_path, other, "sst2", name="mine")
    prompts.remove(tmp_path, "mine")
    peft.take_in(tmp_path, other, "sst2", name="mine")
    again = [stage.key for stage in plans_of([spec("prompts/mine", "rte")], False, tmp_path)[0].stages]
    assert not {*keys} & {*again}


def test_what_we_export_comes_back_bit_by_bit(progressive: Any, tmp_path: Path) -> None:
    store, id = progressive
    peft.export(store, id, "sst2", tmp_path / "out")
    given = peft.take_in(tmp_path, tmp_path / "out", "sst2", name="back")
    assert np.array_equal(prompts.read("back", tmp_path), frames.tensors(store, id, "sst2")["prompt.1"])
    assert given.backbone == digest_of("pocket")
    with pytest.raises(UserError, match=r"has 8 rows.*--set prompt_length=8"):
        plans_of([spec("prompts/back", "rte")], False, tmp_path)
    with pytest.raises(
        UserError, match=r"l2p cannot begin with the imported prompt.*Methods that can: shlpt, per_task"
    ):
        plans_of([spec("prompts/back", "rte", method="l2p", prompt_length=8)], False, tmp_path)


def test_a_multitask_adapter_gives_the_prompt_of_one_task(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    shared, columns, rows = (rng.normal(size=s).astype("f") for s in ((4, 128), (2, 4, 1), (2, 1, 128)))
    folder = adapter(tmp_path, peft_type="MULTITASK_PROMPT_TUNING", num_transformer_submodules=1)
    names = {peft.EMBEDDINGS: shared, peft.COLUMNS: columns, peft.ROWS: rows}
    save_file(names, folder / peft.TENSORS)
    peft.take_in(tmp_path, folder, "sst2", name="second", number=1)
    assert np.allclose(prompts.read("second", tmp_path), shared * (columns[1] @ rows[1]))
    with pytest.raises(UserError, match="has 2 tasks: --number is one from 0 to 1"):
        peft.take_in(tmp_path, folder, "sst2", number=2)


def adapter(home: Path, shape: tuple[int, int] = (4, 128), **config: Any) -> Path:
    folder = home / "adapter"
    folder.mkdir()
    usual = {"peft_type": "PROMPT_TUNING", "task_type": "SEQ_2_SEQ_LM", "num_virtual_tokens": 4}
    (folder / peft.CONFIG).write_text(json.dumps(usual | {"base_model_name_or_path": "data/pocket"} | config))
    save_file({peft.EMBEDDINGS: np.ones(shape, "f")}, folder / peft.TENSORS)
    return folder


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"peft_type": "LORA"}, "of the kind LORA, not a prompt before the text"),
        ({"peft_type": "PREFIX_TUNING"}, "of the kind PREFIX_TUNING"),
        ({"task_type": "CAUSAL_LM"}, "a T5 needs SEQ_2_SEQ_LM"),
        ({"task_type": None}, "a T5 needs SEQ_2_SEQ_LM"),
        ({"peft_type": "MULTITASK_PROMPT_TUNING"}, "before the decoder too"),
        ({"num_virtual_tokens": 5}, "no prompt of 5 rows"),
        ({"base_model_name_or_path": "t5-small"}, "trained on t5-small, not on 'pocket'.*--same-weights"),
    ],
)
def test_adapters_that_are_no_prompt_for_this_model_are_refused(tmp_path: Path, config: Any, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        peft.take_in(tmp_path, adapter(tmp_path, **config), "sst2")
    assert not (tmp_path / "prompts").exists()


def test_the_same_weights_by_another_name_are_taken_when_somebody_says_so(tmp_path: Path) -> None:
    folder = adapter(tmp_path, base_model_name_or_path="somewhere/else")
    assert peft.take_in(tmp_path, folder, "sst2", same=True).backbone == digest_of("pocket")


def test_another_width_other_weights_pickles_and_rubbish_are_refused(tmp_path: Path) -> None:
    folder = adapter(tmp_path, (4, 64))
    with pytest.raises(UserError, match=r"for a model of width 64 .*has 128: choose that one with --backbone"):
        peft.take_in(tmp_path, folder, "sst2", same=True)
    save_file({peft.EMBEDDINGS: np.ones((4, 128), "f")}, folder / peft.TENSORS, {"shlpt": '{"weights": "other"}'})
    with pytest.raises(UserError, match=r"trained on other weights \(data/pocket, other\)"):
        peft.take_in(tmp_path, folder, "sst2", same=True)
    save_file({peft.EMBEDDINGS: np.full((4, 128), np.nan, "f")}, folder / peft.TENSORS)
    with pytest.raises(UserError, match="not finite"):
        peft.take_in(tmp_path, folder, "sst2")
    (folder / peft.TENSORS).write_bytes(b"rubbish")
    with pytest.raises(UserError, match="cannot be read"):
        peft.take_in(tmp_path, folder, "sst2")
    (folder / peft.TENSORS).rename(folder / "adapter_model.bin")
    with pytest.raises(UserError, match=r"a pickle, which can run code.*safe_serialization=True"):
        peft.take_in(tmp_path, folder, "sst2")
    with pytest.raises(UserError, match=r"no adapter: it has no adapter_config.json"):
        peft.take_in(tmp_path, tmp_path, "sst2")
    (folder / peft.CONFIG).write_text("{")
    with pytest.raises(UserError, match="cannot be read"):
        peft.take_in(tmp_path, folder, "sst2")


def test_the_version_to_install_is_the_one_that_is_tested() -> None:
    pinned = (Path(__file__).resolve().parents[2] / "requirements-dev.txt").read_text().splitlines()
    assert peft.GET.removeprefix("pip install ") in pinned


def test_bfloat16_is_read(tmp_path: Path) -> None:
    from safetensors.torch import save_file as save_torch

    folder = adapter(tmp_path)
    save_torch({peft.EMBEDDINGS: torch.full((4, 128), 1.5, dtype=torch.bfloat16)}, folder / peft.TENSORS)
    peft.take_in(tmp_path, folder, "sst2", name="half")
    assert (prompts.read("half", tmp_path) == 1.5).all()
