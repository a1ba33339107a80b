"""What the backbone makes of texts under a prompt of another task, against the slow and plain way."""

import pytest
import torch

from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.methods import agreement
from shlpt.methods.agreement import seen_under
from shlpt.methods.prompts import Prompt, fresh_prompt, prepend
from shlpt.methods.views import Views
from shlpt.tasks.find import find_task


def texts(backbone: Backbone) -> Encoded:
    return Encoded(backbone, find_task("sst2").draw("train", 5, 1), 256)


def test_states_are_the_frozen_views_and_the_loss_that_of_training(backbone: Backbone) -> None:
    data, prompt = texts(backbone), fresh_prompt(backbone.vocabulary, 4, 1, "rte")
    seen = seen_under(backbone, prompt, data)
    view = Views(backbone).whole(Prompt(prompt, "rte"), data)
    torch.testing.assert_close(seen.hidden, view.hidden[:, 0])
    torch.testing.assert_close(seen.states[:, -1], view.states[:, 0])
    assert seen.states.shape[:2] == (len(data), backbone.layers)
    batch = data.batch(range(len(data)))
    plain = backbone.forward(*prepend(prompt, backbone.embed(batch.ids), batch.mask), batch.labels).loss.mean()
    assert abs(seen.loss - plain.item()) < 1e-5
    assert seen.gradient is None
    answers = backbone.text(backbone.decode(*prepend(prompt, backbone.embed(batch.ids), batch.mask), 8))
    assert seen.right == sum(a == e.target for a, e in zip(answers, data.examples, strict=True)) / len(data)


def test_the_gradient_is_the_slope_of_the_loss_however_many_passes_it_takes(
    backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, prompt = texts(backbone), fresh_prompt(backbone.vocabulary, 4, 1, "rte")
    gradient = seen_under(backbone, prompt, data, backward=True).gradient
    assert gradient is not None
    along = gradient / gradient.norm()
    step = 1e-2
    ends = [seen_under(backbone, prompt + side * step * along, data).loss for side in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * step)
    assert abs(slope - gradient.norm().item()) < 0.02 * gradient.norm().item()
    monkeypatch.setattr(agreement, "ROWS", 3)
    torch.testing.assert_close(seen_under(backbone, prompt, data, backward=True).gradient, gradient)
