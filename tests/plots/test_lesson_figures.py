"""The figures of lessons: what is shown before the guess, and over it."""

import json
from typing import Any

import pandas as pd

from shlpt.plots import claims, guess_cell, guess_curve, theme


def table(columns: str, text: str) -> pd.DataFrame:
    """Rows apart by semicolons."""
    rows = [
        [word if word.isalnum() and not word.isdigit() else json.loads(word) for word in row.split()]
        for row in text.split(";")
    ]
    return pd.DataFrame(rows, columns=columns.split())


def test_a_cell_to_be_guessed_is_not_given_away() -> None:
    asked: Any = (
        table("source target value low high q clear", "yelp sst2 2.5 1.0 4.0 0.01 1; sst2 yelp -7.0 -9.0 1.0 0.4 0"),
        ["yelp", "sst2"],
        "yelp",
        "sst2",
    )
    hidden = guess_cell.figure(*asked, revealed=False)
    assert "2.5" not in json.dumps([trace.to_plotly_json() for trace in hidden.data], default=str)
    assert (hidden.data[0].z[0][1], hidden.data[0].text[1][0]) == (None, "(−7)")  # unclear
    guessed = guess_cell.figure(*asked, -20.0, revealed=False)
    assert (guessed.data[0].z[0][1], guessed.data[0].text[0][1]) == (-20.0, "−20 ?")
    shown = guess_cell.figure(*asked, -20.0)
    assert (shown.data[0].z[0][1], shown.data[0].text[0][1]) == (2.5, "+2<br>(you: −20)")
    assert "+2" in guess_cell.alt(*asked)
    assert "+2" not in guess_cell.alt(*asked, revealed=False)


def test_a_curve_to_be_drawn_shows_only_what_is_given() -> None:
    truth = table("x mean low high", "0 0.7 0.6 0.8; 1 0.1 0.1 0.2; 2 0.3 0.1 0.5")
    hidden = guess_curve.figure(truth, [0, 1, 2], [0.5, 0.6], 1, revealed=False)
    assert [list(trace.y) for trace in hidden.data] == [[0.7, 0.5, 0.6], [0.7]]
    shown = guess_curve.figure(truth, [0, 1, 2], [0.5, 0.6], 1, others=[[0.2, 0.2]])
    assert list(shown.data[0].y) == [0.7, 0.5, 0.6]  # first, for the script that draws
    assert [0.7, 0.1, 0.3] in [list(trace.y) for trace in shown.data]
    assert [0.7, 0.2, 0.2] in [list(trace.y) for trace in shown.data]
    assert "10%" not in guess_curve.alt(truth, [0, 1, 2], [], 1, revealed=False)


def test_claims_have_the_colours_of_help_and_harm_and_the_guess_its_band() -> None:
    rows = table("label value low high says", "sst2 7 -1 15 unclear; yelp -43 -51 -36 below; rte 30 20 40 above")
    figure = claims.figure(rows, "Gain", "points", guess=(0.0, float("inf")))
    faint, harm, help = (trace.marker.color for trace in figure.data)
    scale = theme.diverging()
    assert (faint, harm, help) == (theme.FAINT[False], scale[1][1], scale[9][1])
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (0.0, figure.layout.xaxis.range[1])
    assert list(figure.data[0].error_x.arrayminus) == [8]
