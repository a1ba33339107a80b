"""Named lists of runs: what they contain, what they share, what they cost, what comes out."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from saying import outcome, refused, say

from shlpt.errors import UserError
from shlpt.plans import experiments, stages
from shlpt.plans.estimate import estimate, progress
from shlpt.plans.stages import plan_runs, plans_of
from shlpt.queue.submit import planned, start_experiment
from shlpt.results import experiments as found
from shlpt.store.find import groups_of
from shlpt.store.store import Store
from shlpt.work.worker import work

TINY = {"epochs": 2, "shots": 2, "validation_shots": 2, "test_shots": 4, "prompt_length": 4}
COMMON = {"method": "continual", "settings": TINY}


def train(store: Store, experiment: experiments.Experiment, **options: Any) -> str:
    id, sent = start_experiment(store, experiment, plans_of(experiment.specs), **options)
    work(store, device="cpu", groups=groups_of(store, sent.runs))
    return id


# --- what they contain --------------------------------------------------------------------
def test_a_matrix_has_every_ordered_pair_once_for_each_seed() -> None:
    found = experiments.matrix(("rte", "sst2", "cb"), (1, 2), COMMON)
    assert len(found.cells) == 3 * 2 * 2
    pairs = set(permutations(("rte", "sst2", "cb"), 2))
    assert {(c.label["source"], c.label["target"]) for c in found.cells} == pairs
    assert all(c.spec.tasks == (c.label["source"], c.label["target"]) for c in found.cells)


def test_the_sources_of_a_matrix_can_have_more_examples_than_the_targets() -> None:
    found = experiments.matrix(("rte", "sst2@8", "cb"), (1,), COMMON, source_shots=64)
    assert ("rte@64", "sst2@8") in {c.spec.tasks for c in found.cells}
    assert ("sst2@64", "rte") in {c.spec.tasks for c in found.cells}
    assert found.id != experiments.matrix(("rte", "sst2@8", "cb"), (1,), COMMON).id


def test_a_matrix_of_some_pairs_has_these_and_no_others() -> None:
    pairs = experiments.read_pairs("rte>sst2, cb>sst2")
    found = experiments.matrix(("rte", "cb", "sst2"), (1, 2), COMMON, source_shots=64, pairs=pairs)
    assert [c.spec.tasks for c in found.cells] == [("rte@64", "sst2")] * 2 + [("cb@64", "sst2")] * 2
    assert found.about["pairs"] == [["rte", "sst2"], ["cb", "sst2"]]
    assert "pairs" not in experiments.matrix(("rte", "sst2"), (1,), COMMON).about
    with pytest.raises(UserError, match="unknown task of this matrix 'wic'"):
        experiments.matrix(("rte", "sst2"), (1,), COMMON, pairs=[("wic", "sst2")])
    with pytest.raises(UserError, match="is one task"):
        experiments.matrix(("rte", "sst2"), (1,), COMMON, pairs=[("rte", "rte")])
    for wrong in ("rte", "rte>", "rte>cb>wic"):
        with pytest.raises(UserError, match="cannot read the pair"):
            experiments.read_pairs(wrong)


def test_a_sweep_changes_one_setting_and_nothing_else() -> None:
    found = experiments.sweep(("rte", "sst2"), "threshold", (0.1, 0.5), (1,), {"method": "shlpt", "settings": TINY})
    assert [c.spec.settings["threshold"] for c in found.cells] == [0.1, 0.5]
    rest = [{k: v for k, v in c.spec.settings.items() if k != "threshold"} for c in found.cells]
    assert rest[0] == rest[1]


def test_orders_are_all_permutations_or_some_that_are_drawn_the_same_every_time() -> None:
    tasks = ("rte", "sst2", "cb", "wic")
    assert len({c.spec.tasks for c in experiments.orders(tasks, (1,), COMMON).cells}) == 24
    drawn = [{c.spec.tasks for c in experiments.orders(tasks, (1,), COMMON, sample=7).cells} for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 7
    with pytest.raises(UserError, match="720 orders"):
        experiments.orders(("rte", "sst2", "cb", "wic", "yelp", "imdb"), (1,), COMMON)


def test_a_benchmark_gives_each_method_the_settings_that_it_has() -> None:
    common = {"settings": {**TINY, "lambda_asc": 0.2}}
    found = experiments.bench("negative", ("shlpt", "per_task"), (1,), common)
    assert len(found.cells) == 2 * 3
    shlpt = next(c.spec for c in found.cells if c.label["method"] == "shlpt")
    assert (shlpt.settings["threshold"], shlpt.settings["lambda_asc"]) == (1.5, 0.2)
    with pytest.raises(UserError, match="lambda_asc"):
        experiments.bench("negative", ("per_task",), (1,), common)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: experiments.matrix(("rte",), (1,), COMMON), "two tasks"),
        (lambda: experiments.sweep(("rte", "cb"), "threshold", (), (1,), COMMON), "no values"),
        (lambda: experiments.sweep(("rte", "cb"), "treshold", (1,), (1,), {"method": "shlpt"}), "threshold"),
        (lambda: experiments.bench("negativ", ("shlpt",), (1,), {}), "negative"),
    ],
)
def test_what_cannot_be_is_refused_in_words(call: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        call()


@pytest.mark.parametrize(
    ("seeds", "more"), [([42, 142, 242], [342, 442]), ([7], [107, 207]), ([2, 1], [3, 4]), ([5, 5], [105, 205])]
)
def test_the_next_seeds_are_as_far_apart_as_the_last(seeds: list[int], more: list[int]) -> None:
    assert experiments.next_seeds(seeds, 2) == more


def test_seeds_that_are_added_to_a_matrix_belong_to_it(store: Store) -> None:
    made = experiments.matrix(("rte", "sst2"), (1,), COMMON)
    id, _ = start_experiment(store, made, plans_of(made.specs))
    more = found.more_seeds(store, id, "rte", "sst2", 2)
    assert start_experiment(store, more, plans_of(more.specs))[0] == id
    assert list(found.pairs(store, id)["seed"]) == [1, 1, 101, 201]
    again, _ = start_experiment(store, made, plans_of(made.specs))
    assert (again, len(found.pairs(store, id))) == (id, 4)


# --- what they cost and what comes out ----------------------------------------------------
def test_each_source_stage_of_a_matrix_is_trained_once(store: Store) -> None:
    """Three tasks, two seeds: a first stage for each task and seed, and one for each pair and seed."""
    experiment = experiments.matrix(("rte", "sst2", "cb"), (1, 2), COMMON)
    cost = estimate(store, plans_of(experiment.specs))
    assert (cost.stages, cost.reused, cost.measured) == (3 * 2 + 6 * 2, 0, False)
    id = train(store, experiment)
    assert store.value("SELECT count(*) FROM stages WHERE state='done'") == 18
    again = estimate(store, plans_of(experiment.specs))
    assert (again.stages, again.reused, again.seconds) == (0, 18, 0)
    pairs = found.pairs(store, id)
    assert len(pairs) == 12
    assert pairs[["score", "alone"]].notna().all(axis=None)
    # What the target scores alone does not depend on the source.
    assert (pairs.groupby(["target", "seed"])["alone"].nunique() == 1).all()
    assert progress(store, found.runs_in(store, id))["steps_left"] == 0


def test_partial_results_are_there_at_any_time(store: Store) -> None:
    made = experiments.matrix(("rte", "sst2"), (1,), COMMON)
    id, _ = start_experiment(store, made, plans_of(made.specs))
    assert found.pairs(store, id)[["score", "alone"]].isna().all(axis=None)
    assert set(found.results(store, id)["state"]) == {"queued"}
    assert progress(store, found.runs_in(store, id))["done"] == 0


def test_the_same_experiment_again_is_the_same_and_fresh_is_another(store: Store) -> None:
    experiment = experiments.matrix(("rte", "sst2"), (1,), COMMON)
    one, first = start_experiment(store, experiment, plans_of(experiment.specs))
    two, second = start_experiment(store, experiment, plans_of(experiment.specs))
    assert (one, len(second.todo)) == (two, len(first.todo))
    three, third = start_experiment(store, experiment, planned(store, experiment.specs, fresh=True))
    assert three != one
    assert not {s.key for s in third.todo} & {s.key for s in first.todo}


def test_an_experiment_is_found_by_id_beginning_or_name(store: Store) -> None:
    made = experiments.matrix(("rte", "sst2"), (1,), COMMON, name="mine")
    id, _ = start_experiment(store, made, plans_of(made.specs))
    assert {found.find(store, key)["id"] for key in (id, id[:5], "mine")} == {id}
    with pytest.raises(UserError, match="unknown experiment"):
        found.find(store, "yours")


def test_two_cells_may_be_one_run(store: Store) -> None:
    # Without the activation loss from the start, the ablation of it changes nothing.
    common = {"settings": TINY | {"lambda_asc": 0.0}}
    made = experiments.ablations("demo", (1,), common)
    assert len({spec.id for spec in made.specs}) < len(made.specs)
    id, sent = start_experiment(store, made, plans_of(made.specs))
    assert [name for name, _ in found.labelled(store, id)] == [c.label["variant"] for c in made.cells]
    assert len(sent.runs) == len(made.cells)


def test_a_value_that_is_swept_twice_counts_once() -> None:
    found = experiments.sweep(("rte", "sst2"), "threshold", (0.1, 0.1), (1,), {"method": "shlpt", "settings": TINY})
    assert len(found.cells) == 1


# --- the command line ---------------------------------------------------------------------


def test_the_commands_print_one_document_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = [f"--set={key}={value}" for key, value in TINY.items()]
    home = f"--home={tmp_path}"
    found = say(capsys, "matrix", "--tasks=rte,sst2", "--seeds=1", home, *tiny)
    assert (found["trained"], len(found["cells"])) == (4, 2)
    same = ["--tasks=rte,sst2", "--method=continual", "--seeds=1", home, *tiny]
    swept = say(capsys, "sweep", "--values=epochs=1,2", *same)
    assert [line["epochs"] for line in swept["groups"]] == [1, 2]
    assert swept["reused"] > 0  # the runs with two epochs are those of the matrix
    ordered = say(capsys, "orders", *same)
    assert ordered["trained"] == 0
    listed = say(capsys, "experiments", home)["experiments"]
    assert {row["kind"] for row in listed} == {"matrix", "sweep", "orders"}
    assert say(capsys, "experiments", found["id"], home)["cells"] == found["cells"]


def test_a_command_plans_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate and the queue take one plan, also where all is trained again."""
    calls: list[int] = []
    monkeypatch.setattr(stages, "plan_runs", lambda specs, *more: calls.append(len(specs)) or plan_runs(specs, *more))
    monkeypatch.setattr("shlpt.queue.launch.ensure_worker", lambda *_, **__: None)
    asked = ["matrix", "--tasks=rte,sst2", "--seeds=1,2", f"--home={tmp_path}", "--detach"]
    first, again, fresh = (say(capsys, *asked, *more)["id"] for more in ([], [], ["--fresh"]))
    assert calls == [4, 4, 4]
    assert first == again != fresh


