"""Masks by hand, and what follows from the numbers of known cases."""

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis import masking


def test_a_prompt_switches_on_what_is_active_in_more_than_half_of_the_texts_only_with_it() -> None:
    under = np.array([[[1.0, 2.0, 0.0, 3.0]], [[1.0, 0.0, 0.0, 3.0]], [[1.0, 5.0, 1.0, 0.0]]])  # 3 texts, 1 layer
    bare = np.array([[[0.0, 0.0, 0.0, 1.0]], [[0.0, 0.0, 0.0, 1.0]], [[9.0, 0.0, 0.0, 1.0]]])
    assert masking.active(under).tolist() == [[True, True, False, True]]
    assert masking.switched_on(under, bare).tolist() == [[True, True, False, False]]


def test_random_masks_are_as_large_in_every_layer_and_matched_ones_as_active() -> None:
    rng = np.random.default_rng(0)
    masked, own = rng.random((3, 40)) < 0.3, rng.random((3, 40)) < 0.5
    plain = [masking.as_many(masked, rng) for _ in range(20)]
    alike = [masking.matched(masked, own, rng) for _ in range(20)]
    for found in (*plain, *alike):
        assert found.sum(1).tolist() == masked.sum(1).tolist()
    assert all((found & own).sum(1).tolist() == (masked & own).sum(1).tolist() for found in alike)
    assert len({found.tobytes() for found in plain}) == len({found.tobytes() for found in alike}) == 20


def frame(lost: float, matched: float, seeds: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Twelve pairs a seed; those with more overlap lose more, and transfer is less where they do."""
    rng, rows, gains = np.random.default_rng(1), [], []
    for seed in range(seeds):
        for place, (source, target) in enumerate((s, t) for s in "abcd" for t in "abcd" if s != t):
            right = 0.9 - (lost + 2 * place) / 100
            near = rng.normal(0, 0.002)
            random, alike = right + 0.05 + near, right + matched / 100 + near
            losses = [1.0, 2.0, 1.5, 1.8]
            both = [x for pair in zip([0.9, right, random, alike], losses, strict=True) for x in pair]
            rows.append((source, target, seed, place / 12, 40.0, 10.0, *both))
            gains.append((source, target, seed, -float(place)))
    return pd.DataFrame(rows, columns=masking.COLUMNS), pd.DataFrame(
        gains, columns=["source", "target", "seed", "transfer"]
    )


@pytest.mark.parametrize(
    ("matched", "said"), [(3.0, "matter more than others that are as active, by +3"), (0.0, "No evidence")]
)
def test_the_answer_says_whether_these_neurons_matter_more_than_others(matched: float, said: str) -> None:
    rows, gains = frame(4.0, matched)
    rows.loc[[0, 1], "overlap"] = rows.loc[[1, 0], "overlap"].to_numpy()  # seeds without any spread have no interval
    found = masking.answer(rows, gains)
    assert found["lost"]["mean"] == pytest.approx(4 + 11)
    assert found["beyond_random"]["mean"] == pytest.approx(5, abs=0.2)
    assert found["beyond_matched"]["mean"] == pytest.approx(matched, abs=0.2)
    assert found["with_overlap"]["mean"] == pytest.approx(1, abs=0.01)
    assert found["with_transfer"]["mean"] == pytest.approx(-1)
    assert (found["pairs"], found["lost"]["n"]) == (12, 5)
    assert said in masking.sentences(found)[-2]
    assert masking.sentences(found)[-1].endswith("overlap has a consequence.")
    mixed = rows.assign(overlap=np.random.default_rng(0).random(len(rows)))
    assert masking.sentences(masking.answer(mixed, gains))[-1] == "No evidence that more overlap means a larger loss."


def test_what_cannot_be_said_is_said() -> None:
    assert masking.sentences(masking.answer(*(part.iloc[:0] for part in frame(1, 1)))) == ["Nothing was masked yet."]
    assert masking.sentences(masking.answer(*frame(1, 1, seeds=1)))[-1].startswith("One seed: no interval")
    rows, gains = frame(1, 1)
    found = masking.answer(rows.assign(overlap=0.5), gains)
    assert found["with_overlap"]["mean"] is None
    assert "ρ = not defined" in masking.sentences(found)[2]
