"""Methods that train a copy of the backbone: their weights, EWC's penalty and Fisher, what replay repeats."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from making import EARLIER, context, train
from storing import stage_events

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import IGNORE, Backbone, Out, load
from shlpt.catalog import METHODS
from shlpt.methods.base import learner_of
from shlpt.methods.ewc import FISHER, Ewc, decayed, log_likelihood, normalised, penalty
from shlpt.methods.finetune import WEIGHTS, Finetune, model_of
from shlpt.methods.per_task import PerTask
from shlpt.methods.replay import Replay, per_task_memory, reservoir_memory
from shlpt.results import frames
from shlpt.spec import RunSpec, Training
from shlpt.store.store import Store
from shlpt.store.tensors import artifact_bytes
from shlpt.tasks.pocket import TASKS
from shlpt.training.checkpoint import state_of
from shlpt.training.engine import drive
from shlpt.training.lane import adamw, train_step
from shlpt.work.worker import run

TINY = {"epochs": 2, "shots": 4, "validation_shots": 2, "test_shots": 6}


# --- an own model -------------------------------------------------------------------------
def test_an_own_copy_says_what_the_backbone_says_and_shares_nothing_that_changes(backbone: Backbone) -> None:
    own, data = backbone.own_copy(), Encoded(backbone, TASKS["rte"].draw("train", 2, 42), 256)
    batch = data.batch([0, 1, 2])
    ours, theirs = (b.forward(b.embed(batch.ids), batch.mask, batch.labels) for b in (own, backbone))
    assert torch.equal(ours.loss, theirs.loss)
    assert len(ours.states) == backbone.layers  # its activations are seen, and by itself alone
    assert all(torch.equal(a, b) for a, b in zip(ours.states, theirs.states, strict=True))
    places = {p.data_ptr() for p in backbone.model.parameters()}
    assert not places & {p.data_ptr() for p in own.model.parameters()}
    assert not any(module.training for module in own.model.modules())
    before, own = backbone.digest, backbone.own_copy()
    with torch.no_grad():
        own.vocabulary[0, 0] += 1
    assert own.digest != before


def test_a_copy_takes_given_weights_as_they_are_and_all_of_them(backbone: Backbone) -> None:
    weights = {name: tensor.detach() + 1 for name, tensor in backbone.model.named_parameters()}
    own = dict(backbone.own_copy(weights).model.named_parameters())
    places = [{name: one.data_ptr() for name, one in given.items()} for given in (own, weights)]
    assert places[0] == places[1]
    assert not any(one.requires_grad for one in own.values())
    weights.popitem()
    with pytest.raises(KeyError):
        backbone.own_copy(weights)


def test_a_copy_of_a_half_precision_backbone_trains_in_single_precision(gated_folder: Path) -> None:
    half = load(str(gated_folder), "cpu", "bfloat16")
    own = half.own_copy()
    assert {p.dtype for p in own.model.parameters()} == {torch.float32} == {own.dtype}
    assert {p.dtype for p in half.model.parameters()} == {torch.bfloat16}


def test_every_weight_learns_the_embeddings_too_and_without_dropout(backbone: Backbone) -> None:
    one = Finetune(context(backbone, "finetune"))
    train(one, 1, (0, 1, 2, 3))
    moved = {name: bool((p != dict(backbone.model.named_parameters())[name]).any()) for name, p in one.weights.items()}
    assert all(moved.values())
    one = Finetune(context(backbone, "finetune"))
    batch = one.ctx.train.batch([0, 1, 2])
    with torch.no_grad():
        losses = [one.own.forward(one.own.embed(batch.ids), batch.mask, batch.labels).loss for _ in range(2)]
    assert torch.equal(*losses)


def test_the_model_of_a_state_is_built_once_and_has_its_weights(backbone: Backbone) -> None:
    one = Finetune(context(backbone, "finetune"))
    train(one, 2, (0, 1, 2, 3))
    state = one.keep()
    built = model_of(backbone, state)
    assert model_of(backbone, state) is built
    assert model_of(backbone, one.keep()) is not built
    weights = dict(built.model.named_parameters())
    assert all(torch.equal(weights[name], p) for name, p in one.own.model.named_parameters())
    assert not any(p.requires_grad for p in weights.values())


def test_the_next_task_goes_on_from_the_weights_that_were_kept(backbone: Backbone) -> None:
    one = Finetune(context(backbone, "finetune"))
    train(one, 2, (0, 1, 2, 3))
    kept = one.keep()
    following = Finetune(context(backbone, "finetune", "rte", extra=kept.extra))
    assert all(torch.equal(following.weights[name], p) for name, p in one.weights.items())
    train(following, 1, (0, 1, 2, 3))
    assert all(torch.equal(kept.extra[f"{WEIGHTS}{name}"], p) for name, p in one.weights.items())


def test_lanes_with_own_models_and_shared_ones_do_not_touch_each_other(backbone: Backbone) -> None:
    def lanes() -> list[Any]:
        learners = [Finetune(context(backbone, "finetune", seed=s)) for s in (1, 2)]
        learners.append(PerTask(context(backbone, "per_task", seed=3)))  # type: ignore[arg-type]
        return [
            train_step(one, adamw(one.parameters(), one.ctx.training), one.ctx.train.batch([0, 1]), 1.0)
            for one in learners
        ]

    together = drive(lanes(), backbone)
    alone = [drive([lane], backbone)[0] for lane in lanes()]
    assert together == alone
    assert len(set(alone)) == 3


def test_finetune_forgets_and_its_weights_come_back_from_the_store(backbone: Backbone, tmp_path: Path) -> None:
    settings = {"lr": 3e-4, "test_shots": 20, "epochs": 6, "validation_shots": 4}
    spec = RunSpec.make(("sst2", "contrary:sst2"), "finetune", settings=settings)
    (record,) = run([spec], tmp_path, device="cpu", alone=False)
    assert record["matrix"][0][0] > 0.85
    assert record["bwt"] < -0.2
    store, key = Store(tmp_path), record["stages"][1]
    stage, state = frames.stage(store, key), state_of(artifact_bytes(store, key, "tensors"), torch.device("cpu"))
    assert set(stage["tests"]) == {"sst2", "contrary:sst2"}
    data = Encoded(backbone, TASKS["sst2"].draw("test", 20, 0), 256)
    model, batch = model_of(backbone, state), data.batch(range(len(data)))
    answers = model.text(model.decode(model.embed(batch.ids), batch.mask, 8))
    assert answers == stage["tests"]["sst2"]["answers"]


# --- Online EWC ---------------------------------------------------------------------------
def test_penalty_decay_and_fisher_by_hand() -> None:
    weights = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor(7.0)}
    anchors = {"a": torch.tensor([0.0, 4.0]), "b": torch.tensor(6.0)}
    fisher = {"a": torch.tensor([3.0, 0.5]), "b": torch.tensor(10.0)}
    # λ/2 (3·1² + 0.5·2² + 10·1²)
    assert penalty(weights, anchors, fisher, 2.0).item() == pytest.approx(15.0)
    assert penalty(weights, anchors, fisher, 0.0).item() == 0.0
    one, two, three = ({"a": torch.tensor([v, 0.0])} for v in (8.0, 4.0, 2.0))
    running = decayed(decayed(decayed({}, one, 0.5), two, 0.5), three, 0.5)
    assert running["a"].tolist() == [0.5 * (0.5 * 8 + 4) + 2, 0.0]
    found = normalised({"a": torch.tensor([1.0, 3.0]), "b": torch.tensor([[8.0]])})
    assert (found["a"].tolist(), found["b"].tolist()) == ([0.25, 0.75], [[2.0]])
    assert normalised({"a": torch.zeros(2)})["a"].tolist() == [0.0, 0.0]
    right, tokens = torch.ones(2, dtype=torch.bool), torch.zeros(2, 3, dtype=torch.long)
    out = Out(torch.zeros(2, 3, 1), (), torch.tensor([0.5, 2.0]), right, tokens)
    labels = torch.tensor([[5, 1, IGNORE], [5, 6, 1]])
    assert log_likelihood(out, labels).item() == -(0.5 * 2 + 2.0 * 3)


def test_the_fisher_is_the_mean_of_each_examples_squared_gradient(backbone: Backbone) -> None:
    one = Ewc(context(backbone, "ewc", shots=2))
    (found,) = drive([one.own_fisher()], backbone)
    model = backbone.own_copy().model.requires_grad_(True)
    weights, data = dict(model.named_parameters()), one.ctx.train
    expected = {name: torch.zeros_like(p) for name, p in weights.items()}
    for row in range(len(data)):  # the library's own loss is a mean over the target's tokens
        batch = data.batch([row])
        loss = model(input_ids=batch.ids, attention_mask=batch.mask, labels=batch.labels).loss * batch.labels.shape[1]
        for name, grad in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
            expected[name] += grad**2 / len(data)
    largest = max(t.max().item() for t in expected.values())
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], atol=1e-5 * largest, rtol=1e-3)


def test_the_end_of_a_stage_adds_the_fisher_at_the_kept_weights(backbone: Backbone) -> None:
    ctx = context(backbone, "ewc", shots=2, ewc_decay=0.5, fisher="raw")
    first = Ewc(ctx)
    kept = first.keep()
    (fresh,) = drive([first.own_fisher()], backbone)
    train(first, 2, (0, 1, 2, 3))  # the weights of the last step are not the ones that are kept
    (state,) = drive([first.finish(kept)], backbone)
    assert all(torch.equal(state.extra[f"{FISHER}{name}"], t) for name, t in fresh.items())
    assert all(torch.equal(state.extra[name], t) for name, t in kept.extra.items())
    second = Ewc(replace(ctx, state=state))
    (after,) = drive([second.finish(second.keep())], backbone)  # the same weights and examples: F/2 + F
    assert all(torch.equal(after.extra[f"{FISHER}{name}"], 0.5 * t + t) for name, t in fresh.items())


def ewc_after(backbone: Backbone, fisher: float, strength: float) -> Ewc:
    """A second task: the weights are the backbone's, and every weight matters as much."""
    state = Ewc(context(backbone, "ewc")).keep()
    extra = state.extra | {
        f"{FISHER}{name.removeprefix(WEIGHTS)}": torch.full_like(t, fisher) for name, t in state.extra.items()
    }
    return Ewc(context(backbone, "ewc", extra=extra, ewc_strength=strength))