def test_a_benchmark_is_a_table_at_any_time_also_as_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["bench", "--methods=per_task,continual", "--seeds=1", f"--home={tmp_path}", "--detach"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shlpt.queue.launch.ensure_worker", lambda *_, **__: None)
        found = say(capsys, *asked, "--beside-paper")
        outcome(*asked, "--markdown")
    assert (found["title"], found["trained"], [row["n"] for row in found["rows"]]) == ("Standard CL", 0, [0, 0])
    page = capsys.readouterr().out
    assert page.startswith("## Standard CL\n\n6 runs: 2 methods, 3 sequences, 1 seeds.")
    assert "| Per-task prompts | – |" in page


def test_a_reference_takes_part_and_may_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["bench", "--seeds=1", f"--home={tmp_path}", "--detach"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shlpt.queue.launch.ensure_worker", lambda *_, **__: None)
        found = say(capsys, *asked, "--methods=continual,l2p")
        assert [row["method"] for row in found["rows"]] == ["continual", "l2p", "per_task"]
        again = say(capsys, *asked, "--methods=continual,l2p,per_task", "--reference=l2p")
    assert (again["id"], again["reference"]) == (found["id"], "l2p")
    assert say(capsys, "experiments", found["id"], f"--home={tmp_path}")["reference"] == "l2p"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--reference=all"], "unknown method 'all'"),
        (["--reference="], "unknown method ''"),
        (["--reference=per_task,shlpt"], "unknown method 'per_task,shlpt'"),
        (["--markdown", "--json"], "--markdown, --json and --csv cannot be combined"),
    ],
)
def test_a_benchmark_that_cannot_be_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    assert message in refused(capsys, "bench", "--methods=per_task", f"--home={tmp_path}/new", *more)
    assert not (tmp_path / "new").exists()
