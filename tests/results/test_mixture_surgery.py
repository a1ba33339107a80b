"""Other weights of earlier prompts: unchanged they give the stored answers, all out leaves the own prompt, and the
answers in between are those of the training code."""

from collections.abc import Generator
from typing import Any

import pytest
import torch

from shlpt.analysis.surgery import factors
from shlpt.backbone.t5 import Backbone
from shlpt.errors import UserError
from shlpt.methods.prompts import fresh_prompt
from shlpt.methods.similarity import mix_weights, remixed
from shlpt.results import frames, recorded, surgery
from shlpt.store.store import Store


@pytest.fixture(scope="module")
def store(looked: Any) -> Store:
    return Store(looked.home).open()


@pytest.mark.parametrize(
    ("name", "task"),
    [("shlpt", "sst2"), ("shlpt", "agnews"), ("carried", "agnews"), ("uniform", "agnews"), ("oracle", "sst2")],
)
def test_unchanged_weights_give_the_stored_answers(store: Store, looked: Any, name: str, task: str) -> None:
    mixed = surgery.mixture(store, looked.ids[name], task)
    found = surgery.operate(mixed, factors(mixed.earlier))
    assert list(found.answers) == list(frames.answers(store, looked.ids[name], task)["answer"])
    assert len(found.changed) == 0
    assert surgery.reproduced(mixed) == ""


def test_all_out_is_the_own_prompt_alone(store: Store, looked: Any, backbone: Backbone) -> None:
    """`still` starts its own prompt from random words and learns with a rate of 1e-9."""
    mixed = surgery.mixture(store, looked.ids["still"], "agnews")
    own = remixed(mixed.stored, mixed.prompts, torch.tensor(mixed.weights), torch.zeros(2))
    words = fresh_prompt(backbone.vocabulary, len(own), 1, "agnews")
    torch.testing.assert_close(own, words, atol=1e-4, rtol=0)
    assert (mixed.stored - words).abs().max() > 0.01  # there was something to take out
    assert sum(mixed.weights) == pytest.approx(1)


def test_weights_are_the_mean_over_the_training_texts(store: Store, looked: Any) -> None:
    """By hand from the tensors of the stage: of `still` the estimator did not move, so α is the stored one."""
    mixed = surgery.mixture(store, looked.ids["still"], "agnews")
    alpha = torch.tensor(frames.tensors(store, looked.ids["still"], "agnews")["record.alpha"])
    assert mixed.weights == pytest.approx(mix_weights(alpha, 0.06).mean(0).tolist(), abs=1e-5)
    assert surgery.mixture(store, looked.ids["uniform"], "agnews").weights == pytest.approx([0.5, 0.5])


def test_between_them_the_answers_are_those_of_the_training_code(store: Store, looked: Any, backbone: Backbone) -> None:
    """The changed prompt in a pool, tested as a stage is tested."""
    from shlpt.methods.base import Context, State
    from shlpt.methods.prompts import PromptPool
    from shlpt.methods.shlpt import Shlpt
    from shlpt.methods.views import Views
    from shlpt.tasks.find import find_task
    from shlpt.training.engine import drive
    from shlpt.training.lane import Examined
    from shlpt.training.lane import test as tested

    mixed = surgery.mixture(store, looked.ids["shlpt"], "agnews")
    found = surgery.operate(mixed, {"rte": 0.0, "sst2": 2.0})
    (rte, sst2), (first, second) = mixed.weights, mixed.prompts
    state = State(PromptPool().add(mixed.stored - rte * first + sst2 * second, "agnews"))
    ctx = Context(backbone, "agnews", mixed.tests, None, mixed.training, 1, state, Views(backbone))

    def lane() -> Generator[Any, Any, Any]:
        return (yield from tested(ctx, Shlpt, state, Examined([find_task("agnews")], [mixed.tests])))  # type: ignore[arg-type]

    (result,) = drive([lane()], backbone)
    assert result[0]["agnews"] == list(found.answers)


def test_a_recorded_run_says_what_its_answers_owe_to_earlier_prompts() -> None:
    store = recorded.recorded()
    assert store is not None
    runs = frames.runs(store)
    chosen = runs[(runs["method"] == "shlpt") & (runs["tasks"].map(len) == 4) & (runs["note"] == "")]
    mixed = surgery.mixture(store, chosen["id"].iloc[0], "rte")
    assert surgery.reproduced(mixed) == ""
    rows = surgery.in_turn(mixed)
    assert list(rows["without"]) == [*mixed.earlier, "all"]
    assert (rows["before"] == mixed.answers["score"].mean()).all()
    gain = rows["after"] - rows["before"]
    assert gain.tolist() == pytest.approx(((rows["better"] - rows["worse"]) / len(mixed.answers)).tolist())
    assert rows["worse"].iloc[-1] > 0  # the demonstration's last task lives on earlier prompts
    by_itself = surgery.operate(mixed, factors(mixed.earlier, ["yelp"])).effect
    assert (by_itself["better"], by_itself["worse"]) == tuple(rows.loc[0, ["better", "worse"]])


@pytest.mark.parametrize(
    ("name", "task", "said"),
    [
        ("per_task", "sst2", "mixes in no earlier prompts"),
        ("shlpt", "rte", "first task of this run"),
        ("shlpt", "nobody", "unknown task of this run"),
        ("waiting", "agnews", "is not trained yet"),
    ],
)
def test_where_nothing_was_mixed_it_says_why(store: Store, looked: Any, name: str, task: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        surgery.mixture(store, looked.ids[name], task)
