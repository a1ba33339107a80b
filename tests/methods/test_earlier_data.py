"""Methods that learn from the earlier tasks' data say what is missing where it was not given."""

from dataclasses import replace

import pytest
import torch
from making import EARLIER, context

from shlpt.backbone.t5 import Backbone
from shlpt.catalog import METHODS
from shlpt.errors import UserError
from shlpt.methods.base import State, learner_of
from shlpt.methods.finetune import WEIGHTS

NEEDING = [name for name, info in METHODS.items() if info.earlier_data]


@pytest.mark.parametrize("method", NEEDING)
def test_missing_data_of_earlier_tasks_are_named(backbone: Backbone, method: str) -> None:
    ctx = context(backbone, method)
    for given in (0, 2):
        with pytest.raises(UserError, match=f"{method} cannot learn 'sst2': it needs the training data of") as caught:
            learner_of(method)(replace(ctx, earlier_data=ctx.earlier_data[:given]))
        said = f"({', '.join(EARLIER)}), and was given that of {given or 'none'}. Give each"
        assert said in str(caught.value)
    learner_of(method)(ctx)
    learner_of(method)(context(backbone, method, earlier=()))


def test_replay_notices_by_the_weights_that_there_were_earlier_tasks(backbone: Backbone) -> None:
    """What it learns leaves no prompt in the pool."""
    ctx = context(backbone, "replay", earlier=())
    name, weight = next(iter(learner_of("replay")(ctx).keep().extra.items()))
    assert name.startswith(WEIGHTS)
    with pytest.raises(UserError, match=r"replay cannot learn .*those that its weights come from.* that of none"):
        learner_of("replay")(replace(ctx, state=State(extra={name: torch.zeros_like(weight)})))


def test_methods_without_such_a_need_do_not_ask(backbone: Backbone) -> None:
    for method in ("finetune", "shlpt", "dtvg"):
        assert context(backbone, method).earlier_data == ()
        learner_of(method)(context(backbone, method))
