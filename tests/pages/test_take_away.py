"""The fold of the Runs page: what it offers of a run, and why not."""

import io
import zipfile
from typing import Any

import pytest
from visiting import errors, visit

from shlpt.sharing import bundle, peft
from shlpt.sharing.which import Which
from shlpt.store.store import Store


def offered(app: Any) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


@pytest.mark.usefixtures("only_looked")
def test_a_finished_run_can_be_taken_away(looked: Any) -> None:
    app = visit("runs.py", {"run": looked.ids["pair"]})
    assert errors(app) == []
    assert {"Report", "Bundle", "Adapter for PEFT"} <= {*offered(app)}
    store, id = Store(looked.home).open(), looked.ids["pair"]
    with zipfile.ZipFile(io.BytesIO(peft.zipped(store, id, "sst2"))) as packed:
        assert sorted(packed.namelist()) == sorted([peft.README, peft.CONFIG, peft.TENSORS])
    assert bundle.read(bundle.pack(Which(store, (id,)))).manifest["what"] == {"kind": "run", "id": id}


@pytest.mark.usefixtures("only_looked")
def test_where_there_is_no_prompt_the_reason_stands_in_its_place(looked: Any) -> None:
    app = visit("runs.py", {"run": looked.ids["finetune"]})
    assert "Adapter for PEFT" not in offered(app)
    assert any("trains the weights of the model" in caption.value for caption in app.caption)
    waiting = visit("runs.py", {"run": looked.ids["waiting"]})
    assert "Bundle" not in offered(waiting)
    assert any(caption.value.startswith("When the run is done") for caption in waiting.caption)
