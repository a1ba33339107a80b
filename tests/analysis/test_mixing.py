"""Equations 4 to 7 for one text, worked out by hand."""

import math

import pytest
import torch

from shlpt.analysis.mixing import followed, followed_alpha
from shlpt.methods.similarity import mix_weights, similarity

THREE = ("a", "b", "c")


def test_three_tasks_by_hand() -> None:
    """Scores 0, ln 2 and ln 5 times τ: α = 1/8, 2/8, 5/8. Above δ = .2 are the last two: weights 2/7 and 5/7."""
    tau = 0.5
    rows = followed(THREE, [0.0, tau * math.log(2), tau * math.log(5)], tau, 0.2)
    assert [one.earlier for one in rows] == list(THREE)
    assert [one.alpha for one in rows] == pytest.approx([1 / 8, 2 / 8, 5 / 8])
    assert [one.scaled for one in rows] == pytest.approx([0, math.log(2), math.log(5)])
    assert [one.is_similar for one in rows] == [False, True, True]
    assert [one.kept for one in rows] == pytest.approx([0, 2 / 8, 5 / 8])
    assert [one.weight for one in rows] == pytest.approx([0, 2 / 7, 5 / 7])


def test_a_prior_is_added_and_none_of_them_takes_its_part() -> None:
    """Scores of 0; the prior is 1 : 2 : 4, and 1 for none of them: α = 1/8, 2/8, 4/8, and 1/8 is left."""
    prior = [0.0, math.log(2), math.log(4)]
    rows = followed(THREE, [0.0] * 3, 0.5, 0.2, prior=[*prior, 0.0])
    assert [one.alpha for one in rows] == pytest.approx([1 / 8, 2 / 8, 4 / 8])
    assert [one.prior for one in rows] == prior
    assert [one.weight for one in rows] == pytest.approx([0, 1 / 3, 2 / 3])
    assert sum(one.alpha for one in followed(THREE, [0.0] * 3, 0.5, 0.2, prior=prior)) == pytest.approx(1)


@pytest.mark.parametrize("prior", [(), (0.1, -0.5, 0.0), (0.1, -0.5, 0.0, 0.3)])
def test_it_is_what_the_method_does(prior: tuple[float, ...]) -> None:
    scores = [-0.4, 0.9, 0.1]
    rows = followed(THREE, scores, 0.3, 0.06, prior=prior)
    added = torch.tensor(prior, dtype=torch.float64) if prior else None
    alpha = similarity(torch.tensor([scores], dtype=torch.float64), 0.3, added)
    assert [one.alpha for one in rows] == pytest.approx(alpha[0].tolist())
    assert [one.weight for one in rows] == pytest.approx(mix_weights(alpha, 0.06)[0].tolist())


def test_nothing_is_mixed_where_nothing_is_similar_or_nothing_is_lent() -> None:
    assert [one.weight for one in followed_alpha(THREE, [0.1, 0.2, 0.7], 0.7)] == [0, 0, 0]  # α = δ is dissimilar
    assert [one.weight for one in followed_alpha(THREE, [0.1, 0.2, 0.7], 0.0, lends=False)] == [0, 0, 0]
    assert [one.score for one in followed_alpha(THREE, [0.1, 0.2, 0.7], 0.0)] == [None] * 3
