"""The recorded results: what they are, and the small store that comes out."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from saying import outcome, say

from shlpt.catalog.estimators import ESTIMATORS
from shlpt.plans import experiments as plans
from shlpt.plans import headroom, paper_tables, recorded
from shlpt.results import experiments, frames, overlaps, scores, seeds
from shlpt.results import recorded as stored_results
from shlpt.results.recorded import MARK
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.tasks.sequences import SEQUENCES

TINY = {"epochs": 2, "shots": 2, "validation_shots": 2, "test_shots": 2, "prompt_length": 2}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same plan with fewer seeds, methods, tasks and examples."""
    make = plans.make

    def tiny(tasks: Sequence[str], seed: int, common: Mapping[str, Any]) -> RunSpec:
        return make(tasks, seed, {**common, "settings": TINY | dict(common.get("settings") or {})})

    for module in (recorded, plans, headroom):
        monkeypatch.setattr(module, "make", tiny)
    monkeypatch.setattr(plans, "ablation_specs", partial(paper_tables.ablation_specs, settings=TINY))
    monkeypatch.setattr(recorded, "SEEDS", (42, 142))
    monkeypatch.setattr(recorded, "METHODS", ("shlpt", "continual"))
    monkeypatch.setattr(recorded, "ON_STREAMS", ("shlpt", "per_task"))
    monkeypatch.setattr(recorded, "IN_MATRIX", {})
    monkeypatch.setattr(recorded, "SOURCE_SHOTS", 4)
    monkeypatch.setattr(recorded, "PARTS", ("demo", "matrix", "alphas", "stream_minus", "headroom", "ablations"))
    monkeypatch.setattr(recorded, "ABLATED", ("stream_minus", "negative1"))
    monkeypatch.setattr(recorded, "MATRIX", ("sst2", "rte"))
    monkeypatch.setattr(recorded, "STREAMS", ("stream_minus",))
    for name in ("demo", "negative1"):
        monkeypatch.setitem(SEQUENCES, name, ("sst2", "rte"))
    monkeypatch.setitem(SEQUENCES, "stream_minus", ("sst2@4", "rte", "sst2@2"))


def test_the_plan_has_ten_seeds_of_every_part() -> None:
    found = recorded.plan()
    kinds = ["methods", "matrix", "alphas", *["methods"] * 6, "headroom", *["ablations"] * (2 + 6), "sweep"]
    assert [one.kind for one in found] == kinds
    for one in found:
        if one.kind == "alphas":  # every pair in half of the seeds
            assert {cell.label["seed"] for cell in one.cells} == set(recorded.SEEDS)
            continue
        found_seeds: dict[str, set[int]] = {}
        for cell in one.cells:
            label = str({k: v for k, v in cell.label.items() if k != "seed"})
            found_seeds.setdefault(label, set()).add(cell.label["seed"])
        assert {len(mine) for mine in found_seeds.values()} == {10}


def test_parts_are_recorded_one_at_a_time_and_what_is_done_is_written(
    small: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    asked = ["record", f"--home={home}", f"--out={out}"]
    found = say(capsys, *asked, "--only=matrix,demo")
    assert [row["kind"] for row in found] == ["methods", "matrix"]
    copy = Store(out).open()
    assert {row["kind"] for row in experiments.listed(copy)} == {"methods", "matrix"}
    copy.close()

    found = say(capsys, *asked)
    kinds = ["methods", "matrix", "alphas", "methods", "headroom", "ablations", "ablations"]
    assert [row["kind"] for row in found] == kinds
    assert [row["trained"] for row in found if row["kind"] == "matrix"] == [0]
    copy, whole = Store(out).open(), Store(home).open()
    for one in recorded.plan():
        theirs, mine = (experiments.results(store, id) for store, id in ((whole, one.id), (copy, f"{MARK}{one.id}")))
        assert {f"{MARK}{id[1:]}" for id in theirs["run"]} == set(mine["run"])  # never an id of the visitor's
        assert (mine[["acc", "bwt"]] == theirs[["acc", "bwt"]]).all(axis=None)
        assert (mine["state"] == "done").all()
    assert [row["name"] for row in experiments.listed(copy)] == [one.name for one in recorded.plan()]
    listed = frames.runs(copy)
    first, other = (listed[(listed["name"] == "SHLPT · the demonstration") & (listed["seed"] == s)] for s in (42, 142))
    assert (first["note"].iloc[0], other["note"].iloc[0]) == ("", "")
    assert not frames.alphas(copy, first["id"].iloc[0], "rte").empty
    assert frames.probe(copy, first["id"].iloc[0])
    plain = listed[listed["name"] == "Continual initialisation · the demonstration"]
    (lean,) = plain[plain["seed"] == 142].to_dict("records")
    assert lean["note"] == recorded.SCORES_ONLY
    runs = dict(experiments.runs_with_cells(copy, next(f"{MARK}{one.id}" for one in recorded.plan(["matrix"]))))
    second = [id for id, cell in runs.items() if cell["seed"] == 142]
    assert set(frames.runs(copy, second)["note"]) == {recorded.CURVES_ONLY}
    assert set(frames.pair_epochs(copy, second)["which"]) == {frames.WITH, frames.ALONE}
    said = "SELECT coalesce(e.payload ->> '$.answers', e.payload ->> '$.validation_loss') "
    said += "FROM run_stages r JOIN stages s ON s.key=r.stage "
    said += "JOIN events e ON e.stage=s.id AND e.kind='epoch' WHERE r.run=?"
    assert copy.value(said, (second[0],)) is None
    kept = frames.losses(copy, [first["id"].iloc[0]])["loss"].to_numpy()
    whole_curve = frames.losses(whole, ["r" + first["id"].iloc[0][1:]])["loss"].to_numpy()
    assert kept == pytest.approx(whole_curve, rel=5e-5)  # five digits
    assert not (kept == whole_curve).all()
    losses = frames.losses(copy, [lean["id"]])
    assert set(losses["position"]) <= {0}  # the first task is learned as in SHLPT's run, whose curves stay
    assert frames.answers(copy, lean["id"], "rte").empty
    assert frames.probe(copy, lean["id"]) == {}
    assert len(seeds.stage_alphas(copy, listed["id"])) > 0  # of all seeds
    own = "r" + listed["id"].str[1:]
    mine, theirs = (
        seeds.stage_alphas(*given).drop(columns="run", errors="ignore")
        for given in ((copy, listed["id"]), (whole, own))
    )
    pd.testing.assert_frame_equal(mine, theirs, rtol=1e-4)  # five digits
    table4 = next(one.id for one in recorded.plan(["ablations"]) if one.about["sequence"] == "negative1")
    states = overlaps.of_seeds(whole, table4)
    assert set(states["seed"]) == {42, 142}
    monkeypatch.setattr(stored_results, "HOME", out)  # as recorded: the states of the second seed are not there
    pd.testing.assert_frame_equal(overlaps.of_seeds(copy, f"{MARK}{table4}"), states, check_dtype=False)
    (matrix,) = [one.id for one in recorded.plan(["matrix"])]
    measured = scores.stored(copy, f"{MARK}{matrix}")
    assert set(measured.seconds) == set(ESTIMATORS)  # α too, whose runs belong to another part
    assert measured.frame.equals(scores.stored(whole, matrix).frame)
    assert sum(f.stat().st_size for f in out.rglob("*")) < sum(f.stat().st_size for f in home.rglob("*")) / 2


def test_an_unknown_part_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome("record", "--only=matrx") == 2
    assert "unknown part 'matrx': did you mean 'matrix'?" in capsys.readouterr().err
