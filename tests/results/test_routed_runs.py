"""Answers of finished runs without the task: every method that is told it, against the slow and plain way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shlpt.analysis import routing as pure
from shlpt.analysis.metrics import exact_match
from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS
from shlpt.catalog.routers import routers_of
from shlpt.errors import UserError
from shlpt.methods.base import answer_of, match_of
from shlpt.results import frames, recorded, routing, weights
from shlpt.results.backbones import backbone_of
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks.find import find_task
from shlpt.training.checkpoint import state_of
from shlpt.work.worker import run as train

TOLD = [name for name, info in METHODS.items() if info.is_told_the_task]
TASKS = ("sst2", "agnews", "rte")
SMALL = {"epochs": 1, "shots": 4, "validation_shots": 2, "test_shots": 2, "prompt_length": 2}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, str]]:
    home = tmp_path_factory.mktemp("routed")
    specs = {name: RunSpec.make(TASKS, name, seed=1, settings=SMALL) for name in TOLD}
    train(list(specs.values()), home, device="cpu", alone=False)
    return Store(home).open(), {name: spec.id for name, spec in specs.items()}


@pytest.fixture
def passes(backbone: Backbone) -> Iterator[list[int]]:
    """Rows of each pass through the encoder."""
    found: list[int] = []
    here = backbone_of("pocket", {"dtype": "float32", "backbone": backbone.digest})
    last = here.model.encoder.final_layer_norm
    hook = last.register_forward_pre_hook(lambda _module, given: found.append(len(given[0])))
    yield found
    hook.remove()


def forget(store: Store) -> None:
    with store.write() as db:
        db.execute("DELETE FROM artifacts WHERE kind LIKE 'routing.%'")


def texts(backbone: Backbone, task: str) -> Encoded:
    return Encoded(backbone, find_task(task).draw("test", SMALL["test_shots"], 0), 256)


@pytest.mark.parametrize("method", TOLD)
def test_every_text_is_answered_by_the_prompt_that_was_chosen(
    trained: tuple[Store, dict[str, str]], method: str, backbone: Backbone
) -> None:
    """One text at a time, with the state of its stage, gives the same choices, answers and scores."""
    store, run = trained[0], trained[1][method]
    keys = dict(zip(TASKS, frames.stages(store, run)["key"], strict=True))
    if METHODS[method].uses_history:
        keys = dict.fromkeys(TASKS, keys[TASKS[-1]])
    last = {task: state_of(artifact_bytes(store, key, "tensors"), backbone.device) for task, key in keys.items()}
    for router in routers_of(method):
        found = routing.measure(store, run, router)
        assert found["task"].tolist() == [t for t in TASKS for _ in range(len(texts(backbone, t)))]
        for task in TASKS:
            mine, data = found[found["task"] == task], texts(backbone, task)
            assert mine["told"].tolist() == frames.answers(store, run, task)["score"].tolist()
            for row, line in enumerate(mine.itertuples()):
                batch = data.batch([row])
                asks = {t: answer_of(method)(backbone, last[t], t, batch, "decode") for t in TASKS}
                if router == "uncertainty":
                    expected = [-backbone.uncertainty(ask.embeds, ask.mask).item() for ask in asks.values()]
                elif router == "keys":
                    match: Any = match_of(method)
                    expected = match(last[task], backbone.query(batch.ids, batch.mask))[0].tolist()
                else:
                    expected = [float(t == line.chosen) for t in TASKS]  # see test_routing_scores
                assert expected[TASKS.index(line.chosen)] == pytest.approx(max(expected), abs=1e-5)
                ask = asks[line.chosen]
                (answer,) = backbone.text(backbone.decode(ask.embeds, ask.mask, 12))
                assert line.untold == exact_match(answer, data.examples[row].target)


def test_the_nearest_training_texts_tell_the_kind_of_text(trained: tuple[Store, dict[str, str]]) -> None:
    """Reviews, headlines and pairs of sentences have little in common."""
    found = pure.measures(routing.measure(trained[0], trained[1]["shlpt"], "embeddings"))
    assert found["right"] > 0.8


def test_what_was_measured_is_stored_and_the_same_to_the_last_bit_again(
    trained: tuple[Store, dict[str, str]], passes: list[int]
) -> None:
    store, run = trained[0], trained[1]["l2p"]
    forget(store)
    assert routing.stored(store, [run]) == {run: {}}
    first = {router: routing.measure(store, run, router) for router in routers_of("l2p")}
    passes.clear()
    for router, frame in first.items():
        pd.testing.assert_frame_equal(routing.measure(store, run, router), frame)
        pd.testing.assert_frame_equal(routing.stored(store, [run])[run][router], frame)
    assert passes == []
    forget(store)
    for router, frame in first.items():
        pd.testing.assert_frame_equal(routing.measure(store, run, router), frame)


def test_a_prompt_is_chosen_with_at_most_one_pass_of_the_encoder_for_a_text(
    trained: tuple[Store, dict[str, str]], passes: list[int]
) -> None:
    """By embeddings none, by keys one, by uncertainty one for each prompt; then what was sent wrongly is answered."""
    store, run = trained[0], trained[1]["coda"]
    loaded = routing._load(store, run, frames.spec(store, run), "cpu")
    count = sum(len(data) for data in loaded.tests.values())
    for scores, expected in ((routing._by_embeddings, 0), (routing._by_keys, count)):
        passes.clear()
        scores(loaded, lambda share: None)
        assert sum(passes) == expected
    shlpt = routing._load(store, trained[1]["shlpt"], frames.spec(store, trained[1]["shlpt"]), "cpu")
    passes.clear()
    routing._by_uncertainty(shlpt, lambda share: None)
    assert sum(passes) == len(TASKS) * count


def test_with_the_task_known_nothing_is_lost(trained: tuple[Store, dict[str, str]]) -> None:
    store, run = trained[0], trained[1]["per_task"]
    loaded = routing._load(store, run, frames.spec(store, run), "cpu")
    for task in TASKS:
        assert routing._answered(loaded, task, [task] * len(loaded.tests[task])) == loaded.told[task]


def test_the_recorded_store_is_never_written(
    trained: tuple[Store, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, run = trained[0], trained[1]["continual"]
    forget(store)
    monkeypatch.setattr(recorded, "HOME", store.home)
    assert len(routing.measure(store, run, "embeddings"))
    assert routing.stored(store, [run]) == {run: {}}


@pytest.mark.parametrize(
    ("name", "router", "message"),
    [
        ("one_task", "embeddings", "has learned one task, rte: there is one prompt"),
        ("finetune", "embeddings", "never told the task"),
        ("shlpt", "keys", "has no keys to choose a prompt by \\(l2p, coda have\\)"),
        ("shlpt", "embedings", "unknown router 'embedings': did you mean 'embeddings'"),
        ("waiting", "embeddings", "is not finished"),
    ],
)
def test_where_there_is_nothing_to_choose(looked: Any, name: str, router: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        routing.measure(Store(looked.home).open(), looked.ids[name], router)


def test_prompts_without_their_weights_texts_or_answers_are_refused(
    trained: tuple[Store, dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store, run = trained[0], trained[1]["dtvg"]
    forget(store)
    with monkeypatch.context() as patch:
        patch.setattr(weights, "digest_here", lambda name: "newer")
        with pytest.raises(UserError, match="made with an older backbone: its prompts"):
            routing.measure(store, run, "embeddings")
    with monkeypatch.context() as patch:
        patch.setattr(routing, "draw", lambda task, split, shots, seed: find_task("cb").draw("test", 3, 0))
        with pytest.raises(UserError, match="the test texts of sst2 have changed"):
            routing.measure(store, run, "embeddings")
    with store.write() as db:
        db.execute("UPDATE scores SET examples='{}' WHERE stage=(SELECT max(id) FROM stages WHERE method='dtvg')")
    with pytest.raises(UserError, match="are not recorded, only its scores"):
        routing.measure(store, run, "embeddings")
