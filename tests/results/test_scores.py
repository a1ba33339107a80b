"""Similarity of a matrix's pairs: each estimator is what its formula says of stored prompts and texts; kept once."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

from shlpt.analysis import activations
from shlpt.analysis import estimators as pure
from shlpt.analysis.transfer import gains
from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone
from shlpt.catalog.estimators import ESTIMATORS
from shlpt.errors import UserError
from shlpt.methods.agreement import seen_under
from shlpt.methods.prompts import fresh_prompt
from shlpt.plans import experiments as plans
from shlpt.plans.stages import plans_of
from shlpt.queue import control
from shlpt.queue.submit import start_experiment
from shlpt.results import estimating, experiments, frames, recorded, scores
from shlpt.store.find import groups_of
from shlpt.store.store import Store
from shlpt.tasks.find import find_task
from shlpt.work.worker import work

TASKS = ("sst2", "rte", "ask:price/hotel/no-yes")
SMALL = {"epochs": 1, "shots": 4, "validation_shots": 2, "test_shots": 4, "prompt_length": 3}
UNTRAINED = [name for name in ESTIMATORS if name not in plans.FORMS]


def learn(store: Store, experiment: plans.Experiment) -> str:
    id, sent = start_experiment(store, experiment, plans_of(experiment.specs))
    work(store, device="cpu", groups=groups_of(store, sent.runs))
    return id


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A matrix with two seeds and its runs of SHLPT."""
    store = Store(tmp_path_factory.mktemp("scored")).open()
    id = learn(store, plans.matrix(TASKS, (1, 2), {"method": "continual", "settings": SMALL}, "m", source_shots=6))
    learn(store, scores.alphas_for(store, id))
    store.close()
    return store.home


@pytest.fixture
def copied(home: Path, tmp_path: Path) -> tuple[Store, str]:
    shutil.copytree(home, tmp_path / "home")
    store = Store(tmp_path / "home").open()
    return store, experiments.find(store, "m")["id"]


def one(found: scores.Scores, estimator: str, source: str, target: str, seed: int) -> float:
    rows = found.frame.query("estimator == @estimator and source == @source and target == @target and seed == @seed")
    (value,) = rows["score"]
    return float(value)


def test_every_estimator_is_its_formula(copied: tuple[Store, str], backbone: Backbone) -> None:
    """Said again with the stored prompts, the texts that were drawn, and nothing shared."""
    store, id = copied
    found = scores.measure(store, id)
    source, target, seed = TASKS[2], "sst2", 2
    runs = experiments.pairs(store, id).query("source == @source and target == @target and seed == @seed")["run"]
    keys = frames.stages(store, runs.iloc[0])
    first, alone = keys[~keys["alone"]]["key"].iloc[0], keys[keys["alone"]]["key"].iloc[0]
    prompts = [frames.stage_tensors(store, key)["prompt.0"].astype(float) for key in (first, alone)]
    names = (f"{source}@6", target)
    steps = [p - fresh_prompt(backbone.vocabulary, 3, seed, n).numpy() for p, n in zip(prompts, names, strict=True)]
    data = Encoded(backbone, find_task(target).draw("train", 4, seed), 256)
    seen = [seen_under(backbone, torch.tensor(p, dtype=torch.float32), data, True) for p in prompts]
    states, hidden = [s.states[:, -1].numpy() for s in seen], [s.hidden.double().numpy() for s in seen]
    labels = [e.group for e in data.examples]
    assert seen[0].gradient is not None
    expected = {
        "prompt_mean": pure.prompt_mean(*prompts),
        "prompt_token": pure.prompt_token(*prompts),
        "task_vector": pure.task_vector(*steps),
        "activation_overlap": activations.jaccard(*states),
        "activation_cosine": activations.cosine(*states),
        "hidden_cosine": activations.cosine(*hidden),
        "logme": pure.logme(hidden[0], labels),
        "h_score": pure.h_score(hidden[0], labels),
        "loss": -seen[0].loss,
        "gradient": pure.cosine(-seen[0].gradient.double().numpy(), steps[0]),
        "label_words": 0.0,
        "declared": -0.3,
        "random": pure.chance(source, target, seed),
    }
    gained = gains(experiments.pairs(store, id)).query("source == @source and target == @target and seed == 1")[
        "transfer"
    ]
    expected["oracle"] = float(gained.iloc[0])  # of the other seed
    assert {name: one(found, name, source, target, seed) for name in expected} == pytest.approx(expected, rel=1e-4)
    assert [*expected] == UNTRAINED
    assert (found.frame.groupby("estimator").size()[UNTRAINED] == 3 * 2 * 2).all()
    assert all(found.seconds[name] >= 0 for name in ESTIMATORS)
    assert found.seconds["prompt_mean"] > found.seconds["label_words"]  # the target is trained alone for it


