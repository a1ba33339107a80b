"""Variants of a method: spread, interval, and paired difference from a baseline. Pure."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from shlpt.analysis.metrics import summary
from shlpt.analysis.stats import Value, holm, paired_t

Values = Mapping[str, Mapping[int, Value]]  # variant -> seed -> score


def compared(values: Values, baseline: Mapping[str, str]) -> list[dict[str, Any]]:
    """One row per variant. `baseline` maps a variant to its baseline; p is corrected over all comparisons."""
    comparisons = {
        name: paired_t(list(mine.values()), [values.get(baseline[name], {}).get(seed) for seed in mine])
        for name, mine in values.items()
        if name in baseline
    }
    corrected = dict(zip(comparisons, holm([c["p"] for c in comparisons.values()]), strict=True))
    apart = {name: {"baseline": baseline[name], **comparisons[name], "p_holm": corrected[name]} for name in comparisons}
    return [
        {
            "variant": name,
            **summary([v for v in mine.values() if v is not None], share=True),
            "difference": apart.get(name),
        }
        for name, mine in values.items()
    ]


def average(values: Values, names: Sequence[str]) -> dict[int, Value]:
    """The mean over several variants for each seed; None if one is missing."""
    seeds = dict.fromkeys(seed for name in names for seed in values.get(name, {}))
    found = {seed: [values.get(name, {}).get(seed) for name in names] for seed in seeds}
    return {seed: None if None in mine else fmean(v for v in mine if v is not None) for seed, mine in found.items()}
