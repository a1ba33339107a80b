"""What the prompt in training takes from earlier ones and what it moves away from, as ribbons. Pure: the numbers, what
they say in words, and the text alternative; `ui/cockpit.js` draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shlpt.catalog import METHODS
from shlpt.plots import theme

SIMILAR, DISSIMILAR, USED = "similar", "dissimilar", "used"
MOST = 10  # ribbons that fit; the smallest others are drawn as one
ALPHA, REUSE, TEXTS = "alpha", "reuse", "texts"  # what flows into the new prompt
Step = Mapping[str, Any]  # the payload of a step, as it is stored


@dataclass(frozen=True)
class Ribbon:
    """One earlier prompt, or another source. `width` is its share of all that flows, α where there is one."""

    name: str
    width: float
    side: str
    push: float = 0.0  # how strongly the new prompt is pushed away from it, 0 to 1
    low: float | None = None  # of α over the batch
    high: float | None = None
    share: float | None = None  # of the batch for which it is dissimilar
    count: int = 1  # sources that it stands for


def pushed(step: Step, lambdas: Mapping[str, float]) -> float:
    """The share of the loss that pushes away: λ1·HSC + λ2·ASC of the total (eq. 12)."""
    away = sum(lambdas.get(part, 1.0) * (step.get(part) or 0.0) for part in ("hsc", "asc"))
    total = step.get("loss") or 0.0
    return min(1.0, max(0.0, away / total)) if total > 0 else 0.0


def ribbons(
    method: str, earlier: Sequence[str], step: Step, lambdas: Mapping[str, float] | None = None
) -> list[Ribbon]:
    """The ribbons of one step; none for a method that reuses no prompts, or before the first step."""
    if not earlier and method not in ("l2p", "coda"):
        return []
    if "alpha" in step:
        return _by_alpha(earlier, step, pushed(step, lambdas or {}))
    if method == "progressive" or (method == "continual" and step):
        joined = earlier if method == "progressive" else earlier[-1:]
        return [Ribbon(name, 1 / len(joined), USED) for name in joined]
    if "group" in step:  # DTVG: the chosen group, all of it alike
        chosen = step["group"]
        return [Ribbon(name, (name in chosen) / max(1, len(chosen)), USED) for name in earlier]
    if "chosen" in step:  # L2P: shares of the texts that picked each prompt of its pool
        total = sum(step["chosen"]) or 1.0
        return [Ribbon(f"prompt {place}", value / total, USED) for place, value in enumerate(step["chosen"], 1)]
    if "gamma" in step:
        return _by_component(earlier, step["gamma"])
    return []


def _by_alpha(earlier: Sequence[str], step: Step, push: float) -> list[Ribbon]:
    lines = zip(earlier, step["alpha"], step["dissimilar"], step["alpha_low"], step["alpha_high"], strict=False)
    return [
        Ribbon(name, alpha, DISSIMILAR if share >= 0.5 else SIMILAR, push if share >= 0.5 else 0.0, low, high, share)
        for name, alpha, share, low, high in lines
    ]


def _by_component(earlier: Sequence[str], gamma: Sequence[float]) -> list[Ribbon]:
    """CODA: each task brought equally many components, the last ones are the new task's own."""
    each = len(gamma) // (len(earlier) + 1)
    names = [*earlier, "its own components"]
    sums = [sum(map(abs, gamma[place * each : (place + 1) * each])) for place in range(len(names))]
    return [Ribbon(name, part / (sum(sums) or 1.0), USED) for name, part in zip(names, sums, strict=True)]


def folded(found: Sequence[Ribbon], most: int = MOST) -> list[Ribbon]:
    """At most `most` ribbons in their order: the narrowest are drawn as one, at the end, on the side that most are."""
    if len(found) <= most:
        return list(found)
    ranked = sorted(range(len(found)), key=lambda place: -found[place].width)
    shown = sorted(ranked[: most - 1])
    rest = [found[place] for place in ranked[most - 1 :]]
    side = max((SIMILAR, DISSIMILAR, USED), key=lambda name: sum(one.side == name for one in rest))
    push = max(one.push for one in rest) if side == DISSIMILAR else 0.0
    whole = Ribbon(f"{len(rest)} others", sum(one.width for one in rest), side, push, count=len(rest))
    return [*(found[place] for place in shown), whole]


