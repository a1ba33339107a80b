"""Transfer between pairs of tasks: the gain or loss of the target from learning the source first. Pure."""

import math
from collections.abc import Sequence
from typing import Any, TypedDict

import pandas as pd

from shlpt.analysis.doctor import above_chance
from shlpt.analysis.metrics import error_reduction, summary
from shlpt.analysis.stats import Value, benjamini_hochberg, paired_t, sign_flip

CELL = ["source", "target", "value", "low", "high", "n", "p", "q", "clear", "learned"]
LEVEL = 0.05  # false discovery rate


def cells(pairs: pd.DataFrame) -> pd.DataFrame:
    """pairs [source, target, seed, score, alone] -> test error reduction of each pair in points, over the seeds. `low`
    and `high`: the cell's own 95 % interval. `p`: paired test. `q`: p corrected for the number of cells (Benjamini and
    Hochberg). `clear`: q at most 5 %. All are NaN with one seed. `learned`: the target is above chance after the source
    or alone (columns `count` and `chance`, if they are known); where it is not, nothing is claimed."""
    lines, learned = [], []
    for (source, target), rows in pairs.dropna(subset=["score", "alone"]).groupby(["source", "target"], sort=False):
        found = summary([100 * error_reduction(s, a) for s, a in zip(rows["score"], rows["alone"], strict=True)])
        interval: Any = found["ci95"] or (None, None)
        lines.append((source, target, found["mean"], *interval, found["n"], _p(rows["score"], rows["alone"])))
        learned.append(_learned(rows))
    corrected = benjamini_hochberg([line[-1] for line in lines])
    full = [
        (*line, q, above and q is not None and q <= LEVEL, above)
        for line, q, above in zip(lines, corrected, learned, strict=True)
    ]
    numbers = dict.fromkeys(["value", "low", "high", "p", "q"], float)
    return pd.DataFrame(full, columns=CELL).astype({**numbers, "n": int, "clear": bool, "learned": bool})


def _learned(rows: pd.DataFrame) -> bool:
    """Whether the target is above chance after the source or alone. The seeds share a test set: they count as one."""
    if "count" not in rows or rows["count"].isna().any():
        return True
    count, chance = int(rows["count"].iloc[0]), float(rows["chance"].iloc[0])
    return any(above_chance(float(rows[name].mean()), count, chance) for name in ("score", "alone"))


def gains(pairs: pd.DataFrame) -> pd.DataFrame:
    """The same pairs, seed by seed: [source, target, seed, transfer] in points; NaN where a score is missing."""
    return pairs[["source", "target", "seed"]].assign(transfer=100 * (pairs["score"] - pairs["alone"]))


def _p(score: Sequence[float], alone: Sequence[float]) -> Value:
    """Student's t, or the sign-flip test if all seeds differ by the same amount."""
    after, before = list(score), list(alone)
    if len(after) < 2:
        return None
    p = paired_t(after, before)["p"]
    return sign_flip(after, before)["p"] if p is None else p


def wide(table: pd.DataFrame, tasks: list[str]) -> list[dict[str, object]]:
    """One row per source, one column per target; None on the diagonal and where nothing was measured."""
    found = {(c.source, c.target): c.value for c in table.itertuples()}
    return [{"source": s} | {t: found.get((s, t)) for t in tasks} for s in tasks]


UNCLEAR = "unclear"
NOT_LEARNED = "not above chance: nothing is claimed"


def verdict(value: float, n: int, clear: bool, learned: bool = True) -> str:
    """The verdict on a cell in words."""
    if math.isnan(value):
        return "not trained yet"
    if not learned:
        return NOT_LEARNED
    if n < 2:
        return "one seed: nothing is claimed"
    if not clear:
        return UNCLEAR
    return "helps" if value > 0 else "harms"


def described(table: pd.DataFrame) -> pd.DataFrame:
    """Cells with their verdicts, for a table."""
    said = [verdict(c.value, c.n, c.clear, c.learned) for c in table.itertuples()]
    return table.assign(verdict=pd.Series(said, index=table.index, dtype=object))


