"""The fold of the Runs page: what it offers of a run, and why not."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from shlpt.sharing import bundle, peft
from shlpt.sharing.which import Which
from shlpt.store.store import Store

PAGE = Path(__file__).resolve().parents[2] / "pages" / "runs.py"


def opened(looked: Any, name: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=60)
    app.query_params["run"] = looked.ids[name]
    return app.run()


def offered(app: AppTest) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


@pytest.mark.usefixtures("only_looked")
def test_a_finished_run_can_be_taken_away(looked: Any) -> None:
    app = opened(looked, "pair")
    assert not app.exception
    assert {"Report", "Bundle", "Adapter for PEFT"} <= {*offered(app)}
    store, id = Store(looked.home).open(), looked.ids["pair"]
    with zipfile.ZipFile(io.BytesIO(peft.zipped(store, id, "sst2"))) as packed:
        assert sorted(packed.namelist()) == sorted([peft.README, peft.CONFIG, peft.TENSORS])
    assert bundle.read(bundle.pack(Which(store, (id,)))).manifest["what"] == {"kind": "run", "id": id}


@pytest.mark.usefixtures("only_looked")
def test_where_there_is_no_prompt_the_reason_stands_in_its_place(looked: Any) -> None:
    app = opened(looked, "finetune")
    assert "Adapter for PEFT" not in offered(app)
    assert any("trains the weights of the model" in caption.value for caption in app.caption)
    waiting = opened(looked, "waiting")
    assert "Bundle" not in offered(waiting)
    assert any(caption.value.startswith("When the run is done") for caption in waiting.caption)
