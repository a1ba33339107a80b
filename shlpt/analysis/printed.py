"""The paper's Table 10 as transfer between pairs, with the uncertainty of its test sets. Pure.

The paper prints one score per cell, without spread and without answers. The interval here is that of two proportions
measured on n test examples each, as if different examples had been drawn. On the same examples it may be smaller; the
spread over seeds and training examples comes on top."""

import math

import pandas as pd
from scipy.special import ndtr

from shlpt import paper
from shlpt.analysis.stats import benjamini_hochberg
from shlpt.analysis.transfer import CELL, LEVEL
from shlpt.tasks.pocket import TASKS

PER_CLASS, SQUAD = 100, 400  # test examples in the paper
NORMAL = 1.959964


def examples_of(task: str) -> int:
    """In the paper; our stand-ins have the same classes."""
    return SQUAD if task == "squad" else PER_CLASS * len(TASKS[task].labels)


def table10() -> pd.DataFrame:
    """As `transfer.cells`: the gain of the target over learning it alone, in points, with its interval and verdict."""
    rows = paper.read("table10")
    alone = {row["target"]: float(row["value"] or math.nan) for row in rows if row["source"] is None}
    lines = []
    for row in rows:
        if row["source"] is None or row["source"] == row["target"]:
            continue
        score, base, n = float(row["value"] or math.nan), alone[row["target"]], examples_of(str(row["target"]))
        error = 100 * math.sqrt(sum(share / 100 * (1 - share / 100) / n for share in (score, base)))
        gain = score - base
        p = 2 * float(ndtr(-abs(gain) / error)) if math.isfinite(gain) else None
        lines.append((row["source"], row["target"], gain, gain - NORMAL * error, gain + NORMAL * error, 2, p))
    corrected = benjamini_hochberg([line[-1] for line in lines])
    full = [(*line, q, q is not None and q <= LEVEL, True) for line, q in zip(lines, corrected, strict=True)]
    return pd.DataFrame(full, columns=CELL)


def table10_said(table: pd.DataFrame) -> str:
    """What its numbers can and cannot support, in a sentence."""
    below, alone = int((table["value"] < 0).sum()), int(((table["low"] > 0) | (table["high"] < 0)).sum())
    clear = int(table["clear"].sum())
    return (
        f"Of {len(table)} printed pairs {below} are below zero. By the size of the test sets {alone} of them "
        f"{'differs' if alone == 1 else 'differ'} from zero, where {LEVEL * len(table):.1f} would by chance if no "
        f"source had an effect, and {clear or 'none'} after the correction for {len(table)} pairs. So the printed "
        "numbers show the range of what was measured; they cannot show the sign of a single pair. A test on the same "
        "examples or a spread over seeds could, and neither is printed."
    )
