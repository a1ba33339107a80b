"""α of any text: the same as in training where nothing moved since, by every kind of estimator, with its words."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from shlpt.backbone.t5 import Backbone
from shlpt.errors import UserError
from shlpt.methods.similarity import Estimator
from shlpt.results import frames, lens
from shlpt.store.store import Store


@pytest.fixture(scope="module")
def store(looked: Any) -> Store:
    return Store(looked.home).open()


@pytest.mark.parametrize(
    ("name", "task"), [("still", "sst2"), ("still", "agnews"), ("uniform", "agnews"), ("published", "agnews")]
)
def test_a_training_text_has_its_stored_alpha_where_the_estimator_did_not_move(
    store: Store, looked: Any, name: str, task: str
) -> None:
    """`still` and `published` learn with a rate of 1e-9: what was last seen is what the kept one says."""
    stored = frames.alphas(store, looked.ids[name], task)
    texts = list(dict.fromkeys(stored["text"]))
    found = lens.alphas(store, looked.ids[name], task, texts)
    again = stored.merge(found, on=["text", "earlier"], suffixes=("", "_now"))
    assert len(again) == len(stored) > 0
    assert np.abs(again["alpha"] - again["alpha_now"]).max() < 1e-5
    if name in ("still", "published") and task == "agnews":
        assert stored["alpha"].std() > 1e-3  # it does look at the texts


@pytest.mark.parametrize("name", ["shlpt", "carried", "still", "no_asc", "published"])
def test_alpha_is_that_of_the_kept_estimator(store: Store, looked: Any, name: str, backbone: Backbone) -> None:
    """Equations 3 and 4 with the tensors of the stage, by hand."""
    run, text = looked.ids[name], "the food was superb and the staff was rude"
    left = frames.tensors(store, run, "agnews")
    ids, mask, _ = backbone.tokenize([text], 256)
    kept = {n.removeprefix("extra.estimator."): torch.tensor(t) for n, t in left.items() if "estimator." in n}
    form: tuple[Any, ...] = () if name == "published" else ("cosine", torch.tensor(left["extra.center"]))
    assert ("extra.center" in left) == (name != "published")
    estimator = Estimator(backbone.width, len(kept["down.weight"]), *form)
    estimator.load_state_dict(kept)
    prompts = torch.stack([torch.tensor(left[f"prompt.{n}"]) for n in range(2)])
    assert ("extra.prior" in left) == (name != "published")
    prior = None if name == "published" else torch.tensor(left["extra.prior"])
    expected = (
        estimator(backbone.embed(ids), mask, prompts, float(left["extra.temperature"]), prior)[0].detach().numpy()
    )
    reading = lens.read(store, run, "agnews", text)
    assert list(reading.alpha["earlier"]) == ["rte", "sst2"]
    np.testing.assert_allclose(reading.alpha["alpha"], expected, atol=1e-6)
    assert (reading.alpha["alpha"].sum() == pytest.approx(1)) == (name == "published")  # or none of them
    assert not reading.is_cut


@pytest.mark.parametrize("name", ["still", "published"])
def test_gradient_times_input_is_a_directional_derivative(store: Store, looked: Any, name: str) -> None:
    """Scaling all embeddings by 1 + ε changes the log-odds by ε times the sum over the words."""
    run, text = looked.ids[name], "stocks fell in lisbon on friday"
    where = lens.source(store, run, "agnews")
    look = lens._Lens(where, lens.artifact_bytes(store, where.key, "tensors"))
    x, step = look.embed(look.tokens(text)[0]), 1e-2
    with torch.no_grad():
        louder, quieter = (lens._log_odds(look.logits(x * (1 + way))) for way in (step, -step))
        slope = (louder - quieter)[:2].numpy() / (2 * step)
    reading = lens.read(store, run, "agnews", text)
    total = reading.words.groupby("earlier", sort=False)["weight"].sum()
    np.testing.assert_allclose(total.to_numpy(), slope, rtol=0.02)
    assert np.abs(slope).max() > 1e-2  # there is something to compare
    alpha = reading.alpha["alpha"].to_numpy()
    np.testing.assert_allclose(reading.alpha["odds"], np.log(alpha / (1 - alpha)), atol=1e-5)


def test_words_are_those_of_the_text_in_order_and_tell_where_alpha_is_high(store: Store, looked: Any) -> None:
    """Where an estimator is nearly certain, words still weigh: their weight is of the odds, not of α."""
    reading = lens.read(store, looked.ids["carried"], "agnews", "stocks fell in lisbon on friday")
    assert reading.alpha["alpha"].max() > 0.85
    assert reading.words["weight"].abs().max() > 1e-4
    assert np.isfinite(reading.alpha["odds"]).all()
    text = "the food, here,  wasn't <b>good</b> ☃\nagain"
    words = lens.read(store, looked.ids["shlpt"], "agnews", text).words.drop_duplicates("place")
    assert list(words["word"]) == [*text.split(), lens.END]
    assert lens.read(store, looked.ids["shlpt"], "agnews", "word " * 400).is_cut
    with pytest.raises(UserError, match="write some words"):
        lens.read(store, looked.ids["shlpt"], "agnews", " \n ")


def test_where_no_word_matters(store: Store, looked: Any) -> None:
    reading = lens.read(store, looked.ids["published"], "sst2", "whatever you say")
    assert list(reading.alpha["alpha"]) == [1.0]
    assert reading.words["weight"].abs().max() < 1e-6
    reading = lens.read(store, looked.ids["uniform"], "agnews", "whatever you say")
    assert list(reading.alpha["alpha"]) == [0.5, 0.5]
    assert reading.words["weight"].abs().max() == 0


@pytest.mark.parametrize(
    ("name", "task", "message"),
    [
        ("shlpt", "rte", "first task"),
        ("shlpt", "yelp", "unknown task of this run 'yelp'"),
        ("oracle", "sst2", "its similar tasks are given"),
        ("per_task", "sst2", "it does not use similarity"),
        ("waiting", "agnews", "not trained yet"),
    ],
)
def test_where_there_is_no_estimator_the_reason_is_said(
    store: Store, looked: Any, name: str, task: str, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        lens.read(store, looked.ids[name], task, "a text")


def test_looking_draws_no_random_numbers(store: Store, looked: Any) -> None:
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    lens.read(store, looked.ids["shlpt"], "agnews", "a text")
    assert torch.equal(before, torch.random.get_rng_state())


def test_importing_it_loads_no_torch() -> None:
    code = "import sys, shlpt.results.lens, shlpt.results.twins; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
