"""Runs over imported tasks: trained, reused, shown after the file is gone, refused with other texts."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from shlpt.errors import UserError
from shlpt.plans.stages import plans_of, stage_from, stage_json
from shlpt.queue.submit import planned, submit
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks import importing, shelf
from shlpt.tasks.reading import Table
from shlpt.tasks.task import Split
from shlpt.work.worker import run, work

TINY = {"epochs": 2, "shots": 4, "validation_shots": 2, "test_shots": 2, "prompt_length": 4}
REAL = os.environ.get("SHLPT_REAL_TASKS", "")


def store_task(home: Path, name: str, words: tuple[str, str], mark: str = "") -> None:
    texts = [f"{mark}it was the {n}th {words[n % 2]} day" for n in range(40)]
    table = Table(f"{name}.csv", {"text": texts, "label": [str(n % 2) for n in range(40)]})
    importing.draft(name, {"train": table}, importing.detect(table), {"0": "bad", "1": "good"}).store(home)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store_task(tmp_path, "mood", ("awful", "superb"))
    store_task(tmp_path, "price", ("costly", "cheap"))
    return tmp_path


def spec(*tasks: str, **settings: Any) -> RunSpec:
    return RunSpec.make(tasks, settings=TINY | settings, seed=1)


def test_a_run_over_imported_tasks_is_trained_reused_and_read(home: Path) -> None:
    (record,) = run([spec("own/mood", "own/price")], home, device="cpu", alone=False)
    assert (record["state"], record["tasks"]) == ("done", ["own/mood", "own/price"])
    store = Store(home).open()
    answers = frames.answers(store, record["id"], "own/mood")
    assert answers["text"].str.startswith("it was the").all()
    again = submit(store, planned(store, [spec("own/mood", "own/price")], alone=False))
    assert (again.todo, again.reused) == ((), 2)
    shelf.remove(home, "mood")
    gone = frames.answers(store, record["id"], "own/mood")
    assert list(gone["text"]) == [""] * 4  # scores do not need the texts
    assert list(gone["score"]) == list(answers["score"])
    assert not frames.alphas(store, record["id"], "own/price").empty


def test_the_suite_is_part_of_the_name_however_it_was_given(home: Path) -> None:
    plans = plans_of([spec("own/mood"), spec("mood").model_copy(update={"suite": "own"})], home=home)
    assert plans[0].stages == plans[1].stages
    assert plans[0].spec.id == plans[1].spec.id
    assert plans[0].spec.suite == "own"


def test_other_texts_are_another_stage_and_a_planned_one_is_not_trained_on_them(home: Path) -> None:
    store = Store(home).open()
    before = planned(store, [spec("own/mood", "own/price")], alone=False)
    submit(store, before)
    shelf.remove(home, "mood")
    store_task(home, "mood", ("awful", "superb"), mark="now ")
    after = planned(store, [spec("own/mood", "own/price")], alone=False)
    assert {s.key for s in before[0].stages}.isdisjoint(s.key for s in after[0].stages)
    work(store, device="cpu")
    (state,) = frames.runs(store)["state"]
    assert state == "failed"
    assert "the texts of task own/mood have changed" in frames.run(store, before[0].spec.id)["error"]
    submit(store, after)
    work(store, device="cpu")
    assert list(frames.runs(store)["state"]) == ["done"]


def test_a_planned_stage_whose_task_is_gone_fails_in_words_and_resumes_when_it_is_back(home: Path) -> None:
    store = Store(home).open()
    plans = planned(store, [spec("own/mood")], alone=False)
    submit(store, plans)
    shelf.remove(home, "mood")
    work(store, device="cpu")
    record = frames.run(store, plans[0].spec.id)
    assert record["state"] == "failed"
    assert "no task own/mood" in record["error"]
    assert "tasks add" in record["error"]
    store_task(home, "mood", ("awful", "superb"))
    submit(store, plans)
    work(store, device="cpu")
    assert list(frames.runs(store)["state"]) == ["done"]


def test_a_stage_keeps_what_its_texts_were(home: Path) -> None:
    (plan,) = plans_of([spec("own/mood", "sst2")], alone=False, home=home)
    assert [len(stage.data) for stage in plan.stages] == [1, 2]
    assert [stage.rows for stage in plan.stages] == [8, 0]
    for stage in plan.stages:
        assert stage_from(json.loads(json.dumps(stage_json(stage)))) == stage
    (generated,) = plans_of([spec("sst2")], alone=False)[0].stages
    assert not {"data", "rows"} & set(stage_json(generated))


def test_relatedness_is_not_invented(home: Path) -> None:
    oracle = RunSpec.make(("own/mood", "own/price"), "oracle_partition", settings=TINY)
    with pytest.raises(UserError, match=r"declared only for generated tasks.*similar_pairs=own/mood>own/price"):
        plans_of([oracle], home=home)
    given = RunSpec.make(
        ("own/mood", "own/price"), "oracle_partition", settings=TINY | {"similar_pairs": "own/mood>own/price"}
    )
    assert plans_of([given], home=home)


# --- real texts ---------------------------------------------------------------------------
@pytest.fixture(scope="module")
def real_t5(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small random T5 with a tokenizer made of the real texts as SentencePiece makes one."""
    from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

    texts = [line for path in sorted(Path(REAL).glob("*.train.*")) for line in path.read_text().splitlines()]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=2000, special_tokens=special, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    folder = tmp_path_factory.mktemp("real_t5")
    names = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(0)
    shape = {"d_model": 32, "d_kv": 8, "num_heads": 4, "d_ff": 64, "num_layers": 2, "vocab_size": 2000}
    T5ForConditionalGeneration(T5Config(**shape, decoder_start_token_id=0)).save_pretrained(folder)
    return str(folder)


@pytest.mark.slow
@pytest.mark.skipif(not Path(REAL).is_dir() or not REAL, reason="NOT TESTED: SHLPT_REAL_TASKS names no folder of files")
def test_five_real_data_sets_are_imported_and_learned_one_after_the_other(tmp_path: Path, real_t5: str) -> None:
    names = ("sst2", "rte", "agnews", "cb", "amazon")
    for name in names:
        files: dict[Split, Path] = {
            split: next(Path(REAL).glob(f"{name}.{split}.*"))
            for split in ("train", "test")  # type: ignore[misc]
        }
        tables = importing.read_all(files)
        made = importing.draft(name, tables, importing.detect(tables["train"]))
        assert len(made.record.groups) == {"sst2": 2, "rte": 2, "agnews": 4, "cb": 3, "amazon": 5}[name]
        made.store(tmp_path)
    one = RunSpec.make([f"own/{name}" for name in names], seed=1, backbone=real_t5, settings=TINY | {"max_length": 64})
    (record,) = run([one], tmp_path, device="cpu", alone=False)
    assert record["state"] == "done"
    assert len(record["matrix"]) == 5
