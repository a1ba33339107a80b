"""What a device with a queue is spared: nothing waits for it in a step, and shapes repeat. Tried on a CPU that is
treated as one: the same must be learned and told."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from making import context, learner, loss_of
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from shlpt.backbone.encode import Encoded, bucket
from shlpt.backbone.t5 import IGNORE, Backbone
from shlpt.catalog import METHODS
from shlpt.catalog.params import ShlptParams
from shlpt.methods.base import learner_of, rates_of
from shlpt.methods.per_task import PerTask
from shlpt.spec import Training
from shlpt.tasks.pocket import TASKS
from shlpt.training import telling
from shlpt.training.checkpoint import Place, go_to, state_parts
from shlpt.training.engine import Onward, drive
from shlpt.training.lane import Examined, StageResult, adamw, learn, prepare, train_step
from shlpt.training.speed import Bench
from shlpt.training.telling import EVERY, Telling

Events = list[tuple[str, dict[str, Any]]]
WAITS = {"_local_scalar_dense", "nonzero", "masked_select", "_unique2", "bincount", "equal"}
OFTEN = {"dtvg": {"tolist"}, "bmtpt": {"_local_scalar_dense"}}  # decided on the host: the group, the kernel's width


class Waits(TorchDispatchMode):
    """Counts what would wait for a GPU: operations whose result the host must know."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        self.found[name] += name in WAITS
        return func(*args, **kwargs or {})


@contextmanager
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    with Waits() as mode, monkeypatch.context() as patch:
        for name in ("tolist", "cpu", "numpy"):
            usual: Callable[..., Any] = getattr(Tensor, name)

            def noted(tensor: Tensor, *args: Any, name: str = name, usual: Any = usual) -> Any:
                mode.found[name] += 1
                return usual(tensor, *args)

            patch.setattr(Tensor, name, noted)
        yield mode.found
    for name in [name for name, times in mode.found.items() if not times]:
        del mode.found[name]


