"""The form follows the specification: every setting of every method, its range, its default."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from shlpt.catalog import METHODS
from shlpt.catalog.titles import TITLES, VALUES, value_of
from shlpt.plots import theme
from shlpt.spec import PRESETS, RunSpec, Training, settings_of
from shlpt.ui.forms import fields, grouped


def page(method: str, preset: str) -> None:
    import streamlit as st

    from shlpt.ui.forms import settings_form

    st.json(settings_form(method, preset))


def form(method: str = "shlpt", preset: str = "quick") -> Any:
    return AppTest.from_function(page, kwargs={"method": method, "preset": preset}).run()


def result(app: Any) -> Any:
    return json.loads(app.json[0].value)


@pytest.mark.parametrize("method", METHODS)
def test_every_setting_has_a_widget_and_nothing_is_changed_at_first(method: str) -> None:
    app = form(method)
    assert [error.message for error in app.exception] == []
    keys = {widget.key for widget in [*app.number_input, *app.selectbox, *app.text_input]}
    assert keys == set(Training.model_fields) | set(METHODS[method].params.model_fields)
    assert result(app) == {}


def test_no_label_is_an_identifier_and_no_title_is_of_a_setting_that_is_gone() -> None:
    names = set(Training.model_fields).union(*(info.params.model_fields for info in METHODS.values()))
    assert set(TITLES) <= names | {"dtype"}
    app = form()
    labels = [widget.label for widget in [*app.number_input, *app.selectbox]]
    assert {"Learning rate", "Threshold δ"} <= set(labels)
    assert [label for label in labels if "_" in label or label.islower()] == []


def test_values_are_shown_with_titles_and_every_title_is_of_a_value() -> None:
    rows = [row for info in METHODS.values() for row in (*settings_of(info.params), *settings_of(Training))]
    choices = {row["name"]: row["choices"] or () for row in rows}
    assert [(name, v) for name, values in VALUES.items() for v in values if v not in choices[name]] == []
    assert [(name, value) for name, some in choices.items() for value in some if "_" in value_of(name, value)] == []
    shown = [option for widget in form().selectbox for option in widget.options]
    assert "by the mean of a batch" in shown
    assert [option for option in shown if "_" in option] == []
    named = theme.side("shlpt estimator=uniform partition=instance threshold=0.3")
    assert named == "SHLPT Estimator none, equal α Partition for each text Threshold δ 0.3"


def test_links_and_commands_keep_identifiers() -> None:
    app = form()
    app.selectbox("partition").select("instance").run()
    assert app.query_params["partition"] in ("instance", ["instance"])
    again = AppTest.from_function(page, kwargs={"method": "shlpt", "preset": "quick"})
    again.query_params["partition"] = "instance"
    again.query_params["estimator"] = "nobody"
    assert result(again.run()) == {"partition": "instance"}
    assert "nobody" in again.warning[0].value
    again.selectbox("partition").set_value(None).run()
    assert (result(again), "partition" in again.query_params) == ({}, False)


def test_only_what_is_changed_is_returned_and_a_run_takes_it() -> None:
    app = form()
    app.number_input("epochs").set_value(3)
    app.text_input("temperature").set_value("0.5")  # `auto` while the field is empty
    app.text_input("estimator_lr").set_value("auto")
    app.selectbox("similar_transfer").select("no")
    app.selectbox("partition").select("instance")
    app.number_input("shots").set_value(8)  # the default
    found = result(app.run())
    own = {"similar_transfer": False, "partition": "instance", "estimator_lr": "auto"}
    assert found == {"epochs": 3, "temperature": 0.5} | own
    assert RunSpec.make(["yelp"], settings=found).training.epochs == 3
    app = form("oracle_partition")
    app.text_input("similar_pairs").set_value(" rte>cb ")
    assert result(app.run()) == {"similar_pairs": "rte>cb"}
    app.text_input("similar_pairs").set_value("declared")
    assert result(app.run()) == {}
    assert form(preset="standard").number_input("epochs").placeholder == str(PRESETS["standard"]["epochs"])
    assert form("finetune").number_input("lr").placeholder == "3e-05"
    assert form().text_input("temperature").placeholder == "auto"


@pytest.mark.parametrize(
    "model", [Training, *dict.fromkeys(info.params for info in METHODS.values())], ids=lambda m: m.__name__
)
def test_a_field_knows_kind_range_and_step(model: Any) -> None:
    for field in fields(model):
        assert field.help
        assert field.step > 0
        assert field.kind != "text" or not field.choices
        assert (field.kind == "choice") == bool(field.choices) or field.name in ("temperature", "estimator_lr")
        if field.kind in ("integer", "number") and isinstance(field.default, int | float):
            assert field.low is None or field.low <= field.default
            assert field.high is None or field.high >= field.default


@pytest.mark.parametrize("method", METHODS)
def test_every_setting_stands_in_one_group_and_few_come_first(method: str) -> None:
    names = [*Training.model_fields, *METHODS[method].params.model_fields]
    groups = grouped(names, METHODS[method].title)
    assert sorted(name for some in groups.values() for name in some) == sorted(names)
    title, first = next(iter(groups.items()))
    assert (title, 4 <= len(first) <= 5) == ("Main", True)
    assert max(map(len, groups.values())) <= 8


def test_a_bound_that_is_left_out_is_never_reached() -> None:
    lr = next(field for field in fields(Training) if field.name == "lr")
    assert 0 < lr.low < 0.001  # type: ignore[operator]
    assert lr.high == 10
