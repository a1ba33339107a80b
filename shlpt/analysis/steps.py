"""One training step as plain data, and what happened in it in plain words. Pure.

`shlpt.training.stepping` fills these records in; every sentence is made of their numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# The setting that each part of the loss is multiplied by; other parts are added as they are.
WEIGHTS = {"hsc": "lambda_hsc", "asc": "lambda_asc", "pull": "lambda_pull", "orthogonality": "lambda_ortho"}
PARTS = {  # of the loss, in the order in which they are told
    "down": "for the answers",
    "hsc": "for pushing hidden states away (HSC)",
    "asc": "for pushing activations away (ASC)",
    "pull": "for pulling keys to the texts",
    "orthogonality": "for keeping components apart",
    "prior": "for staying near the prior",
}
TRAINING, WARM_UP, FIRST = "training", "warm-up", "first phase"
LEAST, MOST_DECIMALS = 2, 4
TOLD = 3  # earlier tasks whose α is told one by one
Name = Callable[[str], str]


@dataclass(frozen=True)
class Seen:
    """What the model makes of a batch of texts at one moment."""

    loss: float
    parts: dict[str, float]  # of the loss, as they are added up: times λ
    answers: tuple[str, ...]  # of a wrong one its beginning, up to the first wrong token
    right: tuple[bool, ...]
    log: dict[str, Any] = field(default_factory=dict)  # as a step event has it
    alphas: tuple[tuple[float, ...], ...] = ()  # of each text, to each earlier task

    @property
    def alpha(self) -> list[float]:
        """Mean over the batch, for each earlier task; empty without α."""
        return list(self.log.get("alpha", ()))

    @property
    def away(self) -> list[float]:
        """Share of the batch that calls each earlier task dissimilar."""
        return list(self.log.get("dissimilar", ()))


@dataclass(frozen=True)
class Ahead:
    """The step that comes next: its texts, and what the model makes of them before it."""

    number: int  # of the step, from 1, with those of a phase before training
    kind: str
    examples: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    before: Seen | None = None  # None: its rows are not those of one batch of this task


@dataclass(frozen=True)
class Step(Ahead):
    """A step that was taken. Distances are root mean squares in sizes of a word embedding."""

    told: dict[str, Any] = field(default_factory=dict)  # the event, as a run stores it
    after: Seen | None = None
    moved: float = 0.0  # the prompt before the text, by this step
    start: float = 0.0  # from where it began
    earlier: tuple[float, ...] = ()  # from each earlier prompt
    nearer: tuple[float, ...] = ()  # by how much each of these fell in this step
    epoch: dict[str, Any] | None = None  # the event of an epoch that ends here
    over: str = ""  # why training ends here


@dataclass(frozen=True)
class About:
    """What the sentences need to know of the stage."""

    task: str
    earlier: Sequence[str]
    threshold: float | None = None  # None: the method has no α
    given: bool = False  # the partition is given
    lends: bool = True  # similar prompts are mixed in
    pushes: bool = True  # the new prompt is pushed away from dissimilar ones
    name: Name = str


def said(step: Step, about: About) -> list[str]:
    """What happened, a thought a sentence: prompt, α, sides, losses, answers, the end of an epoch, the end."""
    lines = [_begins(step), *_of_prompt(step, about), *_of_alpha(step, about), *_of_loss(step), *_of_answers(step)]
    lines += _of_epoch(step)
    return [line for line in [*lines, step.over] if line]


def headline(step: Step) -> str:
    """The one sentence that stands above the others."""
    return " ".join([*_of_loss(step)[:1], step.over]).strip()


def said_ahead(ahead: Ahead, about: About) -> list[str]:
    """Before the first step."""
    if ahead.before is None:
        return ["The first step belongs to the method's own phase before training."]
    right, count = sum(ahead.before.right), len(ahead.texts)
    lines = [f"Answered right with the initial prompt: {right} of the {count} texts of the first batch."]
    if about.given:
        lines.append(_given(ahead.before, about))
    elif ahead.before.alpha:
        pairs = zip(about.earlier, ahead.before.alpha, ahead.before.away, strict=True)
        ranked = sorted(pairs, key=lambda pair: -pair[1])[:TOLD]
        found = ", ".join(f"{about.name(name)} {alpha:.2f} ({_side(share)})" for name, alpha, share in ranked)
        lines.append(f"α before anything is learned: {found}.")
    elif not about.earlier:
        lines.append("There is no earlier task to start from, so there is no α.")
    return lines


def as_row(step: Step, about: About) -> dict[str, Any]:
    """A line of a table."""
    row: dict[str, Any] = {"step": step.number, "kind": step.kind, "epoch": _epoch(step)}
    row |= {"loss": step.told["loss"], "loss_after": None if step.after is None else step.after.loss}
    if step.before is not None and step.after is not None:
        for part, value in step.before.parts.items():
            row |= {part: value, f"{part}_after": step.after.parts.get(part)}
        row |= {"right": sum(step.before.right), "right_after": sum(step.after.right), "texts": len(step.texts)}
        for name, one, two in zip(about.earlier, step.before.alpha, step.after.alpha, strict=False):
            row |= {f"alpha {name}": one, f"alpha {name} after": two}
    row |= {"moved": step.moved, "from_start": step.start}
    row |= {f"from {name}": value for name, value in zip(about.earlier, step.earlier, strict=False)}
    return row | {"validation": None if step.epoch is None else step.epoch["validation"]}


BRIEF = ("step", "epoch", "loss", "loss_after", "right", "right_after", "moved", "from_start", "validation")


def as_brief_row(step: Step, about: About) -> dict[str, Any]:
    """A line of a table that fits a terminal: the whole one has a column for each number."""
    row = as_row(step, about)
    alpha = {f"α {name}": row.get(f"alpha {name} after") for name in about.earlier if f"alpha {name}" in row}
    return {key: row[key] for key in BRIEF if key in row} | alpha


def as_document(step: Step, about: About) -> dict[str, Any]:
    """Everything, for JSON."""
    found = asdict(step)
    for side in ("before", "after"):
        seen = getattr(step, side)
        if seen is not None:
            found[side] |= {"alpha": dict(zip(about.earlier, seen.alpha, strict=False))}
            found[side] |= {"dissimilar": dict(zip(about.earlier, seen.away, strict=False))}
            del found[side]["log"]
    for key in ("earlier", "nearer"):
        found[key] = dict(zip(about.earlier, getattr(step, key), strict=False))
    return found | {"said": said(step, about)}


# --- the sentences ------------------------------------------------------------------------
def _epoch(step: Step) -> int | None:
    return step.told["epoch"] + 1 if "epoch" in step.told else None


def _begins(step: Step) -> str:
    if step.kind == WARM_UP:
        return "Warm-up: only the estimator learns in this step."
    if step.kind == FIRST:
        return "A step of the method's own phase before training."
    return ""


def _of_prompt(step: Step, about: About) -> list[str]:
    if not step.moved and step.kind == WARM_UP and not step.start:
        return ["The prompt stays where it began."]
    one, two = (f"{size:.2f}" if size >= 0.1 else f"{size:.2g}" for size in (step.moved, step.start))
    lines = [f"The prompt moved by {one}, in sizes of a word embedding, and is now {two} from where it began."]
    if step.earlier:
        at = min(range(len(step.earlier)), key=lambda j: step.earlier[j])
        was, now = _pair(step.earlier[at] + step.nearer[at], step.earlier[at])
        of = "The nearest earlier prompt is that of" if len(step.earlier) > 1 else "The earlier prompt is that of"
        change = f"{was} away before, {now} now" if was != now else f"{now} away, as before"
        lines.append(f"{of} {about.name(about.earlier[at])}: {change}.")
    return lines


def _of_alpha(step: Step, about: About) -> list[str]:
    if step.before is None or step.after is None or not step.before.alpha:
        return ["There is no earlier task, so there is no α."] if not about.earlier and step.before else []
    if about.given:
        return [_given(step.after, about)]
    one, two = step.before.alpha, step.after.alpha
    ranked = sorted(range(len(one)), key=lambda j: (not _crosses(step, j), -abs(two[j] - one[j])))
    told = [j for j in ranked if _crosses(step, j) or f"{one[j]:.2f}" != f"{two[j]:.2f}"][:TOLD]
    lines = [_moved_alpha(step, about, j) for j in told]
    if rest := [j for j in ranked if j not in told]:
        found = [f"{about.name(about.earlier[j])} ({two[j]:.2f}, {_side(step.after.away[j])})" for j in rest[:TOLD]]
        more = [f"{len(rest) - TOLD} others"] if len(rest) > TOLD else []
        lines.append(f"α of {listed([*found, *more])} hardly changed.")
    return lines


def _crosses(step: Step, j: int) -> bool:
    assert step.before is not None
    assert step.after is not None
    return _side(step.before.away[j]) != _side(step.after.away[j])


def _moved_alpha(step: Step, about: About, j: int) -> str:
    assert step.before is not None
    assert step.after is not None
    name = about.name(about.earlier[j])
    was, now = step.before.alpha[j], step.after.alpha[j]
    side, delta = _side(step.after.away[j]), f"δ = {about.threshold:g}"
    verb = "rose" if now > was else "fell"
    one, two = _pair(was, now, about.threshold)
    changed = f"α of {name} {verb} from {one} to {two}"
    if _crosses(step, j):
        return f"{changed} and crossed {delta}: {name} becomes {side}{_then(side, about)}.{_texts(step, about, j)}"
    where = "above" if now > (about.threshold or 0.0) else "not above"
    return f"{changed}: it stays {side} ({where} {delta}).{_texts(step, about, j)}"


def _then(side: str, about: About) -> str:
    """What follows for the training, with these settings."""
    if side == "similar":
        return ", and its prompt is mixed in" if about.lends else ""
    return ", and the new prompt is pushed away from it" if about.pushes else ""


def _texts(step: Step, about: About, j: int) -> str:
    """How many texts changed side by themselves; eq. 7 mixes text by text."""
    assert step.before is not None
    assert step.after is not None
    delta = about.threshold or 0.0
    pairs = zip(step.before.alphas, step.after.alphas, strict=True)
    count = sum((one[j] > delta) != (two[j] > delta) for one, two in pairs)
    return f" {count} of the {len(step.texts)} texts crossed it." if count else ""


def _given(seen: Seen, about: About) -> str:
    near = [about.name(name) for name, share in zip(about.earlier, seen.away, strict=True) if share < 0.5]
    far = [about.name(name) for name, share in zip(about.earlier, seen.away, strict=True) if share >= 0.5]
    return f"The partition is given: similar {listed(near)}; dissimilar {listed(far)}."


def _of_loss(step: Step) -> list[str]:
    if step.before is None or step.after is None:
        return [f"The loss of this step was {step.told['loss']:.3f}."]
    lines = [f"{_changed('On these texts the loss', step.before.loss, step.after.loss)}."]
    parts = [part for part in PARTS if part in step.before.parts or part in step.after.parts]
    if len(parts) > 1:
        found = [_part(part, step.before.parts, step.after.parts) for part in parts]
        lines.append(f"Parts of the loss: {', '.join(found)}.")
    return lines


def _part(part: str, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    """A part that is missing has no dissimilar task to push away from."""
    one, two = _pair(before.get(part, 0.0), after.get(part, 0.0))
    return f"{one} → {two} {PARTS[part]}" if one != two else f"{two} as before {PARTS[part]}"


def _of_answers(step: Step) -> list[str]:
    if step.before is None or step.after is None:
        return []
    one, two = sum(step.before.right), sum(step.after.right)
    pairs = [*zip(step.before.right, step.after.right, strict=True)]
    won, lost = pairs.count((False, True)), pairs.count((True, False))
    begin = f"Answered right: {one} of the {len(step.texts)} texts before the step"
    if not won and not lost:
        return [f"{begin}, and the same after it."]
    turns = [f"{count} turned {word}" for count, word in ((won, "right"), (lost, "wrong")) if count]
    return [f"{begin}, {two} after it: {' and '.join(turns)}."]


def _of_epoch(step: Step) -> list[str]:
    if step.epoch is None:
        return []
    return [
        f"Epoch {step.epoch['epoch'] + 1} ends: {step.epoch['validation']:.0%} of the validation texts are answered "
        "right."
    ]


# --- numbers in words ---------------------------------------------------------------------
def _side(away: float) -> str:
    return "dissimilar" if away >= 0.5 else "similar"


def _changed(what: str, was: float, now: float) -> str:
    """`α of yelp rose from 0.41 to 0.47`"""
    one, two = _pair(was, now)
    if one == two:
        return f"{what} stays at {two}"
    return f"{what} {'rose' if now > was else 'fell'} from {one} to {two}"


def _pair(one: float, two: float, limit: float | None = None) -> tuple[str, str]:
    """Two numbers with as few decimals as tell them apart, from each other and from a limit."""
    for decimals in range(LEAST, MOST_DECIMALS + 1):
        first, second = f"{one:.{decimals}f}", f"{two:.{decimals}f}"
        if first != second and (limit is None or f"{limit:.{decimals}f}" not in (first, second)):
            return first, second
    return f"{one:.{LEAST}f}", f"{two:.{LEAST}f}"


def listed(names: Sequence[str]) -> str:
    if not names:
        return "none"
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