def uses(method: str, position: int) -> str:
    """What the picture shows for this task: α, another reuse, or the texts that it is learned from."""
    info = METHODS[method]
    if method in ("l2p", "coda"):
        return REUSE
    if position == 0 or (method not in ("progressive", "continual", "dtvg") and info.alpha is None):
        return TEXTS
    return ALPHA if info.alpha else REUSE


REUSED = {
    "progressive": "All earlier prompts, frozen, stand beside the new one.",
    "continual": "The new prompt started from the previous one.",
    "dtvg": "The group of earlier task vectors that fits best is added, anew at every step.",
    "l2p": "Each text picks prompts from one pool by their keys; a wide ribbon is picked by many texts.",
    "coda": "The prompt of each text is a sum of components; a wide ribbon has a large weight.",
}


def legend(method: str, position: int, step: Step, delta: float | None, lambdas: Mapping[str, float]) -> str:
    """What the ribbons mean, under the picture."""
    kind = uses(method, position)
    if kind == REUSE:
        return REUSED[method]
    if kind == TEXTS:
        return ""
    away = f" The push is {pushed(step, lambdas):.0%} of the loss." if step.get("hsc") or step.get("asc") else ""
    limit = "" if delta is None or METHODS[method].alpha == "given" else f" δ = {delta:g}."
    left = 1 - sum(step.get("alpha", [1.0]))
    none = f" α of none of them: {left:.2f}." if left >= 0.005 and METHODS[method].alpha == "estimated" else ""
    return f"Width: α. Green is mixed in, purple is pushed away.{limit}{none}{away}"


def story(
    method: str, task: str, tasks: Sequence[str], found: Sequence[Ribbon], following: str | None, done: bool
) -> str:
    """What happens now, in plain words."""
    place, name = tasks.index(task), theme.titled
    begins = f"{name(task)}, task {place + 1} of {len(tasks)}"
    info, then = METHODS[method], f" {name(following)} comes next{_how(method)}." if following else ""
    if done:
        return f"{begins}, is learned{' and its prompt is frozen' * info.keeps_prompts}.{then}"
    if place == 0:
        return f"{begins}: there is no earlier task, so it is learned from its texts alone.{then}"
    if uses(method, place) == TEXTS:
        return f"{begins}. {info.title} {info.about}."
    if not found:
        return f"{begins}: the first step has not been trained yet."
    if uses(method, place) == REUSE:
        return f"{begins}. {REUSED[method]}"
    near = max(found, key=lambda one: one.width)
    away = [one for one in found if one.side == DISSIMILAR]
    mixed = [one for one in found if one.side == SIMILAR]
    taken = f"takes from {_listed(mixed)}" if mixed else "takes from none"
    left = f", moves away from {_listed(away)}" if away else ""
    return f"{begins}. It {taken}{left}. Most similar now: {name(near.name)}, α = {near.width:.2f}."


def _how(method: str) -> str:
    return " and is compared with it" if METHODS[method].alpha == "estimated" else ""


def _listed(found: Sequence[Ribbon], most: int = 3) -> str:
    names = [theme.titled(one.name) for one in sorted(found, key=lambda one: -one.width)]
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def alt(task: str, found: Sequence[Ribbon], step: Step) -> str:
    """The picture in words."""
    at = f" at step {step['step']}" if "step" in step else ""
    if not found:
        return f"The prompt of {theme.titled(task)}{at}: nothing of earlier prompts flows into it."
    said = ", ".join(f"{theme.titled(one.name)} {one.width:.2f}{_side(one)}" for one in found)
    return f"What flows into the prompt of {theme.titled(task)}{at}: {said}."


def _side(one: Ribbon) -> str:
    if one.side == USED:
        return ""
    push = f" (pushed away, {one.push:.0%} of the loss)" if one.push else ""
    return f" {one.side}{push}"
