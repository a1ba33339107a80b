"""A progress bar for training on the command line."""

from collections.abc import Sequence
from typing import Any, Self

from shlpt.cli.report import Bar
from shlpt.plans.stages import Stage, steps_of


class BarWatch:
    """Counts the steps of all stages; a stage that stops early counts as complete."""

    def __init__(self) -> None:
        self.bar = Bar("preparing")
        self.steps: dict[str, int] = {}
        self.done: dict[str, int] = {}
        self.trained = self.reused = 0

    def __enter__(self) -> Self:
        self.bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.__exit__()

    def planned(self, stages: Sequence[Stage], reused: int) -> None:
        self.reused = reused
        self.steps = {stage.key: steps_of(stage) for stage in stages}

    def event(self, stage: Stage, kind: str, payload: dict[str, Any]) -> None:
        if kind == "step":
            self.done[stage.key] = payload["step"]
            self._show(f"{stage.method} · {stage.task} · epoch {payload['epoch'] + 1}")

    def finished(self, stage: Stage) -> None:
        self.done[stage.key] = self.steps.get(stage.key, 0)
        self.trained += 1
        self._show(None)

    def counts(self) -> dict[str, int]:
        return {"trained": self.trained, "reused": self.reused}

    def _show(self, label: str | None) -> None:
        self.bar(sum(self.done.values()) / max(1, sum(self.steps.values())), label)