@pytest.fixture
def queued(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> Backbone:
    monkeypatch.setattr(backbone, "queued", True)
    return backbone


@pytest.mark.parametrize("method", METHODS)
def test_no_step_waits_for_the_device(method: str, queued: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    one: Any = learner(queued, method)
    optimiser, data, events = adamw(rates_of(one), one.ctx.training), one.ctx.train, Events()
    told = Telling(lambda *event: events.append(event), late=True)
    batch = data.batch([0, 1, 2])
    one.ctx.views.rows([None, *one.ctx.state.pool], data, batch)  # frozen views are computed once

    def steps() -> Any:
        if hasattr(one, "preparation"):
            yield from prepare(one, one.ctx.training, Telling(lambda *event: None, late=True))
        for _ in range(EVERY - 1):
            taken = yield from train_step(one, optimiser, batch, 1.0, told)
            told.add("step", {"loss": taken.loss, **one.log()}, taken.norms)

    with waits(monkeypatch) as found:
        drive([steps()], queued)
    settled = found.pop("tolist", 0) if hasattr(one, "preparation") and method != "dtvg" else 0
    assert set(found) <= OFTEN.get(method, set())
    assert settled <= math.ceil(one.ctx.training.epochs * 2 / EVERY) + 1  # one copy for many steps of the preparation
    assert not events
    with waits(monkeypatch) as found:
        told.tell()
    assert found == {"tolist": 1}
    assert [said["step"] for _, said in events] == [*range(1, EVERY)]
    values = [value for _, said in events for value in said.values()]
    assert not any(isinstance(value, Tensor) for value in values)


def test_what_speed_times_does_not_wait_either(queued: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Bench(queued, Training(prompt_length=4, batch_size=2, shots=2)).lanes(2, "shlpt", ShlptParams(), 3)
    step()  # fills the caches
    with waits(monkeypatch) as found:
        step()
    assert not found


def trained(backbone: Backbone, makers: list[Callable[[], Any]], late: bool) -> tuple[list[Events], list[StageResult]]:
    """Learners side by side; data without buckets, so that only the reading differs."""
    backbone.queued = False
    ones, logs = [make() for make in makers], [Events() for _ in makers]
    validation, test = (Encoded(backbone, TASKS["sst2"].draw(split, 3, 0), 256) for split in ("validation", "test"))
    backbone.queued = late
    tests = Examined([TASKS["sst2"]], [test])
    lanes = [
        learn(one.ctx, one, validation, tests, None, lambda *event, log=log: log.append(event))
        for one, log in zip(ones, logs, strict=True)
    ]
    results = drive(lanes, backbone)
    assert all(isinstance(result, StageResult) for result in results), results
    return logs, results  # type: ignore[return-value]


class Failing(PerTask):
    """From its sixth step on nothing is a number; before it, only the gradient of the fourth, if so wished."""

    bad, gradient, steps = math.nan, False, 0

    def ask(self, batch: Any) -> Any:
        ask = super().ask(batch)
        self.steps += 1
        scale, at = (self.bad if self.steps == 6 and not self.gradient else 1.0), self.steps == 4 and self.gradient

        def loss(out: Any) -> Tensor:
            zero = (self.prompt - self.prompt.detach()).sum().sqrt() if at else 0.0  # 0, with an infinite gradient
            return out.loss.mean() * scale + 0 * zero

        return type(ask)(ask.embeds, ask.mask, ask.labels, "train", loss)


def make(backbone: Backbone, method: str, kind: Any = None, **params: Any) -> Callable[[], Any]:
    return lambda: (kind or learner_of(method))(context(backbone, method, shots=8, **params))


def failing(backbone: Backbone, bad: float, gradient: bool) -> Callable[[], Any]:
    kind = type("Failing", (Failing,), {"bad": bad, "gradient": gradient})
    return make(backbone, "per_task", kind, earlier=())


@pytest.mark.parametrize(("bad", "gradient"), [(math.nan, False), (math.inf, True)])
def test_read_late_every_bit_is_the_same_and_a_failure_is_the_same_failure(
    queued: Backbone, bad: float, gradient: bool
) -> None:
    makers = [make(queued, "coda"), failing(queued, bad, gradient), make(queued, "l2p")]
    logs, results = trained(queued, makers, late=False)
    late_logs, late_results = trained(queued, makers, late=True)
    assert "stopped at step" in results[1].summary["failure"]
    assert results[1].summary["steps"] == (3 if gradient else 5)
    for log, late in zip(logs, late_logs, strict=True):
        assert late == log
    for one, late_one in zip(results, late_results, strict=True):
        assert (late_one.summary, late_one.answers, late_one.scores) == (one.summary, one.answers, one.scores)
        for name, tensor in state_parts(one.state)[1].items():
            assert torch.equal(state_parts(late_one.state)[1][name], tensor), name


@pytest.mark.parametrize("partition", ["batch_mean", "instance"])
@pytest.mark.parametrize("positions", ["first", "all"])
def test_with_buckets_and_masks_losses_and_gradients_are_the_same(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch, partition: str, positions: str
) -> None:
    first: Any = learner(backbone, "shlpt")
    between = float(first.alpha[:, 0].median())  # δ calls a task similar to some texts only

    def steps(as_queue: bool) -> tuple[list[dict[str, Any]], list[Tensor]]:
        monkeypatch.setattr(backbone, "queued", as_queue)
        one: Any = learner(backbone, "shlpt", partition=partition, hsc_positions=positions, threshold=between)
        said, gradients = [], []
        for rows in ([0, 1, 2], [3, 4, 5, 6], [7, 8]):
            loss = loss_of(backbone, one.ask(one.ctx.train.batch(rows)))
            gradients += torch.autograd.grad(loss, one.parameters())
            said += telling.plain([{"loss": loss, **one.log()}])
        return said, gradients

    (plain, gradients), (late, late_gradients) = steps(False), steps(True)
    assert any(0 < share < 1 for one in plain for share in one["dissimilar"]) or partition == "batch_mean"
    for one, late_one in zip(plain, late, strict=True):
        assert {"hsc", "asc"} <= set(late_one)
        for name in set(one) - {"text"}:
            assert late_one[name] == pytest.approx(one[name], abs=1e-5, rel=1e-5), name
    torch.testing.assert_close(late_gradients, gradients, atol=3e-6, rtol=1e-3)


def test_batches_have_few_shapes_and_the_same_answers(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [example for name in ("sst2", "agnews", "multirc") for example in TASKS[name].draw("train", 20, 0)]
    usual = Encoded(backbone, examples, 64)
    monkeypatch.setattr(backbone, "queued", True)
    few = Encoded(backbone, examples, 64)
    monkeypatch.setattr(backbone, "queued", False)
    rows = [[n] for n in range(len(examples))]
    before, after = ([(data.batch(r).ids.shape, data.batch(r).labels.shape) for r in rows] for data in (usual, few))
    assert len(set(after)) < len(set(before)) / 2
    assert {ids[1] for ids, _ in after} <= {8, 12, 16, 24, 32, 48, 64}
    assert few.limit == usual.limit
    for some in (range(8), range(40, 48)):
        one, two = (data.batch([*some]) for data in (usual, few))
        assert torch.equal(one.ids, two.ids[:, : one.ids.shape[1]])
        assert not two.mask[:, one.ids.shape[1] :].any()
        outs = []
        for as_queue, batch in ((False, one), (True, two)):
            backbone.queued = as_queue
            outs.append(backbone.forward(backbone.embed(batch.ids), batch.mask, batch.labels))
        torch.testing.assert_close(outs[1].loss, outs[0].loss, atol=1e-5, rtol=1e-5)
        assert torch.equal(outs[0].exact, outs[1].exact)
        logits = [
            backbone.logits(backbone.embed(b.ids), b.mask, b.labels)[:, : one.labels.shape[1]] for b in (one, two)
        ]
        torch.testing.assert_close(*logits, atol=1e-5, rtol=1e-5)
        assert (two.labels[:, one.labels.shape[1] :] == IGNORE).all()


def test_buckets_hold_every_length_and_waste_at_most_half() -> None:
    assert sorted({bucket(n) for n in range(1, 257)}) == [4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]
    assert all(n <= bucket(n) <= max(8, 1.5 * n) for n in range(1, 5000))
    assert (bucket(200, 220), bucket(220, 220), bucket(100, 256)) == (220, 220, 128)


def test_a_pause_tells_of_every_step_before_it(backbone: Backbone, monkeypatch: pytest.MonkeyPatch) -> None:
    class Watching(Onward):
        rounds, told = 0, 0

        def round(self, training: bool, tell: Callable[[], None]) -> None:
            self.rounds += 1
            if self.rounds == 4:
                assert not events
                tell()
                self.told = len(events)

    monkeypatch.setattr(backbone, "queued", True)
    events, conductor = Events(), Watching()
    one = PerTask(context(backbone, "per_task", shots=8, earlier=()))
    data = Encoded(backbone, TASKS["sst2"].draw("validation", 2, 0), 256)
    lane = learn(one.ctx, one, data, Examined([TASKS["sst2"]], [data]), None, lambda *event: events.append(event))
    drive([lane], backbone, conductor)
    assert conductor.told == 3
    steps = [said["step"] for kind, said in events if kind == "step"]
    assert steps == [*range(1, len(steps) + 1)]


def test_everything_of_the_optimiser_returns_to_the_device_of_its_parameter() -> None:
    """The fused AdamW has its count of steps there as well: on a GPU one on the CPU would be a wild address."""

    class Bare:
        def __init__(self) -> None:
            self.prompt = torch.zeros(2, 3, device="meta", requires_grad=True)

        def parameters(self) -> list[Tensor]:
            return [self.prompt]

    one: Any = Bare()
    optimiser = torch.optim.AdamW(one.parameters(), fused=False)
    tensors = {"parameter.0": torch.zeros(2, 3), "rank": torch.tensor([0.0, 0.0])}
    tensors |= {"optimiser.0.step": torch.tensor(4.0), "optimiser.0.exp_avg": torch.zeros(2, 3)}
    go_to(Place({"best_pool": None, "best_epoch": 0}, tensors), one, optimiser, 3)
    assert {t.device.type for t in optimiser.state[one.prompt].values()} == {"meta"}
    assert telling.plain([{"a": torch.tensor(2), "b": [1]}, {"c": torch.ones(2)}]) == [
        {"a": 2.0, "b": [1]},
        {"c": [1.0, 1.0]},
    ]
