"""The calibration of δ against known answers: by hand, on simulated studies of noise and of perfect knowledge."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from studies import frames, made, questions

from shlpt.analysis import calibration
from shlpt.analysis.calibration import calibrated, cost, curve, recommended, said, weighed
from shlpt.analysis.cubes import cube, in_levels

NAN = float("nan")


def by_hand() -> Any:
    """Three tasks, one seed. Of c, a helps by 8 (α .75) and b harms by 4 (α .25)."""
    gain, alpha = np.zeros((1, 3, 3)), np.zeros((1, 3, 3))
    gain[0, :, 2], alpha[0, :, 2] = (8.0, -4.0, 0.0), (0.75, 0.25, 0.0)
    gain[0, :, 0], alpha[0, :, 0] = (0.0, 2.0, -6.0), (0.0, 0.5, 0.5)
    gain[0, :, 1], alpha[0, :, 1] = (1.0, 0.0, 1.0), (0.9, 0.0, 0.1)
    return made(gain, alpha)


def at(rows: Any, delta: float) -> dict[str, float]:
    found: dict[str, float] = rows.iloc[(rows["delta"] - delta).abs().argmin()].to_dict()
    return found


def test_the_benefit_is_the_weighted_mean_of_the_transfer_from_similar_sources() -> None:
    rows = curve(weighed(by_hand(), alpha=True, draws=2))
    every, half, none = at(rows, 0.0), at(rows, 0.4), at(rows, 1.0)
    assert every["benefit"] == pytest.approx(((0.75 * 8 - 0.25 * 4) + (1 - 3) + 1) / 3)
    assert half["benefit"] == pytest.approx((8 + (1 - 3) + 1) / 3)  # b is no longer mixed into c
    assert (none["benefit"], none["similar"]) == (0, 0)
    assert half["over_everybody"] == pytest.approx(half["benefit"] - every["benefit"])
    plain = at(curve(weighed(by_hand(), alpha=False, draws=2)), -1.0)
    assert plain["benefit"] == pytest.approx((2 - 2 + 1) / 3)  # a score that is no α: equal weights


def test_how_often_each_side_was_right_and_what_mistakes_cost_by_hand() -> None:
    rows = curve(weighed(by_hand(), alpha=True, draws=2))
    half = at(rows, 0.4)  # similar: a>c, b>a, c>a, a>b; dissimilar: b>c, c>b
    assert (half["similar"], half["right_similar"], half["right_dissimilar"]) == (4 / 6, 3 / 4, 1 / 2)
    place = (rows["delta"] - 0.4).abs().argmin()
    assert [cost(rows, weight).iloc[place] for weight in (0.0, 0.5, 1.0)] == pytest.approx([1 / 6, 1 / 6, 1 / 6])
    assert np.isnan(at(rows, 1.0)["right_similar"])  # nothing is called similar
    assert cost(rows, 0.0).iloc[-1] == pytest.approx(4 / 6)


def test_the_target_that_judges_delta_has_not_chosen_it() -> None:
    """Each target likes another δ: in hindsight there is a benefit, on targets that did not choose there is none."""
    rng = np.random.default_rng(0)
    gain = np.where(np.eye(6, dtype=bool), 0.0, -5.0)[None] + 0 * rng.normal(size=(3, 6, 6))
    score = np.tile(np.arange(6)[None, :, None] / 10.0, (3, 1, 6))
    gain[:, 5, 0] = 100.0  # only the first target gains, from the source with the highest score
    found = recommended(weighed(made(gain, score), alpha=False, draws=20))
    assert found["delta"] is not None
    assert found["over_nobody"]["value"] is not None
    assert found["over_nobody"]["value"] <= 0  # the first target alone made the choice that the others pay for
    assert not found["evidence"]


def test_of_equal_benefits_the_middle_delta_is_recommended() -> None:
    values = np.array([[0.0, 1, 1, 1, 0, 1], [2, 2, 2, 2, 2, 2], [0, 0, 0, 0, 0, 3]])
    assert calibration._best(values).tolist() == [2, 2, 5]


def test_delta_is_told_by_number_of_earlier_tasks_and_as_a_multiple_of_the_uniform_level() -> None:
    """A perfect score as α over the tasks before a target in the order of its seed: each α belongs to some n."""
    rng = np.random.default_rng(4)
    found = questions(rng, True)
    pairs, scores = frames(found, "alpha")
    order = np.argsort(rng.random((10, 10)), axis=1)
    names = {name: place for place, name in enumerate(found.tasks)}
    first, last = (order[scores["seed"], scores[side].map(names)] for side in ("source", "target"))
    scores = scores[first < last].assign(earlier=last[first < last], score=lambda rows: np.exp(rows["score"] / 4))
    total = scores.groupby(["seed", "target"])["score"].transform("sum")
    scores["score"] /= total
    rows = calibration.by_earlier(pairs, scores, "alpha")
    assert rows["earlier"].tolist() == ["1", "2 to 3", "4 to 6", "7 to 9", "all, as a multiple of 1/n"]
    assert all(rows["said"].str.len() > 20)
    assert np.isnan(rows["delta"].iloc[0])  # one earlier task: every α is 1
    assert rows["delta"].iloc[1:4].between(0, 1).all()
    assert rows["of_uniform"].iloc[4] == pytest.approx(1, abs=0.9)
    assert calibration.by_earlier(pairs, scores, "cosine").empty
    assert cube(pairs, in_levels(scores)).notes == ("450 of 900 pairs and seeds have no similarity and are left out.",)


def test_a_statement_stands_where_nothing_can_be_recommended() -> None:
    rng = np.random.default_rng(0)
    full = questions(rng, True)
    cases = {
        "One seed": made(full.transfer[:1], full.score[:1]),
        "Fewer than 4 tasks": made(full.transfer[:, :3, :3], full.score[:, :3, :3]),
        "All scores are equal": made(full.transfer, np.ones_like(full.score)),
        "No pair has both": made(full.transfer, full.score * NAN),
        "No evidence": made(0 * full.transfer, full.score),  # equal accuracies
    }
    for words, found in cases.items():
        got = recommended(weighed(found, alpha=False, draws=20))
        assert not got["evidence"]
        assert words in said(got)
    one = pd.DataFrame([("a", "a", 1, NAN, 0.5)], columns=["source", "target", "seed", "transfer", "score"])
    got = calibrated(one, one, "alpha")
    assert (len(got.rows), got.recommended["delta"]) == (0, None)
    assert "only one task" in said(got.recommended)
    holes = full.transfer.copy()
    holes[rng.random(holes.shape) < 0.3] = NAN
    assert recommended(weighed(made(holes, full.score), alpha=False, draws=50))["delta"] is not None


# --- known answers ------------------------------------------------------------------------
def studies(knows: bool, count: int) -> tuple[list[Any], Any]:
    """The recommendations of simulated studies, and the best δ on average over them."""
    rng, found, curves = np.random.default_rng(11), [], []
    common = np.linspace(-15, 25, 401)
    for _ in range(count):
        w = weighed(questions(rng, knows), alpha=False, draws=80)
        found.append(recommended(w))
        curves.append(np.interp(common, w.grid, w.benefit[0].mean((1, 2))))
    return found, common[np.mean(curves, axis=0).argmax()]


@pytest.mark.slow
def test_noise_gets_no_evidence_in_95_of_100_studies() -> None:
    found, _ = studies(knows=False, count=100)
    assert sum(not row["evidence"] for row in found) >= 95


@pytest.mark.slow
def test_perfect_scores_get_a_recommendation_whose_interval_holds_the_best_delta_in_90_of_100() -> None:
    found, best = studies(knows=True, count=100)
    assert sum(row["evidence"] and row["ci95"][0] <= best <= row["ci95"][1] for row in found) >= 90
