"""BMTPT: SVGD by hand and where it leads, the source phase, the prior."""

import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from making import context, loss_and_down, loss_of, prepared
from storing import stage_events
from torch import Tensor

from shlpt.backbone.encode import joined
from shlpt.backbone.t5 import IGNORE, Backbone
from shlpt.methods.bmtpt import Bmtpt, gaussian_prior, svgd
from shlpt.methods.per_task import PerTask
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.training.telling import plain
from shlpt.work.worker import run


def begun(backbone: Backbone, **options: Any) -> Bmtpt:
    return Bmtpt(context(backbone, "bmtpt", **options))


# --- SVGD -----------------------------------------------------------------------------------
def test_svgd_by_hand_with_the_median_of_the_pairs_as_bandwidth() -> None:
    # ‖x1 − x2‖² = 4 is the median, so h = 4/log 3 and k = exp(−log 3) = 1/3. The push on particle 1 is
    # 2/h · k · (x1 − x2) = log 3 / 2 · 1/3 · (−2, 0) = (−log 3 / 3, 0).
    particles = torch.tensor([[0.0, 1.0], [2.0, 1.0]])
    gradients = torch.tensor([[6.0, 0.0], [0.0, 3.0]])
    push = math.log(3) / 3
    whole = svgd(particles, gradients, 1.0)
    assert whole[0].tolist() == pytest.approx([(6 - push) / 2, 1 / 2], abs=1e-6)
    assert whole[1].tolist() == pytest.approx([(2 + push) / 2, 3 / 2], abs=1e-6)
    damped = svgd(particles, gradients, 0.25)  # a quarter of its own gradient, all of the other's share
    assert damped[0].tolist() == pytest.approx([(1.5 - push) / 2, 1 / 2], abs=1e-6)
    assert damped[1].tolist() == pytest.approx([(2 + push) / 2, 0.75 / 2], abs=1e-6)
    # Points 0, 1, 3: squared distances 1, 4, 9, the median is 4, h = 4/log 4.
    particles = torch.tensor([[0.0], [1.0], [3.0]])
    h = 4 / math.log(4)
    near, middle, far = (math.exp(-s / h) for s in (1, 4, 9))
    expected = [2 / h * (-near - 3 * far), 2 / h * (near - 2 * middle), 2 / h * (3 * far + 2 * middle)]
    found = svgd(particles, torch.zeros_like(particles), 1.0)[:, 0].tolist()
    assert found == pytest.approx([value / 3 for value in expected], abs=1e-6)
    assert svgd(torch.tensor([[5.0]]), torch.tensor([[-2.0]]), 1.0).tolist() == [[-2.0]]
    assert svgd(torch.ones(3, 2), torch.full((3, 2), 0.5), 1.0).flatten().tolist() == [0.5] * 6


def test_pure_repulsion_spreads_particles_about_the_same_mean() -> None:
    particles = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    mean, sizes = particles.mean(0), [spread(particles)]
    for _ in range(10):
        particles = particles + 0.1 * svgd(particles, torch.zeros_like(particles), 1.0)
        sizes.append(spread(particles))
    assert all(after > before for before, after in pairwise(sizes))
    torch.testing.assert_close(particles.mean(0), mean)


def spread(particles: Tensor) -> float:
    return (particles - particles.mean(0)).square().mean().item()


def test_particles_find_the_mean_and_the_spread_of_a_gaussian() -> None:
    particles = torch.randn(40, 1, generator=torch.Generator().manual_seed(1)) * 0.1
    for _ in range(2000):
        particles = particles + 0.2 * svgd(particles, -(particles - 3.0) / 4.0, 1.0)  # N(3, 2²)
    assert particles.mean().item() == pytest.approx(3.0, abs=0.05)
    assert particles.std().item() == pytest.approx(2.0, abs=0.3)


# --- the source phase -----------------------------------------------------------------------
def test_a_source_batch_has_as_many_rows_of_each_earlier_task(backbone: Backbone) -> None:
    one = begun(backbone, earlier=("yelp", "rte"))
    batch = one.source_batch(3)
    assert len(batch) == 4  # the batch size, two of each
    for data, part in zip(one.ctx.earlier_data, batch.rows.split(2), strict=True):
        assert len(set(part.tolist())) == 2
        assert int(part.max()) < len(data)
    assert torch.equal(batch.rows, one.source_batch(3).rows)
    assert len(begun(backbone, earlier=("yelp", "rte", "agnews", "mnli", "wic")).source_batch(0)) == 5


def test_joined_batches_keep_their_rows_and_pad_to_the_longest(backbone: Backbone) -> None:
    one = begun(backbone, earlier=("sst2", "rte"))
    parts = [data.batch([0, 1]) for data in one.ctx.earlier_data]
    both = joined(parts)
    width = parts[0].ids.shape[1]
    assert width < parts[1].ids.shape[1] == both.ids.shape[1]
    assert torch.equal(both.ids[:2, :width], parts[0].ids)
    assert torch.equal(both.ids[2:], parts[1].ids)
    assert not both.mask[:2, width:].any()
    assert torch.equal(both.labels != IGNORE, torch.cat([_real(p.labels, both.labels.shape[1]) for p in parts]))


