"""`--preset paper` beside what the paper prints and what its authors' code does, setting by setting."""

from pathlib import Path
from typing import Any

import pytest
import torch

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone, load
from shlpt.catalog import METHODS, published
from shlpt.catalog.params import ShlptParams
from shlpt.methods.base import Ask, Context, State, rates_of
from shlpt.methods.prompts import PromptPool, fresh_prompt
from shlpt.methods.shlpt import Shlpt
from shlpt.methods.views import Views
from shlpt.spec import RunSpec, Training, settings_of
from shlpt.tasks.find import draw, find_task
from shlpt.tasks.sequences import BENCHMARKS, SEQUENCES
from shlpt.training.engine import Lane, drive
from shlpt.training.lane import Taken, adamw, train_step

NOT_SAID = None
# Setting: section 5.2 and appendix D of the paper; cl_shlpt.py, shlpt_head.py, run_cl.py and batch_run.py; the preset.
TABLE: dict[str, tuple[Any, Any, Any]] = {
    "prompt_length": (150, 150, 150),
    "epochs": (50, 50, 50),
    "lr": (0.3, 0.3, 0.3),
    "batch_size": (8, 8, 8),
    "shots": (75, 75, 75),
    "validation_shots": (75, 75, 75),
    "test_shots": (100, 100, 100),
    "patience": (NOT_SAID, 35, 35),
    "patience_from": (NOT_SAID, 10, 10),
    "max_length": (256, 256, 256),
    "weight_decay": (0.01, 1e-5, 0.01),
    "clip": (NOT_SAID, 1.0, 1.0),
    "beams": (NOT_SAID, 4, 4),
    "repetition_penalty": (NOT_SAID, 2.5, 2.5),
    "matching": (NOT_SAID, "normalised", "normalised"),
    "threshold": (0.06, 0.06, 0.06),
    "temperature": (20000.0, 20000.0, 20000.0),
    "partition": ("instance", "batch_mean", "batch_mean"),
    "estimator": (NOT_SAID, "carried", "carried"),
    "estimator_width": (NOT_SAID, 100, 100),
    "estimator_center": (False, False, False),
    "estimator_prior": ("equal", "equal", "equal"),
    "estimator_score": ("product", "product", "product"),
    "estimator_lr": (NOT_SAID, "auto", "auto"),
    "estimator_warmup": (NOT_SAID, 0, 0),
    "lambda_hsc": (0.1, 0.1, 0.1),
    "lambda_asc": (0.5, 0.5, 0.5),
    "tau_hsc": (1.0, 1.0, 1.0),
    "tau_asc": (1.0, 1.0, 1.0),
    "similar_transfer": (True, True, True),
    "own_start": (NOT_SAID, "words", "words"),
    "hsc_positions": ("first", "all", "first"),
    "asc_states": ("value", "value", "value"),
}
OURS = {"scored_on"}  # in neither


@pytest.mark.parametrize("name", TABLE)
def test_each_setting_is_the_papers_or_where_it_is_silent_the_codes(name: str) -> None:
    paper, code, preset = TABLE[name]
    assert (published.PUBLISHED[name].paper, published.PUBLISHED[name].code) == (paper, code)
    found = RunSpec.make(SEQUENCES["order1"], preset="paper").settings[name]
    assert (found, type(found)) == (preset, type(preset))


def test_the_table_has_every_setting_of_shlpt() -> None:
    assert set(TABLE) == set(published.PUBLISHED) == {*Training.model_fields, *ShlptParams.model_fields} - OURS


@pytest.mark.parametrize(
    ("benchmark", "own"),
    [("standard_cl", {}), ("large", {"epochs": 80, "patience": 50}), ("negative", {"threshold": 1.5})],
)
def test_benchmarks_have_settings_of_their_own(benchmark: str, own: dict[str, Any]) -> None:
    usual = RunSpec.make(("rte", "sst2"), preset="paper").settings
    for tasks in BENCHMARKS[benchmark].tasks.values():
        assert RunSpec.make(tasks, preset="paper").settings == usual | own
        assert RunSpec.make(tasks, preset="quick").settings == RunSpec.make(("rte", "sst2")).settings


def test_methods_that_train_all_weights_have_the_papers_rate() -> None:
    rates = {name: RunSpec.make(("rte", "sst2"), name, preset="paper").training.lr for name in METHODS}
    assert rates == dict.fromkeys(METHODS, 0.3) | dict.fromkeys(("finetune", "ewc", "replay"), 1e-4)


def test_settings_say_what_the_paper_and_the_code_have() -> None:
    said = {row["name"]: row["published"] for model in (Training, ShlptParams) for row in settings_of(model)}
    assert said["weight_decay"] == "The paper: 0.01; the authors' code: 1e-05."
    assert said["patience"] == "The paper does not say, the authors' code: 35."
    assert said["similar_transfer"] == "The paper and the authors' code: yes."
    assert [name for name, text in said.items() if not text] == ["scored_on"]


# --- on a model in the shape of T5-large ----------------------------------------------------
@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, backbone: Backbone) -> Backbone:
    """As deep as T5-large, with as many heads, not gated; narrow, for time and memory."""
    from transformers import T5Config, T5ForConditionalGeneration

    folder: Path = tmp_path_factory.mktemp("large")
    torch.manual_seed(0)
    shape = {"num_layers": 24, "num_decoder_layers": 24, "num_heads": 16, "d_model": 64, "d_kv": 4, "d_ff": 256}
    tokens = {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1, "vocab_size": len(backbone.tokenizer)}
    model = T5ForConditionalGeneration(T5Config(**shape, **tokens, feed_forward_proj="relu"))
    model.save_pretrained(folder, safe_serialization=True)
    backbone.tokenizer.save_pretrained(folder)
    return load(str(folder), "cpu")


@pytest.mark.slow
def test_the_preset_builds_and_steps_on_that_shape(large: Backbone) -> None:
    spec = RunSpec.make(SEQUENCES["negative1"], preset="paper")
    data = Encoded(large, draw(find_task("mnli"), "train", 3, 42), spec.training.max_length)
    pool = PromptPool()
    for task in spec.tasks[:-1]:
        pool = pool.add(fresh_prompt(large.vocabulary, 150, 42, task), task)
    one = Shlpt(Context(large, "mnli", data, spec.params, spec.training, 42, State(pool), Views(large)))
    before = one.prompt.detach().clone()
    assert before.shape == (150, 64)
    assert before.abs().sum() > 0  # words, not zero
    lane = train_step(one, adamw(rates_of(one), spec.training), data.batch(range(8)), spec.training.clip)
    (taken,) = drive([lane], large)
    assert isinstance(taken, Taken)
    assert {"hsc", "asc"} <= set(one.log())
    assert (one.prompt.detach() - before).abs().max().item() == pytest.approx(0.3, rel=0.1)  # and decay

    def decode() -> Lane[Any]:
        ask = one.answer(large, one.keep(), "mnli", data.batch([0, 1]), "decode")
        return (yield Ask(ask.embeds, ask.mask, None, "decode", limit=4, beams=4, repetition_penalty=2.5))

    (ids,) = drive([decode()], large)
    assert ids.shape[0] == 2