def test_alpha_is_that_of_the_target_at_the_end_of_its_stage(copied: tuple[Store, str]) -> None:
    """Each ordered pair once in two seeds, because the second reads the order backwards."""
    store, id = copied
    frame = scores.measure(store, id, ["alpha", "alpha_published"]).frame
    for name, mine in frame.groupby("estimator"):
        assert len(mine) == len(mine[["source", "target"]].drop_duplicates()) == 6
        sums = mine.groupby(["target", "seed"])["score"].sum()
        assert sums.max() <= 1 + 1e-5
        assert (sums.min() > 1 - 1e-5) == (name == "alpha_published")
        counts = mine.groupby(["target", "seed"])["earlier"].agg(["size", "first"])
        assert (counts["size"] == counts["first"]).all()
    cell = next(c for c in scores.alphas_for(store, id).cells if c.label["earlier"] == 2)
    alpha = frames.alphas(store, cell.spec.id, cell.label["target"]).groupby("earlier")["alpha"].mean()
    rows = frame[(frame["estimator"] == cell.label["form"]) & (frame["target"] == cell.label["target"])]
    rows = rows[rows["seed"] == cell.label["seed"]].set_index("source")["score"]
    assert {name.partition("@")[0]: value for name, value in alpha.items()} == pytest.approx(rows.to_dict(), abs=1e-5)


def test_what_is_stored_is_not_computed_again(copied: tuple[Store, str], monkeypatch: pytest.MonkeyPatch) -> None:
    store, id = copied
    assert scores.stored(store, id).frame.empty
    first = scores.measure(store, id, ["declared", "random"])
    monkeypatch.setitem(estimating.SCORES, "random", pytest.fail)  # would be called if it was missing
    both = scores.measure(store, id, ["declared", "random", "label_words"])
    assert set(both.seconds) == {"declared", "random", "label_words"}
    again = both.frame[both.frame["estimator"].isin(first.seconds)].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, first.frame)
    monkeypatch.setitem(ESTIMATORS, "random", ESTIMATORS["random"].__class__("random", "", "", version=2))
    assert "random" not in scores.stored(store, id).seconds


def test_scores_survive_that_other_runs_are_deleted_and_go_with_their_matrix(copied: tuple[Store, str]) -> None:
    store, id = copied
    before = scores.measure(store, id, ["declared"])
    others = scores.alphas_for(store, id).cells
    control.delete(store, sorted({cell.spec.id for cell in others})[:1])
    pd.testing.assert_frame_equal(scores.stored(store, id).frame, before.frame)
    control.delete(store, sorted(set(experiments.pairs(store, id)["run"])))
    assert scores.stored(store, id).frame.empty


def test_pages_read_what_is_stored_and_what_needs_no_prompt(copied: tuple[Store, str]) -> None:
    store, id = copied
    assert set(scores.readable(store, id).seconds) == {"label_words", "declared", "random", "oracle"}
    whole = scores.measure(store, id)
    found = scores.readable(store, id)
    both = (part.sort_values([*part.columns]).reset_index(drop=True) for part in (found.frame, whole.frame))
    pd.testing.assert_frame_equal(*both)


def test_a_growing_matrix_is_scored_anew(copied: tuple[Store, str]) -> None:
    store, id = copied
    scores.measure(store, id, ["declared", "oracle"])
    learn(store, experiments.more_seeds(store, id, "sst2", "rte", 1))
    found = scores.measure(store, id, ["oracle"]).frame
    assert set(found["seed"]) == {1, 2, 3}
    assert len(found) == 13
    gained = gains(experiments.pairs(store, id)).query("source == 'sst2' and target == 'rte' and seed < 3")["transfer"]
    assert one(scores.Scores(found, {}), "oracle", "sst2", "rte", 3) == pytest.approx(gained.mean())


def test_what_cannot_be_scored_says_why(copied: tuple[Store, str], monkeypatch: pytest.MonkeyPatch) -> None:
    store, id = copied
    with pytest.raises(UserError, match="is not a matrix"):
        scores.measure(store, experiments.find(store, "α for m")["id"])
    with pytest.raises(UserError, match=r"unknown estimator 'logm'.*logme"):
        scores.find_estimators("declared,logm")
    with pytest.raises(UserError, match="no estimators given"):
        scores.find_estimators(" , ")
    assert scores.find_estimators("all") == tuple(ESTIMATORS)
    with store.write() as db:
        db.execute("UPDATE stages SET record=NULL")
    with pytest.raises(UserError, match="prompts of this matrix are not recorded"):
        scores.measure(store, id, ["logme"])
    monkeypatch.setattr(recorded, "HOME", store.home)  # as recorded: what needs a prompt is not computed, no error
    assert set(scores.measure(store, id, ["logme", "declared"]).frame["estimator"]) == {"declared"}
    assert scores.stored(store, id).frame.empty


def test_the_plan_for_alpha_holds_every_ordered_pair_five_times_in_ten_seeds() -> None:
    tasks = ("sst2", "imdb", "rte", "cb")
    found = plans.alphas(tasks, range(10), {"settings": SMALL}, source_shots=6)
    often: dict[Any, int] = {}
    stages = set()
    for cell in found.cells:
        assert cell.spec.tasks[-1] == cell.label["target"]  # with its own few examples
        assert all(name.endswith("@6") for name in cell.spec.tasks[:-1])
        for source in cell.spec.tasks[:-1]:
            key = (cell.label["form"], source.partition("@")[0], cell.label["target"])
            often[key] = often.get(key, 0) + 1
    assert set(often.values()) == {5}
    assert len(often) == len(plans.FORMS) * 4 * 3
    for plan in plans_of([cell.spec for cell in found.cells if cell.label["form"] == "alpha_published"], alone=False):
        stages |= {stage.key for stage in plan.stages}
    assert len(stages) == 10 * (3 + 3)  # three sources and three targets a seed: beginnings are shared
