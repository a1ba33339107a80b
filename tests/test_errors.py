"""Messages about unknown names: the nearest known one, and all there are."""

from shlpt.errors import unknown


def test_a_slip_of_the_pen_is_answered_with_the_nearest_name() -> None:
    found = unknown("task", "yelpp", ["sst2", "yelp"])
    assert str(found) == "unknown task 'yelpp': did you mean 'yelp'? Known: sst2, yelp"


def test_capital_letters_do_not_hide_the_nearest_name() -> None:
    assert "did you mean 'sst2'?" in str(unknown("task", "SST2", ["sst2", "yelp"]))


def test_nothing_is_suggested_where_nothing_is_near() -> None:
    assert str(unknown("task", "weather", ["sst2", "cb"])) == "unknown task 'weather': Known: cb, sst2"


def test_known_names_are_listed_in_alphabetical_order() -> None:
    assert str(unknown("x", "?", {"b": 1, "c": 2, "a": 3})).endswith("Known: a, b, c")
