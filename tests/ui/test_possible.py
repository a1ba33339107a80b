"""What can be done to runs, by the states they are in."""

from shlpt.ui.control import possible

WISHES = """
done: | running: pause stop | queued: pause stop | paused: step stop resume | stopped done: resume | lost: resume
paused running: pause step stop resume
"""


def test_only_what_makes_sense_can_be_pressed() -> None:
    for line in WISHES.strip().replace("\n", " | ").split(" | "):
        states, wishes = line.split(":")
        assert possible(states.split(), True) == set(wishes.split()), states
    assert possible(["queued"], False) == {"pause", "stop", "resume"}  # nobody is there to train it
    assert (possible(["done"], False), possible(["failed"], False)) == (set(), {"resume"})
