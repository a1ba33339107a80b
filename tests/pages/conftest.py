"""A store with a few tiny runs, trained once for all tests of the pages that weigh results."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from shlpt.plans import experiments
from shlpt.plans.stages import plans_of
from shlpt.queue import launch
from shlpt.queue.submit import start_experiment
from shlpt.results import recorded
from shlpt.spec import RunSpec
from shlpt.store.store import Store
from shlpt.work import worker

TINY = {"epochs": 2, "shots": 4, "validation_shots": 4, "test_shots": 4}
TASKS = ("yelp", "sst2")
SEEDS = (1, 2)


def matrix(tasks: tuple[str, ...] = TASKS, seeds: tuple[int, ...] = SEEDS) -> experiments.Experiment:
    return experiments.matrix(tasks, seeds, {"method": "continual", "settings": TINY}, "tiny matrix")


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A matrix over two tasks and two seeds, and SHLPT on the same tasks."""
    home = tmp_path_factory.mktemp("weigh") / "home"
    store = Store(home).open()
    made = matrix()
    start_experiment(store, made, plans_of(made.specs))
    worker.run([RunSpec.make(TASKS, "shlpt", seed=seed, settings=TINY) for seed in SEEDS], home)
    worker.work(store)
    store.close()
    return home


@pytest.fixture
def home(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it as the visitor's store, and nothing recorded."""
    shutil.copytree(trained, tmp_path / "home")
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing")
    return tmp_path / "home"


@pytest.fixture
def recorded_too(home: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same results as the visitor's, as if they had come with the program too."""
    shutil.copytree(trained, tmp_path / "recorded")
    copy = Store(tmp_path / "recorded").open()
    recorded.mark(copy)
    copy.close()
    monkeypatch.setattr(recorded, "HOME", tmp_path / "recorded")
    return tmp_path / "recorded"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Workers that were not started."""
    found: list[Any] = []
    monkeypatch.setattr(launch, "start_worker", lambda *given, **_: found.append(given))
    return found


@pytest.fixture
def only_looked(looked: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The runs that are looked into as the visitor's store, and nothing recorded."""
    monkeypatch.setenv("SHLPT_HOME", str(looked.home))
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing recorded")


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHLPT_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr(recorded, "HOME", tmp_path / "nothing")
    return tmp_path / "empty"


@pytest.fixture
def only_recorded(trained: Path, empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same results as if they had come with the program."""
    shutil.copytree(trained, tmp_path / "recorded")
    monkeypatch.setattr(recorded, "HOME", tmp_path / "recorded")
    return tmp_path / "recorded"
