"""Steps of a T5 in a known shape with random weights, as `--preset paper` trains it: what a device makes of them.

The batches are full: as many texts as a step takes, each as long as it may be. The share of the matrix rate is the
floating-point operations of a step, as PyTorch counts them, by its time and by the rate of one large matrix product.
"""

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from shlpt.backbone.files import EMBEDDED
from shlpt.backbone.t5 import Backbone, pick_device, pick_dtype
from shlpt.catalog.backbones import SHAPES
from shlpt.catalog.params import ShlptParams
from shlpt.errors import unknown
from shlpt.spec import PRESETS, Training
from shlpt.training.speed import Bench, Step, wait_for

if sys.platform != "win32":
    import resource

LANES = (1, 2, 4, 8, 16, 32)
EARLIER = (3, 14)
WARM_UP = 3  # steps before any is timed
SIZES = {"cuda": 8192, "mps": 4096, "cpu": 1024}  # of the matrices that tell a device's rate
PAPER = Training(**{key: value for key, value in PRESETS["paper"].items() if key in Training.model_fields})


def known(shape: str) -> str:
    """`large` is `t5-large`."""
    for name in (shape, f"t5-{shape}"):
        if name in SHAPES:
            return name
    raise unknown("shape", shape, SHAPES)


def random_backbone(shape: str, device: str = "auto", dtype: str = "auto") -> Backbone:
    """Random weights, made on the device, with the tokenizer of the embedded backbone."""
    from transformers import AutoTokenizer, T5Config, T5ForConditionalGeneration

    place, special = pick_device(device), {"decoder_start_token_id": 0, "pad_token_id": 0, "eos_token_id": 1}
    torch.manual_seed(0)
    with torch.device(place):
        model = T5ForConditionalGeneration(T5Config(**SHAPES[known(shape)], **special))
    return Backbone(shape, model, AutoTokenizer.from_pretrained(EMBEDDED), place, pick_dtype(dtype, place))


def measure(
    backbone: Backbone,
    rounds: int = 60,
    lanes: Sequence[int] = LANES,
    training: Training = PAPER,
    progress: Callable[[float], None] = lambda share: None,
    compiled: str = "",
) -> dict[str, Any]:
    """The output of `speed --shape`. A case that the memory does not hold has no numbers. `compiled`: also with an
    encoder that this backend of PyTorch has compiled."""
    bench, rate = Bench(backbone, training, full=True), matrix_rate(backbone)
    tokens = int(bench.batch.mask.sum()) + len(bench.batch) * training.prompt_length
    cases, every = [], list(_cases(bench, lanes))
    for number, (name, together, step) in enumerate(every):
        cases.append({"case": name} | _timed(step, together, rounds, backbone, tokens, rate))
        progress((number + 1) / len(every))
    if compiled:
        cases += _compiled(Bench(backbone.with_compiled_encoder(compiled), training, full=True), lanes, rounds, cases)
    alone = cases[0]["ms_a_run"]
    for case in cases:
        both = alone is not None and case["ms_a_run"] is not None
        case["over_plain"] = case["ms_a_run"] / alone if both else None
    gpu = torch.cuda.get_device_name(backbone.device) if backbone.device.type == "cuda" else ""
    return {
        "shape": backbone.name,
        "parameters": sum(p.numel() for p in backbone.model.parameters()),
        "device": gpu or str(backbone.device),
        "dtype": str(backbone.dtype).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "rows_a_step": len(bench.batch),
        "tokens_a_step": tokens,  # prompt and text, as the encoder reads them
        "matrix_tflops": rate / 1e12,
        "cases": cases,
        "rounds": rounds,
    }


def _compiled(bench: Bench, lanes: Sequence[int], rounds: int, plain: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The plain steps once more with a compiled encoder. The work of a step is that of the plain one. Where a compiler
    is missing or gives up, the reason stands in place of the numbers."""
    cases = []
    for count, usual in zip(lanes, plain, strict=False):
        found: dict[str, Any] = dict.fromkeys(usual)
        if usual["ms"] is not None:
            share = usual["share_of_matrix_rate"] * usual["ms"]
            try:
                ms, memory = _times(bench.lanes(count), rounds, bench.backbone.device)
            except Exception as error:  # a compiler's are of every kind
                found["why"] = " ".join(str(error).split())[:200]
            else:
                found |= {"ms": ms, "ms_a_run": ms / count, "memory_mb": memory, "share_of_matrix_rate": share / ms}
                found |= {"tokens_a_second": usual["tokens_a_second"] * usual["ms"] / ms}
                found |= {"tflops_a_step": usual["tflops_a_step"]}
        cases.append(found | {"case": f"{usual['case']}, compiled"})
    return cases


def _cases(bench: Bench, lanes: Sequence[int]) -> Iterator[tuple[str, int, Callable[[], Step]]]:
    """Name, runs in a step, and what makes the step."""
    for count in lanes:
        yield (f"plain, {count} together" if count > 1 else "plain"), count, partial(bench.lanes, count)
    for count in EARLIER:
        for threshold, which in ((0.0, "similar"), (1.5, "dissimilar")):
            own = ShlptParams(threshold=threshold)
            yield f"SHLPT, {count} earlier tasks, all {which}", 1, partial(bench.lanes, 1, "shlpt", own, count)


def _timed(
    make: Callable[[], Step], together: int, rounds: int, backbone: Backbone, tokens: int, rate: float
) -> dict[str, Any]:
    names = ("ms", "ms_a_run", "tokens_a_second", "tflops_a_step", "share_of_matrix_rate", "memory_mb")
    device = backbone.device
    try:
        step = make()
        with FlopCounterMode(display=False) as counter:
            step()  # the first fills the caches of frozen views, and is the warm-up's first
        if together == 1:
            with FlopCounterMode(display=False) as counter:
                step()
        ms, memory = _times(step, rounds, device)
    except torch.OutOfMemoryError:
        return dict.fromkeys(names)
    seconds, work = ms / 1000, counter.get_total_flops()
    numbers = (ms, ms / together, together * tokens / seconds, work / 1e12, work / seconds / rate, memory)
    return dict(zip(names, numbers, strict=True))


def _times(step: Step, rounds: int, device: torch.device) -> tuple[float, float]:
    """Median milliseconds of a step, and the most memory that it held."""
    times: list[float] = []
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        for number in range(rounds + WARM_UP - 1):
            begin = time.perf_counter()
            step()
            wait_for(device)
            if number >= WARM_UP - 1:
                times.append(time.perf_counter() - begin)
        return statistics.median(times) * 1000, _memory(device)
    finally:
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


def _memory(device: torch.device) -> float:
    """The most that was held: on a GPU by PyTorch, otherwise by this process so far."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def matrix_rate(backbone: Backbone, rounds: int = 10) -> float:
    """Floating-point operations a second of a large matrix product, in the number format of the backbone: the best of
    several tries."""
    size, device = SIZES.get(backbone.device.type, 1024), backbone.device
    one, other = (torch.randn(size, size, device=device, dtype=backbone.dtype) for _ in range(2))
    best = float("inf")
    for _ in range(rounds + WARM_UP):
        begin = time.perf_counter()
        one @ other
        wait_for(device)
        best = min(best, time.perf_counter() - begin)
    return 2 * size**3 / best
