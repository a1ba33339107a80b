"""Curves and scores in TensorBoard and MLflow, read back by their own libraries."""

import zipfile
from io import BytesIO
from pathlib import Path

import pandas as pd
import pytest
from saying import refused, say
from storing import queued, spec_of

from shlpt.errors import UserError
from shlpt.results import frames, recorded
from shlpt.sharing import tracking
from shlpt.sharing.which import Which, locate
from shlpt.store.store import Store

WITHOUT = "NOT TESTED: not installed; pip install -r requirements-tracking.txt"


@pytest.fixture(scope="module")
def runs() -> dict[str, str]:
    """Two methods of the recorded demonstration."""
    store = recorded.recorded()
    assert store is not None
    frame = frames.runs(store).query("experiment == 'the demonstration' and seed == 42")
    return {method: frame["id"][frame["method"] == method].item() for method in ("shlpt", "per_task")}


def expected(id: str) -> dict[str, list[tuple[int, float]]]:
    """As the frames have it."""
    store = locate(None, id).store
    curves: dict[str, list[tuple[int, float]]] = {}

    def add(frame: pd.DataFrame, *names: str) -> None:
        for row in frame.to_dict("records"):
            for name in names:
                if row[name] == row[name]:  # not missing
                    curves.setdefault(f"task {row['position'] + 1}/{name}", []).append((row["step"], row[name]))

    add(frames.losses(store, [id]), "loss", "down", "hsc", "asc")
    add(frames.epochs(store, [id]), "validation", "validation_loss")
    record = frames.run(store, id)
    for learned, line in enumerate(record["matrix"], 1):
        for place, value in enumerate(line[:learned], 1):
            curves.setdefault(f"score/task {place}", []).append((learned, value))
    return curves | {key: [(len(line), record[key])] for key in ("acc", "bwt", "fwt")}


def test_tensorboard_reads_the_curves_of_the_frames(
    runs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard", reason=WITHOUT)
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    run, folder = runs["shlpt"], str(tmp_path / "tb")
    (found,) = say(capsys, "export", run, "--tensorboard", folder)
    (file,) = (tmp_path / "tb" / run).iterdir()
    curves: dict[str, list[tuple[int, float]]] = {}
    texts = []
    for event in EventFileLoader(str(file)).Load():
        for value in event.summary.value:
            if value.metadata.plugin_data.plugin_name == "text":
                texts.append(value.tensor.string_val[0].decode())
            else:
                curves.setdefault(value.tag, []).append((event.step, value.tensor.float_val[0]))
    assert {"task 3/hsc", "task 4/asc", "score/task 1"} <= set(curves)
    for name, points in expected(run).items():
        steps, values = zip(*curves.pop(name), strict=True)
        assert list(steps) == [step for step, _ in points], name
        assert values == pytest.approx([value for _, value in points]), name
    assert curves == {}
    assert found["numbers"] == sum(map(len, expected(run).values()))
    assert "| method | shlpt |" in texts[0]
    assert "yelp sst2 agnews rte" in texts[0]
    assert "is there" in refused(capsys, "export", run, "--tensorboard", folder)
    with zipfile.ZipFile(BytesIO(tracking.zipped(locate(None, run)))) as packed:  # what the page hands over
        assert {Path(name).parts[0] for name in packed.namelist()} == {run}


def test_only_finished_runs_are_exported(store: Store, tmp_path: Path) -> None:
    (plan,) = queued(store, spec_of())
    with pytest.raises(UserError, match="is queued: only finished runs"):
        tracking.tensorboard(Which(store, (plan.spec.id,)), tmp_path / "tb")
    assert not (tmp_path / "tb").exists()


def test_mlflow_reads_the_curves_and_the_settings(
    runs: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow", reason=WITHOUT)
    pytest.importorskip("sqlalchemy", reason=WITHOUT)
    from mlflow.tracking import MlflowClient

    for id in runs.values():  # the second is added to the database of the first
        (found,) = say(capsys, "export", id, "--mlflow", str(tmp_path))
    client = MlflowClient(f"sqlite:///{found['path']}")
    place = client.get_experiment_by_name("shlpt").experiment_id
    stored = {run.data.tags["shlpt.run"]: run for run in client.search_runs([place])}
    assert set(stored) == set(runs.values())
    one = stored[runs["shlpt"]]
    assert set(one.data.metrics) == set(expected(runs["shlpt"]))
    for curve in ("task 2/loss", "task 4/validation", "score/task 1", "fwt"):
        history = [(metric.step, metric.value) for metric in client.get_metric_history(one.info.run_id, curve)]
        assert history == expected(runs["shlpt"])[curve], curve
    assert (one.data.params["method"], one.data.params["epochs"], one.info.status) == ("shlpt", "20", "FINISHED")
    assert "is in" in refused(capsys, "export", runs["shlpt"], "--mlflow", str(tmp_path))


@pytest.mark.parametrize(("name", "title"), [("tensorboard", "TensorBoard"), ("mlflow", "MLflow")])
def test_without_the_library_it_is_said_what_to_install(
    runs: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    title: str,
) -> None:
    monkeypatch.setattr(tracking, "is_installed", lambda _: False)
    said = refused(capsys, "export", runs["shlpt"], f"--{name}", str(tmp_path / "x"))
    assert f"{title} is not installed here: pip install" in said
    assert not (tmp_path / "x").exists()
