"""Table 4's ablations and Table 5's pairs: each printed cell has its run, and the run is what the cell says."""

from typing import Any

import pytest
import torch

from shlpt import paper
from shlpt.errors import UserError
from shlpt.methods.similarity import dissimilar, equal_similarity, mix_weights
from shlpt.plans.paper_tables import (
    ABLATIONS,
    AS_PUBLISHED,
    ESTIMATOR,
    PAIR_VARIANTS,
    PAIRS,
    ablation_specs,
    pair_specs,
    printed_ablations,
    printed_pairs,
)
from shlpt.plans.stages import stages_of
from shlpt.spec import RunSpec
from shlpt.tasks.find import find_task
from shlpt.tasks.sequences import find_sequence

Row = dict[str, Any]


def cells(table: str) -> list[Row]:
    return [row for row in paper.read(table) if not row["aggregate"]]


# --- Table 4 ------------------------------------------------------------------------------
def test_every_printed_ablation_has_one_run_and_there_are_no_others() -> None:
    rows = cells("table4")
    for row in rows:
        specs = ablation_specs(row["sequence"], [42])
        (found,) = [spec for name, spec in specs if ABLATIONS[name].printed == row["ablation"]]
        assert (found.method, found.tasks, found.seed) == (row["method"], find_sequence(row["sequence"]), 42)
    assert [v.printed for v in ABLATIONS.values() if v.printed] == list(dict.fromkeys(row["ablation"] for row in rows))
    assert list(ABLATIONS) == [name for name, _ in ablation_specs("order1", [42])]


NO_ASC, NO_HSC = {"lambda_asc": 0.0}, {"lambda_hsc": 0.0}
WITHOUT: dict[str, dict[str, Any]] = {"-ASC": NO_ASC, "-HSC": NO_HSC, "-ASC-HSC": NO_ASC | NO_HSC, "SHLPT": {}}
WITHOUT |= {"-ASE": {"estimator": "uniform", "threshold": 0.0} | NO_ASC | NO_HSC, "-STT": {"similar_transfer": False}}


@pytest.mark.parametrize("sequence", ["negative1", "negative2", "negative3", "order1"])
def test_an_ablation_differs_from_the_whole_in_its_part_only(sequence: str) -> None:
    specs = {name: spec.settings for name, spec in ablation_specs(sequence, [42])}
    whole, published = specs["SHLPT"], specs.pop(AS_PUBLISHED)
    assert {k for k, v in published.items() if v != whole[k]} <= set(ESTIMATOR)
    assert {k: published[k] for k in ESTIMATOR} == ESTIMATOR
    assert {name: {k: v for k, v in part.items() if v != whole[k]} for name, part in specs.items()} == WITHOUT
    assert whole["lambda_hsc"] > 0
    assert whole["lambda_asc"] > 0


@pytest.mark.parametrize(("sequence", "threshold"), [("negative1", 1.5), ("negative3", 1.5), ("order1", 0.06)])
def test_the_threshold_is_the_papers_unless_another_is_given(sequence: str, threshold: float) -> None:
    for given, expected in (({}, threshold), ({"threshold": 0.3}, 0.3)):
        found = {name: spec.settings["threshold"] for name, spec in ablation_specs(sequence, [1], settings=given)}
        assert found == dict.fromkeys(ABLATIONS, expected) | {"-ASE": 0.0}


@pytest.mark.parametrize("alpha", [[[0.25] * 4], [[0.1, 0.2, 0.3, 0.4]], [[1.0]]])
def test_at_that_threshold_nothing_is_similar_whatever_the_similarities(alpha: list[list[float]]) -> None:
    """So −STT is SHLPT itself there, as the paper prints. −ASE is not: it mixes in every earlier prompt alike."""
    similarities = torch.tensor(alpha)
    assert not mix_weights(similarities, 1.5).any()
    assert dissimilar(similarities, 1.5, "batch_mean").all()
    printed = {(row["ablation"], row["sequence"]): row["value"] for row in cells("table4")}
    assert printed["STT", "negative1"] == printed["none", "negative1"] == 83.37
    assert printed["ASE", "negative1"] == 81.84
    similar = equal_similarity(torch.zeros(2, 1, 3), torch.zeros(4, 1, 3))
    assert mix_weights(similar, 0.0).tolist() == [[0.25] * 4] * 2
    assert not dissimilar(similar, 0.0, "batch_mean").any()


def test_each_seed_has_its_runs_and_settings_reach_them_all() -> None:
    specs = ablation_specs("order1", [1, 2], "standard", {"epochs": 3, "lambda_asc": 0.3}, dtype="float32")
    assert [(name, spec.seed) for name, spec in specs] == [(name, seed) for name in ABLATIONS for seed in (1, 2)]
    assert {(s.training.epochs, s.training.shots, s.dtype) for _, s in specs} == {(3, 32, "float32")}
    by_name = {name: spec.settings["lambda_asc"] for name, spec in specs}
    assert (by_name["SHLPT"], by_name["-HSC"], by_name["-ASC"], by_name["-ASC-HSC"]) == (0.3, 0.3, 0.0, 0.0)
    assert len({spec.id for _, spec in specs}) == len(specs)