def cell(table: pd.DataFrame, source: str, target: str) -> dict[str, Any]:
    """One cell; NaN and no seed if nothing was measured."""
    found = table[(table["source"] == source) & (table["target"] == target)]
    missing: dict[str, Any] = {"source": source, "target": target} | dict.fromkeys(
        ["value", "low", "high", "p", "q"], math.nan
    )
    line = {str(key): value for key, value in found.iloc[0].items()} if len(found) else missing | {"n": 0}
    line |= {"n": int(line["n"]), "clear": bool(line.get("clear", False)), "learned": bool(line.get("learned", True))}
    return line | {"verdict": verdict(line["value"], line["n"], line["clear"], line["learned"])}


def strongest(table: pd.DataFrame) -> tuple[str, str] | None:
    """The clear pair with the largest harm, or else the largest effect."""
    if table.empty:
        return None
    sure = table[table["clear"] & (table["value"] < 0)]
    place = sure["value"].idxmin() if len(sure) else table["value"].abs().idxmax()
    return str(table["source"][place]), str(table["target"][place])


def helping(table: pd.DataFrame) -> str:
    """The pairs with a positive mean, as `similar_pairs` of the oracle partition."""
    return ",".join(f"{c.source}>{c.target}" for c in table.itertuples() if c.value > 0) or "none"


# --- the whole matrix in a sentence -------------------------------------------------------
class Counts(TypedDict):
    """The number of clear pairs, and the number expected by chance."""

    tested: int  # pairs with two seeds at least
    clear: int
    helps: int
    harms: int
    level: float
    by_chance: float  # clear pairs on average if no pair had an effect
    uncorrected_by_chance: float  # the same without the correction


def counts(table: pd.DataFrame) -> Counts:
    tested = int(table["p"].notna().sum())
    helps, harms = (int((table["clear"] & (side * table["value"] > 0)).sum()) for side in (1, -1))
    return Counts(
        tested=tested,
        clear=int(table["clear"].sum()),
        helps=helps,
        harms=harms,
        level=LEVEL,
        by_chance=discoveries_by_chance(tested),
        uncorrected_by_chance=LEVEL * tested,
    )


def discoveries_by_chance(tests: int, level: float = LEVEL) -> float:
    """Expected number of tests that Benjamini and Hochberg's rule calls clear if no effect exists. P(exactly k) =
    C(m,k) (kα/m)^k (1 − kα/m)^(m−k−1) (1 − α), from Daniels' theorem on the empirical distribution of uniform numbers.
    P(any) = α."""
    m, found = tests, 0.0
    for k in range(1, m + 1):
        share = k * level / m
        ways = math.lgamma(m + 1) - math.lgamma(k + 1) - math.lgamma(m - k + 1)
        found += k * (1 - level) * math.exp(ways + k * math.log(share) + (m - k - 1) * math.log1p(-share))
    return found


def sentence(found: Counts) -> str:
    """The text under the figure: how many pairs are clear, compared with chance."""
    if not found["tested"]:
        return "No pair has been trained with two seeds yet, so nothing is claimed."
    pairs = f"{found['tested']} pair{'s' * (found['tested'] != 1)}"
    clear = f"{found['clear'] or 'None'} of {pairs} {'are' if found['clear'] > 1 else 'is'} clear"
    chance = "fewer than 1" if found["by_chance"] < 1 else f"{found['by_chance']:.1f}"
    return (
        f"{clear}; {chance} would be expected by chance. Verdicts are corrected for {pairs} (false discovery rate "
        f"{found['level']:.0%}); without the correction {found['uncorrected_by_chance']:.1f} would be expected."
    )


def headline(found: Counts) -> str:
    """The result of a matrix in one line."""
    if found["helps"] and found["harms"]:
        return "Some tasks help each other, some do harm"
    if found["helps"] or found["harms"]:
        shown, other = ("help", "harm") if found["helps"] else ("harm", "help")
        return f"Some tasks {shown} each other; no clear {other}"
    if found["tested"]:
        return "No task clearly helps or harms another"
    return "Do tasks help each other? Not measured yet"


FLIP = ["example", "target", "alone", "with transfer", "text"]


def flips(after: pd.DataFrame, alone: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers [example, text, target, answer, score] with and without transfer -> examples gained and lost by it."""
    both = after.merge(alone[["example", "answer", "score"]], on="example", suffixes=("", " alone"))
    both = both.rename(columns={"answer": "with transfer", "answer alone": "alone"})
    gained, lost = both["score"] > both["score alone"], both["score"] < both["score alone"]
    return both[gained][FLIP].reset_index(drop=True), both[lost][FLIP].reset_index(drop=True)
