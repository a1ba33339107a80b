"""Results of a backbone that has been made anew since: shown as such, and never mixed with new ones."""

import shutil
from pathlib import Path

import pytest

from shlpt.analysis.compare import sides
from shlpt.cli.main import main
from shlpt.errors import UserError
from shlpt.plans import experiments as plans
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import start_experiment, submit
from shlpt.results import experiments, frames, lens, listing, twins
from shlpt.results.record import run_record
from shlpt.results.weights import OLDER, is_older
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.ui.choose import ShownExperiment, titled
from shlpt.ui.store import label
from shlpt.work import worker

TINY = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 2, "prompt_length": 2}
MATRIX = plans.matrix(("sst2", "rte"), (1,), {"method": "continual", "settings": TINY}, "small")
SHLPT = RunSpec.make(("sst2", "rte"), "shlpt", seed=1, settings=TINY)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A matrix and a run, as if their backbone had been another."""
    store = Store(tmp_path_factory.mktemp("older") / "home").open()
    start_experiment(store, MATRIX, plans_of(MATRIX.specs))
    submit(store, plans_of([SHLPT]))
    worker.work(store)
    with store.write() as db:
        db.execute("UPDATE stages SET plan=json_set(plan, '$.backbone', 'abcdef123456'), key='old-' || key")
        db.execute("UPDATE stages SET grp='old-' || grp")
        db.execute("UPDATE groups SET key='old-' || key")
        db.execute("UPDATE run_stages SET stage='old-' || stage")
        db.execute("UPDATE artifacts SET owner='old-' || owner WHERE kind='tensors'")
        for column in ("stages", "alone_stages"):
            db.execute(f"UPDATE runs SET result=json_remove(result, '$.{column}')")
    store.close()
    return store.home


@pytest.fixture
def store(trained: Path, tmp_path: Path) -> Store:
    shutil.copytree(trained, tmp_path / "home")
    return Store(tmp_path / "home").open()


def test_older_runs_are_listed_as_such(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    frame = frames.runs(store)
    assert frame["older"].all()
    assert set(listing.for_people(frame.assign(recorded=False))["note"]) == {OLDER}
    assert "older backbone" in label({**frame.iloc[0].to_dict(), "recorded": False})
    (line,) = experiments.listed(store)
    assert line["older"]
    assert "older backbone" in titled(ShownExperiment(store, line["id"], line, False))
    for command in (["runs", "list"], ["runs", "show", SHLPT.id], ["experiments"]):
        with pytest.raises(SystemExit):
            main([*command, f"--home={store.home}", "--csv"])
        assert OLDER in capsys.readouterr().out


def test_a_new_run_leaves_the_older_as_it_is(store: Store) -> None:
    before = run_record(store, SHLPT.id)
    submit(store, plans_of([SHLPT]))
    frame = frames.runs(store).set_index("id")
    assert not frame.loc[SHLPT.id, "older"]
    assert frame.loc[SHLPT.id, "state"] == "queued"
    (aside,) = [id for id in frame.index if id.startswith(f"{SHLPT.id}-")]
    after = run_record(store, aside)
    assert (after["id"], after["older"], after["matrix"]) == (aside, True, before["matrix"])
    submit(store, plans_of([SHLPT]))
    assert len(frames.runs(store)) == len(frame)


def test_a_new_matrix_has_no_cell_of_the_older(store: Store) -> None:
    before = experiments.pairs(store, MATRIX.id)
    assert before["score"].notna().all()
    submit(store, plans_of(MATRIX.specs[:1]))  # one of its pairs alone
    assert experiments.pairs(store, MATRIX.id)["score"].equals(before["score"])

    id, _ = start_experiment(store, MATRIX, plans_of(MATRIX.specs))
    assert id == MATRIX.id
    assert experiments.pairs(store, id)["score"].isna().all()
    assert experiments.find(store, "small")["id"] == id
    older = {line["id"]: line["older"] for line in experiments.listed(store)}
    (aside,) = [name for name in older if name != id]
    assert older == {id: False, aside: True}
    assert experiments.pairs(store, aside)["score"].equals(before["score"])
    start_experiment(store, MATRIX, plans_of(MATRIX.specs))
    assert len(experiments.listed(store)) == 2


def test_an_older_matrix_gets_no_new_seeds(store: Store) -> None:
    with pytest.raises(UserError, match=OLDER):
        experiments.more_seeds(store, MATRIX.id, "sst2", "rte", 1)


def test_older_runs_are_a_side_of_their_own_and_no_twin(store: Store) -> None:
    submit(store, plans_of([SHLPT]))
    records = [run_record(store, id) for id in frames.runs(store)["id"] if id.startswith(SHLPT.id)]
    assert len(records) == 2
    assert len(sides([records[0]])) == 1
    assert len(sides(records)) == 2
    specs = [frames.spec(store, record["id"]) for record in records]
    without = {**specs[1], "settings": specs[1]["settings"] | {twins.ASC: 0.0}}
    assert twins.twin(specs[0], [("r", without)]) is None
    assert twins.twin(specs[0], [("r", without | {"weights": specs[0]["weights"]})]) == "r"
    with pytest.raises(UserError, match="different backbones"):
        twins.require_same_backbone(*specs)


def test_an_older_estimator_reads_no_texts_and_its_own_are_not_replaced(store: Store) -> None:
    with pytest.raises(UserError, match=OLDER):
        lens.read(store, SHLPT.id, "rte", "a text")
    with store.write() as db:
        other = "json_set(record, '$.train_examples', json_array('e1', 'e2', 'e3', 'e4'))"
        db.execute(f"UPDATE stages SET record={other} WHERE task='rte' AND method='shlpt'")
    found = frames.alphas(store, SHLPT.id, "rte")
    assert list(found["example"]) == ["e1", "e2", "e3", "e4"]
    assert set(found["text"]) == {""}


def test_only_a_backbone_on_this_machine_can_be_older(tmp_path: Path) -> None:
    assert is_older("pocket", "abcdef123456")
    assert not is_older("pocket", None)
    assert not is_older("t5-small", "abcdef123456")
    assert not is_older(str(tmp_path / "gone"), "abcdef123456")
