"""Activation states side by side, with numbers worked out by hand."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis import activations

A = np.array([[1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 4.0]])
B = np.array([[0.0, 0.0, 2.0, 1.0], [0.0, 3.0, 0.0, 4.0]])
ZERO = np.zeros((2, 4))


def test_cosine_and_jaccard_by_hand() -> None:
    assert activations.cosine(A, B) == pytest.approx((4 / 5 + 1) / 2)
    assert activations.cosine(A, A) == pytest.approx(1)
    # First text: {0, 2} and {2, 3} share one of three; second: equal.
    assert activations.jaccard(A, B) == pytest.approx((1 / 3 + 1) / 2)
    assert activations.jaccard(A, -A) == 0
    # Gated layers give them.
    assert activations.jaccard(np.array([[1.0, -1.0]]), np.array([[1.0, -5.0]])) == 1
    assert activations.cosine(np.array([[1.0, -1.0]]), np.array([[1.0, 1.0]])) == pytest.approx(0)
    assert np.isnan(activations.cosine(A, ZERO))
    assert np.isnan(activations.jaccard(ZERO, ZERO))
    half = A.copy()
    half[1] = 0
    assert activations.cosine(half, B) == pytest.approx(4 / 5)


def test_matrix_and_layers() -> None:
    found = activations.matrix({"a": A, "b": B})
    np.testing.assert_allclose(found, [[1, 0.9], [0.9, 1]])
    assert activations.matrix({}).shape == (0, 0)
    probe = {"a": np.stack([A, A], 1).astype(np.float16), "b": np.stack([A, B], 1).astype(np.float16)}
    assert activations.layers(probe) == 2
    assert activations.layers({}) == 0
    np.testing.assert_array_equal(activations.layer_of(probe, -1)["b"], B)
    rows = activations.by_layer(probe)
    assert list(rows["layer"]) == [1, 2]
    np.testing.assert_allclose(rows["cosine"], [1, 0.9], atol=1e-6)
    np.testing.assert_allclose(rows["jaccard"], [1, 2 / 3])
    np.testing.assert_allclose(rows["active"], [0.5, 0.5])
    rows = activations.by_layer({"a": A[:, None]})
    assert np.isnan(rows["cosine"]).all()


def test_neurons_by_hand() -> None:
    """Shares under A: ½ ½ ½ ½; under B: 0 ½ ½ 1. Neuron 3 has the greater mean difference of 0 and 3: ½ each."""
    rows = activations.neurons(A, B)
    assert list(rows["neuron"][:2]) == [0, 3]
    np.testing.assert_allclose(rows["difference"], [-0.5, 0.5, 0, 0])
    np.testing.assert_allclose(rows["first_mean"][:2], [0.5, 2])
    assert activations.neurons(A, B, "active", 1)["neuron"].tolist() == [3]
    assert len(activations.neurons(A, B, count=2)) == 2


def test_with_and_without_a_loss_is_paired_by_seed() -> None:
    """Seed 3 has no run without it and does not count."""
    rows = []
    for variant, seed, layer in product(("on", "off"), (1, 2, 3), (1, 2)):
        if (variant, seed) != ("off", 3):
            less = (0.2 * (layer == 2) + 0.01 * seed) * (variant == "on")
            rows.append((variant, seed, layer, 0.5 + 0.1 * seed - less, 0.4, 0.3))
    frame = pd.DataFrame(rows, columns=activations.SEEDS)
    lines = activations.paired(frame, "on", "off")
    of = {(line["layer"], line["measure"]): line for line in lines}
    assert of[2, "cosine"]["difference"] == pytest.approx(-0.215)
    assert of[1, "cosine"]["difference"] == pytest.approx(-0.015)
    assert (of[2, "cosine"]["n"], of[2, "cosine"]["on"]) == (2, pytest.approx(0.435))
    first, second = activations.difference_said(lines, "on", "off")
    assert first.startswith(
        "on minus off, layer 2, over 2 seeds: the cosine of activation states −0.215 [−0.279, −0.151]"
    )
    assert first.endswith(", a clear difference.")
    assert second.endswith(" 0.000 (no interval), no clear difference.")
    assert activations.paired(frame.iloc[:0], "on", "off") == activations.difference_said([], "on", "off") == []
