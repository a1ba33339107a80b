"""What is said of a method before it runs is what it then uses."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shlpt.backbone.t5 import Backbone, load
from shlpt.catalog import METHODS
from shlpt.methods.base import State
from shlpt.methods.costs import costs
from shlpt.methods.registry import LEARNERS
from shlpt.plans.sizes import NUMBER, RULES, Size, sizes
from shlpt.spec import RunSpec

sys.path.insert(0, str(Path(__file__).parent / "methods"))
from making import context

TASKS = ("yelp", "rte", "sst2")


def test_every_method_has_a_rule() -> None:
    assert list(RULES) == list(METHODS)


@pytest.mark.parametrize("method", RULES)
def test_the_rule_counts_what_the_learner_has(backbone: Backbone, method: str) -> None:
    """Of a third task: what is kept once for all tasks is there by then."""
    state = State()
    for number, task in enumerate(TASKS):
        way = method if number or not METHODS[method].plain_first else "per_task"
        ctx = replace(context(backbone, way, task, earlier=TASKS[:number]), state=state)
        one = LEARNERS[way](ctx)
        for parameter in one.parameters():  # as if it had learned: equal prompts are stored once
            parameter.data += 0.01 * torch.randn_like(parameter)
        before, state = state, one.keep()
    measured = costs(one.parameters(), before, state, (*ctx.earlier_data, ctx.train))
    weights = sum(p.numel() for p in backbone.model.parameters())
    size, rule = Size(ctx.training.prompt_length, backbone.width, weights, 2, ctx.params), RULES[method]
    assert rule.trains(size) == measured["trainable"]
    if method == "l2p":
        assert 0 < measured["added_bytes"] <= rule.keeps(size) * NUMBER
    elif "examples" in rule.words and method != "bmtpt":  # BMTPT keeps a prompt too, and is given the examples
        assert (rule.keeps(size), measured["added_bytes"] > 0) == (0, True)
    else:  # CODA also keeps how many components there were
        assert 0 <= measured["added_bytes"] - rule.keeps(size) * NUMBER <= 8


def test_the_embedded_backbone_is_known_without_loading_it() -> None:
    backbone, tasks = load("pocket", "cpu"), ("yelp", "sst2")
    weights = sum(p.numel() for p in backbone.model.parameters())
    assert sizes(RunSpec.make(tasks, "finetune"))["trainable"] == weights
    plain = sizes(RunSpec.make(tasks, "per_task", settings={"prompt_length": 5}))
    assert plain == {"trainable": 5 * backbone.width, "kept_bytes": 20 * backbone.width, "keeps": "its prompt"}