def _real(labels: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(labels != IGNORE, (0, width - labels.shape[1]), value=False)


def test_each_particle_gets_the_gradient_of_its_own_mean_loss(backbone: Backbone) -> None:
    one = begun(backbone, particles=3)
    batch = one.source_batch(0)
    loss_of(backbone, one.ask_particles(batch)).backward()
    for number in range(3):
        particle = one.particles[number].detach().clone().requires_grad_(True)
        rows = torch.cat([particle.expand(len(batch), -1, -1), backbone.embed(batch.ids)], 1)
        mask = torch.cat([torch.ones(len(batch), 4, dtype=batch.mask.dtype), batch.mask], 1)
        backbone.forward(rows, mask, batch.labels).loss.mean().backward()
        torch.testing.assert_close(one.particles.grad[number], particle.grad, atol=1e-6, rtol=1e-4)


def test_gradients_are_turned_into_the_step_of_svgd_on_the_whole_likelihood(backbone: Backbone) -> None:
    one = begun(backbone, particles=3, damping=0.5)
    loss_of(backbone, one.ask_particles(one.source_batch(0))).backward()
    examples = sum(len(data) for data in one.ctx.earlier_data)
    gradients = -examples * one.particles.grad.flatten(1)
    expected = -svgd(one.particles.detach().flatten(1), gradients, 0.5)
    one.turn()
    torch.testing.assert_close(one.particles.grad.flatten(1), expected)


def test_the_source_phase_learns_the_earlier_tasks_and_the_target_starts_at_the_mean(backbone: Backbone) -> None:
    one = begun(backbone, source_share=4.0)
    events, used = prepared(one)
    assert used == 0
    losses = [event["loss"] for event in events]
    assert len(losses) == 4 * 3 * 3  # three epochs of three batches, four times
    assert sum(losses[-6:]) < 0.7 * sum(losses[:6])
    assert torch.equal(one.full, one.particles.mean(0))
    assert torch.equal(one.prompt(), one.full)  # the low-rank factor is ones
    assert one.particles.std(0).mean() > 0


# --- the task itself ------------------------------------------------------------------------
def test_the_loss_adds_the_prior_shared_by_the_examples(backbone: Backbone) -> None:
    prompt = torch.tensor([[1.0, 2.0]])
    particles = torch.tensor([[[1.0, 0.0]], [[4.0, 6.0]]])  # squared distances 4 and 25
    assert gaussian_prior(prompt, particles, 2.0).item() == pytest.approx((4 + 25) / 2 / 8)
    one = begun(backbone, prior_sigma=0.5)
    assert one.sigma == pytest.approx(0.5 * backbone.vocabulary.std().item())
    loss, down = (value.item() for value in loss_and_down(backbone, one.ask(one.ctx.train.batch([0, 1, 2]))))
    prior = gaussian_prior(one.full, one.particles, one.sigma).item() / len(one.ctx.train)
    assert loss == pytest.approx(down + prior, rel=1e-5)
    assert plain([one.log()]) == [{"down": pytest.approx(down), "prior": pytest.approx(prior)}]


def test_the_prompt_is_the_full_matrix_times_column_and_row(backbone: Backbone) -> None:
    one = begun(backbone)
    with torch.no_grad():
        one.column[2], one.row[0, 5] = 3.0, -2.0
    found = one.keep().pool.of("sst2").tensor
    assert found[2, 5].item() == pytest.approx(-6.0 * one.full[2, 5].item())
    assert found[2, 4].item() == pytest.approx(3.0 * one.full[2, 4].item())
    assert found[1, 5].item() == pytest.approx(-2.0 * one.full[1, 5].item())
    assert torch.equal(found[1, :5], one.full[1, :5])


def test_the_task_trains_all_three_matrices_and_leaves_the_particles(backbone: Backbone) -> None:
    one = begun(backbone)
    loss_of(backbone, one.ask(one.ctx.train.batch([0, 1, 2]))).backward()
    assert len(one.parameters()) == 3
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in one.parameters())
    assert one.particles.grad is None


def test_without_earlier_tasks_it_is_plain_prompt_tuning(backbone: Backbone) -> None:
    one, plain = begun(backbone, earlier=()), PerTask(context(backbone, "per_task", earlier=()))
    assert prepared(one) == ([], 0)
    batch = one.ctx.train.batch([0, 1, 2])
    a, b = loss_of(backbone, one.ask(batch)), loss_of(backbone, plain.ask(batch))
    a.backward()
    b.backward()
    assert a.item() == b.item()
    torch.testing.assert_close(one.full.grad, plain.prompt.grad)
    assert len(one.parameters()) == 1


@pytest.mark.slow
def test_a_run_hands_the_earlier_tasks_data_over_and_shows_the_source_phase(tmp_path: Path) -> None:
    small = {"epochs": 1, "shots": 4, "validation_shots": 2, "test_shots": 2, "prompt_length": 4}
    (record,) = run([RunSpec.make(("sst2", "rte"), "bmtpt", settings=small)], tmp_path, device="cpu", alone=False)
    store = Store(tmp_path)
    phases = [[event["kind"] for event in stage_events(store, key)] for key in record["stages"]]
    assert "prepare" not in phases[0]  # shared with plain prompt tuning
    assert phases[1] == ["prepare", "step", "epoch"]
