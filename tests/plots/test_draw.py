"""Parts of figures that have a fast way beside the one that they stand for."""

import json
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from shlpt.plots import draw, theme

SCORES = some.lists(
    some.tuples(some.sampled_from("ab"), some.integers(1, 9), some.none() | some.floats(-1, 1)),
    unique_by=lambda row: row[:2],
)


@settings(max_examples=40, deadline=None)
@given(SCORES, some.booleans())
def test_one_seed_has_the_mean_of_itself_given_twice(rows: list[tuple[Any, ...]], named: bool) -> None:
    frame = pd.DataFrame(rows, columns=["task", "epoch", "score"]).astype({"score": float})
    once = frame.assign(seed=42) if named else frame
    by = ["task", "epoch"]
    found, slow = draw.mean_band(once, by, "score"), draw.mean_band(pd.concat([once, once]), by, "score")
    pd.testing.assert_frame_equal(found.drop(columns="seeds"), slow.drop(columns="seeds"), check_dtype=bool(len(slow)))
    assert set(found["seeds"]) <= {1}
    assert set(slow["seeds"]) <= {2}


def test_a_value_of_one_seed_that_comes_twice_is_averaged() -> None:
    frame = pd.DataFrame({"epoch": [1, 1, 2], "score": [0.2, 0.4, 0.9], "seed": 42})
    found = draw.mean_band(frame, ["epoch"], "score")
    assert list(found["mean"]) == pytest.approx([0.3, 0.9])
    assert list(found["seeds"]) == [2, 1]


@pytest.mark.parametrize("place", ["top right", "bottom right", "bottom left"])
def test_a_level_is_what_plotly_draws_for_it(place: str) -> None:
    mine, plotlys = go.Figure(), go.Figure().add_scatter(x=[0, 1], y=[0, 1])
    draw.level(mine, 0.5, "chance", True, "dash", place)
    plotlys.add_hline(
        y=0.5,
        line={"color": theme.FAINT[True], "dash": "dash", "width": 1.5},
        annotation_text="chance",
        annotation_position=place,
        annotation_font_color=theme.TEXT[True],
    )
    drawn, expected = (json.loads(figure.to_json())["layout"] for figure in (mine, plotlys))
    assert [drawn["shapes"], drawn["annotations"]] == [expected["shapes"], expected["annotations"]]
