"""Every page honours a link that hides its controls: none is drawn, and the figures are those of the page with them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from visiting import ROUTER, charts, errors, parts, said, visit

from shlpt.results import frames
from shlpt.results.recorded import recorded
from shlpt.ui import stage
from shlpt.ui.navigation import PAGES

STATES: list[tuple[str, Mapping[str, str]]] = [
    *((entry.path, {}) for entry in PAGES),
    ("live.py", {"runs": "RUN"}),
    ("runs.py", {"run": "RUN"}),
    ("transfer.py", {"matrix": "new"}),
    *(("learn.py", {"lesson": "harm", "step": str(step), "guess": "-10"}) for step in (1, 2)),
    ("learn.py", {"lesson": "real", "step": "4", "guess": "0"}),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppTest]:
    """One visitor who goes from page to page; nothing is trained."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SHLPT_HOME", str(tmp_path_factory.mktemp("stage")))
        yield AppTest.from_file(str(ROUTER), default_timeout=60).run()


def run() -> str:
    store = recorded()
    assert store is not None
    found = frames.runs(store)
    return str(found.loc[(found["method"] == "shlpt") & (found["tasks"].map(len) == 4), "id"].iloc[0])


def opened(app: Any, page: str, address: Mapping[str, str]) -> Any:
    app.switch_page(f"../../pages/{page}")
    app.query_params.clear()
    for key, value in address.items():
        app.query_params[key] = run() if value == "RUN" else value
    app.run()
    assert errors(app) == []
    return app


def nodes(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        if hasattr(child, "children"):
            yield from nodes(child)
        else:
            yield child


def controls(app: Any) -> list[str]:
    """Labels of all controls in the browser, whatever this test has not heard of included."""
    snake = re.compile(r"(?<=[a-z])(?=[A-Z])")
    found = []
    for node in nodes(app._tree):
        proto = node.proto
        kind = snake.sub("_", type(proto).DESCRIPTOR.name).lower()
        is_table = kind in ("arrow", "arrow_data_frame", "dataframe")
        selects = is_table and (len(proto.selection_mode) or proto.editing_mode)
        if (kind in stage.CONTROLS or selects) and "-stage-" not in getattr(proto, "id", ""):
            found.append(getattr(proto, "label", kind))
    return found


@pytest.mark.parametrize(
    ("page", "address"), STATES, ids=lambda given: given if isinstance(given, str) else "-".join(given.values())
)
def test_with_all_hidden_no_control_is_drawn_and_the_figures_are(
    app: Any, page: str, address: Mapping[str, str]
) -> None:
    free = opened(app, page, address)
    drawn, alts, parts_drawn = controls(free), [one["alt"] for one in charts(free)], {*parts(free)}
    assert drawn or page == "threshold.py"
    bare = opened(app, page, dict(free.query_params) | dict(address) | {"stage": "1"})
    assert controls(bare) == []
    assert [one["alt"] for one in charts(bare)] == alts
    assert {*parts(bare)} == parts_drawn
    assert not any(one.get("clicks") or one.get("moves") or one.get("still") is False for one in charts(bare))
    assert "could not be restored" not in said(bare)


def test_of_the_parts_that_a_link_names_all_and_only_they_are_drawn(app: Any) -> None:
    opened(app, "similarity.py", {"stage": "1.delta.commands", "delta": "0.3"})
    assert controls(app) == ["Threshold δ"]
    assert app.slider[0].value == 0.3
    assert any("command line" in fold.label for fold in app.expander)
    app.slider[0].set_value(0.9).run()
    assert controls(app) == ["Threshold δ"]
    assert app.slider[0].value == 0.9


def test_a_control_that_is_left_out_has_the_value_of_the_address(app: Any) -> None:
    opened(app, "tasks.py", {"stage": "1", "task": "wic", "dial": "-0.5"})
    assert "dial:-0.50" in said(app)
    assert "stands in for" in said(app)
    assert app.session_state["task-choice"] == "wic"
    next(button for button in app.button if button.label == "Show all controls").click().run()
    assert "stage" not in app.query_params
    assert app.slider(key="dial").value == -0.5


def test_a_link_of_another_version_opens_and_says_what_it_lacks(app: Any) -> None:
    opened(app, "tasks.py", {"stage": "7.dial.gone", "dial": "12", "colour": "red", "task": "no such task"})
    found = app.warning[0].value.replace("\\", "")
    assert found.startswith("Not everything in this link could be restored. It is of another version (7")
    for what in ("control named gone", "choice named colour", "dial=12"):
        assert what in found
    assert any("no such task" in warning.value for warning in app.warning[1:])
    assert "Relatedness of the second task to the first" in controls(app)


def test_a_run_that_only_this_store_has_is_named_before_the_link_is_given_out(home: Any) -> None:
    mine = visit("similarity.py")
    id = mine.query_params["run"][0]
    mine.session_state["stage-class"] = True
    mine.run()
    warning = next(one.value for one in mine.warning if "Only your app has" in one.value)
    assert id in warning
    assert stage.part_of("selectbox", "run-choice", "Run").title in mine.get("button_group")[0].options