def test_the_loss_of_a_second_task_is_its_own_plus_the_penalty(backbone: Backbone) -> None:
    one = ewc_after(backbone, fisher=3.0, strength=0.5)
    batch = one.ctx.train.batch([0, 1])
    name = next(iter(one.weights))
    with torch.no_grad():
        one.weights[name].view(-1)[0] += 2.0
        ask = one.ask(batch)
        out = one.own.forward(ask.embeds, ask.mask, ask.labels)
        total = ask.loss(out)
    assert total.item() - out.loss.mean().item() == pytest.approx(0.5 / 2 * 3.0 * 2.0**2, rel=1e-4)
    assert one.log()["penalty"] == pytest.approx(3.0, rel=1e-4)


def test_a_strong_penalty_keeps_the_weights_near(backbone: Backbone) -> None:
    def moved(strength: float) -> float:
        one = ewc_after(backbone, fisher=1.0, strength=strength)
        train(one, 5, (0, 1, 2, 3))
        return sum(((p.detach() - one.anchors[n]) ** 2).sum().item() for n, p in one.weights.items())

    assert moved(100.0) < 0.7 * moved(0.0)


def test_a_run_carries_the_decayed_fisher_and_says_what_it_costs(backbone: Backbone, tmp_path: Path) -> None:
    spec = RunSpec.make(("sst2", "rte"), "ewc", settings=TINY | {"ewc_decay": 0.5})
    (record,) = run([spec], tmp_path, device="cpu", alone=False)
    store, weights = Store(tmp_path), sum(p.numel() for p in backbone.model.parameters())
    for key, mean, added in zip(record["stages"], (1.0, 0.5 + 1.0), (2 * 4 * weights, 0), strict=True):
        fisher = [t for name, t in frames.stage_tensors(store, key).items() if name.startswith(f"extra.{FISHER}")]
        assert sum(float(t.sum()) for t in fisher) / weights == pytest.approx(mean, rel=1e-3)
        summary = frames.stage(store, key)["summary"]
        assert (summary["trainable"], summary["stored_bytes"]) == (weights, 2 * 4 * weights)  # weights and Fisher
        assert summary["added_bytes"] == added
    first, second = ([e for e in stage_events(store, key) if e["kind"] == "step"] for key in record["stages"])
    assert not any("penalty" in event for event in first)
    assert second[-1]["penalty"] > 0


