import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from shlpt.backbone import asking, pretrain
from shlpt.backbone.files import EMBEDDED, sha256
from shlpt.backbone.t5 import Backbone, load
from shlpt.tasks import pocket
from shlpt.tasks import words as w
from shlpt.tasks.find import find_task
from shlpt.tasks.grammar import DOMAINS, QUESTIONS, Asked, parse
from shlpt.tasks.heldout import combination, held_out
from shlpt.tasks.sequences import MATRIX, SEQUENCES

LAST = asking.COURSE[-1]


@given(seed=st.integers(0, 10_000), words=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=40))
def test_corrupted_text_and_its_target_give_the_text_back(seed: int, words: list[str]) -> None:
    text = " ".join(words)
    source, target = asking.corrupt(Random(seed), text)
    spans = dict(re.findall(r"(<extra_id_\d+>) ([^<]*[^< ])", target))
    assert spans
    assert re.sub(r"<extra_id_\d+>", lambda mark: spans[mark[0]], source) == text


# --- what the backbone is asked -----------------------------------------------------------
def test_nothing_that_is_held_out_is_ever_asked() -> None:
    """From the generator itself: every combination that 20,000 rows of all stages ask."""
    rng = Random(3)
    asked = {combination(asking.ask(rng, rng.choice(asking.COURSE))) for _ in range(20_000)}
    assert not any(held_out(Asked(question, domain, tuple(words))) for question, domain, words in asked)
    forbidden = {combination(one) for one in pocket.STANDINS.values()}
    for name in {name for tasks in (*SEQUENCES.values(), MATRIX) for name in tasks if name.startswith("ask:")}:
        forbidden.add(combination(parse(name.removeprefix("ask:").partition("@")[0])))
    assert len(forbidden) >= 70
    assert asked.isdisjoint(forbidden)


def test_every_question_is_asked_of_each_of_its_kinds_of_text() -> None:
    rng = Random(4)
    asked = {(one.question, one.domain) for one in (asking.ask(rng, LAST) for _ in range(5000))}
    assert asked == {(question, domain.name) for domain in DOMAINS.values() for question in domain.questions}


def test_no_prefix_names_a_task() -> None:
    rng = Random(5)
    words = Counter(word for _ in range(3000) for word in asking.prefix(rng, asking.ask(rng, LAST), ["sun"], 6).split())
    assert not set(words) & set(pocket.TASKS)
    assert set(QUESTIONS) <= set(words)


@given(st.integers(0, 10_000))
def test_a_prefix_has_the_question_and_the_answer_words_in_order(seed: int) -> None:
    rng = Random(seed)
    asked = asking.ask(rng, LAST)
    words = asking.prefix(rng, asked, ["sun", "moon"], 6).split()
    assert tuple(word for word in words if word in asked.words) == asked.words
    assert words.count(asked.question) in (1, 2)
    assert words.count("sun") + words.count("moon") <= 6


def test_every_text_is_of_the_pretraining_part() -> None:
    rng = Random(6)
    for number in range(500):
        text, target = asking.example(rng, asking.ask(rng, LAST), number % 3)
        assert pocket.part_of(text) == "pretrain"
        assert target


def test_answers_are_read_in_both_directions_from_the_first_step() -> None:
    rng = Random(7)
    for phase in asking.COURSE:
        found = Counter(asking.ask(rng, phase).words for _ in range(4000))
        one, other = found["no", "yes"], found["yes", "no"]
        assert one + other > 30
        assert abs(one - other) < 5 * (one + other) ** 0.5  # five standard deviations


def test_pre_training_begins_with_three_pairs_of_words_and_ends_with_all() -> None:
    rng = Random(8)
    first = {frozenset(asking.ask(rng, asking.COURSE[0]).words) for _ in range(500)}
    assert first == {frozenset(pair) for pair in w.ANSWERS[2][:3]}
    last = {frozenset(asking.ask(rng, LAST).words) for _ in range(5000)}
    assert {frozenset(words) for count in (2, 3, 5) for words in w.ANSWERS[count]} <= last


def test_a_phase_is_over_when_its_new_rows_are_right() -> None:
    assert all(phase.mastered < 1 for phase in asking.COURSE[:7])
    phase = next(phase for phase in asking.COURSE if phase.settled)
    rows = next(asking.batches(phase, ["sun"], "x"))
    assert len(rows) == asking.BATCH
    assert 0 < sum(row.new for row in rows) < asking.BATCH
    assert not any(row.new for row in rows if not row.prefix)


def test_noise_is_put_on_the_prefix_alone(backbone: Backbone) -> None:
    rows = [asking.Row("price no yes", "the lobby was cheap .", "yes"), asking.Row("", "the lobby .", "yes")]
    batch, inside = pretrain.encode(backbone.tokenizer, rows)
    assert inside.sum(1).tolist() == [3, 0]
    clean = pretrain.noisy(backbone.model, batch, inside, 0.0)["inputs_embeds"]
    moved = (pretrain.noisy(backbone.model, batch, inside, 1.2)["inputs_embeds"] - clean).abs().sum(-1) > 0
    assert torch.equal(moved, inside)


# --- the embedded files -------------------------------------------------------------------
def test_the_embedded_files_are_those_that_were_recorded() -> None:
    sums = json.loads((EMBEDDED / "checksums.json").read_text())
    assert {"model.safetensors", "tokenizer.json", "config.json"} <= set(sums)
    assert all(sha256(EMBEDDED / name) == value for name, value in sums.items())


def test_the_embedded_files_are_small() -> None:
    record = json.loads((EMBEDDED / "record.json").read_text())
    assert record["parameters"] <= 6e6
    assert sum(file.stat().st_size for file in EMBEDDED.iterdir()) <= 15e6


def test_the_readme_tells_the_recorded_scores() -> None:
    record = json.loads((EMBEDDED / "record.json").read_text())
    assert (EMBEDDED / "README.md").read_text() == pretrain.readme(record)


@pytest.mark.slow
def test_the_embedded_backbone_answers_what_it_was_never_asked(backbone: Backbone) -> None:
    found = pretrain.scores(backbone.model, backbone.tokenizer, per_group=25)
    for name, task in pocket.TASKS.items():
        assert found[name] >= task.chance + 0.15, f"{name}: {found[name]:.3f}, guessing gives {task.chance:.3f}"
    assert sum(found.values()) / len(found) >= 0.88, found


@pytest.mark.slow
def test_composed_tasks_of_two_answers_are_known(backbone: Backbone) -> None:
    found = pretrain.composed_scores(backbone.model, backbone.tokenizer, per_group=5)  # of 221 tasks
    assert sum(found.values()) / len(found) >= 0.97, found


@pytest.mark.slow
def test_pretraining_runs_and_its_folder_loads_like_any_t5(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of its first phase and one of its last: a step takes seconds where bfloat16 is emulated."""
    monkeypatch.setattr(pretrain, "COURSE", (asking.COURSE[0], LAST))
    rows: list[dict[str, float]] = []
    record = pretrain.pretrain_to(tmp_path / "small", 0.0005, rows.append, tested=(1, 1))
    assert record["parameters"] > 1e6
    model = load(str(tmp_path / "small"), "cpu")
    assert set(record["scores"]) == set(pocket.TASKS)
    assert model.layers == 2
    assert find_task("sst2").labels == ("negative", "positive")
