import json
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shlpt.backbone import pretrain
from shlpt.backbone.files import EMBEDDED, sha256
from shlpt.backbone.t5 import Backbone, load
from shlpt.tasks import pocket


@given(seed=st.integers(0, 10_000), words=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40))
def test_corrupted_text_and_its_target_give_the_text_back(seed: int, words: list[str]) -> None:
    text = " ".join(words)
    source, target = pretrain.corrupt(Random(seed), text)
    spans = dict(re.findall(r"(<extra_id_\d+>) ([^<]*[^< ])", target))
    assert spans
    assert re.sub(r"<extra_id_\d+>", lambda mark: spans[mark[0]], source) == text


def test_every_source_gives_text_of_the_pretraining_part_only() -> None:
    rng = Random(3)
    for name, source in pretrain.sources().items():
        for _ in range(5):
            text, target = source(rng, 2)
            prefix, _, body = text.partition(": ")
            assert prefix == name
            assert target
            assert pocket.part_of(body) == "pretrain"


def test_contrary_sources_swap_the_labels() -> None:
    pool = pretrain.sources()
    text, plain = pool["yelp"](Random("x"), 2)
    swapped_text, swapped = pool["contrary yelp"](Random("x"), 2)
    assert swapped_text == f"contrary {text}"
    assert pocket.GRADES.index(swapped) == 4 - pocket.GRADES.index(plain)


def test_the_embedded_files_are_those_that_were_recorded() -> None:
    sums = json.loads((EMBEDDED / "checksums.json").read_text())
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= set(sums)
    assert all(sha256(EMBEDDED / name) == value for name, value in sums.items())


def test_the_readme_tells_the_recorded_scores() -> None:
    record = json.loads((EMBEDDED / "record.json").read_text())
    assert (EMBEDDED / "README.md").read_text() == pretrain.readme(record)


@pytest.mark.slow
def test_the_embedded_backbone_has_learned_every_family(backbone: Backbone) -> None:
    found = pretrain.scores(backbone.model, backbone.tokenizer, per_group=25)
    for name, task in pocket.TASKS.items():
        if task.labels:
            assert found[name] >= task.chance + 0.20, f"{name}: {found[name]:.3f}, guessing gives {task.chance:.3f}"
    assert sum(found.values()) / len(found) >= 0.85, found


@pytest.mark.slow
def test_pretraining_runs_and_its_folder_loads_like_any_t5(tmp_path: Path) -> None:
    rows: list[dict[str, float]] = []
    record = pretrain.pretrain_to(tmp_path / "small", 0.0005, rows.append)
    assert record["parameters"] > 1e6
    model = load(str(tmp_path / "small"), "cpu")
    assert set(record["scores"]) == set(pocket.TASKS)
    assert model.layers == 2