# --- replay -------------------------------------------------------------------------------
def test_a_memory_per_task_has_a_number_of_each_and_all_of_a_small_one() -> None:
    memory = per_task_memory([10, 2, 5], 3, seed=42)
    assert Counter(task for task, _ in memory) == {0: 3, 1: 2, 2: 3}
    assert len(set(memory)) == 8
    assert all(0 <= row < (10, 2, 5)[task] for task, row in memory)
    assert per_task_memory([10, 2], 3, seed=42) == memory[:5]  # later tasks do not change what is kept of earlier ones
    assert len({tuple(per_task_memory([10], 3, seed)) for seed in range(10)}) > 5


def test_a_reservoir_never_grows_never_brings_back_what_it_dropped_and_treats_all_alike() -> None:
    assert reservoir_memory([2, 1], 4, seed=1) == [(0, 0), (0, 1), (1, 0)]
    early, late = reservoir_memory([6], 4, seed=1), reservoir_memory([6, 30], 4, seed=1)
    assert len(early) == len(late) == len(set(late)) == 4
    assert {place for place in late if place[0] == 0} < set(early)
    counts = Counter(place for seed in range(2000) for place in reservoir_memory([5, 3], 2, seed))
    assert len(counts) == 8
    assert all(count / 2000 == pytest.approx(2 / 8, abs=0.05) for count in counts.values())


