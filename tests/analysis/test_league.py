"""The league against known answers: numbers by hand, other people's implementations, and 1,000 simulated studies."""

import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from studies import TASKS, frames, made, questions, study

from shlpt.analysis.agreement import spearman
from shlpt.analysis.cubes import cube, means
from shlpt.analysis.league import MEASURES, judged, league
from shlpt.analysis.transfer import cells, gains

NAN = float("nan")


def pairs_of(text: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`a>b 5 .9; …`: transfer and score of pairs with one seed."""
    rows = [part.split() for part in text.split(";")]
    named = [(*pair.split(">"), 1, float(gain), float(score)) for pair, gain, score in rows]
    both = pd.DataFrame(named, columns=["source", "target", "seed", "transfer", "score"])
    return both[["source", "target", "seed", "transfer"]], both.assign(estimator="x").drop(columns="transfer")


def one(text: str) -> Any:
    return league(*pairs_of(text))[0]


# --- by hand ------------------------------------------------------------------------------
def test_areas_ranks_and_gains_by_hand() -> None:
    row = one("a>b 5 .9; a>c -3 .8; b>a 2 .4; b>c -1 .1; c>a 0 .2; c>b 1 .3")
    assert row["roc"]["value"] == pytest.approx(7 / 9)  # of 3 × 3 pairs of pairs, .8 is above .4 and .3
    assert row["pr"]["value"] == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)
    assert row["helping"] == 0.5
    assert row["spearman"]["value"] == pytest.approx(1 - 6 * 20 / (6 * 35))  # ranks apart by 0, 4, 1, 1, 1, 1
    discount = 1 / np.log2(3)  # for a and b the first is best, for c the second
    assert row["ndcg"]["value"] == pytest.approx((2 + discount) / 3)
    assert row["roc"]["ci95"] is None
    assert "One seed" in row["roc"]["why"]
    assert row["regret"]["value"] is None
    assert "other seeds" in row["regret"]["why"]


def test_equal_scores_share_their_places() -> None:
    row = one("a>c 4 .5; b>c 0 .5; a>b 1 .9; c>b -1 .1; b>a 1 .5; c>a -1 .2")
    half = (1 + 1 / np.log2(3)) / 2
    assert row["ndcg"]["value"] == pytest.approx((half + 1 + 1) / 3)
    assert row["roc"]["value"] == pytest.approx((3 + 2.5 + 2.5) / 9)  # .9, .5, .5 against .5, .1, .2


def test_areas_and_ranks_agree_with_their_definitions() -> None:
    found = study(np.random.default_rng(1), 0.6)
    found = made(found.transfer.round(), found.score.round(1))  # with ties
    row, by_seed = judged("x", found, draws=5), []
    for gain, score in zip(found.transfer, found.score, strict=True):
        y, x = gain[np.isfinite(gain)], score[np.isfinite(gain)]
        area = np.mean([(a > b) + 0.5 * (a == b) for a in x[y > 0] for b in x[y <= 0]])
        precision = np.mean([(y[x >= a] > 0).mean() for a in x[y > 0]])
        by_seed.append((area, precision, spearman(x, y)))
    expected = np.mean(by_seed, axis=0)
    assert [row[name]["value"] for name in ("roc", "pr", "spearman")] == pytest.approx(expected, abs=1e-5)


def test_regret_is_measured_with_a_seed_that_chose_nothing() -> None:
    gain = np.zeros((3, 3, 3))
    gain[:, 0, 2], gain[:, 1, 2] = (9.0, 9.0, 0.0), (3.0, 3.0, 3.0)  # of c: a is better in two seeds of three
    score = np.zeros((3, 3, 3))
    score[:, 1] = 1.0  # always b
    row = judged("x", made(gain, score), draws=5)
    # c: a is best by the others in each seed (mean 4.5, 4.5, 9 against 3), and gains 9, 9, 0 where b gains 3
    assert row["regret"]["value"] == pytest.approx((6 + 6 - 3) / 3 / 3)


def test_an_oracle_that_takes_transfer_from_other_seeds_learns_nothing_from_noise() -> None:
    """From the same seed it would be perfect; the mean over the other seeds knows nothing of pure noise."""
    rng, areas = np.random.default_rng(0), []
    for _ in range(20):
        gain = rng.normal(size=(5, TASKS, TASKS))
        others = (gain.sum(0) - gain) / 4
        areas.append(judged("oracle", made(gain, others), draws=2)["roc"]["value"])
        assert judged("cheat", made(gain, gain), draws=2)["roc"]["value"] == 1.0
    assert np.mean(areas) < 0.52


def test_the_order_is_by_area_and_seconds_are_told() -> None:
    pairs, good = frames(questions(np.random.default_rng(2), True), "good")
    _, bad = frames(questions(np.random.default_rng(2), False), "bad")
    table = league(pairs, pd.concat([bad, good]), {"good": 1.5})
    assert [(row["estimator"], row["seconds"]) for row in table] == [("good", 1.5), ("bad", None)]
    assert table[0]["roc"]["ci95"][0] > 0.5
    low, high = table[1]["roc"]["ci95"]
    assert low < 0.5 < high


def test_a_score_without_a_seed_holds_for_every_seed() -> None:
    found = questions(np.random.default_rng(3), True)
    pairs, scores = frames(found)
    declared = scores[scores["seed"] == 0].assign(seed=NAN)
    np.testing.assert_array_equal(cube(pairs, declared).score, cube(pairs, scores).score)


# --- bad input ----------------------------------------------------------------------------
def test_a_statement_stands_where_there_is_no_number() -> None:
    def why(text: str, measure: str = "roc") -> str:
        row = one(text)
        assert row[measure]["value"] is None
        return str(row[measure]["why"])

    assert "No source helps" in why("a>b 0 .1; b>a -1 .2")
    assert "Every source helps" in why("a>b 1 .1; b>a 1 .2")
    assert "same transfer" in why("a>b 0 .1; b>a 0 .2", "spearman")
    assert "All scores are equal" in why("a>b 1 .5; b>a -1 .5")
    assert "No pair has both" in why("a>b nan .5; b>a 1 nan")
    alone = pd.DataFrame(columns=["source", "target", "seed", "transfer"])
    assert "no pair" in judged("x", cube(alone, alone.rename(columns={"transfer": "score"})))["roc"]["why"].lower()


def test_what_is_missing_is_counted_and_not_dropped_in_silence() -> None:
    row = one("a>b 1 .1; b>a nan .2; a>c -1 inf; c>a 2 nan; b>c 1 .7; c>b -2 .4")
    assert any("infinite" in note for note in row["notes"])
    assert any("1 of 6 pairs and seeds have no measured transfer" in note for note in row["notes"])
    assert any("2 of 6 pairs and seeds have no similarity" in note for note in row["notes"])
    assert row["roc"]["value"] == 0.5


def test_pairs_have_means_with_intervals_and_transfer_comes_from_a_matrix() -> None:
    rows = [("a", "b", 1, 0.9, 0.8), ("a", "b", 2, 0.8, 0.75), ("b", "a", 1, 0.5, NAN)]
    matrix = pd.DataFrame(rows, columns=["source", "target", "seed", "score", "alone"])
    found = gains(matrix)
    assert found["transfer"].tolist()[:2] == pytest.approx([10, 5])
    assert np.isnan(found["transfer"].iloc[2])
    scores = pd.DataFrame([("a", "b", NAN, 0.4)], columns=["source", "target", "seed", "score"])
    row = means(found, scores).iloc[0]
    same = cells(matrix).iloc[0]
    assert (row["transfer"], row["low"], row["high"]) == pytest.approx((same["value"], same["low"], same["high"]))
    assert (row["score"], row["n"], len(means(found, scores))) == (0.4, 2, 1)
    by_seed = pd.DataFrame([("a", "b", 1, 1.0), ("a", "b", 2, 0.8)], columns=scores.columns)
    alpha, cosine = (means(found, by_seed.assign(score=by_seed["score"] - k)).iloc[0] for k in (0, 1))
    assert 0 < alpha["score_low"] < alpha["score_high"] <= 1  # an α is never above 1
    assert cosine["score_high"] > 0


# --- known answers ------------------------------------------------------------------------
def test_the_whole_league_takes_less_than_two_seconds() -> None:
    rng = np.random.default_rng(0)
    pairs, _ = frames(study(rng, 0.5))
    scores = pd.concat([frames(study(rng, 0.5), f"e{place}")[1] for place in range(15)])
    begin = time.process_time()
    assert len(league(pairs, scores)) == 15
    assert time.process_time() - begin < 2


def covered(knows: float, studies: int) -> dict[str, float]:
    """How often each interval holds the mean over all studies."""
    rng = np.random.default_rng(7)
    found = [judged("x", study(rng, knows), draws=150) for _ in range(studies)]
    shares = {}
    for name in MEASURES:
        truth = np.mean([row[name]["value"] for row in found])  # type: ignore[literal-required]
        shares[name] = np.mean([row[name]["ci95"][0] <= truth <= row[name]["ci95"][1] for row in found])  # type: ignore[literal-required]
    return {name: float(share) for name, share in shares.items()}


@pytest.mark.slow
def test_intervals_cover_93_to_97_percent_of_1000_simulated_studies() -> None:
    shares = covered(0.7, 1000)
    assert all(0.93 <= share <= 0.98 for share in shares.values()), shares  # regret has .976


def test_intervals_of_an_estimator_of_noise_are_never_too_narrow() -> None:
    """They are wide: a draw of tasks counts the noise of a pair more than once."""
    shares = covered(0.0, 40)
    assert all(share >= 0.87 for share in shares.values()), shares
