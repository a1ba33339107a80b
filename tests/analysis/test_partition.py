"""A threshold over stored α, with numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from shlpt.analysis import partition
from shlpt.methods.similarity import mix_weights


def frame(*alpha: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        [(f"e{i}", f"text {i}", "yes", "abc"[j], a) for i, row in enumerate(alpha) for j, a in enumerate(row)],
        columns=["example", "text", "target", "earlier", "alpha"],
    )


THREE = frame((0.7, 0.2, 0.1), (0.5, 0.1, 0.4), (0.6, 0.3, 0.1))  # means 0.6, 0.2, 0.2


def test_divide_by_hand() -> None:
    rows = partition.divide(THREE, 0.3)
    assert list(rows["earlier"]) == ["a", "b", "c"]
    np.testing.assert_allclose(rows["mean"], [0.6, 0.2, 0.2])
    np.testing.assert_allclose(rows["share"], [1, 0, 1 / 3])
    assert list(rows["side"]) == ["similar", "dissimilar", "dissimilar"]
    # Weights of the texts: (1, 0, 0), (5/9, 0, 4/9), (1, 0, 0).
    np.testing.assert_allclose(rows["lent"], [(2 + 5 / 9) / 3, 0, 4 / 27])
    # (7/9, 2/9, 0), (5/9, 0, 4/9), (6/9, 3/9, 0)
    np.testing.assert_allclose(partition.divide(THREE, 0.1)["lent"], [18 / 27, 5 / 27, 4 / 27])
    assert list(partition.divide(frame((0.5, 0.5)), 0.5)["side"]) == ["dissimilar", "dissimilar"]


@pytest.mark.parametrize("threshold", [0.0, 0.15, 0.2, 0.5, 1.5])
def test_what_is_lent_is_equation_7(threshold: float) -> None:
    weights = mix_weights(torch.tensor(partition.wide(THREE).to_numpy()), threshold).mean(0)
    np.testing.assert_allclose(partition.divide(THREE, threshold)["lent"], weights, atol=1e-12)


def test_the_summary_counts() -> None:
    assert "1 of 3 earlier tasks are similar and 2 dissimilar" in partition.summary(THREE, 0.3)
    assert "0 of 3" in partition.summary(THREE, 0.65)
    assert "3 of 3" in partition.summary(THREE, 0.15)


def test_neighbours_by_hand() -> None:
    """Distances from e0: e1 √(0.04+0.01+0.09), e2 √(0.01+0.01)."""
    rows = partition.neighbours(THREE, "e0", 1)
    assert list(zip(rows["which"], rows["example"], strict=True)) == [("nearest", "e2"), ("farthest", "e1")]
    np.testing.assert_allclose(rows["distance"], np.sqrt([0.02, 0.14]))
    assert list(rows["text"]) == ["text 2", "text 1"]
    rows = partition.neighbours(THREE, "e0", 5)
    assert sorted(rows["example"]) == ["e1", "e2"]
    assert partition.neighbours(THREE, "nobody").empty
    assert partition.neighbours(frame((1.0,)), "e0").empty
    assert partition.neighbours(THREE[:0], "e0").empty
    assert partition.divide(THREE[:0], 0.1).empty
