"""Masked neurons of a small trained matrix: the accuracy is that of a backbone without them, measured once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from saying import refused, say

from shlpt.analysis import masking as pure
from shlpt.analysis.transfer import gains
from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.errors import UserError
from shlpt.methods.agreement import seen_under
from shlpt.plans import experiments as plans
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import start_experiment
from shlpt.results import experiments, frames, masking
from shlpt.store.find import groups_of
from shlpt.store.store import Store
from shlpt.tasks.find import find_task
from shlpt.work.worker import work

SMALL = {"epochs": 1, "shots": 4, "validation_shots": 2, "test_shots": 6, "prompt_length": 3}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    store = Store(tmp_path_factory.mktemp("masked")).open()
    made = plans.matrix(("sst2", "rte"), (1, 2), {"method": "continual", "settings": SMALL}, "m")
    id, sent = start_experiment(store, made, plans_of(made.specs))
    work(store, device="cpu", groups=groups_of(store, sent.runs))
    return store, id


def test_a_pair_is_measured_as_said_and_only_once(
    trained: tuple[Store, str], backbone: Backbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, id = trained
    first = masking.measure(store, id, [1], draws=1)
    assert set(first["seed"]) == {1}
    (row,) = first[first["source"] == "sst2"].to_dict("records")
    run = experiments.pairs(store, id).query("source == 'sst2' and seed == 1")["run"].iloc[0]
    keys = frames.stages(store, run)
    prompts = [
        torch.tensor(frames.stage_tensors(store, keys[keys["alone"] == alone]["key"].iloc[0])["prompt.0"])
        for alone in (False, True)
    ]
    texts, tests = (
        Encoded(backbone, find_task("rte").draw(*given), 256) for given in (("train", 4, 1), ("test", 6, 0))
    )
    under, bare = (seen_under(backbone, p, texts).states.numpy() for p in (prompts[0], prompts[0][:0]))
    on = (np.mean(under > 0, axis=0) > 0.5) & (np.mean(bare > 0, axis=0) <= 0.5)
    assert row["masked"] == on.sum() > 0
    whole = seen_under(backbone, prompts[1], tests)
    with backbone.silenced(torch.tensor(on)):
        without = seen_under(backbone, prompts[1], tests)
    assert (row["right_whole"], row["right_masked"]) == (whole.right, without.right)
    assert (row["loss_whole"], row["loss_masked"]) == pytest.approx((whole.loss, without.loss), rel=1e-5)
    assert row["loss_whole"] != row["loss_masked"] != row["loss_random"]
    both = masking.measure(store, id, draws=1)  # the other seed is added
    assert sorted(both["seed"]) == [1, 1, 2, 2]
    monkeypatch.setattr(masking, "_measured", lambda *_: pytest.fail("measured again"))
    again = masking.measure(store, id, [1], draws=1)
    pd.testing.assert_frame_equal(again, first, check_dtype=False)
    with pytest.raises(UserError, match="no seed 3: its seeds are 1, 2"):
        masking.measure(store, id, [3])


def test_the_command_says_the_numbers_of_python(
    trained: tuple[Store, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store, id = trained
    found = say(capsys, "masking", "m", f"--home={store.home}", "--draws=1")
    frame = masking.measure(store, id, draws=1)
    assert len(found["rows"]) == len(frame) == 4
    lost = 100 * (frame["right_whole"] - frame["right_masked"]).groupby(frame["seed"]).mean()
    assert found["lost"]["mean"] == pytest.approx(lost.mean())
    assert found["notes"] == pure.sentences(pure.answer(frame, gains(experiments.pairs(store, id))))
    assert "unknown experiment" in refused(capsys, "masking", "nothing", f"--home={store.home}")
