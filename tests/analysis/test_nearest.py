"""The nearest earlier task over seeds, counted by hand."""

import pandas as pd

from shlpt.analysis import nearest


def frame(*seeds: dict[str, float]) -> pd.DataFrame:
    lines = [(seed, earlier, alpha) for seed, row in enumerate(seeds) for earlier, alpha in row.items()]
    return pd.DataFrame(lines, columns=["seed", "earlier", "alpha"])


def test_the_same_nearest_task_in_so_many_seeds() -> None:
    yelp, rte = {"yelp": 0.7, "rte": 0.3}, {"yelp": 0.4, "rte": 0.6}
    found = frame(*[yelp] * 9, rte)
    assert nearest.over_seeds(found) == nearest.Nearest("yelp", 9, 10)
    assert nearest.said(found, str.upper) == "The same nearest task in 9 of 10 seeds: YELP."
    assert list(nearest.by_seed(frame(yelp, rte))["earlier"]) == ["yelp", "rte"]
    assert nearest.over_seeds(frame(rte, yelp)) == nearest.Nearest("rte", 1, 2)  # of equal ones the first


def test_the_mean_over_a_seeds_rows_decides() -> None:
    texts = pd.concat([frame({"yelp": 0.9, "rte": 0.1}), frame({"yelp": 0.2, "rte": 0.8}), frame({"rte": 1.0})])
    assert nearest.over_seeds(texts) == nearest.Nearest("rte", 1, 1)  # .633 against .55
    assert nearest.said(texts) == "Nearest task: rte, in one seed; another seed may find another."


def test_a_seed_with_equal_similarities_agrees_with_no_other() -> None:
    found = frame({"yelp": 0.5, "rte": 0.5}, {"yelp": 0.4, "rte": 0.6})
    assert nearest.over_seeds(found) == nearest.Nearest("rte", 1, 2)


def test_with_one_earlier_task_or_none_nothing_can_agree() -> None:
    for empty in (frame({"yelp": 1.0}, {"yelp": 1.0}), frame(), frame({"yelp": 0.5, "rte": 0.5})):
        assert nearest.over_seeds(empty) is None
        assert nearest.said(empty) == ""
