"""Messages about unknown names: the nearest known one, and all there are."""

from shlpt.errors import unknown


def test_the_nearest_name_is_suggested_and_all_are_listed_in_alphabetical_order() -> None:
    known = ["sst2", "yelp"]
    assert str(unknown("task", "yelpp", known)) == "unknown task 'yelpp': did you mean 'yelp'? Known: sst2, yelp"
    assert "did you mean 'sst2'?" in str(unknown("task", "SST2", known))
    assert str(unknown("task", "weather", {"sst2": 1, "cb": 2})) == "unknown task 'weather': Known: cb, sst2"


def test_of_a_long_list_the_nearest_names_are_shown() -> None:
    said = str(unknown("run", "r12x", [f"r{number:03}" for number in range(200)]))
    assert said.startswith("unknown run 'r12x': did you mean 'r1")
    assert "Nearest of 200: " in said
    assert len(said) < 120
