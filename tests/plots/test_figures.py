"""One contract over all figures: light, dark, empty, hostile names, numbers known by hand."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shlpt.analysis.surgery import ALL, OWN
from shlpt.plots import (
    accuracy_matrix,
    activation_map,
    alpha,
    alpha_text,
    claims,
    compare,
    confusion,
    curves,
    dial,
    finding,
    guess_cell,
    guess_curve,
    league,
    losses,
    neurons,
    overlap,
    partition,
    positions,
    relatedness,
    relating,
    sides,
    similarity,
    surgery,
    sweep,
    theme,
    threshold,
    transfer_matrix,
    validation,
    votes,
    words,
)
from shlpt.plots.library import TRACES
from shlpt.tasks.describe import Dialled
from shlpt.tasks.find import find_task
from shlpt.tasks.task import Task

NAN = float("nan")
EVIL = "<img src=x onerror=alert(1)>"


def frame(columns: str, *rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=columns.split())


def table(columns: str, text: str, name: str = "sst2") -> pd.DataFrame:
    """Rows apart by semicolons; NAME is a name to put in."""

    def value(word: str) -> Any:
        if word == "NAME" or (word.isidentifier() and word != "nan"):
            return word.replace("NAME", name)
        return json.loads(word.replace("nan", "NaN"))

    return frame(columns, *(tuple(map(value, row.split())) for row in text.split(";")))


@dataclass
class Case:
    """A figure and its arguments, with a name to put in. Without data it gets the first one empty, or what is said."""

    module: Any
    full: Callable[[str], tuple[Any, ...]]
    empty: tuple[Any, ...] = ()
    kind: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.figure = getattr(self.module, f"figure{self.kind}")
        self.alt = getattr(self.module, f"alt{self.kind}")
        first, *rest = self.full("sst2")
        self.empty = self.empty or (pd.DataFrame(columns=list(first)), *rest)


LOSSES = "seed task step epoch loss down hsc asc"
SIMILARITY = "seed task earlier step mean low high"
PARTITION = "seed task earlier step dissimilar flips"
OVERLAP = "seed task earlier epoch overlap"
VALIDATION = "seed task epoch validation"
TRANSFER = "source target value low high q clear"
METRICS = "method metric mean low high"
BY_TASK = "method task mean low high"
ALPHA = "example earlier alpha"
WORDS = "place word earlier weight"
NEURONS = "neuron first second"
POINTS = "source target relation score score_low score_high transfer low high"
BENEFIT = "delta benefit low high"
LEAGUE = "estimator measure value low high"
SURGERY = "without worse better neither before after"
CURVES = "which epoch validation"
CLAIMS = "label value low high says"
RELATING = "source target relation degree value low high n"
FINDING = "effect source epoch mean low high seeds"
HALF = [[1.0, 0.5], [0.5, 1.0]]
NAMELESS = ("positions", "sides", "guess_curve")  # no name of a task or method is in them


def toy(name: str) -> Task:
    return Task(name=name, family="", labels=("a",), draw=lambda *_: [])


def related(name: str) -> tuple[Any, ...]:
    return ([find_task("yelp"), find_task("contrary:yelp"), toy(name)],)


def of(columns: str, text: str, *more: Any) -> Callable[[str], tuple[Any, ...]]:
    return lambda name: (table(columns, text, name), *more)


CASES = {
    "losses": Case(
        losses, of(LOSSES, "1 yelp 1 1 2.0 2.0 nan nan; 1 NAME 1 1 2.0 1.0 0.5 nan; 2 NAME 1 1 3.0 2.0 0.5 nan")
    ),
    "similarity": Case(similarity, of(SIMILARITY, "1 sst2 NAME 1 0.5 0.4 0.7; 1 sst2 yelp 1 0.5 0.4 0.6", 0.06, 2)),
    "partition": Case(partition, of(PARTITION, "1 sst2 NAME 1 0.2 0; 1 sst2 NAME 2 0.9 1")),
    "overlap": Case(overlap, of(OVERLAP, "1 sst2 NAME 1 0.2; 1 sst2 NAME 2 0.9")),
    "validation": Case(validation, of(VALIDATION, "1 NAME 1 0.25; 2 NAME 1 0.75")),
    "accuracy_matrix": Case(
        accuracy_matrix, lambda n: ([[0.5, NAN], [0.25, 1.0]], ["yelp", n]), ([[NAN, NAN]] * 2, ["yelp", "sst2"])
    ),
    "transfer_matrix": Case(
        transfer_matrix,
        lambda n: (
            table(TRANSFER, "yelp NAME 2.5 1.0 4.0 0.01 1; NAME yelp -0.5 -2.0 1.0 0.4 0", n),
            ["yelp", n, "rte"],
        ),
    ),
    "relating": Case(
        relating, of(RELATING, "NAME yelp same 0.7 10 5 15 3", frame(RELATING)), (frame(RELATING), frame(RELATING))
    ),
    "finding": Case(
        finding,
        of(FINDING, "helps NAME 1 0.9 0.8 1.0 2; harms yelp 1 0.4 0.4 0.4 2", frame(FINDING)),
        (frame(FINDING), frame(FINDING)),
    ),
    "alpha": Case(alpha, of(ALPHA, ";".join(f"e{i} NAME 0.{i}" for i in range(10)), 0.45)),
    "alpha_text": Case(alpha_text, lambda n: (table("earlier alpha before", "yelp 0.2 nan; NAME 0.8 0.7", n), 0.06, n)),
    "words": Case(words, of(WORDS, "0 NAME yelp 0.5; 1 b yelp -0.7", "yelp")),
    "neurons": Case(neurons, lambda n: (table(NEURONS, "3 0.5 0.25; 7 1.0 0.0"), n, "yelp")),
    "activation_map": Case(activation_map, lambda n: (HALF, ["yelp", n]), ([], [])),
    "activation_difference": Case(
        activation_map,
        lambda n: ([[0.0, -0.5], [0.25, 0.0]], ["yelp", n]),
        ([], []),
        more={"difference": True, "measure": "jaccard"},
    ),
    "positions": Case(
        positions,
        of(
            "which position mean low high seeds",
            "final 1 0.5 0.4 0.6 3; final 2 0.7 nan nan 1; learned 1 0.9 0.8 1.0 3",
        ),
    ),
    "sweep": Case(sweep, lambda n: (table("value seed acc", "0.1 1 0.5; 0.1 2 0.7; 0.2 1 0.8"), n, {0.1: 80.0})),
    "sides": Case(sides, of("value q5 q50 q95 similar", "0.4 0.1 0.3 0.9 0.25; 0.1 0.1 0.3 0.9 0.75")),
    "confusion": Case(confusion, lambda n: ([[0.75, 0.25], [0.5, 0.5]], ["yelp", n]), ([], [])),
    "compare": Case(compare, of(METRICS, "NAME acc 0.8 0.7 0.9; shlpt acc 0.9 nan nan; NAME fwt 0.0 0 0", "acc")),
    "compare_tasks": Case(compare, of(BY_TASK, "shlpt NAME 0.8 0.7 0.9; joint NAME 0.5 0.4 0.6"), kind="_tasks"),
    "compare_curves": Case(
        compare, of("method seed epoch validation", "NAME 1 1 0.5; NAME 2 1 0.7; shlpt 1 1 0.25"), kind="_curves"
    ),
    "relatedness": Case(relatedness, related, ([],)),
    "curves": Case(curves, of(CURVES, "NAME 1 0.5; alone 1 0.25")),
    "threshold": Case(
        threshold,
        of(POINTS, "NAME yelp same 0.5 0.4 0.6 3.0 1.0 5.0; yelp NAME unrelated 0.1 nan nan -2.0 nan nan", 0.3, "α"),
    ),
    "league": Case(
        league, of(LEAGUE, "NAME roc 0.7 0.6 0.8; random roc 0.5 nan nan; NAME ndcg 0.9 0.8 1.0", "roc", "ROC")
    ),
    "surgery": Case(surgery, of(SURGERY, "NAME 3 1 0 0.8 0.7; yelp 0 0 2 0.8 0.8; all 4 0 1 0.8 0.6")),
    "claims": Case(claims, of(CLAIMS, "NAME 7 -1 15 unclear; sst2 -43 -51 -36 below", "Gain", "points")),
    "guess_curve": Case(guess_curve, of("x mean low high", "0 0.7 0.6 0.8; 1 0.1 0.1 0.2", [0, 1], [0.5], 1, "x", "y")),
    "guess_cell": Case(guess_cell, lambda n: (table(TRANSFER, "yelp NAME 2 1 4 0.01 1", n), ["yelp", n], "yelp", n, 9)),
    "votes": Case(votes, of("option count right", "NAME 3 true; yelp 1 false")),
    "dial": Case(dial, lambda n: ([Dialled(n, 0.5, 0.5, n, "high")], 0.5), ([], 0.5)),
}


def drawn(case: Case, arguments: tuple[Any, ...], dark: bool = False) -> dict[str, Any]:
    figure = case.figure(*arguments, **case.more, dark=dark)
    found: dict[str, Any] = json.loads(figure.to_json())
    return found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", CASES)
def test_a_figure_is_drawn_in_its_theme_with_names_on_both_axes(name: str, dark: bool) -> None:
    case = CASES[name]
    arguments = case.full("sst2")
    before = repr(arguments)
    figure = drawn(case, arguments, dark)
    assert repr(arguments) == before, "drawing changes nothing of what it is given"
    layout = figure["layout"]
    assert figure["data"]
    assert {trace["type"] for trace in figure["data"]} <= TRACES, "the browser's part of the library draws no others"
    assert layout["template"]["layout"]["paper_bgcolor"] == theme.GROUND[dark]
    assert layout["xaxis"]["title"]["text"]
    assert layout["yaxis"]["title"]["text"]
    assert layout["height"] >= 200
    assert layout["uirevision"]
    assert "NaN" not in json.dumps(figure)


@pytest.mark.parametrize("name", CASES)
def test_without_data_the_figure_says_what_is_missing(name: str) -> None:
    case = CASES[name]
    figure = drawn(case, case.empty)
    assert figure["data"] == []
    assert len(figure["layout"]["annotations"][0]["text"].split()) >= 4
    assert figure["layout"]["xaxis"]["title"]["text"]
    assert len(case.alt(*case.empty, **case.more)) > 20


@pytest.mark.parametrize("name", CASES)
def test_a_name_with_html_is_never_markup_and_the_text_alternative_has_a_number(name: str) -> None:
    case = CASES[name]
    figure = json.dumps(drawn(case, case.full(EVIL)))  # Plotly itself writes < as \\u003c
    assert "<img" not in figure
    assert "&lt;img" in figure or name in NAMELESS
    text = case.alt(*case.full("sst2"), **case.more)
    assert text.endswith(".")
    assert any(letter.isdigit() for letter in text)
    assert "nan" not in text.lower().split()


# --- numbers known by hand ----------------------------------------------------------------
def test_tasks_follow_each_other_in_the_losses() -> None:
    rows = losses.numbers(CASES["losses"].full("sst2")[0])
    down = rows[rows["part"] == "down"]
    assert list(down["x"]) == [1, 2]
    assert list(down["mean"]) == [2.0, 1.5]
    assert down["high"].iloc[1] == pytest.approx(1.5 + 0.5**0.5)  # the deviation of 1 and 2
    assert "asc" not in set(rows["part"])


def test_mistakes_are_listed_the_most_frequent_first() -> None:
    shares = [[0.7, 0.3, 0.0], [0.5, 0.4, 0.1], [0.0, 0.0, 1.0]]
    found = confusion.numbers(shares, ["yelp", "sst2", "rte"])
    assert found.to_numpy().tolist() == [["sst2", "yelp", 0.5], ["yelp", "sst2", 0.3], ["sst2", "rte", 0.1]]
    said = confusion.alt(shares, ["yelp", "sst2", "rte"])
    assert "on average 70 % of a task's texts are answered by its own prompt" in said
    assert said.endswith("most often pocket/sst2 is mistaken for pocket/yelp (50 %).")
    assert "mistaken" not in confusion.alt([[1.0, 0.0], [0.0, 1.0]], ["yelp", "sst2"])


def test_similarity_is_shown_seed_by_seed_with_the_threshold_and_the_uniform_level() -> None:
    text = "1 rte yelp 1 0.9 0.9 0.9; 1 sst2 yelp 1 0.2 0.1 0.3; 2 sst2 yelp 1 0.4 0.3 0.7"
    rows = table(SIMILARITY, text)
    assert similarity.numbers(rows)[["seed", "mean"]].to_numpy().tolist() == [[1, 0.2], [2, 0.4]]
    assert similarity.numbers(rows, "rte")["mean"].tolist() == [0.9]
    assert "pocket/yelp 0.20 to 0.40" in similarity.alt(rows)
    figure = similarity.figure(*CASES["similarity"].full("rte"))
    assert [note.text for note in figure.layout.annotations] == ["δ = 0.06", "uniform 1/2"]
    assert [shape.y0 for shape in figure.layout.shapes] == [0.06, 0.5]


def test_the_last_batch_of_each_seed_says_which_task_is_nearest_now() -> None:
    text = "1 cb yelp 1 0.9 0 1; 1 cb rte 1 0.1 0 1; 1 cb yelp 2 0.4 0 1; 1 cb rte 2 0.6 0 1; 2 cb yelp 1 0.8 0 1; "
    rows = similarity.latest(table(SIMILARITY, f"{text}2 cb rte 1 0.2 0 1; 2 rte yelp 9 1 0 1"), "cb")
    found = [(1, "rte", 0.6), (1, "yelp", 0.4), (2, "rte", 0.2), (2, "yelp", 0.8)]
    assert sorted(rows.itertuples(index=False, name=None)) == found


def test_a_seed_that_has_ended_keeps_its_last_value() -> None:
    alphas = [(1, 0.9), (1, 0.7), (2, 0.1), (2, 0.3), (2, 0.5)]  # seed 1 stops after two steps
    steps = (1, 2, 1, 2, 3)
    away = [(seed, "sst2", "yelp", step, a, 0) for step, (seed, a) in zip(steps, alphas, strict=True)]
    assert partition.numbers(frame(PARTITION, *away))["dissimilar"].tolist() == pytest.approx([0.5, 0.5, 0.6])
    scores = [(1, "b", 1, 0.5), (2, "b", 1, 1.0), (2, "b", 2, 0.0), (1, "a", 1, 0.25)]  # a has not begun with seed 2
    found = validation.numbers(frame(VALIDATION, *scores))
    known = [["b", 1, 0.75, 2], ["b", 2, 0.25, 2], ["a", 1, 0.25, 1]]
    assert found[["task", "epoch", "mean", "seeds"]].to_numpy().tolist() == known


def test_each_seed_has_its_own_line_where_seeds_may_be_certain_of_different_tasks() -> None:
    rows = [(seed, "sst2", "yelp", step, a, a - 0.1, a) for seed, a in ((1, 0.9), (2, 0.1)) for step in (1, 2)]
    (seeds,) = similarity.figure(frame(SIMILARITY, *rows)).data  # and no mean, which no seed has
    assert (list(seeds.x), list(seeds.y)) == ([1, 2, None, 1, 2, None], [0.9, 0.9, None, 0.1, 0.1, None])
    band, _ = similarity.figure(frame(SIMILARITY, *rows[:2])).data
    assert band.fill == "toself"  # of one seed the instances


def test_flips_are_counted_seed_by_seed() -> None:
    shares = {1: ((0.0, 0), (1.0, 1), (0.0, 2)), 2: ((0.0, 0), (0.0, 0), (1.0, 1))}
    rows = [(seed, "sst2", "yelp", step, *v) for seed, values in shares.items() for step, v in enumerate(values)]
    assert partition.flips(frame(PARTITION, *rows)) == {"yelp": [2, 1]}
    assert [partition.counted(counts) for counts in ([2, 1], [3, 3], [4])] == ["1 to 2", "3", "4"]
    drawn = partition.figure(frame(PARTITION, *rows))
    assert list(drawn.layout.yaxis.ticktext) == ["pocket/yelp (1 to 2)"]
    assert "of 2 seeds" in drawn.layout.title.text
    assert partition.numbers(frame(PARTITION, *rows))["dissimilar"].tolist() == [0.0, 0.5, 0.5]


def test_overlap_and_validation_have_the_deviation_over_seeds() -> None:
    rows = validation.numbers(frame(VALIDATION, (1, "yelp", 1, 0.25), (2, "yelp", 1, 0.75)))
    assert rows[["mean", "seeds"]].to_numpy().tolist() == [[0.5, 2]]
    assert rows["low"].item() == pytest.approx(0.5 - 0.125**0.5)
    assert overlap.numbers(CASES["overlap"].full("yelp")[0])["mean"].tolist() == [0.2, 0.9]


def test_the_accuracy_matrix_averages_over_seeds_and_leaves_out_what_is_missing() -> None:
    mean, sd, count = accuracy_matrix.numbers([[[0.5, NAN], [0.2, 1.0]], [[0.7, NAN], [NAN, 1.0]]])
    np.testing.assert_allclose(mean, [[0.6, NAN], [0.2, 1.0]])
    np.testing.assert_allclose(sd[0, 0], 0.02**0.5)
    assert count.tolist() == [[2, 0], [1, 2]]


def test_unclear_cells_of_transfer_fade_and_clear_ones_are_bold() -> None:
    names, value, clear = transfer_matrix.numbers(*CASES["transfer_matrix"].full("sst2"))
    assert names == ["yelp", "sst2", "rte"]
    assert value[0, 1] == 2.5
    assert np.isnan(value[2]).all()
    assert np.argwhere(clear).tolist() == [[0, 1]]
    figure = transfer_matrix.figure(*CASES["transfer_matrix"].full("sst2"))
    assert (figure.data[0].zmin, figure.data[0].zmax) == (-2.5, 2.5)
    assert figure.data[0].text[0][1] == "+2.5"
    assert figure.data[0].textfont.color == "#ffffff"
    pale = figure.data[2]
    assert (pale.name, pale.z[1][0], pale.text[1][0], pale.z[0][1]) == (theme.FADED, -0.5, "−0.5", None)
    assert pale.colorscale[0][1] == theme.pale(theme.diverging(), False)[0][1] != figure.data[0].colorscale[0][1]
    assert theme.pale([[0.0, "#000000"]], dark=False, share=0.25) == [[0.0, "#bfbfbf"]]


def test_what_has_no_interval_has_no_bar_and_what_no_zero_no_line() -> None:
    rows = table(METRICS, "shlpt acc 0.8 0.7 0.9; joint acc 0.9 nan nan; shlpt fwt 0.02 -0.01 0.05")
    acc, fwt = (compare.figure(rows, metric) for metric in ("acc", "fwt"))
    assert [trace.error_x.array[0] for trace in acc.data] == [pytest.approx(10), None]
    assert [list(trace.x) for trace in fwt.data] == [[2.0]]  # ACC is not on its axis
    assert (len(acc.layout.shapes), len(fwt.layout.shapes)) == (0, 1)
    assert {acc.data[0].marker.color, fwt.data[0].marker.color} == {theme.method_style("shlpt").color}


def test_bands_of_scores_end_at_100_percent() -> None:
    drawn = validation.figure(frame(VALIDATION, (1, "yelp", 1, 0.8), (2, "yelp", 1, 1.0)))
    assert max(drawn.data[0].y) == 1.0


def test_small_numbers_by_hand() -> None:
    assert activation_map.numbers([[1, 0.2], [0.4, 1]]) == {"mean": pytest.approx(0.3), "low": 0.2, "high": 0.4}
    rows = compare.numbers(frame(METRICS, ("shlpt", "acc", 0.5, 0.25, 0.75), ("joint", "fwt", NAN, NAN, NAN)))
    assert rows.to_numpy().tolist() == [["shlpt", "acc", 50.0, 25.0, 75.0]]
    rows = relatedness.numbers([find_task("yelp"), find_task("amazon"), find_task("contrary:yelp")])
    assert rows["degree"].tolist() == [1, 0.9, 0.4, 0.9, 1, 0.4, 0.4, 0.4, 1]
    assert set(relatedness.LETTERS) == set(relatedness.DEGREES)
    rows = curves.numbers(frame("which epoch validation", (curves.WITH, 1, 0.5), (curves.ALONE, 1, 0.25)))
    assert rows["mean"].tolist() == [0.5, 0.25]
    rows = alpha.numbers(CASES["alpha"].full("yelp")[0], 0.4)  # 0.4 itself is not above
    assert rows["similar"].tolist() == [0.5]
    assert rows["median"].item() == pytest.approx(0.45)


# --- one text and its words ---------------------------------------------------------------
def test_the_words_that_matter_most_come_first_and_repeated_ones_say_where_they_stand() -> None:
    rows = table(WORDS, "0 in yelp 0.1; 1 a yelp -0.7; 2 in yelp 0.3; 0 in rte 9.0")
    assert list(words.numbers(rows, "yelp")["place"]) == [1, 2, 0]
    assert list(words.numbers(rows, "yelp", 1)["word"]) == ["a"]
    assert drawn(CASES["words"], (rows, "yelp"))["layout"]["yaxis"]["ticktext"] == ["a", "in (3)", "in (1)"]
    rows = frame("place word earlier weight", (0, "in", "yelp", 0.0))
    assert not drawn(CASES["words"], (rows, "yelp"))["data"]
    assert "none" in words.alt(rows, "yelp")


def test_a_sweep_has_the_mean_of_its_seeds_beside_what_is_printed() -> None:
    rows = sweep.numbers(frame("value seed acc", (0.1, 1, 0.5), (0.1, 2, 0.7), (0.2, 1, 0.8)), "threshold", {0.2: 80.0})
    assert rows["mean"].to_list() == pytest.approx([60, 80])
    assert rows["paper"].fillna(0).to_list() == [0, 80]
    drawn = sweep.figure(frame("value seed acc", (0.1, 1, 0.5)), "threshold", {}, dark=True)
    assert not any(trace.name == sweep.PAPER for trace in drawn.data)


def test_answers_that_get_worse_stand_left_and_one_earlier_prompt_is_all_of_them() -> None:
    rows = CASES["surgery"].full("sst2")[0]
    assert (surgery.ALL, surgery.OWN) == (ALL, OWN)
    worse, better = surgery.figure(rows).data
    assert (list(worse.x), list(better.x)) == ([-3, 0, -4], [1, 0, 0])
    assert [worse.marker.color, better.marker.color] == [theme.diverging()[2][1], theme.diverging()[8][1]]
    assert surgery.alt(rows).endswith("own prompt alone 0 better and 4 worse.")
    assert list(surgery.numbers(rows[rows["without"] != "yelp"])["without"]) == ["sst2"]


def test_alpha_by_threshold_is_in_the_order_of_the_values() -> None:
    rows = frame("value q5 q50 q95 similar", (0.4, 0.1, 0.3, 0.9, 0.25), (0.1, 0.1, 0.3, 0.9, 0.75))
    assert sides.numbers(rows)["value"].to_list() == [0.1, 0.4]
    assert sides.alt(rows).endswith("0.1: 75%, 0.4: 25%.")
    assert positions.alt(frame("which position mean low high seeds", ("final", 1, 0.5, None, None, 1))).endswith(
        "1: 50%."
    )
