"""What is drawn of a run that is watched."""

import pandas as pd

from shlpt.ui import watch


def test_a_figure_is_built_again_only_when_its_own_numbers_change() -> None:
    rows = pd.DataFrame(
        [("alone", 42, 1, 0.5), ("alone", 42, 2, 0.75)], columns=["which", "seed", "epoch", "validation"]
    )
    one = watch.made("a", "curves", (rows,), {"chance": 0.5}, False)
    assert watch.made("a", "curves", (rows.copy(),), {"chance": 0.5}, False) is one
    assert watch.made("a", "curves", (rows,), {"chance": 0.5}, True) is not one
    figure, alt = watch.made("a", "curves", (rows.assign(validation=[0.5, 1.0]),), {"chance": 0.5}, False)
    assert figure["data"][0]["y"][-1] == 1.0
    assert "alone: 100%" in alt
