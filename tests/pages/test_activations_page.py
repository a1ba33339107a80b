"""The page of activations: two runs side by side, layers, neurons, and a readable word where there is nothing."""

from typing import Any

import pytest
from visiting import charts, figures, said, visit, whole

PAGE = "activations.py"


pytestmark = pytest.mark.usefixtures("only_looked")


def opened(looked: Any, name: str, **address: str) -> Any:
    return whole(PAGE, {"run": looked.ids[name], **address})


def words(app: Any) -> str:
    return said(app) + "".join(info.value for info in app.info)


def test_the_run_without_asc_is_found_and_shown_beside(looked: Any) -> None:
    app = opened(looked, "shlpt")
    assert app.selectbox("other-choice").value == looked.ids["no_asc"]
    first, second, change, neurons = figures(app)
    for i in range(3):
        for k in range(3):
            assert change["data"][0]["z"][i][k] == pytest.approx(
                first["data"][0]["z"][i][k] - second["data"][0]["z"][i][k]
            )
    assert len(neurons["data"]) == 2
    assert "without ASC" in words(app)
    assert all(chart["alt"].endswith(".") for chart in charts(app))
    assert opened(looked, "no_asc").selectbox("other-choice").value == looked.ids["shlpt"]


def test_no_twin_says_how_to_train_it(looked: Any) -> None:
    app = opened(looked, "uniform")
    assert app.selectbox("other-choice").value == "none"
    assert len(figures(app)) == 2
    assert any("--set estimator=uniform" in code.value and "lambda_asc=0" in code.value for code in app.code)


def test_layer_measure_and_neurons_change_the_view(looked: Any) -> None:
    app = opened(looked, "shlpt")
    before = figures(app)
    again = opened(looked, "shlpt", layer="1", measure="jaccard", by="active", b="sst2")
    assert figures(again)[0]["data"][0]["z"] != before[0]["data"][0]["z"]
    assert figures(again)[3]["data"][1]["name"] == "pocket/sst2"
    assert "Jaccard" in figures(again)[0]["layout"]["title"]["text"]


@pytest.mark.parametrize(
    ("name", "message", "charts"),
    [("finetune", "keeps no prompt", 0), ("waiting", "", 1), ("one_task", "no pair to compare", 1), ("oracle", "", 2)],
)
def test_what_there_is_is_shown_and_the_rest_is_said(looked: Any, name: str, message: str, charts: int) -> None:
    app = opened(looked, name)
    assert message in words(app)
    assert len(figures(app)) == charts


@pytest.mark.parametrize(
    "address", [{"run": "zzz"}, {"other": "<i>x</i>"}, {"layer": "9", "measure": "x", "a": "yelp", "by": "$"}]
)
def test_an_address_edited_by_hand_breaks_nothing(looked: Any, address: dict[str, str]) -> None:
    app = visit(PAGE, {"run": looked.ids["shlpt"]} | address)
    assert not app.exception
    assert len(figures(app)) >= 2
    assert len([warning for warning in app.warning if "not here" in warning.value]) == len(address)
