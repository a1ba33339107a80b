"""A backbone on the hub where the hub is not reached: said soon, with what to get; what was downloaded is used."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from huggingface_hub import constants

from shlpt import internet
from shlpt.backbone import files
from shlpt.backbone.t5 import load
from shlpt.errors import UserError
from shlpt.tasks import hub


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[socket.socket]:
    """A hub that takes calls and never answers, and an empty cache."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", constants.ENDPOINT + "/{repo_id}/resolve/{revision}/{filename}"
        )
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        monkeypatch.setattr(internet, "SECONDS", 0.3)
        yield server


def test_it_is_said_soon_what_to_get_and_where_to_put_it(silent: socket.socket) -> None:
    began = time.monotonic()
    for ask in (files.digest_of, lambda name: load(name, "cpu")):
        with pytest.raises(UserError) as refused:
            ask("google/t5-efficient-tiny")
        assert "snapshot_download('google/t5-efficient-tiny', local_dir='FOLDER')" in str(refused.value)
        assert "`pocket`" in str(refused.value)
    assert time.monotonic() - began < 5  # the library tries for half a minute


def test_a_data_set_of_the_paper_too(silent: socket.socket, tmp_path: Path) -> None:
    import datasets  # noqa: F401  its loading does not count

    began = time.monotonic()
    with pytest.raises(UserError, match="On a machine with internet, run") as refused:
        hub.fetch("cb", tmp_path)
    assert "save_to_disk('FOLDER/cb')" in str(refused.value)
    assert time.monotonic() - began < 10


def test_what_was_downloaded_is_loaded_without_the_hub(
    silent: socket.socket, tmp_path: Path, gated_folder: Path
) -> None:
    place = tmp_path / "models--some--t5"
    shutil.copytree(gated_folder, place / "snapshots" / ("c" * 40))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("c" * 40)
    began = time.monotonic()
    assert files.digest_of("some/t5") == "c" * 16
    assert load("some/t5", "cpu").digest == load(str(gated_folder), "cpu").digest
    assert time.monotonic() - began < 10


def test_a_hub_that_answers_is_left_to_the_library(silent: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(internet, "SECONDS", 1000.0)
        assert internet.hub_answers()
        assert internet.hub_answers()
        assert asked == ["/"]  # asked once
        server.shutdown()
