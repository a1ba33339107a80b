"""The threshold page: statements where there is no number, and the state in the address."""

from pathlib import Path
from typing import Any

import pytest
from reading import specs_of
from visiting import charts, figures, said, visit, whole

from shlpt.results import recorded

PAGE = "threshold.py"


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results that come with the program, and no others."""
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "empty"))


def every(app: Any) -> str:
    boxes = [box.value for kind in (app.info, app.success, app.warning) for box in kind]
    return "\n".join([said(app), *map(str, boxes)])


@pytest.mark.usefixtures("empty_home")
def test_without_a_matrix_it_says_what_to_do() -> None:
    assert "needs a matrix" in every(whole(PAGE, {}))


@pytest.mark.usefixtures("home")
def test_a_small_matrix_gets_statements_instead_of_numbers() -> None:
    app = whole(PAGE, {"estimator": "oracle"})
    assert "a recommendation needs more" in every(app)
    league = next(frame.value for frame in app.dataframe if "estimator" in frame.value)
    assert {"oracle", "declared relatedness", "random"} <= set(league["estimator"])


@pytest.mark.usefixtures("real")
def test_the_recorded_matrix_has_a_recommendation_by_declared_relatedness_and_none_by_chance() -> None:
    app = whole(PAGE, {"estimator": "declared"})
    assert "Recommended δ" in every(app)
    assert len(charts(app)) == 3
    assert "No evidence for any δ" in every(whole(PAGE, {"estimator": "random"}))


@pytest.mark.usefixtures("real")
def test_alpha_is_judged_and_what_makes_its_threshold_vacuous_is_said() -> None:
    assert whole(PAGE, {}).select_slider  # the first view can be judged
    for estimator in ("alpha", "alpha_published"):
        app = whole(PAGE, {"estimator": estimator})
        assert "No evidence for any δ" in every(app)
        (levels,) = [frame.value for frame in app.dataframe if "of_uniform" in frame.value]
        assert levels["earlier"].iloc[-1] == "all, as a multiple of 1/n"
        below, above = (warned(whole(PAGE, {"estimator": estimator, "delta": delta})) for delta in ("0.05", "1"))
        said = "With 2 to 9 earlier tasks δ = 0.05 is below the uniform level"
        assert (said in below) == (estimator == "alpha_published")  # the other may say "none of them"
        assert "α is never above 1" in above


def warned(app: Any) -> str:
    """As it is read: markdown has a backslash before each sign."""
    return " ".join(one.value for one in app.warning).replace("\\", "")


@pytest.mark.usefixtures("real")
def test_moving_the_threshold_changes_line_numbers_and_address_and_a_link_shows_the_same() -> None:
    app = whole(PAGE, {"estimator": "declared", "cost": "0.8"})
    before = [metric.value for metric in app.metric]
    app.select_slider[0].set_value(90).run()
    assert [metric.value for metric in app.metric] != before
    shown = figures(app)[0]["layout"]["shapes"][0]["x0"]
    address = {name: value if isinstance(value, str) else value[0] for name, value in app.query_params.items()}
    assert float(address["delta"]) == pytest.approx(shown, abs=1e-3)
    again = visit(PAGE, address | {"cost": "0.8"})
    assert figures(again) == figures(app)
    assert [metric.value for metric in again.metric] == [metric.value for metric in app.metric]
    assert not again.warning


@pytest.mark.usefixtures("real")
def test_the_command_trains_what_is_above_the_line() -> None:
    app = whole(PAGE, {"estimator": "declared", "delta": "0.6"})
    assert "not retrained" in said(app)
    spec, *others = specs_of(next(code.value for code in app.code))
    assert len(others) == 9  # the seeds of the matrix
    assert spec.method == "oracle_partition"
    assert "ask:price/hotel/yes-no>ask:price/cafe/bad-good" in spec.settings["similar_pairs"]
    assert recorded.recorded() is not None


@pytest.mark.usefixtures("real")
@pytest.mark.parametrize("wrong", [{"delta": "x"}, {"delta": "7"}, {"estimator": "nobody"}, {"matrix": "nothing"}])
def test_an_address_edited_by_hand_breaks_nothing(wrong: dict[str, str]) -> None:
    app = visit(PAGE, {"estimator": "declared"} | wrong)
    assert not app.exception
    assert any("not here" in warning.value for warning in app.warning)
