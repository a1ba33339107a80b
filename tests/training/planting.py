"""Stages with a planted failure, trained side by side in this process.

`PYTHONPATH=. python tests/training/planting.py` trains all of them once more (two minutes) and writes what they leave
to planted.jsonl.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random

from shlpt.analysis.doctor import Facts
from shlpt.backbone.encode import Encoded
from shlpt.backbone.t5 import Backbone, load
from shlpt.catalog.params import NoParams
from shlpt.methods.base import Context, State
from shlpt.methods.per_task import PerTask
from shlpt.methods.views import Views
from shlpt.results.health import facts
from shlpt.spec import Training
from shlpt.tasks.find import draw, find_task
from shlpt.tasks.task import Example, Split
from shlpt.training.engine import drive
from shlpt.training.lane import Examined, StageResult, learn

FILLER = "it was a monday . we were in oslo . maria came along . " * 4
CAUSES = {
    "still": "rate too small",
    "wild": "rate too large",
    "random": "labels",
    "swapped": "validation labels",
    "cut": "texts cut",
}
RECORD = Path(__file__).with_name("planted.jsonl")
FAILING = ("sst2", "agnews")
HEALTHY = tuple("sst2 agnews yelp amazon imdb dbpedia qqp rte boolq multirc cb copa".split())


def planted(kind: str, name: str, shots: int, seed: int) -> dict[Split, list[Example]]:
    task, rng = find_task(name), Random(f"{kind} {name} {seed}")
    sizes: dict[Split, int] = {"train": shots, "validation": 8, "test": 24}
    rows = {split: draw(task, split, count, seed) for split, count in sizes.items()}
    if kind == "random":
        for split, examples in rows.items():
            labels = rng.sample([e.target for e in examples], len(examples))
            rows[split] = [Example(e.text, label, label) for e, label in zip(examples, labels, strict=True)]
    if kind == "swapped":
        turned = dict(zip(task.labels, task.labels[1:] + task.labels[:1], strict=True))
        rows["validation"] = [Example(e.text, turned[e.target], turned[e.target]) for e in rows["validation"]]
    if kind == "cut":
        rows = {split: [replace(e, text=FILLER + e.text) for e in examples] for split, examples in rows.items()}
    return rows


def trained(
    backbone: Backbone, cases: Sequence[tuple[str, str]], *, epochs: int = 20, shots: int = 8, seed: int = 1
) -> list[Facts]:
    """What (kind, task) left, each learned with per-task prompts. A rate of 100 is more than settings allow."""
    lanes, logs, parts = [], [], []
    for kind, name in cases:
        usual = Training(epochs=epochs, shots=shots, max_length=40 if kind == "cut" else 256)
        training = usual.model_copy(update={"lr": {"still": 1e-6, "wild": 100.0}.get(kind, usual.lr)})
        data = {s: Encoded(backbone, rows, training.max_length) for s, rows in planted(kind, name, shots, seed).items()}
        ctx = Context(backbone, name, data["train"], NoParams(), training, seed, State(), Views(backbone))
        log: list[float] = []

        def emit(kind: str, payload: dict[str, float], log: list[float] = log) -> None:
            if kind == "epoch":
                log.append(payload["validation"])

        tests = Examined([find_task(name)], [data["test"]])
        lanes.append(learn(ctx, PerTask(ctx), data["validation"], tests, None, emit))
        logs.append(log)
        parts.append((name, data))
    found = []
    for result, log, (name, data) in zip(drive(lanes, backbone), logs, parts, strict=True):
        assert isinstance(result, StageResult), result
        targets = [e.target for e in data["test"].examples]
        found.append(facts(result.summary, result.scores[name], targets, log, len(data["train"])))
    return found


def recorded() -> list[tuple[str, str, Facts]]:
    """What was planted, the task, and what the stage left, as it was trained with all others side by side."""
    rows = [json.loads(line) for line in RECORD.read_text().splitlines()]
    return [(row.pop("kind"), row.pop("task"), Facts(**row)) for row in rows]


if __name__ == "__main__":
    cases = [(kind, name) for name in FAILING for kind in CAUSES] + [("healthy", name) for name in HEALTHY]
    lines = [
        json.dumps({"kind": kind, "task": name, **asdict(facts)})
        for (kind, name), facts in zip(cases, trained(load("pocket", "cpu"), cases), strict=True)
    ]
    RECORD.write_text("\n".join(lines) + "\n")
