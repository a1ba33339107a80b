"""Tasks composed of a question, texts and answer words, and the refusal of what makes no sense."""

from random import Random

import pytest

from shlpt.errors import UserError
from shlpt.tasks import pocket
from shlpt.tasks import words as w
from shlpt.tasks.find import MOST_SHOTS, draw, find_task
from shlpt.tasks.grammar import DOMAINS, Asked, formats, parse

EVERY = [(question, domain.name) for domain in DOMAINS.values() for question in domain.questions]


@pytest.mark.parametrize(("question", "domain"), EVERY)
def test_every_question_can_be_asked_in_all_its_words(question: str, domain: str) -> None:
    rng = Random(f"{question}/{domain}")
    for words in formats(question, domain):
        asked = Asked(question, domain, words)
        assert parse(asked.name.removeprefix("ask:")) == asked
        for answer in range(len(asked.values)):
            text, target = asked.write(rng, answer)
            assert text == " ".join(text.split()) != ""
            assert target in asked.words or question == "find"


def test_a_text_says_other_things_beside_the_asked() -> None:
    rows = draw(find_task("ask:price/hotel/no-yes"), "train", 100, 0)
    kinds = {name: {adjective for level in levels for adjective in level} for name, levels in w.ASPECTS.items()}
    said = [{name for name, known in kinds.items() if known & set(e.text.split())} for e in rows]
    assert all("price" in found for found in said)
    assert set().union(*said) == set(w.ASPECTS)


def test_the_first_word_stands_for_the_first_value() -> None:
    cheap = set(w.ASPECTS["price"][2])
    for name, good in (("ask:price/hotel/no-yes", "yes"), ("ask:price/hotel/yes-no", "no")):
        for example in draw(find_task(name), "test", 50, 0):
            assert (example.target == good) == bool(cheap & set(example.text.split()))


def test_price_and_looks_often_agree() -> None:
    pretty, ugly = set(w.ASPECTS["looks"][2]), set(w.ASPECTS["looks"][0])
    rows = [(set(e.text.split()), e.target) for e in draw(find_task("ask:price/hotel/no-yes"), "train", 500, 0)]
    told = [(bool(words & pretty), target == "yes") for words, target in rows if words & (pretty | ugly)]
    share = sum(looks == price for looks, price in told) / len(told)
    assert share == pytest.approx(0.75, abs=4 * (0.25 * 0.75 / len(told)) ** 0.5)


def test_topics_are_answered_by_name_in_one_order() -> None:
    assert find_task("ask:topic/news/sports-world").name == "ask:topic/news/world-sports"
    assert {e.target for e in draw(find_task("ask:aside/forum/health-sports"), "train", 8, 0)} == {"health", "sports"}


def test_the_contrary_of_a_composed_task_is_composed() -> None:
    assert find_task("contrary:ask:price/hotel/no-yes").name == "ask:price/hotel/yes-no"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("ask:prise/hotel/no-yes", r"unknown question 'prise': did you mean 'price'\?"),
        ("ask:price/hotl/no-yes", r"unknown texts 'hotl': did you mean 'hotel'\?"),
        ("ask:price/hotel/no-yess", r"unknown answer word 'yess': did you mean 'yes'\?"),
        ("ask:price/hotel", "write it as ask:<question>/<texts>/<answers>"),
        ("ask:", "write it as"),
        ("ask:price/news/no-yes", "'price' cannot be asked of 'news': it can be asked of hotel, "),
        ("ask:topic/news/world", "is one answer only"),
        ("ask:topic/news/world-health", r"unknown answer word 'health'"),
        ("ask:price/hotel/yes-yes", "'yes' stands twice"),
        ("ask:price/hotel/yes-blue", "'yes-blue' are no answers to 'price': give one of no-yes, "),
        ("ask:price/hotel/one-two-three-four-five", "unknown answer word 'one'"),
        ("contrary:ask:topic/news/world-sports", "cannot be swapped"),
        ("ask:price/hotel/no-yes@0", f"from 1 to {MOST_SHOTS}"),
        ("ask:price/hotel/no-yes@", "after @ stands"),
        ("ask:price/hotel/no-yes@-3", "after @ stands"),
        ("ask:price/hotel/no-yes@8@9", "after @ stands"),
        ("sst2@99999999999", "after @ stands"),
        ("wic@10000", "task 'wic' has no more than .* ask for at most"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(
    name: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pocket, "ENOUGH_REPEATS", 10)  # the last new texts take long to find
    with pytest.raises(UserError, match=reason):
        find_task(name)


# --- its own number of examples -----------------------------------------------------------
def test_a_task_may_have_its_own_number_of_training_examples() -> None:
    few, plain = find_task("sst2@4"), find_task("sst2")
    assert (few.name, few.shots, few.base) == ("sst2@4", 4, "sst2")
    assert draw(few, "train", 32, 1) == draw(plain, "train", 4, 1)
    assert draw(few, "test", 32, 1) == draw(plain, "test", 32, 1)


def test_more_examples_begin_with_the_fewer() -> None:
    few, many = (draw(find_task(f"ask:price/hotel/no-yes@{n}"), "train", 8, 3) for n in (8, 32))
    assert many[: len(few)] == few