def test_an_unknown_sequence_or_setting_is_named() -> None:
    with pytest.raises(UserError, match="unknown sequence 'order9'"):
        ablation_specs("order9", [1])
    with pytest.raises(UserError, match="unknown setting 'treshold': did you mean 'threshold'"):
        ablation_specs("order1", [1], settings={"treshold": 1})


# --- Table 5 ------------------------------------------------------------------------------
def test_every_printed_cell_of_a_pair_has_one_run() -> None:
    for row in cells("table5"):
        names = [v.name for v in PAIR_VARIANTS.values() if (v.method, v.printed) == (row["method"], row["losses"])]
        specs = [spec for label, spec in pair_specs([42]) if label.endswith(tuple(f" {name}" for name in names))]
        specs = [spec for spec in specs if spec.tasks[1] == row["target"]]
        of_target = [spec for spec in specs if row["source"] in (spec.tasks[0], None)]
        assert [spec.method for spec in of_target] == [row["method"]]


def test_there_are_no_other_pairs() -> None:
    rows = cells("table5")
    assert list(PAIRS) == [(row["source"], row["target"]) for row in rows if row["method"] == "continual"]
    specs = pair_specs([42])
    assert len(specs) == len(rows) == 4 + 8 * 4
    assert len({label for label, _ in specs}) == len({spec.id for _, spec in specs}) == len(specs)
    assert all(find_task(task).name == task for _, spec in specs for task in spec.tasks)


def test_the_losses_are_those_of_the_column_and_act_on_the_source() -> None:
    specs = {label: spec for label, spec in pair_specs([42]) if spec.tasks == ("yahoo", "rte")}
    assert list(specs) == [f"yahoo → rte {v}" for v in ("continual", "+HSC", "+ASC", "+ASC+HSC")]
    names = ("lambda_hsc", "lambda_asc", "threshold")
    found = {label: tuple(s.settings[n] for n in names) for label, s in specs.items() if s.method == "shlpt"}
    known = {"+HSC": (0.03, 0.0, 1.5), "+ASC": (0.0, 0.1, 1.5), "+ASC+HSC": (0.03, 0.1, 1.5)}
    assert found == {f"yahoo → rte {name}": numbers for name, numbers in known.items()}


def test_a_target_alone_is_one_run_and_the_same_after_any_source() -> None:
    alone = [(label, spec) for label, spec in pair_specs([42]) if spec.method == "per_task"]
    assert [label for label, _ in alone] == ["rte per-task", "cb per-task", "qqp per-task", "mnli per-task"]
    other = RunSpec.make(("yahoo", "rte"), "per_task", seed=42)
    assert alone[0][1].tasks == ("qqp", "rte")
    assert stages_of(alone[0][1], "b0", str)[-1].key == stages_of(other, "b0", str)[-1].key


def test_settings_go_to_the_variants_that_have_them() -> None:
    specs = pair_specs([1, 2], "standard", {"epochs": 3, "lambda_asc": 0.3, "threshold": 2}, [("sst2", "rte")])
    assert [(label.split()[-1], s.seed) for label, s in specs] == [(v, seed) for v in PAIR_VARIANTS for seed in (1, 2)]
    assert {(s.training.epochs, s.training.shots) for _, s in specs} == {(3, 32)}
    by_name = {label.split()[-1]: s.settings for label, s in specs if s.method == "shlpt"}
    assert {name: s["lambda_asc"] for name, s in by_name.items()} == {"+HSC": 0.0, "+ASC": 0.3, "+ASC+HSC": 0.3}
    assert {s["threshold"] for s in by_name.values()} == {2.0}


@pytest.mark.parametrize("pair", [("rte",), (), "rte", "cb", ("a", "b", "c")])
def test_a_pair_without_a_second_task_says_what_is_missing(pair: Any) -> None:
    with pytest.raises(UserError, match=r"a pair needs two tasks, the source and then the target"):
        pair_specs([42], pairs=[pair])


def test_a_pair_of_the_same_task_is_refused() -> None:
    with pytest.raises(UserError, match="in the sequence twice"):
        pair_specs([42], pairs=[("rte", "rte")])


def test_a_threshold_that_would_switch_the_losses_off_is_refused() -> None:
    with pytest.raises(UserError, match=r"threshold = 0\.5 on a pair: .* at least 1"):
        pair_specs([42], settings={"threshold": 0.5})
    assert pair_specs([42], settings={"threshold": 1})


def test_a_setting_that_no_variant_has_is_named() -> None:
    with pytest.raises(UserError, match=r"setting 'pool_size' belongs to l2p"):
        pair_specs([42], settings={"pool_size": 3})


# --- what the paper prints of them -----------------------------------------------------------
def test_every_printed_cell_stands_beside_its_run() -> None:
    found = printed_ablations("negative1")
    assert list(found) == [name for name in ABLATIONS if name != AS_PUBLISHED]
    assert (found["-ASE"], found["-STT"], found["SHLPT"]) == (81.84, 83.37, 83.37)
    assert printed_ablations("stream_minus") == {}
    found = printed_pairs()
    assert (found["rte per-task"], found["qqp → rte continual"], found["average +ASC+HSC"]) == (78.67, 73.67, 87.27)
    labels = {label for label, _ in pair_specs([42])} | {f"average {name}" for name in PAIR_VARIANTS}
    assert set(found) == labels
