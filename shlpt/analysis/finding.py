"""The clearest finding of a transfer matrix: a task that is helped by one source and harmed by another. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from shlpt.analysis import transfer
from shlpt.analysis.points import signed

Pair = tuple[str, str]
ALONE, HELPS, HARMS = "alone", "helps", "harms"
ENOUGH = 3  # seeds: with two an interval is wider than the scale


@dataclass(frozen=True)
class Effect:
    """What learning a source first does to a target, in points of its score."""

    source: str
    target: str
    value: float
    low: float
    high: float
    n: int  # seeds

    @property
    def pair(self) -> Pair:
        return self.source, self.target

    @property
    def kind(self) -> str:
        return HELPS if self.value > 0 else HARMS

    @property
    def away(self) -> float:
        """How far the interval is from zero."""
        return self.low if self.value > 0 else -self.high


@dataclass(frozen=True)
class Finding:
    """One effect, or two on the same target: the harm first, then the help."""

    effects: tuple[Effect, ...]

    @property
    def target(self) -> str:
        return self.effects[0].target

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(effect.pair for effect in self.effects)

    @property
    def tasks(self) -> tuple[str, ...]:
        return (*(effect.source for effect in self.effects), self.target)


def clearest(table: pd.DataFrame) -> Finding | None:
    """`table` is the output of `transfer.cells`. The target with clear effects of both signs whose weaker interval is
    farthest from zero; without such a target the one effect whose interval is; None if no effect is clear."""
    sure = [effect_of(row) for row in table.to_dict("records") if row["clear"]]
    best: dict[tuple[str, str], Effect] = {}
    for effect in sorted(sure, key=lambda effect: -effect.away):
        best.setdefault((effect.target, effect.kind), effect)
    both = [
        Finding((harm, best[target, HELPS]))
        for (target, kind), harm in best.items()
        if kind == HARMS and (target, HELPS) in best
    ]
    if both:
        return max(both, key=lambda found: min(effect.away for effect in found.effects))
    return Finding((next(iter(best.values())),)) if best else None


def effect_of(cell: dict[str, object]) -> Effect:
    """An effect from a row of `transfer.cells`."""
    number = {key: float(str(cell[key])) for key in ("value", "low", "high")}
    return Effect(str(cell["source"]), str(cell["target"]), **number, n=int(str(cell["n"])))


# --- in words -----------------------------------------------------------------------------
def headline(found: Finding | None, counts: transfer.Counts) -> str:
    """The finding in one line; honest if there is none."""
    if found is None:
        return transfer.headline(counts)
    points = {effect.kind: f"{abs(effect.value):.0f}" for effect in found.effects}
    if len(points) == 2:
        return f"What is learned first costs a task {points[HARMS]} points, or gains it {points[HELPS]}"
    kind, number = next(iter(points.items()))
    return f"What is learned first {'gains' if kind == HELPS else 'costs'} a task {number} points"


def statement(found: Finding, write: Callable[[str], str] = str) -> str:
    """The same with names and intervals: what learning each source first costs or gains the target."""
    said: list[str] = []
    for effect in found.effects:
        verb = "gains" if effect.kind == HELPS else "costs"
        whom = "it" if said else write(effect.target)
        said.append(f"learning {write(effect.source)} first {verb} {whom} {size(effect)}")
    seeds = " and ".join(dict.fromkeys(f"{effect.n}" for effect in found.effects))
    text = "; ".join(said)
    return f"{text[0].upper()}{text[1:]} (95 % intervals, {seeds} seeds)."


def size(effect: Effect) -> str:
    """`14 points [9, 19]`, without a sign: costs and gains say it."""
    ends = sorted((effect.low, effect.high)) if effect.value > 0 else sorted((-effect.low, -effect.high))
    return f"{abs(effect.value):.0f} points [{ends[0]:.0f}, {ends[1]:.0f}]"


# --- seen again -----------------------------------------------------------------------------
@dataclass(frozen=True)
class Repeat:
    """An effect with other seeds: how many have its sign, and what they say together."""

    effect: Effect
    agree: int
    seeds: int
    mean: float
    low: float  # NaN with one seed
    high: float

    @property
    def said(self) -> str:
        seeds = f"{self.seeds} fresh seed{'s' * (self.seeds != 1)}"
        ends = f" ({signed(self.low, '+.0f')} to {signed(self.high, '+.0f')})" if self.seeds >= ENOUGH else ""
        agree = "agrees" if self.agree == 1 else "agree"
        return f"{self.agree} of {seeds} {agree}: {signed(self.mean, '+.0f')} points{ends}"


def repeats(found: Finding, pairs: pd.DataFrame) -> list[Repeat]:
    """`pairs` [source, target, seed, score, alone] of other seeds; effects that no seed has yet are left out."""
    gains = transfer.gains(pairs).dropna(subset=["transfer"])
    table = transfer.cells(pairs)
    lines = []
    for effect in found.effects:
        mine = gains[(gains["source"] == effect.source) & (gains["target"] == effect.target)]["transfer"]
        if mine.empty:
            continue
        cell = transfer.cell(table, *effect.pair)
        agree = int((mine > 0).sum() if effect.kind == HELPS else (mine < 0).sum())
        lines.append(Repeat(effect, agree, len(mine), cell["value"], cell["low"], cell["high"]))
    return lines


@dataclass(frozen=True)
class Verdict:
    """The scores of one seed: alone and after each source that is done."""

    said: str  # empty before the first of them
    whole: bool


def verdict(found: Finding, pairs: pd.DataFrame, seed: int, write: Callable[[str], str] = str) -> Verdict:
    """A pair is told when its score and that of its target alone are there; the others follow."""
    scored = pairs[pairs["seed"] == seed].dropna(subset=["score", "alone"]).set_index(["source", "target"])
    done = [(effect, scored.loc[effect.pair]) for effect in found.effects if effect.pair in scored.index]
    if not done:
        return Verdict("", False)
    said = [
        f"{row['score']:.0%} after {write(effect.source)} ({signed(100 * (row['score'] - row['alone']), '+.0f')})"
        for effect, row in done
    ]
    return Verdict(f"{done[0][1]['alone']:.0%} alone, {', '.join(said)}", len(done) == len(found.effects))
