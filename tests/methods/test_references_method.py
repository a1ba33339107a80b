"""The references: a joint prompt, and SHLPT with a given partition."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from making import EARLIER, context, loss_of, pool_of

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.methods.base import State, learner_of
from shlpt.methods.references import GivenPartition, Joint, OraclePartition, RandomPartition
from shlpt.methods.shlpt import Shlpt
from shlpt.methods.views import Views
from shlpt.plans.stages import plan_runs
from shlpt.results import frames
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.pocket import TASKS
from shlpt.training.stage import Workshop, validation_data
from shlpt.work.worker import run


def partition(backbone: Backbone, method: str, task: str, earlier: tuple[str, ...], seed: int = 42) -> GivenPartition:
    """With a prompt in the pool for each earlier task, contrary ones too."""
    ctx = context(backbone, method, "sst2", seed=seed, shots=2)
    one = learner_of(method)(replace(ctx, task=task, state=State(pool_of(backbone, 4, earlier))))
    assert isinstance(one, GivenPartition)
    return one


# --- given partitions ---------------------------------------------------------------------
RELATIVES = """
sst2 after yelp 1, rte 0, agnews 0       same question, other answer words
sst2 after imdb .5, rte 0, yelp .5
cb after mnli .5, yelp 0, rte .5, wic 0
rte after yelp 0, copa 0                 unrelated
rte after agnews 0, qqp 0                other questions of other texts
sst2 after contrary:sst2 .5, yelp .5     contrary: what is asked is right
ask:staff/hotel/yes-no after ask:price/hotel/no-yes 0, ask:staff/cafe/up-down 1
dial:+0.50 after dial:+1.00 1, dial:-1.00 0
"""


@pytest.mark.parametrize("line", RELATIVES.strip().splitlines())
def test_the_oracle_knows_declared_relatives(backbone: Backbone, line: str) -> None:
    task, rest = line.split("   ")[0].split(" after ")
    earlier, shares = zip(*(pair.split() for pair in rest.split(", ")), strict=True)
    one, expected = partition(backbone, "oracle_partition", task, earlier), [float(share) for share in shares]
    assert one.shares.tolist() == expected
    assert one.similarity(torch.tensor([0, 1])).tolist() == [expected, expected]


def test_the_oracle_can_be_told_measured_transfer(backbone: Backbone) -> None:
    told = {"rte>sst2,yelp>rte": [0, 1, 0], "yelp>sst2, dial:0.5>sst2": [0.5, 0, 0.5]}  # the first: the contrary
    for pairs, shares in (told | {"sst2>yelp": [0, 0, 0], "none": [0, 0, 0], "declared": [1, 0, 0]}).items():
        ctx = context(backbone, "oracle_partition", "sst2", shots=2, similar_pairs=pairs)
        one = OraclePartition(replace(ctx, state=State(pool_of(backbone, 4, ("yelp", "rte", "dial:+0.50")))))
        assert one.shares.tolist() == shares, pairs


def test_similar_prompts_are_mixed_equally_and_the_others_are_pushed_away(backbone: Backbone) -> None:
    one = partition(backbone, "oracle_partition", "sst2", ("imdb", "rte", "yelp"))
    pool, ask = one.ctx.state.pool, one.ask(one.ctx.train.batch([0, 1]))
    mixture = (pool[0].tensor + pool[2].tensor) / 2 + one.prompt.detach()
    for row in ask.embeds[:, :4].detach():
        torch.testing.assert_close(row, mixture)
    assert loss_of(backbone, ask) > 0
    assert one.log()["dissimilar"].tolist() == [0.0, 1.0, 0.0]
    assert one.log()["hsc"] > 0
    torch.testing.assert_close(one.keep().pool.of("sst2").tensor, mixture)
    assert one.parameters() == [one.prompt]
    assert one.keep().extra == {}
    one = partition(backbone, "oracle_partition", "rte", ("yelp", "copa"))
    assert torch.equal(one.keep().pool.of("rte").tensor, one.prompt.detach())


@pytest.mark.parametrize(("share", "threshold"), [(1.0, 0.0), (0.0, 1.5)])
def test_all_or_none_similar_is_shlpt_with_equal_similarities(
    backbone: Backbone, share: float, threshold: float
) -> None:
    given = RandomPartition(context(backbone, "random_partition", similar_share=share))
    plain = Shlpt(context(backbone, "shlpt", estimator="uniform", threshold=threshold))
    losses = [loss_of(backbone, one.ask(one.ctx.train.batch([0, 1, 2]))).item() for one in (given, plain)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)


def test_the_settings_of_the_losses_reach_them(backbone: Backbone) -> None:
    one = RandomPartition(context(backbone, "random_partition", similar_share=0.0, lambda_hsc=0.0, lambda_asc=0.25))
    loss = loss_of(backbone, one.ask(one.ctx.train.batch([0, 1]))).item()
    assert one.log()["hsc"] == 0.0
    assert loss == pytest.approx(float(one.log()["down"] + 0.25 * one.log()["asc"]), abs=1e-5)


def test_a_random_partition_follows_its_seed_and_share_and_not_what_else_was_learned(backbone: Backbone) -> None:
    def similar(seed: int, earlier: tuple[str, ...] = EARLIER) -> dict[str, bool]:
        shares = partition(backbone, "random_partition", "sst2", earlier, seed).shares.tolist()
        return {task: share > 0 for task, share in zip(earlier, shares, strict=True)}

    assert similar(7) == similar(7)
    assert similar(7) == similar(7, EARLIER[::-1])
    found = [similar(seed) for seed in range(24)]
    assert len({tuple(one.values()) for one in found}) > 4
    assert 0.3 < sum(sum(one.values()) for one in found) / (24 * 3) < 0.7
    ctx = context(backbone, "random_partition", similar_share=0.2, shots=2)
    one = RandomPartition(ctx)
    drawn = sum(one.similar(task, replace(ctx, seed=seed)) for task in TASKS for seed in range(60))
    assert 0.15 < drawn / (len(TASKS) * 60) < 0.25


# --- the joint prompt ---------------------------------------------------------------------
def test_a_step_has_as_many_rows_of_each_task_and_all_rows_come_round(backbone: Backbone) -> None:
    one = Joint(context(backbone, "joint", earlier=("yelp", "rte"), shots=4))  # 20 and 8 examples
    seen: list[list[tuple[int, ...]]] = [[], []]
    for _ in range(5):
        ask = one.ask(one.ctx.train.batch([0, 1, 2, 3]))
        assert len(ask.embeds) == 3 * 4
        for number, texts in enumerate(seen):
            rows = slice(4 + 4 * number, 8 + 4 * number)
            for embeds, mask in zip(ask.embeds[rows].detach(), ask.mask[rows], strict=True):
                texts.append(tuple(embeds[4 : int(mask.sum())].flatten().tolist()))
    for texts, data in zip(seen, one.ctx.earlier_data, strict=True):
        whole = [backbone.embed(data.ids[row][data.mask[row] == 1]) for row in range(len(data))]
        assert set(texts) == {tuple(text.flatten().tolist()) for text in whole}
    assert seen[1][:8] != seen[1][8:16]  # each pass in another order


def test_the_one_prompt_answers_every_task(backbone: Backbone) -> None:
    one = Joint(context(backbone, "joint"))
    state = one.keep()
    assert [prompt.task for prompt in state.pool] == [*EARLIER, "sst2"]
    assert all(torch.equal(prompt.tensor, one.prompt.detach()) for prompt in state.pool)
    batch = one.ctx.train.batch([0, 1])
    asks = [Joint.answer(backbone, state, task, batch, "score") for task in (*EARLIER, "sst2")]
    assert all(torch.equal(ask.embeds, asks[0].embeds) for ask in asks)


def test_all_tasks_so_far_decide_when_it_stops(backbone: Backbone) -> None:
    settings = {"validation_shots": 2}
    shop = Workshop(backbone, Views(backbone))

    def validated(method: str) -> list[Encoded]:
        (plan,) = plan_runs([RunSpec.make(("sst2", "rte"), method, settings=settings)], "b0", alone=False)
        return [validation_data(shop, stage) for stage in plan.stages]

    parts = {name: TASKS[name].draw("validation", 2, 42) for name in ("sst2", "rte")}
    assert [list(data.examples) for data in validated("joint")] == [parts["sst2"], [*parts["sst2"], *parts["rte"]]]
    assert [list(data.examples) for data in validated("continual")] == [parts["sst2"], parts["rte"]]


def test_a_joint_prompt_cannot_know_a_task_and_its_contrary(tmp_path: Path) -> None:
    """Their texts are the same and the answers opposite: what it wins on one it loses on the other."""
    spec = RunSpec.make(("sst2", "contrary:sst2"), "joint", settings={"epochs": 2, "test_shots": 20})
    (record,) = run([spec], tmp_path, device="cpu", alone=False)
    assert record["acc"] <= 0.5
    assert frames.stage(Store(tmp_path), record["stages"][1])["tests"].keys() == {"sst2", "contrary:sst2"}
