"""The line of the threshold figure, its points, and the rows of the league."""

import pandas as pd
import pytest

from shlpt.plots import league, theme, threshold
from shlpt.ui.live_plot import prepared, with_line

POINTS = pd.DataFrame(
    [
        ("a", "b", "unrelated", 0.2, 0.1, 0.3, -4.0, -6.0, -2.0),
        ("b", "a", "same", 0.8, 0.6, 0.9, 5.0, 4.0, 6.0),
        ("a", "c", "mine", 0.5, None, None, 1.0, None, None),
        ("c", "a", "same", 0.9, None, None, None, None, None),
    ],
    columns=["source", "target", "relation", "score", "score_low", "score_high", "transfer", "low", "high"],
)


def test_the_first_shape_is_the_upright_line_that_is_dragged() -> None:
    drawn = threshold.figure(POINTS, 0.31234, "α")
    line = drawn.layout.shapes[0]
    assert (line.x0, line.x1) == (0.312, 0.312)
    assert drawn.layout.annotations[0].text == "δ = 0.312"


def test_moving_the_line_gives_the_figure_that_is_drawn_there() -> None:
    rows = pd.DataFrame({"delta": [0.1, 0.3], "benefit": [1.0, 2.0], "low": [0.5, 1.0], "high": [1.5, 3.0]})
    drawings = (
        lambda at: prepared(threshold.figure(POINTS, at, "α"), "one"),
        lambda at: prepared(threshold.figure_benefit(rows, at), "two"),
    )
    for at in drawings:
        assert with_line(at(0.1), 0.3) == at(0.3) != at(0.1)
    nothing = prepared(threshold.figure(POINTS[:0], 0.1, "α"), "one")
    assert with_line(nothing, 0.3) == nothing


def test_points_have_both_intervals_and_the_order_and_colour_of_their_relation() -> None:
    same, unrelated, mine = threshold.figure(POINTS, 0.3, "α").data
    assert [trace.name for trace in (same, unrelated, mine)] == ["same", "unrelated", "mine"]
    assert same.marker.color == theme.diverging()[-1][1]
    assert (same.error_x.array[0], same.error_x.arrayminus[0]) == pytest.approx((0.1, 0.2))
    assert (unrelated.error_y.array[0], unrelated.error_y.arrayminus[0]) == pytest.approx((2, 2))
    assert mine.error_x.array[0] == 0  # one seed: no interval
    assert len(threshold.numbers(POINTS)) == 3
    assert "At δ = 0.3, 2 are similar, of which 2 help" in threshold.alt(POINTS, 0.3, "α")


def test_the_league_as_rows() -> None:
    none = {"value": None, "ci95": None, "why": "nothing"}
    found = league.rows_of(
        [{"estimator": "x", "roc": {"value": 0.7, "ci95": [0.6, 0.8], "why": ""}, "pr": none}], ["roc", "pr"]
    )
    assert found.iloc[0].tolist() == ["x", "roc", 0.7, 0.6, 0.8]
    assert league.numbers(found, "pr").empty
    assert "x 0.70" in league.alt(found, "roc", "ROC area")
