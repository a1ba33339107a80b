"""What `speed --shape` counts: tokens, operations, lanes. The times themselves are the machine's."""

import copy
from typing import Any

import pytest
import torch
from saying import refused

from shlpt.backbone import frozen
from shlpt.backbone.t5 import Backbone
from shlpt.spec import Training
from shlpt.training import shapes
from shlpt.training.shapes import _compiled
from shlpt.training.speed import Bench

SMALL = Training(prompt_length=4, batch_size=2, max_length=16, shots=2)


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    tiny: Backbone = shapes.random_backbone("google/t5-efficient-tiny", "cpu")
    return shapes.measure(tiny, 3, (1, 2), SMALL)


def test_every_case_has_every_number(found: dict[str, Any]) -> None:
    names = [case["case"] for case in found["cases"]]
    assert names[:2] == ["plain", "plain, 2 together"]
    assert [name for name in names if name.startswith("SHLPT, 14")] == names[-2:]
    assert all(value is not None and value > 0 for case in found["cases"] for k, value in case.items() if k != "case")
    assert found["parameters"] == 15_570_688


def test_tokens_and_operations_are_those_of_full_batches(found: dict[str, Any]) -> None:
    assert (found["rows_a_step"], found["tokens_a_step"]) == (2, 2 * (4 + 16))
    plain, two = found["cases"][:2]
    assert two["tflops_a_step"] == pytest.approx(2 * plain["tflops_a_step"], rel=1e-6)
    assert plain["tokens_a_second"] == pytest.approx(40 / plain["ms"] * 1000)
    assert two["ms_a_run"] == pytest.approx(two["ms"] / 2)
    encoder = 4 * (4 * 256 * 256 + 2 * 256 * 1024)  # layers of attention and feed-forward
    forward_and_back = 4 * encoder * found["tokens_a_step"]  # no gradient of the weights
    assert forward_and_back / 1e12 < plain["tflops_a_step"] < 3 * forward_and_back / 1e12
    share = plain["tflops_a_step"] / (plain["ms"] / 1000) / found["matrix_tflops"]
    assert plain["share_of_matrix_rate"] == pytest.approx(share)


@pytest.mark.slow
def test_a_compiled_encoder_says_the_same_in_one_piece(gated: Backbone) -> None:
    graphs: list[Any] = []

    def noted(graph: Any, _inputs: Any) -> Any:  # the tracing, without the seconds of a compiler
        graphs.append(graph)
        return graph

    traced = copy.copy(gated.with_compiled_encoder())
    traced._frozen_encode = torch.compile(frozen.encode, backend=noted, dynamic=False)
    batch = Bench(gated, SMALL).batch
    out, plain = (one.forward(gated.embed(batch.ids), batch.mask, batch.labels) for one in (traced, gated))
    torch.testing.assert_close(out.loss, plain.loss, atol=1e-5, rtol=1e-5)
    assert len(out.states) == len(plain.states) == gated.layers
    assert len(graphs) == 1


def test_a_compiled_case_is_timed_or_says_why_not(backbone: Backbone) -> None:
    twin = copy.copy(backbone)
    usual = {"case": "plain", "ms": 8.0, "tflops_a_step": 2.0, "share_of_matrix_rate": 0.25, "tokens_a_second": 100.0}
    (found,) = _compiled(Bench(twin, SMALL), (1,), 3, [usual])
    assert (found["case"], found["tflops_a_step"]) == ("plain, compiled", 2.0)
    assert found["tokens_a_second"] == pytest.approx(800 / found["ms"])
    assert found["share_of_matrix_rate"] == pytest.approx(2 / found["ms"])

    def broken(*_: Any) -> Any:
        raise RuntimeError("no compiler\nhere")

    twin._frozen_encode = broken
    (found,) = _compiled(Bench(twin, SMALL), (1,), 3, [usual])
    assert found["ms"] is None
    assert found["why"] == "no compiler here"


def test_shapes_are_known_by_short_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert (shapes.known("large"), shapes.known("google/flan-t5-base")) == ("t5-large", "google/flan-t5-base")
    assert "did you mean" in refused(capsys, "speed", "--shape", "t5-lage")
    assert "leave out --backbone" in refused(capsys, "speed", "--shape", "large", "--backbone", "t5-small")
    assert "goes with --shape" in refused(capsys, "speed", "--compiled")
    assert (shapes.PAPER.prompt_length, shapes.PAPER.batch_size, shapes.PAPER.max_length) == (150, 8, 256)
