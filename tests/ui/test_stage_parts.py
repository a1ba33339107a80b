"""Links that set a stage: what they say about controls, the part of a control, and what a page did not take."""

import pytest

from shlpt.ui import classroom, stage


def test_a_list_of_controls_is_written_and_read() -> None:
    assert stage.read(stage.written(["delta", "train", "delta"])) == stage.Asked(frozenset({"delta", "train"}), 1)
    assert stage.read(stage.written([])) == stage.Asked(frozenset(), 1)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("", stage.Asked(frozenset(), 0, True)),
        ("delta", stage.Asked(frozenset(), 0, True)),
        ("2.delta", stage.Asked(frozenset({"delta"}), 2)),
        ("1.delta.<b>.RUN", stage.Asked(frozenset({"delta"}), 1, True)),
        ("1." + "a." * 5000, stage.Asked(frozenset({"a"}), 1, True)),
        ("٣.delta", stage.Asked(frozenset({"delta"}), 3)),
    ],
)
def test_of_a_torn_list_what_can_be_read_is_used(value: str, found: stage.Asked) -> None:
    assert stage.read(value) == found


@pytest.mark.parametrize(
    ("kind", "key", "label", "part"),
    [
        ("selectbox", "run-choice", "Run", "run"),
        ("multiselect", "tasks-choices", "Tasks", "tasks"),
        ("slider", "delta-of-alpha", "Threshold δ", "delta"),
        ("number_input", "s_epochs", "Epochs", "settings"),
        ("button", "do-Pause", "Pause", "train"),
        ("button", "FormSubmitter:names-Save", "Save", "manage"),
        ("page_link", "", "Compare", "links"),
        ("expandable", "", "The same on the command line or in Python", "commands"),
        ("button", "", "Something new", "something-new"),
    ],
)
def test_a_control_belongs_to_a_part(kind: str, key: str, label: str, part: str) -> None:
    assert stage.part_of(kind, key, label).name == part
    assert stage.read(stage.written([part])).names == {part}  # a name that links can carry


def test_names_of_parts_are_short_and_unique() -> None:
    names = [part.name for part in stage.PARTS]
    assert len({*names}) == len({part.title for part in stage.PARTS}) == len(names)
    assert all(stage.NAME.fullmatch(name) and len(name) <= 12 for name in names)


SEEN = stage.Seen({"run": "Run", "dial": "Dial"}, {"run", "dial", "family"})


@pytest.mark.parametrize(
    ("link", "now", "said"),
    [
        ({"stage": ["1.run.dial"], "run": ["c1"], "dial": ["0.5"]}, {"dial": 0.5}, []),
        ({"stage": ["1"], "family": ["topic", "order"]}, {"family": ["order", "topic"]}, []),
        ({"stage": ["2.run"]}, {}, ["It is of another version (2; this app reads 1)."]),
        ({"stage": ["x"]}, {}, ["Its list of controls cannot be read, so all controls are shown."]),
        ({"stage": ["1.run.Ü"]}, {}, ["A part of its list of controls cannot be read."]),
        ({"stage": ["1.gone.run"]}, {}, ["This page has no control named gone."]),
        ({"stage": ["1"], "colour": ["red"]}, {}, ["This page has no choice named colour."]),
        ({"stage": ["1"], "dial": ["7"]}, {"dial": 0.5}, ["Not possible here: dial=7."]),
        ({"stage": ["1"], "dial": ["much"]}, {"dial": 0.5}, ["Not possible here: dial=much."]),
        (
            {"stage": ["1"], "family": ["topic", "none"]},
            {"family": ["topic"]},
            ["Not possible here: family=topic,none."],
        ),
    ],
)
def test_what_a_page_did_not_take_from_a_link_is_said(link: dict, now: dict, said: list[str]) -> None:  # type: ignore[type-arg]
    assert classroom.lost(link, SEEN, now) == said