def test_the_usual_memory_is_never_all_training_data() -> None:
    smallest = min(task.classes for task in TASKS.values()) * Training().shots
    assert METHODS["replay"].params().memory_size <= smallest / 4
    said = METHODS["replay"].params.model_fields["memory_size"].description or ""
    assert "a quarter of the training examples" in said
    assert "training on all tasks together" in said


@pytest.mark.parametrize("memory", ["per_task", "reservoir"])
def test_batches_hold_the_new_rows_and_kept_old_ones(backbone: Backbone, memory: str) -> None:
    one = Replay(context(backbone, "replay", memory=memory, memory_size=5, replay_rows=3))
    assert len(one.kept) == (15 if memory == "per_task" else 5)
    batch, seen = one.ctx.train.batch([1, 2]), set()
    for step in range(4):
        places = one.replayed(step)
        ask = one.ask(batch)
        assert len(ask.embeds) == len(ask.labels) == 2 + 3
        for number, (task, row) in enumerate(places, start=2):
            old = one.ctx.earlier_data[task].batch([row])
            length, width = old.ids.shape[1], old.labels.shape[1]
            assert ask.mask[number].sum() == length
            assert torch.equal(ask.embeds[number, :length], one.own.embed(old.ids)[0])
            assert torch.equal(ask.labels[number, :width], old.labels[0])
        seen |= set(places)
    assert seen <= set(one.kept)
    assert len(seen) > 3  # not the same ones every time


def test_what_replay_keeps(backbone: Backbone) -> None:
    one = Replay(context(backbone, "replay", earlier=()))
    ask = one.ask(one.ctx.train.batch([0, 1]))
    assert (len(ask.embeds), one.kept) == (2, [])
    one = Replay(context(backbone, "replay", memory_size=2))
    kept = one.keep().extra["kept_rows"].tolist()
    assert kept[:-2] == [list(place) for place in one.kept]
    assert [task for task, _ in kept[-2:]] == [len(EARLIER)] * 2


def test_a_run_gives_replay_the_earlier_tasks_and_others_not(
    backbone: Backbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, list[list[str]]] = {"replay": [], "finetune": []}
    last: dict[str, str] = {}

    def noting(method: str) -> type[Finetune]:
        class Noting(learner_of(method)):  # type: ignore[misc]
            def __init__(self, ctx: Any) -> None:
                super().__init__(ctx)
                given[method].append([data.digest for data in ctx.earlier_data])

        return Noting

    for method in given:
        monkeypatch.setattr(f"shlpt.methods.{method}.{method.title()}", noting(method))
        spec = RunSpec.make(("sst2", "rte"), method, settings=TINY | {"epochs": 1})
        (record,) = run([spec], tmp_path, device="cpu", alone=False)
        assert record["state"] == "done"
        last[method] = record["stages"][-1]
    digest = Encoded(backbone, TASKS["sst2"].draw("train", 4, 42), 256).digest
    assert given == {"replay": [[], [digest]], "finetune": [[], []]}
    memory = frames.stage_tensors(Store(tmp_path), last["replay"])["record.memory"]
    assert set(memory[:, 0].tolist()) == {0}
