"""Put runs in the queue. No torch: pages and commands do this at once, whatever trains them later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shlpt.backbone.files import digest_of, whole_name
from shlpt.runs import control
from shlpt.runs.enqueue import Taken, enqueue, next_edition
from shlpt.runs.plan import RunPlan, Stage, plan_runs
from shlpt.runs.results import keep_results
from shlpt.runs.store import Store
from shlpt.spec import RunSpec


@dataclass(frozen=True)
class Submitted:
    specs: tuple[RunSpec, ...]  # one for each that was asked for: two that are equal are one run
    todo: tuple[Stage, ...]  # stages that are to be trained now
    reused: int  # stages that are there

    @property
    def runs(self) -> tuple[str, ...]:
        return tuple(spec.id for spec in self.specs)


def plans_of(specs: Sequence[RunSpec], alone: bool = True) -> list[RunPlan]:
    """Each run's stages, on the backbone that it names; a plan for each of `specs`, in their order."""
    specs = [spec.model_copy(update={"backbone": whole_name(spec.backbone)}) for spec in specs]
    found: dict[int, RunPlan] = {}
    for name in dict.fromkeys(spec.backbone for spec in specs):
        mine = [place for place, spec in enumerate(specs) if spec.backbone == name]
        plans = plan_runs([specs[place] for place in mine], digest_of(name), alone)
        found |= zip(mine, plans, strict=True)
    return [found[place] for place in range(len(specs))]


def submit(
    store: Store,
    specs: Sequence[RunSpec],
    *,
    lanes: int | None = None,
    alone: bool = True,
    fresh: bool = False,
    device: str = "auto",
) -> Submitted:
    """Plan runs and queue them; those that were stopped or failed go on."""
    edition = next_edition(store) if fresh else None
    if edition is not None:
        specs = [spec.model_copy(update={"edition": edition}) for spec in specs]
    plans = plans_of(specs, alone)
    try:
        enqueue(store, plans, lanes or default_width(device), edition)
    except Taken:  # planning takes a while: another command was faster, and each trains its own
        return submit(store, specs, lanes=lanes, alone=alone, fresh=fresh, device=device)
    sent = tuple(plan.spec for plan in plans)
    control.resume(store, [spec.id for spec in sent])
    keep_results(store, dict.fromkeys(spec.id for spec in sent))  # other runs may have trained all of their stages
    stages = {stage.key: stage for plan in plans for stage in (*plan.stages, *plan.alone)}
    todo = tuple(stages[key] for key in control.unfinished(store, stages))
    return Submitted(sent, todo, len(stages) - len(todo))


def default_width(device: str = "auto", many: bool = False) -> int:
    """Lanes in a group: a GPU has room for many, a CPU is busy with a few; some more where there are many runs."""
    there = Path("/dev/nvidiactl").exists()
    return 16 if device.startswith("cuda") or (device == "auto" and there) else 6 if many else 4
