"""Equations 8, 10 and 11 against numbers worked out by hand, and what must hold for any numbers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shlpt.methods.losses import contrast, contrast_cosines, filter_states, mean_cosines, sign_ste


def test_eq_8_by_hand() -> None:
    # cos with (1,0): (0,1) -> 0, (-1,0) -> -1, (3,4) -> 0.6; the positive pair has cosine 1.
    anchor = torch.tensor([[2.0, 0.0]])
    negatives = torch.tensor([[[0.0, 5.0], [-1.0, 0.0], [3.0, 4.0]]])
    positive, rest = math.exp(1 / 0.5), math.exp(0) + math.exp(-1 / 0.5) + math.exp(0.6 / 0.5)
    assert contrast(anchor, negatives, 0.5).item() == pytest.approx(-math.log(positive / (positive + rest)), abs=1e-6)
    anchor = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    negatives = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]]])
    same, opposite = math.log(2), math.log(1 + math.exp(-2))
    assert contrast(anchor, negatives, 1.0).item() == pytest.approx((same + opposite) / 2, abs=1e-6)
    anchor = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    negatives = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]] * 2)
    mask = torch.tensor([[False, True], [False, False]])
    expected = (math.log(1 + math.exp(-1)) + 0) / 2
    assert contrast(anchor, negatives, 1.0, mask).item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("mask", [None, torch.zeros(2, 0, dtype=torch.bool)])
def test_without_negatives_the_loss_and_its_gradient_are_zero(mask: torch.Tensor | None) -> None:
    """-log(e^(1/τ) / e^(1/τ)) = 0, whatever the anchor is; beside a real loss it adds nothing."""
    anchor = torch.tensor([[2.0, 0.0], [3.0, 4.0]], requires_grad=True)
    loss = contrast(anchor, torch.zeros(2, 0, 2), 0.5, mask)
    assert (loss.item(), loss.shape, loss.requires_grad) == (0.0, (), True)
    ((anchor**2).sum() + loss).backward()
    assert anchor.grad.tolist() == [[4.0, 0.0], [6.0, 8.0]]
    cosines = contrast_cosines(torch.zeros(2, 0), 0.5, mask)
    assert cosines.item() == 0.0


def test_eq_10_and_11_by_hand() -> None:
    states, bare = torch.tensor([[3.0, 2.0, 1.0, 4.0]]), torch.tensor([[0.0, 0.5, -0.2, 2.0]])
    assert filter_states(states, bare).tolist() == [[3.0, 0.0, 1.0, 0.0]]  # a gated value below zero is not active
    bare = torch.tensor([[1.0, 0.0, 0.0]])
    anchor, other = torch.tensor([[9.0, 1.0, 0.0]]), torch.tensor([[[9.0, 0.0, 1.0]]])
    unfiltered = contrast(anchor, other, 1.0).item()
    filtered = contrast(filter_states(anchor, bare), filter_states(other, bare[:, None]), 1.0).item()
    assert filtered == pytest.approx(math.log(1 + math.exp(-1)), abs=1e-6)  # cosine 0
    assert unfiltered > filtered


def test_states_that_are_all_filtered_away_give_no_nan() -> None:
    anchor = torch.zeros(1, 3, requires_grad=True)
    loss = contrast(anchor, torch.zeros(1, 2, 3), 1.0)
    loss.backward()
    assert loss.isfinite()
    assert anchor.grad.isfinite().all()


def test_mean_cosines_average_real_positions_only() -> None:
    anchor = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])  # [B,m,k]
    other = torch.tensor([[[[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]]])  # [B,n,m,k], cosines 1, 0, -1
    assert mean_cosines(anchor, other, torch.tensor([[1, 1, 0]])).tolist() == [[0.5]]
    assert mean_cosines(anchor, other, torch.tensor([[1, 1, 1]])).tolist() == [[0.0]]


def test_signs_are_binary_with_the_gradient_of_the_value() -> None:
    states = torch.tensor([[0.3, 0.0, 7.0]], requires_grad=True)
    signs = sign_ste(states)
    (signs * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert signs[0].tolist() == pytest.approx([1.0, 0.0, 1.0])
    assert states.grad.tolist() == [[1.0, 2.0, 3.0]]


cosines = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6)


@given(cosines=cosines, temperature=st.floats(0.05, 100))
def test_the_loss_is_between_no_overlap_and_full_overlap(cosines: list[float], temperature: float) -> None:
    loss = contrast_cosines(torch.tensor([cosines]), temperature).item()
    n = len(cosines)
    assert math.log1p(n * math.exp(-2 / temperature)) - 1e-4 <= loss <= math.log1p(n) + 1e-4


@given(cosines=cosines, temperature=st.floats(0.05, 10), nearer=st.floats(0.01, 0.5))
def test_more_overlap_costs_more(cosines: list[float], temperature: float, nearer: float) -> None:
    now = torch.tensor([cosines])
    assert contrast_cosines(now + nearer, temperature) >= contrast_cosines(now, temperature) - 1e-6
