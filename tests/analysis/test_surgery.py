"""What changes in the answers, counted by hand; what is asked, and kind answers to mistakes."""

import pandas as pd
import pytest

from shlpt.analysis import surgery
from shlpt.analysis.answers import mcnemar
from shlpt.errors import UserError

EARLIER = ("yelp", "ask:price/hotel/no-yes@8", "a=b")


def stored() -> pd.DataFrame:
    """Eight test texts, six of them right."""
    rows = [(f"e{n}", f"text {n}", "good", "good" if n < 6 else "bad", float(n < 6)) for n in range(8)]
    return pd.DataFrame(rows, columns=["example", "text", "target", "answer", "score"])


AFTER = ["bad", "bad", "odd", "good", "good", "good", "good", "odd"]
SCORES = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0]


def test_changed_answers_are_counted_by_what_becomes_of_them() -> None:
    found = surgery.effect(stored(), AFTER, SCORES)
    assert (found["worse"], found["better"], found["neither"]) == (3, 1, 1)
    assert (found["before"], found["after"], found["test"]["difference"]) == (0.75, 0.5, -0.25)
    by_hand = mcnemar(SCORES, list(stored()["score"]))
    assert (found["test"]["p"], found["test"]["ci95"]) == (by_hand["p"], by_hand["ci95"]) != (None, None)
    rows = surgery.changed(stored(), AFTER, SCORES)
    assert list(rows["change"]) == ["worse"] * 3 + ["better", "neither"]
    assert list(rows["example"]) == ["e0", "e1", "e2", "e6", "e7"]
    assert rows.iloc[3][["target", "before", "after"]].tolist() == ["good", "bad", "good"]
    assert surgery.flat(found)["low"] == by_hand["ci95"][0]  # type: ignore[index]


def test_the_sentence_has_the_change_its_interval_and_says_what_is_unclear() -> None:
    few = surgery.said(surgery.effect(stored(), AFTER, SCORES))
    assert few.startswith("75.0 % → 50.0 % on 8 test texts: −25.0 [")
    assert "(McNemar, p = .625). 5 answers change (1 better, 3 worse)." in few
    assert few.endswith("The difference is not clear with so few texts.")
    many = pd.concat([stored()] * 8, ignore_index=True)
    assert "not clear" not in surgery.said(surgery.effect(many, ["x"] * 64, [0.0] * 64))
    same = surgery.said(surgery.effect(stored(), list(stored()["answer"]), list(stored()["score"])))
    assert same == "No answer changes: 75.0 % on 8 test texts, as stored."
    other = ["good"] * 6 + ["odd", "odd"]
    assert surgery.said(surgery.effect(stored(), other, list(stored()["score"]))) == (
        "75.0 % → 75.0 % on 8 test texts. 2 answers change, none of them for better or worse."
    )
    assert "50.0 % with the own prompt alone: −25.0 [" in surgery.said_of_all(surgery.effect(stored(), AFTER, SCORES))


def test_factors_are_read_from_names_of_every_kind() -> None:
    assert surgery.factors(EARLIER) == dict.fromkeys(EARLIER, 1.0)
    assert surgery.factors(EARLIER, ["all"]) == dict.fromkeys(EARLIER, 0.0)
    found = surgery.factors(EARLIER, ["pocket/yelp"], ["a=b=0.5", "ask:price/hotel/no-yes@8=2"])
    assert list(found.values()) == [0.0, 2.0, 0.5]
    assert surgery.asked(found) == ["yelp=0", "ask:price/hotel/no-yes@8=2", "a=b=0.5"]
    assert surgery.factors(EARLIER, scale=surgery.asked(found)) == found


@pytest.mark.parametrize(
    ("without", "scale", "said"),
    [
        (["yelpp"], [], "did you mean 'yelp'"),
        ([], ["yelp"], "for example yelp=0.5"),
        ([], ["yelp=x"], "a number from 0"),
        ([], ["yelp=nan"], "a number from 0"),
        ([], ["yelp=-0.1"], "a number from 0"),
        ([], ["yelp=2.1"], "to 2 (doubled)"),
        (["yelp"], ["yelp=0.5"], "both taken out and scaled"),
        ([], ["yelp=1", "pocket/yelp=2"], "both"),
    ],
)
def test_what_cannot_be_meant_is_refused(without: list[str], scale: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said.replace("(", r"\(").replace(")", r"\)")):
        surgery.factors(EARLIER, without, scale)
