"""`route` on the command line: the numbers of the page, and kind answers to mistakes."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from saying import outcome, refused, say

from shlpt.analysis import routing as pure
from shlpt.catalog.routers import ROUTERS
from shlpt.cli import record
from shlpt.plans.experiments import Cell, Experiment
from shlpt.plans.recorded import ALL
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import start_experiment
from shlpt.results import frames, recorded, routing, rows
from shlpt.results.recorded import MARK
from shlpt.spec import RunSpec
from shlpt.store.store import Store


@pytest.fixture
def home(looked: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy, because measurements are stored, and nothing recorded."""
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")
    return Path(shutil.copytree(looked.home, tmp_path / "home"))


def test_accuracy_with_and_without_the_task(looked: Any, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [looked.ids[name] for name in ("shlpt", "seed_2", "finetune")]
    found = say(capsys, "route", *(id[:9] for id in ids), f"--home={home}")
    measured = routing.stored(Store(home).open(), ids)
    assert [(row["side"].split()[0], row["router"], row["seeds"]) for row in found["rows"]] == [
        ("shlpt", "embeddings", 2),
        ("shlpt", "uncertainty", 2),
        ("finetune", pure.NOT_NEEDED, 1),
    ]
    for row in found["rows"][:2]:
        values = [pure.measures(measured[id][row["router"]]) for id in ids[:2]]
        for name in pure.MEASURES:
            assert row[name]["mean"] == pytest.approx(sum(value[name] for value in values) / 2)
    run = frames.run(Store(home).open(), ids[0])
    assert pure.measures(measured[ids[0]]["embeddings"])["told"] == pytest.approx(run["acc"])
    first = found["matrices"][0]
    assert [sum(line) for line in first["matrix"]] == pytest.approx([1, 1, 1])
    wrong = [share["share"] for share in first["mistaken"]]
    assert wrong == sorted(wrong, reverse=True)
    assert set(found["routers"]) == set(ROUTERS)


def test_the_table_has_the_matrix_of_a_single_router(
    looked: Any, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["route", looked.ids["still"], "--router=embeddings", f"--home={home}"]
    assert outcome(*asked) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "not told" in said
    assert "that the prompt of each task answers, in percent" in said
    assert outcome(*asked, "--csv") == 0
    assert capsys.readouterr().out.startswith("side,method,router,seeds,told,told_sd,told_low,told_high,untold,")


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("one_task", (), "has learned one task, rte: there is one prompt"),
        ("waiting", (), "is not finished"),
        ("still", ("--router=keys",), "has no keys"),
        ("still", ("--router=embedding",), "did you mean 'embeddings'"),
        ("still", ("--router=,",), "no router given"),
        ("still", ("--experiment=x",), "not both"),
    ],
)
def test_mistakes_are_told(
    looked: Any, home: Path, capsys: pytest.CaptureFixture[str], name: str, words: tuple[str, ...], message: str
) -> None:
    assert message in refused(capsys, "route", looked.ids[name], *words, f"--home={home}")


def test_measurements_are_in_a_benchmark_and_stay_in_the_recorded_store(
    looked: Any, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, id = Store(home).open(), looked.ids["pair"]
    run = frames.run(store, id)
    monkeypatch.setattr(rows, "find_benchmark", lambda name: SimpleNamespace(tasks={"one": run["tasks"]}))
    spec = {key: value for key, value in frames.spec(store, id).items() if key not in ("settings", "weights")}
    cell = Cell({"method": "shlpt", "seed": 1}, RunSpec.model_validate(spec))
    about = {"benchmark": "small", "methods": ["shlpt"], "seeds": [1], "reference": "per_task"}
    made = Experiment("bench", "small", (cell,), about)
    experiment, _ = start_experiment(store, made, plans_of(made.specs, alone=False))
    assert "untold by embeddings" not in rows.bench_rows(store, experiment)[0][0]
    assert outcome("route", "--experiment=small", "--router=embeddings", f"--home={home}") == 0
    capsys.readouterr()
    line, flat = rows.bench_rows(store, experiment)[0][0], rows.bench_rows(store, experiment, flat=True)[0][0]
    value = pure.measures(routing.stored(store, [id])[id]["embeddings"])
    assert (flat["untold_embeddings"], flat["gap_embeddings"]) == pytest.approx((value["untold"], value["gap"]))
    assert line["untold by embeddings"] == f"{100 * value['untold']:.1f}"

    monkeypatch.setattr(record, "kept", lambda experiment, label: ALL)
    record.write(store, [made], tmp_path / "out")
    named = MARK + id[1:]  # as a recorded run
    copied = routing.stored(Store(tmp_path / "out").open(), [named])
    assert copied[named]["embeddings"].equals(routing.stored(store, [id])[id]["embeddings"])
