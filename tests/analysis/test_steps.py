"""What is said of a step, from numbers made by hand."""

from dataclasses import replace
from typing import Any

import pytest

from shlpt.analysis import steps as s

ABOUT = s.About("rte", ("yelp", "sst2"), 0.06)


def seen(loss: float, alpha: tuple[float, ...] = (), away: tuple[float, ...] = (), **more: Any) -> s.Seen:
    log = {"alpha": alpha, "dissimilar": away} if alpha else {}
    same = {"parts": {}, "answers": ("a", "b"), "right": (True, False)}
    return s.Seen(loss, log=log, **same | {"alphas": (alpha, alpha)} | more)


def step(before: s.Seen | None, after: s.Seen | None, **more: Any) -> s.Step:
    texts = {"examples": ("1", "2"), "texts": ("one", "two"), "targets": ("a", "c")}
    return s.Step(3, s.TRAINING, **texts, before=before, told={"loss": 1.52, "epoch": 1}, after=after, **more)


def test_alpha_that_stays_on_its_side_and_alpha_that_crosses() -> None:
    one = step(seen(1.52, (0.41, 0.07), (0.0, 0.0)), seen(1.31, (0.47, 0.05), (0.0, 1.0)))
    lines = s.said(one, ABOUT)
    assert "α of yelp rose from 0.41 to 0.47: it stays similar (above δ = 0.06)." in lines
    crossed = next(line for line in lines if "sst2" in line)
    assert crossed.startswith("α of sst2 fell from 0.07 to 0.05 and crossed δ = 0.06: sst2 becomes dissimilar")
    assert crossed.endswith("2 of the 2 texts crossed it.")
    assert lines.index(crossed) < next(n for n, line in enumerate(lines) if "yelp" in line)  # what turned comes first
    back = s.said(step(one.after, one.before), ABOUT)
    assert any("sst2 becomes similar, and its prompt is mixed in. 2 of" in line for line in back)
    alone = s.said(one, replace(ABOUT, pushes=False))
    assert any("sst2 becomes dissimilar. 2 of the 2" in line for line in alone)


def test_alpha_near_the_threshold_is_told_on_its_side() -> None:
    lines = s.said(step(seen(1, (0.05, 0.4), (1, 0)), seen(1, (0.0588, 0.4), (1, 0))), ABOUT)
    assert "α of yelp rose from 0.050 to 0.059: it stays dissimilar (not above δ = 0.06)." in lines


def test_alpha_that_hardly_changes_is_told_together() -> None:
    lines = s.said(step(seen(1, (0.41, 0.02), (0, 1)), seen(1, (0.412, 0.021), (0, 1))), ABOUT)
    assert "α of yelp (0.41, similar) and sst2 (0.02, dissimilar) hardly changed." in lines
    many = s.About("rte", tuple("abcde"), 0.06)
    even = seen(1, (0.2,) * 5, (0.0,) * 5)
    assert any("and 2 others hardly changed" in line for line in s.said(step(even, even), many))


def test_the_loss_and_its_parts_have_as_many_decimals_as_tell_them_apart() -> None:
    before, after = {"down": 1.4, "hsc": 0.12}, {"down": 1.21, "hsc": 0.1198}
    one = step(seen(1.52, parts=before), seen(1.3298, parts=after))
    assert s.headline(one) == "On these texts the loss fell from 1.52 to 1.33."
    assert (
        "Parts of the loss: 1.40 → 1.21 for the answers, 0.1200 → 0.1198 for pushing hidden states away (HSC)."
    ) in s.said(one, ABOUT)
    assert s.headline(step(seen(1.5), seen(1.5))) == "On these texts the loss stays at 1.50."
    assert "rose from 1.50 to 1.60" in s.headline(step(seen(1.5), seen(1.6)))


def test_the_prompt_and_the_nearest_earlier_one() -> None:
    one = step(seen(1), seen(1), moved=0.09, start=0.31, earlier=(0.5, 0.7), nearer=(0.1, -0.2))
    lines = s.said(one, ABOUT)
    assert lines[0] == "The prompt moved by 0.09, in sizes of a word embedding, and is now 0.31 from where it began."
    assert lines[1] == "The nearest earlier prompt is that of yelp: 0.60 away before, 0.50 now."
    still = s.said(replace(one, kind=s.WARM_UP, moved=0.0, start=0.0), ABOUT)
    assert still[:2] == ["Warm-up: only the estimator learns in this step.", "The prompt stays where it began."]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ((True, False), (True, False), "Answered right: 1 of the 2 texts before the step, and the same after it."),
        (
            (False, False),
            (True, False),
            "Answered right: 0 of the 2 texts before the step, 1 after it: 1 turned right.",
        ),
        (
            (True, False),
            (False, True),
            "Answered right: 1 of the 2 texts before the step, 1 after it: 1 turned right and 1 turned wrong.",
        ),
    ],
)
def test_answers_that_turn_are_counted(before: tuple[bool, bool], after: tuple[bool, bool], said: str) -> None:
    assert said in s.said(step(seen(1, right=before), seen(1, right=after)), ABOUT)


def test_a_first_task_a_given_partition_an_epoch_and_the_end() -> None:
    first = s.About("yelp", ())
    assert "There is no earlier task, so there is no α." in s.said(step(seen(1), seen(1)), first)
    given = replace(ABOUT, given=True, threshold=0.0)
    found = step(seen(1, (1.0, 0.0), (0.0, 1.0)), seen(1, (1.0, 0.0), (0.0, 1.0)))
    assert "The partition is given: similar yelp; dissimilar sst2." in s.said(found, given)
    ends = step(seen(1), seen(1), epoch={"epoch": 2, "validation": 0.75}, over="Training ends here.")
    assert s.said(ends, first)[-2:] == [
        "Epoch 3 ends: 75% of the validation texts are answered right.",
        "Training ends here.",
    ]
    own = s.said(replace(step(None, None), kind=s.FIRST), first)
    assert own[0] == "A step of the method's own phase before training."
    assert "The loss of this step was 1.520." in own


def test_before_the_first_step() -> None:
    ahead = s.Ahead(1, s.TRAINING, ("1", "2"), ("one", "two"), ("a", "c"), seen(1, (0.9, 0.02), (0.0, 1.0)))
    assert s.said_ahead(ahead, ABOUT) == [
        "Answered right with the initial prompt: 1 of the 2 texts of the first batch.",
        "α before anything is learned: yelp 0.90 (similar), sst2 0.02 (dissimilar).",
    ]


def test_rows_and_documents_have_the_same_numbers() -> None:
    one = step(seen(1.52, (0.41, 0.07), (0, 0)), seen(1.31, (0.47, 0.05), (0, 1)), earlier=(0.5, 0.7), nearer=(0, 0))
    row, document = s.as_row(one, ABOUT), s.as_document(one, ABOUT)
    assert (row["alpha yelp"], row["alpha yelp after"]) == (0.41, 0.47)
    assert document["before"]["alpha"] == {"yelp": 0.41, "sst2": 0.07}
    assert document["after"]["dissimilar"] == {"yelp": 0, "sst2": 1}
    assert (row["from sst2"], document["earlier"]["sst2"]) == (0.7, 0.7)
    assert document["said"] == s.said(one, ABOUT)
    assert s.as_brief_row(one, ABOUT)["α sst2"] == 0.05
