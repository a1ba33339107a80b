"""Groups of options become options of the command, and come back as the group."""

import inspect
from dataclasses import fields

from shlpt.cli.options import How, Tasks, Way, with_groups


def command(*, tasks: Tasks = None, how: How, way: Way) -> None:
    """What it does."""
    GIVEN.append((tasks, how, way))


GIVEN: list[tuple[str | None, How, Way]] = []


def test_every_field_of_a_group_is_an_option_in_its_place() -> None:
    names = list(inspect.signature(with_groups(command)).parameters)
    assert names == ["tasks", *(f.name for f in fields(How)), *(f.name for f in fields(Way))]
    assert with_groups(command).__doc__ == "What it does."


def test_what_is_given_arrives_in_its_group() -> None:
    GIVEN.clear()
    defaults = {name: option.default for name, option in inspect.signature(with_groups(command)).parameters.items()}
    with_groups(command)(**defaults | {"tasks": "a,b", "set": ["lr=0.2"], "lanes": 3})
    assert [("a,b", How(set=["lr=0.2"]), Way(lanes=3))] == GIVEN


def test_how_reads_settings_as_runs_are_made() -> None:
    found = How(preset="standard", set=["lr=0.2", "partition=instance"]).of("shlpt")
    usual = {"preset": "standard", "suite": "pocket", "backbone": "pocket", "dtype": "auto"}
    assert found == usual | {"method": "shlpt", "settings": {"lr": 0.2, "partition": "instance"}}
