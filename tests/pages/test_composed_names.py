"""Names with slashes, colons and @ are shown and linked as they are, and never become paths."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from visiting import figures, said, whole

from shlpt.cli.main import main
from shlpt.plans import experiments
from shlpt.plans.stages import plans_of
from shlpt.queue.submit import start_experiment
from shlpt.store.store import Store
from shlpt.work import worker

TINY = {"epochs": 1, "shots": 2, "validation_shots": 2, "test_shots": 2, "prompt_length": 2}
TASKS = ("ask:price/hotel/no-yes@3", "ask:verdict/train/one-two-three-four-five")
MATRIX = experiments.matrix(TASKS, (1, 2), {"method": "continual", "settings": TINY}, "composed")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `home` copies here: a matrix of composed tasks."""
    store = Store(tmp_path_factory.mktemp("composed") / "home").open()
    start_experiment(store, MATRIX, plans_of(MATRIX.specs))
    worker.work(store)
    store.close()
    return store.home


def test_no_name_becomes_a_path(home: Path) -> None:
    files = [file.relative_to(home) for file in home.rglob("*") if file.is_file()]
    assert {len(file.parts) for file in files} <= {1, 2}
    assert {file.parts[0] for file in files if len(file.parts) == 2} <= {"artifacts", "workers"}
    assert not any(set("@: ") & set(str(file)) or "hotel" in str(file) for file in files)
    stored = {row["file"] for row in Store(home).open().rows("SELECT file FROM artifacts")}
    assert stored == {path.name for path in (home / "artifacts").iterdir()}


def test_pages_show_them_as_they_are_and_links_lead_back(home: Path) -> None:
    app = whole("transfer.py", {"source": TASKS[1], "target": TASKS[0]})
    assert app.selectbox("source-choice").value == TASKS[1]
    assert list(figures(app)[0]["layout"]["xaxis"]["ticktext"]) == list(TASKS)
    assert any(",".join(TASKS) in code.value for code in app.code)
    (link,) = [part.proto for part in app.get("page_link") if "oracle partition" in part.proto.label]
    assert TASKS[0] not in link.query_string  # encoded
    address = dict(parse_qsl(link.query_string))
    assert address["tasks"] == ",".join(TASKS)
    live = whole("live.py", address)
    assert live.multiselect("tasks-choices").value == list(TASKS)
    assert [error.value for error in live.error] == []
    run = MATRIX.specs[0].id
    shown = said(whole("runs.py", {"run": run}))
    assert TASKS[0] in shown.replace("\\", "").replace("\u2060", "")  # an invisible mark: it is no mail address
    for page in ("compare.py", "activations.py"):
        whole(page, {"run": run})


def test_exports_have_them_as_they_are(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["runs", "show", MATRIX.specs[0].id, f"--home={home}", "--json"])
    assert json.loads(capsys.readouterr().out)["tasks"] == list(TASKS)
    with pytest.raises(SystemExit):
        main(["experiments", "composed", f"--home={home}", "--csv"])
    assert f"{TASKS[0]},{TASKS[1]}" in capsys.readouterr().out
