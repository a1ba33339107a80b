"""Figures whose colours say something: help and harm, similar and dissimilar; and what is trained now."""

import pandas as pd

from shlpt.plots import alpha, alpha_text, curves, finding, relating, theme

CURVES = ["effect", "source", "seed", "epoch", "validation"]
NAN = float("nan")


def test_what_is_trained_now_is_bold_over_what_is_recorded_in_the_colours_of_help_and_harm() -> None:
    rows = [("alone", "", 1, 1, 0.5), ("alone", "", 2, 1, 0.7), ("helps", "a", 1, 1, 0.9), ("harms", "b", 1, 1, 0.2)]
    of_now = [("helps", "a", 3, 1, 1.0)]
    recorded, now = (finding.numbers(pd.DataFrame(curves, columns=CURVES)) for curves in (rows, of_now))
    lines = {line.name: line for line in finding.figure(recorded, now, str.upper).data if line.name}
    assert [lines[name].y[0] for name in ("alone", "after A", "after B", "after A, now")] == [0.6, 0.9, 0.2, 1.0]
    assert lines["after A"].line.color == lines["after A, now"].line.color == theme.effect_color("helps")
    assert theme.effect_color("helps") != theme.effect_color("harms") != theme.effect_color("alone")
    assert lines["after A"].line.width < lines["after A, now"].line.width
    assert (lines["after A"].showlegend, lines["after A, now"].showlegend) == (None, False)  # the legend never grows
    assert "after A 90% (recorded)" in finding.alt(recorded, now, str.upper)
    assert "after A 100% (now)" in finding.alt(recorded, now, str.upper)


def test_own_pairs_have_their_intervals_and_the_chosen_one_a_ring() -> None:
    recorded = pd.DataFrame([("x", "y", "other", -0.5, -12.0, -20.0, -4.0, 10)], columns=relating.COLUMNS)
    mine = [("a", "b", "same", 0.7, 10.0, 5.0, 16.0, 3), ("b", "a", "same", 0.7, -3.0, NAN, NAN, 1)]
    behind, own = relating.figure(recorded, pd.DataFrame(mine, columns=relating.COLUMNS), ("a", "b")).data
    assert (list(behind.x), list(behind.y), behind.error_y.array) == ([-0.5], [-12.0], None)
    assert (list(own.error_y.array), list(own.error_y.arrayminus)) == ([6, 0], [5, 0])
    assert list(own.marker.line.width) == [3, 0]
    assert list(own.marker.color) == [theme.effect_color("helps"), theme.effect_color("harms")]
    assert "nothing is claimed" in own.customdata[1]


def test_the_curve_after_another_task_has_the_colour_of_a_clear_effect() -> None:
    frame = pd.DataFrame([("with transfer", 1, 0.2), ("alone", 1, 0.9)], columns=["which", "epoch", "validation"])
    for effect, color in (("harms", theme.effect_color("harms")), ("unclear", theme.ACCENT[False])):
        lines = {line.name: line.line.color for line in curves.figure(frame, effect=effect).data if line.name}
        assert lines == {"with transfer": color, "alone": theme.FAINT[False]}
    assert "before harms" in curves.alt(frame, effect="harms")
    (line,) = (line for line in curves.figure(frame[frame["which"] == "alone"]).data if line.name)
    assert line.line.color == theme.FAINT[False]  # also while it is the only one: it does not change its looks


def test_similarity_is_green_or_purple_by_the_threshold_whatever_the_task() -> None:
    texts = pd.DataFrame([(f"e{n}", "sst2", n / 10) for n in range(10)], columns=["example", "earlier", "alpha"])
    for delta, similar in ((0.4, True), (0.5, False)):  # the mean is .45
        assert alpha.figure(texts, delta).data[0].line.color == theme.side_color(similar)
    one = pd.DataFrame([("yelp", 0.2, NAN), ("rte", 0.8, NAN)], columns=["earlier", "alpha", "before"])
    assert list(alpha_text.figure(one, 0.5).data[0].marker.color) == [theme.side_color(side) for side in (False, True)]
