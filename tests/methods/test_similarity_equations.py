"""Equations 3 to 5 and 7 against numbers worked out by hand, and what must hold for any numbers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from shlpt.methods.similarity import Estimator, dissimilar, equal_similarity, max_pool, mix_weights, remixed


def hand_made() -> Estimator:
    """d = 2, r = 1: W_down = (1, 0)ᵀ, W_up = (2, -1), LayerNorm without shift."""
    estimator = Estimator(2, 1)
    with torch.no_grad():
        estimator.down.weight.copy_(torch.tensor([[1.0, 0.0]]))
        estimator.up.weight.copy_(torch.tensor([[2.0], [-1.0]]))
    return estimator


X = torch.tensor([[[0.5, 3.0], [1.0, -4.0], [9.0, 9.0]]])  # the last token is padding
X_MASK = torch.tensor([[1, 1, 0]])
PROMPTS = torch.tensor([[[1.0, 0.0], [0.0, 2.0]], [[3.0, -1.0], [-2.0, 0.5]]])


def test_eq_3_and_4_by_hand() -> None:
    assert max_pool(X, X_MASK).tolist() == [[1.0, 3.0]]
    # max-pool X = (1, 3); down: 1; SiLU(1) = 1/(1+e⁻¹) = 0.731; up: (1.462, -0.731).
    # LayerNorm of (a, b) with a > b is (1, -1) but for its epsilon: mean 0.3655, variance 1.0965².
    variance = 1.5 * 0.7310586 / 1
    unit = variance / math.sqrt(variance**2 + 1e-5)
    # max-pooled prompts: (1, 2) and (3, 0.5); inner products with (unit, -unit): -unit and 2.5 unit.
    scores = [-unit, 2.5 * unit]
    weights = [math.exp(s / 2.0) for s in scores]
    alpha = hand_made()(X, X_MASK, PROMPTS, 2.0)
    assert alpha[0].tolist() == pytest.approx([w / sum(weights) for w in weights], abs=1e-6)
    cold, hot = (hand_made()(X, X_MASK, PROMPTS, t)[0] for t in (0.1, 100.0))
    assert cold.max() > 0.999
    assert hot.tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    assert hand_made()(X, X_MASK, PROMPTS[:1], 1.0).tolist() == [[1.0]]
    names = {name for name, _ in Estimator(8, 3).named_parameters()}
    assert names == {"down.weight", "up.weight", "norm.weight", "norm.bias"}
    assert equal_similarity(X, torch.zeros(4, 1, 2)).tolist() == [[0.25] * 4]


def test_eq_7_by_hand() -> None:
    alpha = torch.tensor([[0.5, 0.3, 0.2]])
    assert mix_weights(alpha, 0.25)[0].tolist() == pytest.approx([0.625, 0.375, 0.0])
    assert mix_weights(alpha, 0.2)[0].tolist() == pytest.approx([0.625, 0.375, 0.0])  # equal to δ is dissimilar
    assert mix_weights(alpha, 0.0)[0].tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert mix_weights(torch.tensor([[0.5, 0.5]]), 1.5).tolist() == [[0.0, 0.0]]


def test_other_weights_of_a_stored_mixture_by_hand() -> None:
    """Own prompt (1, 2) and (3, 4), with a quarter of the first earlier prompt and three quarters of the second."""
    own, weights = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0.25, 0.75])
    stored = torch.tensor([[3.5, 1.25], [1.5, 4.875]])

    def prompt(*factors: float) -> Tensor:
        return remixed(stored, PROMPTS, weights, torch.tensor(factors))

    assert prompt(1.0, 1.0).equal(stored)
    assert prompt(0.0, 0.0).equal(own)
    assert prompt(0.0, 1.0).equal(torch.tensor([[3.25, 1.25], [1.5, 4.375]]))
    assert prompt(2.0, 0.5).equal(torch.tensor([[2.625, 1.625], [2.25, 5.1875]]))


def test_eq_5_by_batch_mean_and_by_instance() -> None:
    alpha = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.8, 0.2]])  # means 0.6 and 0.4
    assert dissimilar(alpha, 0.5, "batch_mean").tolist() == [False, True]
    assert dissimilar(alpha, 0.5, "instance").tolist() == [[False, True], [True, False], [False, True]]
    assert dissimilar(alpha, 0.6, "batch_mean").tolist() == [True, True]
    with pytest.raises(ValueError, match="partition"):
        dissimilar(alpha, 0.5, "median")


rows = st.integers(1, 5)
numbers = st.floats(-50, 50, width=32)


@st.composite
def alphas(draw: st.DrawFn) -> Tensor:
    n = draw(rows)
    logits = draw(st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1, max_size=4))
    return torch.softmax(torch.tensor(logits), 1)


@given(alpha=alphas(), threshold=st.floats(0, 2))
def test_mixture_weights_sum_to_one_or_are_zero(alpha: Tensor, threshold: float) -> None:
    weights = mix_weights(alpha, threshold)
    assert not weights.isnan().any()
    assert (weights >= 0).all()
    assert (weights[alpha <= threshold] == 0).all()
    for total, similar in zip(weights.sum(1).tolist(), (alpha > threshold).any(1).tolist(), strict=True):
        assert total == pytest.approx(1.0 if similar else 0.0, abs=1e-5)


@given(alpha=alphas(), threshold=st.floats(1, 3))
def test_a_threshold_of_one_or_more_makes_every_task_dissimilar(alpha: Tensor, threshold: float) -> None:
    assert dissimilar(alpha, threshold, "instance").all()
    assert mix_weights(alpha, threshold).sum() == 0


@given(
    x=st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=4),
    prompts=st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=5),
    temperature=st.floats(1e-3, 1e6),
)
def test_alpha_is_a_distribution_over_earlier_tasks(
    x: list[list[float]], prompts: list[list[float]], temperature: float
) -> None:
    torch.manual_seed(0)
    text = torch.tensor([x])
    alpha = Estimator(3, 2)(text, torch.ones(text.shape[:2]), torch.tensor(prompts)[:, None], temperature)
    assert alpha.shape == (1, len(prompts))
    assert not alpha.isnan().any()
    assert alpha.sum().item() == pytest.approx(1.0, abs=1e-4)
